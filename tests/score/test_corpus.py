"""Captures from public projects, and damaged inputs: the floors of tests/score/floors.py hold."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.score import floors
from tests.score.measuring import call, load, told

ROW = re.compile(r"^(\w+) +(\d+) +([\d.]+)%$", re.MULTILINE)
SOUND = re.compile(r"damaged inputs sound (\d+)/(\d+)")
TLS = {"tls_alert"}


@dataclass
class Measured:
    right: float
    sound: float
    text: str


@pytest.fixture(scope="module")
def measured(truth: Path) -> Measured:
    program = load(truth / "score" / "corpus.py")
    # An answer that the program's own table has no row for (its "also_accept" names it).
    program.KINDS.setdefault("fin_mid_headers", {"fin_mid_headers"})
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(program, "run", lambda _command, capture, *_: told(capture))
        call(program, [str(truth / "corpus"), "-v"], patch)
    text = out.getvalue()
    rows = {kind: (int(number), float(percent)) for kind, number, percent in ROW.findall(text) if kind not in TLS}
    right = sum(round(number * percent / 100) for number, percent in rows.values())
    sound = SOUND.search(text)
    assert sound is not None
    return Measured(right / sum(number for number, _ in rows.values()), int(sound[1]) / int(sound[2]), text)


def test_failure_points(measured: Measured) -> None:
    """The share of failure points with the right kind at the right frame, TLS aside, is not below its floor."""
    assert measured.right >= floors.CORPUS_RIGHT, measured.text


def test_damaged_inputs(measured: Measured) -> None:
    """The share of damaged inputs that end with an error, a part or nothing, as they should, is not below its floor."""
    assert measured.sound >= floors.CORPUS_SOUND, measured.text
