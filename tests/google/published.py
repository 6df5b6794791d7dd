"""What Google publishes (the discovery documents of its services, as its Python client of that version carries them): methods and fields.

A request to another path or with another query, and an answer with a field or a type that is not published, are noted as wrong.
"""
import json
import pathlib
import re

import googleapiclient

FOLDER = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
DOCUMENTS = {"backupdr": "backupdr.v1", "bigquery": "bigquery.v2", "cloudresourcemanager": "cloudresourcemanager.v3", "compute": "compute.v1", "container": "container.v1", "firestore": "firestore.v1",
             "iam": "iam.v1", "oauth2": "oauth2.v2", "secretmanager": "secretmanager.v1", "spanner": "spanner.v1", "sql": "sqladmin.v1beta4", "storage": "storage.v1"}
# Where tokens are issued is described in prose alone.
TOKEN = "oauth2.token"
# Methods that are POST and store nothing.
ASKS = re.compile(r"\.testIamPermissions$")


def methods(part):
    yield from part.get("methods", {}).values()
    for inner in part.get("resources", {}).values():
        yield from methods(inner)


class Published:
    """The methods of these names."""

    def __init__(self, names):
        self.schemas, self.routes, self.missing = {}, [], []
        found = {}
        for service, document in DOCUMENTS.items():
            text = json.loads((FOLDER / f"{document}.json").read_text())
            self.schemas[service] = text["schemas"]
            for method in methods(text):
                if method["id"] in names:
                    found[method["id"]] = (service, method, text.get("servicePath", ""), {**text.get("parameters", {}), **method.get("parameters", {})})
        for name in names:
            if name == TOKEN:
                continue
            if name not in found:
                self.missing.append(name)
                continue
            service, method, base, parameters = found[name]
            path = base + (method.get("flatPath") or method["path"])
            pattern = re.compile("^/" + re.sub(r"\\\{[^}]*\\\}", "([^/:]+)", re.escape(path)) + "$")
            changes = method["httpMethod"] != "GET" and not (method["httpMethod"] == "POST" and ASKS.search(name))
            if changes:
                self.missing.append(f"{name} changes something")
            query = {key for key, one in parameters.items() if one.get("location") == "query"}
            self.routes.append((name, method["httpMethod"], pattern, query, service, method.get("response", {}).get("$ref"), method.get("request", {}).get("$ref")))

    def route(self, verb, path):
        for name, method, pattern, query, service, response, request in self.routes:
            fits = pattern.match(path)
            if method == verb and fits:
                return name, fits.groups(), query, service, response, request
        return None

    def check(self, service, kind, value, place=None):
        """What of an object is not as published."""
        place = place or kind
        schema = self.schemas[service][kind]
        for key, inner in value.items():
            one = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if one is None:
                yield f"{place}.{key} is not published"
            else:
                yield from self.inside(service, one, inner, f"{place}.{key}")

    def inside(self, service, one, value, place):
        kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}
        if "$ref" in one:
            if not isinstance(value, dict):
                yield f"{place} is no object"
            else:
                yield from self.check(service, one["$ref"], value, place)
            return
        if not isinstance(value, kinds.get(one.get("type"), object)) or one.get("type") == "integer" and isinstance(value, bool):
            yield f"{place} is no {one.get('type')}"
        elif "enum" in one and value not in one["enum"]:
            yield f"{place} is none of its values: {value}"
        elif isinstance(value, list) and "items" in one:
            for at, item in enumerate(value):
                yield from self.inside(service, one["items"], item, f"{place}[{at}]")
        elif isinstance(value, dict):
            for key, inner in value.items():
                deeper = one.get("properties", {}).get(key) or one.get("additionalProperties")
                if deeper is None:
                    yield f"{place}.{key} is not published"
                else:
                    yield from self.inside(service, deeper, inner, f"{place}.{key}")
