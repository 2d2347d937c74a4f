"""Compares what `coursenetctl --json` prints with the schemas in docs/schema/."""

import functools
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


@functools.cache
def read(name):
    """Once: a check of the schema itself takes a tenth of a second, and cases ask for the seats again and again."""
    with open(f"{FOLDER}/{name}.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def parse(name, text):
    """The document in text, which must be one line and as docs/schema/NAME.json says."""
    if text.count("\n") != 1:
        raise AssertionError(f"this is not one line: {text}")
    document = json.loads(text)
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(closed(read(name))).iter_errors(document))
    if error:
        raise error
    return document
