"""Each sample capture gives exactly the lines that its truth file names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.make_captures import PARTS, differences
from scripts.make_captures_scene import SAMPLES
from wire502 import kinds
from wire502.api import Failure, Open, Summary, read

FOLDER = Path(__file__).parents[3] / "captures"
TRUTHS = sorted(FOLDER.glob("*.truth.json"))

# Right answers that are still to come; a row that is no longer true fails.
AWAITED: dict[str, str] = {}


def rows(truths: list[Path]) -> list[Any]:
    """Return the truths as parameters, marked where the right answer is still to come."""
    found = []
    for path in truths:
        name = path.name.removesuffix(".truth.json")
        reason = AWAITED.get(name)
        found.append(pytest.param(path, id=name, marks=[pytest.mark.xfail(reason=reason)] if reason else []))
    return found


@pytest.mark.parametrize("path", rows(TRUTHS))
def test_truth(path: Path) -> None:
    """The failures of a sample are those of its truth, in its order, frame by frame, and there are no others."""
    truth = json.loads(path.read_text())
    results = list(read(path.with_name(truth["capture"])))
    failures = [result for result in results if isinstance(result, Failure)]
    said = [(f.kind, f.frame, f.masked, f.secondary) for f in failures]
    wanted = truth["failures"]

    for failure, expected in zip(failures, wanted, strict=False):
        frame = failure.frame if failure.frame in (expected["frame"], expected["or_frame"]) else expected["frame"]
        assert (failure.kind, failure.frame) == (expected["kind"], frame), expected["why"]
        assert failure.at_fault in expected["at_fault"], expected["why"]
        assert failure.confidence in expected["confidence"], expected["why"]
        assert (failure.masked, failure.secondary) == (expected["masked"], expected["secondary"]), expected["why"]
        assert (failure.request.target if failure.request else None) == expected["target"]
    assert len(failures) == len(wanted), said

    summary = results[-1]
    assert isinstance(summary, Summary)
    assert truth["open"] == len([result for result in results if isinstance(result, Open)])
    assert truth["duplicates"] == summary.duplicates


def test_files_are_as_made() -> None:
    """The folder holds exactly what scripts/make_captures.py makes."""
    assert PARTS
    assert [] == [path.name for path in differences()], "run: python scripts/make_captures.py"


def test_every_kind_has_a_sample() -> None:
    """Every kind that wire502 knows is shown by a sample."""
    shown = {expected.kind for sample in SAMPLES.values() for expected in sample.octets()[1].failures}

    assert set(kinds.kind_names()) <= shown


def test_samples_are_small() -> None:
    """No sample is larger than a page can be read of: 200 kB."""
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < 200_000


def test_awaited_names_exist() -> None:
    """Every awaited answer belongs to a sample."""
    assert set(AWAITED) <= {Path(name).stem for name in SAMPLES}
