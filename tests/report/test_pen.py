"""A pen writes what is written of the ``ExchangeLine`` that the library hands out, octet for octet."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

import wire502
from wire502.cli.read import command
from wire502.exchange.lines_cy import Records
from wire502.model.healthy_cy import Healthy
from wire502.model.verdict import ExchangeLine, Result, Written
from wire502.report.json import line
from wire502.report.pen_cy import JsonPen

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
SMALL, WORD, LARGE = st.integers(0, 99_999), st.integers(0, 2**31 - 1), st.integers(0, 2**62)
TIMES = st.integers(-(2**63), 2**63 - 1) | st.integers(1_700_000_000 * 10**9, 1_700_000_003 * 10**9)
SPANS = st.integers(0, 10**7) | st.integers(0, 2**53) | st.integers(0, 2**40).map(lambda ms: ms * 1000)
ADDRESSES = st.tuples(st.just(0), st.integers(0xFFFF << 32, (0xFFFF << 32) + 0xFFFFFFFF)) | st.tuples(
    st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)
)
PORTS = st.integers(0, 65_535)
WORDS = st.binary(max_size=12) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass"))
TEXTS = WORDS | st.builds(bytes.__mul__, WORDS, st.sampled_from([5, 30, 900]))
FIELDS = ("frame", "stream", "first_frame", "number", "answer_frame", "head_bytes", "body_bytes")
WORST = b"\xff" * 9100


def _told(numbers: dict[str, Any], ends: tuple[Any, ...], texts: tuple[bytes | None, ...]) -> Any:
    told = Healthy()
    for name, value in numbers.items():
        setattr(told, name, value)
    (told.gateway_high, told.gateway_low), told.gateway_port, (told.upstream_high, told.upstream_low), port = ends
    told.upstream_port = port
    for name, text in zip(("method", "target", "host", "id"), texts, strict=True):
        start = len(told.head) if text is not None else -1
        told.head += text or b""
        setattr(told, f"{name}_at", start)
        setattr(told, f"{name}_end", len(told.head) if text is not None else -1)
    return told


NUMBERS = st.fixed_dictionaries(
    dict.fromkeys(FIELDS, LARGE | SMALL)
    | dict.fromkeys(("file", "first_file", "answer_file"), WORD)
    | {name: st.booleans() for name in ("client", "reused")}
    | dict.fromkeys(("time", "answer_time"), TIMES)
    | {
        "status": st.integers(0, 999),
        "expected": st.just(-1) | LARGE,
        "duration_ns": st.just(-1) | SPANS,
        "first_byte_ns": SPANS,
    }
)
EXCHANGES = st.builds(
    _told,
    NUMBERS,
    st.tuples(ADDRESSES, PORTS, ADDRESSES, PORTS),
    st.tuples(TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS),
)


def _line(record: object, precision: Any) -> bytes:
    assert isinstance(record, ExchangeLine)
    return f"{line(record, precision=precision)}\n".encode()


def _written(pen: JsonPen) -> list[bytes]:
    pen.settle()
    return [one.text for one in pen.results if isinstance(one, Written)]


@settings(max_examples=300)
@given(st.lists(EXCHANGES, min_size=1, max_size=3), st.sampled_from([6, 9]))
@example([_told({"first_byte_ns": 0}, ((0, 1), 1, (0, 1), 1), (WORST, WORST, WORST, WORST))], 6)
def test_any_exchange(exchanges: list[Healthy], precision: Any) -> None:
    """Whatever an exchange holds, hostile octets among it, its line is that of the general writer."""
    pen, lines = JsonPen(), []
    pen.precision = precision
    for told in exchanges:
        pen.write(told)
        records = Records()  # for each: it knows the ends of a connection by its number
        records.write(told)
        lines.append(_line(records.results[0], precision))
    assert b"".join(_written(pen)) == b"".join(lines)


def test_more_than_there_is_room_for() -> None:
    """Lines that the buffer cannot hold at once are all written, in their order."""
    pen, records = JsonPen(), Records()
    for number in range(40):
        told = _told({"frame": number}, ((0, 1), 1, (0, 1), 1), (b"GET", WORST[number:], b"a", None))
        pen.write(told)
        records.write(told)
    assert b"".join(_written(pen)) == b"".join(_line(record, 6) for record in records.results)
    assert len(pen.results) > 10


def test_other_results_between() -> None:
    """What others append to the results between two lines stays between them."""
    pen = JsonPen()
    for number in (1, 2):
        pen.write(_told({"number": number}, ((0, 1), 1, (0, 1), 1), (b"GET", b"/", None, None)))
        pen.results.append(number)
    pen.write(_told({"number": 3}, ((0, 1), 1, (0, 1), 1), (b"GET", b"/", None, None)))
    assert [b'"exchange": %d' % number in text for number, text in enumerate(_written(pen), 1)] == [True] * 3
    assert [type(one) for one in pen.results] == [Written, int, Written, int, Written]


def _texts(results: list[Result], precision: Any) -> list[bytes]:
    """Return what is printed of a group of results: runs of healthy exchanges as one text."""
    texts = []
    for healthy, run in groupby(results, key=lambda one: isinstance(one, ExchangeLine | Written)):
        if healthy:
            texts.append(b"".join(one.text if isinstance(one, Written) else _line(one, precision) for one in run))
        else:
            texts += [line(one, precision=precision).encode() for one in run]
    return texts


def test_sample_captures() -> None:
    """Of each sample capture the library's exchanges, written as JSON, are what a pen writes, in the same places."""
    written = 0
    for path in sorted(path for path in CAPTURES.rglob("*.pcap*") if path.suffix in (".pcap", ".pcapng")):
        plain, penned = wire502.read(path, all=True), wire502.read(path, all=True, pen=JsonPen())
        for one, other in zip(plain.batches(), penned.batches(), strict=True):
            assert _texts(one, plain.precision) == _texts(other, penned.precision), path.name
            written += sum(result.text.count(b"\n") for result in other if isinstance(result, Written))
    assert written > 50


@pytest.mark.parametrize("options", [{"filter": wire502.Filter(to="10.0.0.1")}, {"witness": lambda _result: None}])
def test_who_looks_at_each(options: dict[str, Any]) -> None:
    """Where a filter or a witness is to see each exchange there are none that only a pen saw."""
    for path in sorted(CAPTURES.rglob("*.pcap"))[:20]:
        assert not any(isinstance(one, Written) for one in wire502.read(path, all=True, pen=JsonPen(), **options))


@pytest.mark.parametrize("pen", [lambda: None, JsonPen])
def test_printed(pen: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pen as without one ``read --all --json`` prints a line for each result, failures among them."""
    path = next(CAPTURES.rglob("*.pcap"))
    monkeypatch.setattr("wire502.cli.reading.json_pen", pen)
    printed = CliRunner().invoke(command, ["--all", "--json", str(path)])
    reading = wire502.read(path, all=True)
    assert printed.output.splitlines() == [line(one, precision=reading.precision) for one in reading]
