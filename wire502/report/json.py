"""One result, one line of JSON: what ``wire502 read --json`` writes, by the contract in ``docs/json.md``.

The lines are written from the records themselves: for each record type a function is composed once, at its first
use, out of the type's annotations. It fills one template, so that ``--all`` on a large capture stays cheap (about
5 µs a line; ``dataclasses.asdict`` and ``json.dumps`` take seven times as long). The output is ASCII: it survives any
locale, and no text of the wire can reach a terminal's escape sequences or bidirectional controls through it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, Literal, get_args, get_origin, get_type_hints

from wire502.model import verdict
from wire502.model.verdict import Result, Time, Update
from wire502.report._clock import rfc3339

Precision = Literal[6, 9]
Writer = Callable[[Any], str]


def line(result: Result, *, precision: Precision = 6) -> str:
    """Return *result* as one line of JSON, without the line break; times with *precision* digits."""
    if isinstance(result, Update):
        return _update(result, precision)
    kind: Any = type(result)  # mypy takes a union of types for something that has no hash
    return _writer(kind, precision)(result)


def json_name(name: str) -> str:
    """Return the key under which the field *name* is written: ``class_`` is ``class``."""
    return name.removesuffix("_")


def written_fields(record: type) -> dict[str, Any]:
    """Return the fields of the dataclass *record* that are written, name to resolved type, in order."""
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record) if field.metadata.get("json", True)}


@cache
def _writer(kind: Any, precision: Precision) -> Writer:
    """Return the function that writes a value of the type *kind*."""
    if kind is verdict.ExchangeLine:  # there may be millions of these
        from wire502.report.exchange_cy import ExchangeWriter

        return ExchangeWriter(precision).line
    if isinstance(kind, type) and is_dataclass(kind):
        return _record_writer(kind, precision)
    if kind is Time:
        return lambda time_ns: f'"{rfc3339(time_ns, precision)}"'
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list:
        item = _writer(arguments[0], precision)
        return lambda values: f"[{', '.join(map(item, values))}]" if values else "[]"
    if origin is dict:
        item = _writer(arguments[1], precision)
        return lambda values: (
            f"{{{', '.join(f'{encode_basestring_ascii(key)}: {item(value)}' for key, value in values.items())}}}"
        )
    return _SCALARS.get(kind, _scalar)


def _number(value: float) -> str:
    return float.__repr__(value) if isfinite(value) else "null"


def _scalar(value: object) -> str:
    """Write text, a number, a truth value or null: what a Literal or an unforeseen type holds."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return _number(value) if isinstance(value, float) else json.dumps(value, default=str)


_SCALARS: dict[Any, Writer] = {
    str: encode_basestring_ascii,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    float: lambda value: _number(float(value)),
    type(None): lambda _value: "null",
}


def _record_writer(record: type, precision: Precision) -> Writer:
    """Compose the writer of a dataclass: one expression that fills a template from its attributes.

    Its source holds field names of our own types and nothing else; values come in as arguments when it is called.
    """
    names: dict[str, Any] = {}
    keys = [f'"{key}": {json.dumps(getattr(record, key))}' for key in ("type", "schema") if hasattr(record, key)]
    values = []
    for number, (name, kind) in enumerate(written_fields(record).items()):
        plain = without_none(kind)
        value = f"record.{name}"
        if plain is not int:
            names[f"write_{number}"] = _writer(plain, precision)
            value = f"write_{number}({value})"
        if plain is not kind:
            value = f"'null' if record.{name} is None else {value}"
        keys.append(f'"{json_name(name)}": %s')
        values.append(value)
    template = f"{{{', '.join(keys)}}}"
    composed: Writer = eval(f"lambda record: {template!r} % ({', '.join(values)},)", names)  # noqa: S307 - see above
    return composed


def without_none(kind: Any) -> Any:
    """Return the type *kind* without its ``None``: ``int`` for ``int | None``."""
    if type(None) not in (choices := get_args(kind)) or get_origin(kind) is Literal:
        return kind
    left = [choice for choice in choices if choice is not type(None)]
    return left[0] if len(left) == 1 else kind


def _update(update: Update, precision: Precision) -> str:
    """Write an update flat: each changed key as in the line that it changes."""
    parts = ['"type": "update"', f'"schema": {update.schema}', f'"id": {encode_basestring_ascii(update.id)}']
    for name, value in update.changes.items():
        writer = _scalar if value is not None else _SCALARS[type(None)]
        if value is not None and (kind := _known_fields().get(name)) is not None:
            writer = _writer(without_none(kind), precision)
        parts.append(f"{encode_basestring_ascii(json_name(name))}: {writer(value)}")
    return f"{{{', '.join(parts)}}}"


@cache
def _known_fields() -> dict[str, Any]:
    """Return the fields that an update may change: those of the lines that have an id."""
    return {**written_fields(verdict.Incident), **written_fields(verdict.Failure)}
