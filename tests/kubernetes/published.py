"""What Kubernetes publishes (its OpenAPI description, as the Python client of that version carries it): paths and fields.

A request to another path, and an answer with a field or a type that is not published, are noted as wrong.
"""
import functools
import importlib
import pathlib
import re
import typing

import kubernetes.client
from kubernetes.client import models

# Kinds of the project that serves them, which are not part of Kubernetes's own description: group, version, plural, kind.
OTHERS = {
    "/apis/postgresql.cnpg.io/v1/clusters": "Cluster",
    "/apis/snapshot.storage.k8s.io/v1/volumesnapshots": "VolumeSnapshot",
    "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents": "VolumeSnapshotContent",
    "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses": "VolumeSnapshotClass",
    "/apis/velero.io/v1/backups": "Backup",
    "/apis/velero.io/v1/schedules": "Schedule",
    "/apis/velero.io/v1/backupstoragelocations": "BackupStorageLocation",
}
MODELS = {
    "SelfSubjectReview": models.V1SelfSubjectReview,
    "SelfSubjectRulesReview": models.V1SelfSubjectRulesReview,
    "SelfSubjectAccessReview": models.V1SelfSubjectAccessReview,
    "NamespaceList": models.V1NamespaceList,
    "PersistentVolumeClaimList": models.V1PersistentVolumeClaimList,
    "PersistentVolumeList": models.V1PersistentVolumeList,
    "StatefulSetList": models.V1StatefulSetList,
    "ValidatingWebhookConfigurationList": models.V1ValidatingWebhookConfigurationList,
    "MutatingWebhookConfigurationList": models.V1MutatingWebhookConfigurationList,
    "ValidatingAdmissionPolicyList": models.V1ValidatingAdmissionPolicyList,
    "ValidatingAdmissionPolicyBindingList": models.V1ValidatingAdmissionPolicyBindingList,
    "APIGroupList": models.V1APIGroupList,
}


@functools.cache
def paths():
    """Every published path, with its methods."""
    found = {}
    folder = pathlib.Path(kubernetes.client.__file__).parent / "api"
    for file in folder.glob("*_api.py"):
        for method, path in re.findall(r"method='([A-Z]+)',\s*resource_path='([^']+)'", file.read_text()):
            found.setdefault(re.compile("^" + re.sub(r"\{[a-z]+\}", "[^/]+", path) + "/?$"), set()).add(method)
    return found


def is_published(method, path):
    plain = re.sub(r"/namespaces/[^/]+", "", path)
    return plain in OTHERS and method == "GET" or any(method in methods and pattern.match(path) for pattern, methods in paths().items())


def check(answer):
    """What of an answer is not as published."""
    model = MODELS.get(answer.get("kind"))
    if model is None:
        return [] if answer.get("apiVersion", "").split("/")[0].count(".") else [f"no model of {answer.get('kind')}"]
    model.model_validate(answer)
    return list(unknown(model, answer, answer["kind"]))


def unknown(model, value, place):
    fields = {field.serialization_alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, inner in value.items():
        if key not in fields:
            yield f"{place}.{key} is not published"
            continue
        yield from inside(fields[key], inner, f"{place}.{key}")


def inside(kind, value, place):
    for one in [kind, *typing.get_args(kind), *[deep for arg in typing.get_args(kind) for deep in typing.get_args(arg)]]:
        if isinstance(one, type) and hasattr(one, "model_fields"):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from unknown(one, each, place)
            return
