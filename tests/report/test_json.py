"""The lines of ``read --json`` against the contract."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tests.report import samples
from wire502.model import verdict
from wire502.model.verdict import Result, Time, Update
from wire502.report.json import SELDOM, line
from wire502.report.schema import schema


def written(result: Result, precision: Any = 6) -> dict[str, Any]:
    text = line(result, precision=precision)
    assert "\n" not in text
    assert text.isascii()
    return json.loads(text)


def same_shape(result: Result) -> dict[str, Any]:
    """Write a record the slow and obvious way."""

    def plain(value: Any) -> Any:
        if hasattr(value, "__dataclass_fields__"):
            head = {key: getattr(value, key) for key in ("type", "schema") if hasattr(value, key)}
            return head | {
                {"class_": "class"}.get(field.name, field.name): plain(getattr(value, field.name))
                for field in fields(value)
                if field.metadata.get("json", True)
            }
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return value

    return plain(result)


@pytest.mark.parametrize("result", samples.everything(), ids=lambda result: result.type)
def test_every_line_fits_the_schema(result: Result) -> None:
    """Each line that is written is valid by the schema that is published."""
    validator = Draft202012Validator(schema())
    Draft202012Validator.check_schema(schema())

    validator.validate(written(result))


@pytest.mark.parametrize("result", samples.everything(), ids=lambda result: result.type)
def test_the_hundredth_line_is_as_the_first(result: Result) -> None:
    """What is written often is written in another way, but the same."""
    assert 1 == len({line(result) for _ in range(2 * SELDOM)})
    assert json.loads(line(result)) == written(result)


def test_schema_rejects_a_line_that_lacks_a_key() -> None:
    """The schema demands every key: unknown is null, never missing."""
    bad = written(samples.reset_before_response())
    del bad["until"]

    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(bad)


def test_schema_tells_all_line_types() -> None:
    """Every result type has its own definition, told by a constant ``type``."""
    types = {record.type for record in get_args(verdict.Result)}
    told = {schema()["$defs"][ref["$ref"].rsplit("/")[-1]]["properties"]["type"]["const"] for ref in schema()["oneOf"]}

    assert types == told


@pytest.mark.parametrize(
    "result", [one for one in samples.everything() if not isinstance(one, Update)], ids=lambda one: one.type
)
def test_composed_writer_equals_the_obvious_one(result: Result) -> None:
    """The fast writer writes every field of the record, in order, as it stands; only times change their form."""
    got, expected = written(result), same_shape(result)

    assert list(got) == list(expected)

    def without_times(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_times(item) for key, item in value.items() if not key.endswith("time")}
        return [without_times(item) for item in value] if isinstance(value, list) else value

    assert without_times(expected) == without_times(got)


def test_contract_example() -> None:
    """The keys of a failure are those of the output contract, in its order; the ladder is not among them."""
    keys = (
        "type, schema, id, kind, protocol, confidence, frame, file, time, offset, until, sender, secondary, "
        "alternatives, at_fault, connection, request, response, client, masked, causes, evidence, caveats, "
        "gateways, summary "
    )
    got = written(samples.short_body())

    assert keys.strip() == ", ".join(got)
    assert "2026-11-22T12:04:32.121000Z" == got["time"]
    assert "application" == written(samples.reset_before_response())["causes"][0]["class"]
    assert {"frame": 9, "time": "2026-11-22T12:05:31.871000Z", "seconds": 60.0, "file": 0} == written(samples.stall())[
        "until"
    ]
    assert got["response"]["expected_body_bytes"] == 40960


def test_update_is_flat() -> None:
    """An update holds its id and only the changed keys, each written as in the line that it changes."""
    got = written(samples.update())

    assert ["type", "schema", "id", "masked", "time", "client", "until", "caveats"] == list(got)
    assert "2026-11-22T12:04:31.880000Z" == got["time"]
    assert got["until"] is None
    assert 502 == got["client"]["status"]


def test_unknown_numbers_are_null() -> None:
    """A float that is no number is written as null: NaN is no JSON."""
    result = samples.exchange()
    result.duration_ms = float("nan")
    result.first_byte_ms = float("inf")
    got = written(result)

    assert got["duration_ms"] is None
    assert got["first_byte_ms"] is None


def test_nine_digits() -> None:
    """With an interface finer than microseconds, times have nine digits, and none is lost."""
    result = samples.reset_before_response(time=Time(1_795_349_071_123_456_789))

    assert "2026-11-22T12:04:31.123456789Z" == written(result, 9)["time"]
    assert "2026-11-22T12:04:31.123456Z" == written(result, 6)["time"]


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_time_is_rfc3339(time_ns: int) -> None:
    """Any 64-bit time stamp becomes a valid date, and no time stamp raises."""
    text = written(samples.reset_before_response(time=Time(time_ns)), 9)["time"]

    Draft202012Validator({"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"}).validate(text)


@given(st.text())
def test_any_text_survives(text: str) -> None:
    """Text that is on the wire is read back from the line as it was, lone surrogates and controls included."""
    assert text == written(samples.reset_before_response(summary=text))["summary"]
