"""The JSON Schema (draft 2020-12) of the lines of ``wire502 read --json``, generated from the types that write them."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from wire502.model import verdict
from wire502.model.verdict import Time, Update
from wire502.report.json import json_name, written_fields

Schema = dict[str, Any]

_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{6}|\d{9})Z$",
}


def schema() -> Schema:
    """Return the schema of one line: any of the record types, told apart by ``type``."""
    definitions: dict[str, Schema] = {}
    lines = [_of(record, definitions) for record in get_args(verdict.Result)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wire502 read --json, one line",
        "description": "Unknown is null, never missing. New keys may be added under the same schema number.",
        "oneOf": lines,
        "$defs": definitions,
    }


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a value of the type *kind*; records go into *definitions*, once each."""
    if kind is Time:
        return _TIME
    if isinstance(kind, type) and is_dataclass(kind):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # its place, should a record hold itself
            definitions[kind.__name__] = _record(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if type(None) in arguments and len(arguments) == 2:
        (plain,) = (one for one in arguments if one is not type(None))
        return {"anyOf": [_of(plain, definitions), {"type": "null"}]}
    return {"type": _SCALARS[kind]} if kind in _SCALARS else {}


def _record(record: type, definitions: dict[str, Schema]) -> Schema:
    properties: dict[str, Schema] = {
        key: {"const": getattr(record, key)} for key in ("type", "schema") if hasattr(record, key)
    }
    if record is Update:  # holds only what changed, each key as in the line that it changes
        properties["id"] = {"type": "string"}
    else:
        hints = get_type_hints(record)
        properties |= {json_name(name): _of(hints[name], definitions) for name in written_fields(record)}
    return {
        "type": "object",
        "description": inspect.cleandoc(record.__doc__ or ""),
        "properties": properties,
        "required": list(properties),
    }
