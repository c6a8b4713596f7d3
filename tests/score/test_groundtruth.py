"""Captures of real gateways in front of upstreams that really fail: the floors of tests/score/floors.py hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.score import floors
from tests.score.measuring import NOT_TLS, call, load, told


@pytest.fixture(scope="module")
def results(truth: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the measuring program found, capture by capture; printed in full, for when a floor does not hold."""

    def run(_command: str, capture: Path, _seconds: float) -> tuple[list[dict[str, Any]], str | None]:
        lines, status, message = told(capture)
        if status not in (0, 1, 3):
            return lines, f"exit status {status}: {message}"
        return lines, None if lines and lines[-1]["type"] == "summary" else "no summary line at the end"

    program = load(truth / "score" / "groundtruth.py")
    out = tmp_path_factory.mktemp("score") / "results.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "run", run)
        call(program, [str(truth / "captures-groundtruth"), "--only", NOT_TLS, "--json", str(out), "-v"], patch)
    return json.loads(out.read_text())


def share(results: list[dict[str, Any]], key: str, least: int = 100) -> float:
    """Return which part of the events for which *key* was judged is right."""
    judged = [event[key] for result in results for event in result["events"] if event[key] is not None]
    assert len(judged) > least, "too few events to speak of a share"
    return sum(judged) / len(judged)


def wrong(results: list[dict[str, Any]]) -> str:
    """Return the events that are wrong, one a line."""
    return "\n".join(
        f"{Path(result['capture']).name} {event['id']}: want {event['kind']} at {event['frames']}, said {event['said']}"
        for result in results
        for event in result["events"]
        if not event["both_ok"]
    )


def test_every_capture_is_read(results: list[dict[str, Any]]) -> None:
    """Every capture ends with a summary and an exit status of the contract."""
    assert [] == [(result["capture"], result["problem"]) for result in results if result["problem"]]


def test_kind_and_frame(results: list[dict[str, Any]]) -> None:
    """The share of failures with the right kind at the right frame is not below its floor."""
    assert share(results, "both_ok") >= floors.GROUNDTRUTH_RIGHT, wrong(results)


def test_side_at_fault(results: list[dict[str, Any]]) -> None:
    """The share of these with the right side at fault is not below its floor."""
    assert share(results, "side_ok") >= floors.GROUNDTRUTH_SIDE


def test_cause(results: list[dict[str, Any]]) -> None:
    """Where causes were planted, the share of failures that name one of them is not below its floor."""
    assert share(results, "cause_ok", 60) >= floors.GROUNDTRUTH_CAUSE


def test_no_false_alarm(results: list[dict[str, Any]]) -> None:
    """No healthy exchange is called failed."""
    alarms = [(result["capture"], alarm) for result in results for alarm in result["false_alarms"]]

    assert sum(result["healthy"] for result in results) > 1000
    assert len(alarms) <= floors.GROUNDTRUTH_FALSE_ALARMS, alarms


def test_no_stray_and_nothing_twice(results: list[dict[str, Any]]) -> None:
    """No failure belongs to no request, and no attempt has more than one."""
    assert sum(result["strays"] for result in results) <= floors.GROUNDTRUTH_STRAYS
    assert sum(result["extra"] for result in results) <= floors.GROUNDTRUTH_EXTRA
