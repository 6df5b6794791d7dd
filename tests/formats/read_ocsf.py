"""Holds every line of a file to the schema of OCSF's Compliance Finding, 1.5.0. read_ocsf.py FILE"""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0")).get_class_schema("compliance_finding", [])
validator = Draft202012Validator(schema)
with open(sys.argv[1], encoding="utf-8") as file:
    events = [json.loads(line) for line in file]
assert events, "there is no event"
for event in events:
    validator.validate(event)
assert len({event["finding_info"]["uid"] for event in events}) == len(events), "two events have one id"
