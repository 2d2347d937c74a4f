"""Compares what `coursenetctl --json` prints with the schemas in docs/schema/."""

import json
import os

import jsonschema

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "schema")


def closed(schema):
    """The schema without room for keys that it does not have: users must accept new keys, but each is described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {} if "properties" not in schema or "additionalProperties" in schema or "type" not in schema else {"additionalProperties": False}
    return {key: closed(value) for key, value in schema.items()} | more


def read(name):
    with open(f"{FOLDER}/{name}.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def parse(name, text):
    """The document in text, which must be one line and as docs/schema/NAME.json says."""
    if text.count("\n") != 1:
        raise AssertionError(f"this is not one line: {text}")
    document = json.loads(text)
    jsonschema.validate(document, closed(read(name)), jsonschema.Draft202012Validator)
    return document
