"""`read -j N`: each capture as if it were alone, in the order given, one summary that adds up exactly."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import wire502
from wire502.cli import main
from wire502.exchange.summing import Counts, summary
from wire502.exchange.upstream_cy import Upstream, measure
from wire502.model.together import together
from wire502.model.verdict import Summary

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
NAMES = ("fin-mid-body", "connect-refused", "stall-mid-body", "fin-mid-headers", "client-abort")
PATHS = [str(CAPTURES / f"{name}.pcap") for name in NAMES]


def _lines(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    assert main(["read", "--json", *words]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _plain(record: Any) -> Any:
    """Without what a place among several captures changes."""
    if isinstance(record, dict):
        files = ("file", "first_file", "request_file", "end_file")
        left_out = ("id", "attempts", "verdict", *files) if "type" in record else files
        return {key: _plain(value) for key, value in record.items() if key not in left_out}
    return [_plain(value) for value in record] if isinstance(record, list) else record


def _files(record: Any) -> set[int]:
    """The file numbers anywhere in a record."""
    if isinstance(record, dict):
        own = {record[key] for key in ("file", "first_file", "request_file") if key in record}
        return own.union(*map(_files, record.values()))
    return set().union(*map(_files, record)) if isinstance(record, list) else set()


@pytest.mark.parametrize("jobs", ["2", "9"])
def test_each_as_if_alone(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of each capture are those that it has alone, in the order of the captures, its number beside each."""
    *side_by_side, last = _lines(capsys, "--all", "-j", jobs, *PATHS)
    alone = [_lines(capsys, "--all", path) for path in PATHS]

    assert [_plain(line) for line in side_by_side] == [_plain(line) for lines in alone for line in lines[:-1]]
    expected = [{number} for number, lines in enumerate(alone) for _ in lines[:-1]]
    assert [_files(line) or here for line, here in zip(side_by_side, expected, strict=True)] == expected
    for key in ("frames", "bytes", "connections", "exchanges", "aborts", "open", "shown", "client_502", "duplicates"):
        assert last[key] == sum(lines[-1][key] for lines in alone), key
    assert last["inputs"] == PATHS


def test_ids_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """No two failures of different captures share an id, and an incident names those of its own capture."""
    lines = _lines(capsys, "-j", "2", *PATHS, *PATHS)
    failures = {line["id"]: line for line in lines if line["type"] == "failure"}
    incidents = [line for line in lines if line["type"] == "incident"]

    assert len(failures) == sum(line["type"] == "failure" for line in lines) > len(NAMES)
    assert len({line["id"] for line in incidents}) == len(incidents)
    for incident in incidents:
        for ident in incident["attempts"]:
            assert failures[ident]["file"] == incident["file"]


def test_a_limit_counts_over_all(capsys: pytest.CaptureFixture[str]) -> None:
    """With a limit of two, the first two failures of all captures are told, and all are counted."""
    everything = _lines(capsys, *("-j", "3"), *PATHS)
    few = _lines(capsys, *("-j", "3", "--limit", "2"), *PATHS)

    told = [line["id"] for line in few if line["type"] == "failure"]
    assert told == [line["id"] for line in everything if line["type"] == "failure"][:2]
    assert (few[-1]["shown"], few[-1]["failures"]) == (2, everything[-1]["failures"])


def test_one_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A capture that cannot be read is said, the others are read, and the status is 3; with none of them it is 2."""
    missing = str(tmp_path / "missing.pcap")
    lines = _lines(capsys, "-j", "2", PATHS[0], missing, PATHS[1], status=3)

    assert [line["file"] for line in lines if line["type"] == "failure"] == [0, 2]
    assert any("missing.pcap" in caveat for caveat in lines[-1]["caveats"])
    assert main(["read", "-j", "2", missing, missing]) == 2


@pytest.mark.parametrize("words", [["--follow"], ["--log", "x"], ["--report", "x"], ["-"]])
def test_what_needs_one_reading(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What needs one reading of all captures is refused with -j, as is less than one process."""
    assert main(["read", "-j", "2", *PATHS, *words]) == 2
    assert main(["read", "-j", "0", *PATHS]) == 2
    assert "--jobs" in capsys.readouterr().err


def test_one_capture_is_read_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    """With one capture -j changes nothing."""
    assert _lines(capsys, "-j", "4", PATHS[0]) == _lines(capsys, PATHS[0])


def _summary(*upstreams: Upstream) -> Summary:
    numbers = dict.fromkeys(
        ("frames", "octets", "connections", "exchanges", "duplicates", "translated", "overlapping", "evicted"), 0
    )
    return summary(
        Counts(), **numbers, first_ns=None, last_ns=None, upstreams=upstreams, odd={}, unfollowed=0, holes=(0, 0, 0),
        unread=(), steps=(),
    )  # fmt: skip


def test_percentiles_of_all_frames() -> None:
    """The percentiles of summaries added up are those of one summary over everything."""
    drawn = random.Random(5)
    parts = [Upstream(0, 0xFFFF << 32 | 1, 80) for _ in range(3)]
    whole = Upstream(0, 0xFFFF << 32 | 1, 80)
    for _ in range(300):
        ns = int(10 ** drawn.uniform(0, 12))
        for figure in ("connect", "first_byte", "idle"):
            measure(getattr(drawn.choice(parts), figure), ns)
            measure(getattr(whole, figure), ns)

    assert together([_summary(part) for part in parts]).upstreams == _summary(whole).upstreams


def test_nothing_added_up() -> None:
    """No summaries at all are a summary without frames."""
    assert (together([]).frames, together([]).first_time, together([]).upstreams) == (0, None, [])


def test_an_interrupt_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interrupt the summary so far comes, and says that it is not all."""
    from wire502.cli.jobs import SideBySide

    reading = SideBySide(PATHS, 2, {})
    groups = reading.batches()
    next(groups)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    reading.stop()
    *_, last = [result for group in groups for result in group]
    assert isinstance(last, Summary)
    assert last.caveats[-1] == "stopped before the end"
    assert last.frames == list(wire502.read(PATHS[0]))[-1].frames  # type: ignore[union-attr]
