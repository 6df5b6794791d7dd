"""Holds a file to the model of OSCAL Assessment Results, and its references to what is there. read_oscal.py FILE"""

import json
import sys

from trestle.oscal.assessment_results import Model

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
Model.model_validate(document)
inside = document["assessment-results"]
ids = []


def walk(value):
    if isinstance(value, dict):
        ids.extend([value["uuid"]] if "uuid" in value else [])
        for inner in value.values():
            walk(inner)
    elif isinstance(value, list):
        for inner in value:
            walk(inner)


walk(inside)
assert len(ids) == len(set(ids)), "two things have one id"
assert inside["import-ap"]["href"].lstrip("#") in ids
for result in inside["results"]:
    for one in result.get("findings", []) + result.get("risks", []):
        for link in one.get("related-observations", []) + one.get("related-risks", []):
            assert set(link.values()) <= set(ids), "a reference leads nowhere"
