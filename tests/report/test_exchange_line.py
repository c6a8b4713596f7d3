"""The compiled writer of exchanges writes what is composed from the type."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from wire502.model.verdict import ConnectionRef, ExchangeLine, RequestRef, ResponseRef
from wire502.report import json
from wire502.report.exchange_cy import ExchangeWriter

NUMBERS = st.integers(0, 2**62)
TIMES = st.integers(-(2**63), 2**63 - 1) | st.integers(1_700_000_000 * 10**9, 1_700_000_003 * 10**9)
TEXTS = st.text(max_size=20)
DURATIONS = st.none() | st.floats()
REQUESTS = st.builds(
    RequestRef, NUMBERS, TIMES, TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none() | NUMBERS
)  # fmt: skip
RESPONSES = st.builds(ResponseRef, NUMBERS, TIMES, st.none() | NUMBERS, NUMBERS, NUMBERS, st.none() | NUMBERS)
CONNECTIONS = st.builds(ConnectionRef, NUMBERS, TEXTS, TEXTS, NUMBERS, NUMBERS, st.booleans())
LINES = st.builds(
    ExchangeLine, st.none(), st.sampled_from(["upstream", "client"]), TEXTS, NUMBERS, NUMBERS, TIMES, CONNECTIONS,
    st.none() | REQUESTS, st.none() | RESPONSES, DURATIONS, DURATIONS, st.lists(TEXTS, max_size=3),
)  # fmt: skip


@given(st.lists(LINES, min_size=1, max_size=4), st.sampled_from([6, 9]))
def test_same_line(records: list[ExchangeLine], precision: Any) -> None:
    """Whatever an exchange holds, all writers write the same, one line after the other."""
    writer, made = ExchangeWriter(precision), json.RecordWriter(ExchangeLine, precision)
    composed = made.composed()

    lines = [writer.line(record) for record in records]
    assert [made.write(record) for record in records] == lines
    assert [composed(record) for record in records] == lines


def test_it_is_the_writer_in_use() -> None:
    """A line of this type is written by it."""
    assert isinstance(json._line_writer(ExchangeLine, 6).__self__, ExchangeWriter)  # type: ignore[attr-defined]
    assert ExchangeLine in get_args(json.Result)
    assert len(fields(ExchangeLine)) == 12
