"""One result, one line of JSON: what ``wire502 read --json`` writes, by the contract in ``docs/json.md``.

The lines are written from the records themselves: for each record type a writer is made once, at its first use, out
of the type's annotations, and that without what takes long to load (``typing``'s hints, ``json``). It fills one
template, so that a line costs about 10 µs (``dataclasses.asdict`` and ``json.dumps`` take seven times as long). The
output is ASCII: it survives any locale, and no text of the wire can reach a terminal's escape sequences or
bidirectional controls through it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any, Literal

try:
    from _json import encode_basestring_ascii  # all that is needed of json, which takes long to load
except ImportError:
    from json.encoder import encode_basestring_ascii

from wire502.model import verdict
from wire502.model.records import field_types, metadata_of
from wire502.model.verdict import Result, Update
from wire502.report._clock import rfc3339

SELDOM = 50  # records of a type that are written before it pays to compile what writes them
Precision = Literal[6, 9]
Writer = Callable[[Any], str]


def line(result: Result, *, precision: Precision = 6) -> str:
    """Return *result* as one line of JSON, without the line break; times with *precision* digits."""
    if isinstance(result, Update):
        return _update(result, precision)
    kind: Any = type(result)  # mypy takes a union of types for something that has no hash
    return _line_writer(kind, precision)(result)


def json_name(name: str) -> str:
    """Return the key under which the field *name* is written: ``class_`` is ``class``."""
    return name.removesuffix("_")


def written_fields(record: type) -> dict[str, str]:
    """Return the fields of *record* that are written, name to type as its source says it, in order."""
    return {name: kind for name, kind in field_types(record).items() if metadata_of(record, name).get("json", True)}


@cache
def _writer(kind: str, precision: Precision) -> Writer:
    """Return what writes a value, not None, of the type that an annotation in ``model.verdict`` calls *kind*."""
    kind = kind.removesuffix(" | None")
    if kind == "Time":
        return lambda time_ns: f'"{rfc3339(time_ns, precision)}"'
    origin, _, arguments = kind.removesuffix("]").partition("[")
    if origin == "list":
        item = _writer(arguments, precision)
        return lambda values: f"[{', '.join(map(item, values))}]" if values else "[]"
    if origin == "dict":
        item = _writer(arguments.removeprefix("str, "), precision)
        return lambda values: (
            f"{{{', '.join(f'{encode_basestring_ascii(key)}: {item(value)}' for key, value in values.items())}}}"
        )
    known = vars(verdict).get(kind)
    return _nested_writer(known, precision) if isinstance(known, type) else _SCALARS.get(kind, _scalar)


def _number(value: float) -> str:
    return float.__repr__(value) if isfinite(value) else "null"


def _scalar(value: object) -> str:
    """Write text, a number, a truth value or null: what a Literal or an unforeseen type holds."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, float):
        return _number(value)
    if type(value) is int:
        return str(value)
    from json import dumps

    return dumps(value, default=str)


_SCALARS: dict[str, Writer] = {
    "str": encode_basestring_ascii,
    "bool": lambda value: "true" if value else "false",
    "int": str,
    "float": lambda value: _number(float(value)),
}


@cache
def _line_writer(record: type, precision: Precision) -> Writer:
    if record is verdict.ExchangeLine:  # there may be millions of these
        from wire502.report.exchange_cy import ExchangeWriter

        return ExchangeWriter(precision).line
    return _nested_writer(record, precision)


@cache
def _nested_writer(record: type, precision: Precision) -> Writer:
    writer = RecordWriter(record, precision)
    return lambda value: writer.write(value)  # which changes


class RecordWriter:
    """Fills a template from the attributes of a record: ``write`` returns it as text.

    The first ones field by field; where there are many, by one expression, which is twice as fast but is to be
    compiled first.
    """

    def __init__(self, record: type, precision: Precision) -> None:
        constants = {key: getattr(record, key) for key in ("type", "schema") if hasattr(record, key)}
        self._fields = written_fields(record)
        keys = [f'"{key}": {_scalar(value)}' for key, value in constants.items()]
        keys += [f'"{json_name(name)}": %s' for name in self._fields]
        self._template = f"{{{', '.join(keys)}}}"
        self._writers = [_writer(kind, precision) for kind in self._fields.values()]
        self._left = SELDOM
        self.write: Writer = self._each

    def _each(self, record: Any) -> str:
        self._left -= 1
        if not self._left:
            self.write = self.composed()
        values = [getattr(record, name) for name in self._fields]
        texts = ["null" if value is None else write(value) for write, value in zip(self._writers, values, strict=True)]
        return self._template % tuple(texts)

    def composed(self) -> Writer:
        """Return a function that does the same as ``write`` by one expression.

        Its source holds field names of our own types and nothing else; values come in as arguments when it is called.
        """
        names: dict[str, Any] = {}
        values = []
        for number, (name, kind) in enumerate(self._fields.items()):
            value = f"record.{name}"
            if self._writers[number] is not str:
                names[f"write_{number}"] = self._writers[number]
                value = f"write_{number}({value})"
            values.append(f"'null' if record.{name} is None else {value}" if kind.endswith(" | None") else value)
        source = f"lambda record: {self._template!r} % ({', '.join(values)},)"
        made: Writer = eval(source, names)  # noqa: S307 - see above
        return made


def _update(update: Update, precision: Precision) -> str:
    """Write an update flat: each changed key as in the line that it changes."""
    parts = ['"type": "update"', f'"schema": {update.schema}', f'"id": {encode_basestring_ascii(update.id)}']
    for name, value in update.changes.items():
        write = _writer(_known_fields().get(name, "object"), precision)
        parts.append(f"{encode_basestring_ascii(json_name(name))}: {'null' if value is None else write(value)}")
    return f"{{{', '.join(parts)}}}"


@cache
def _known_fields() -> dict[str, str]:
    """Return the fields that an update may change: those of the lines that have an id."""
    return {**written_fields(verdict.Incident), **written_fields(verdict.Failure)}
