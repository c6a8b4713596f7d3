"""What clients got, in captures of both legs whose truth is known: one incident for each error, none for the rest.

The figures only rise: a change that betters one raises its floor here in the same commit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.score.incidents import Measured, measure, truths
from tests.score.measuring import told

TLS = r"^tls_"  # kinds of the TLS handshake
FLOORS = {"said": 0.99, "outcome": 0.99, "frame": 1.0, "attempts": 0.99, "verdict": 0.99, "side": 0.99}
RIGHT = 0.99  # all of it right, the side at fault too


@pytest.fixture(scope="module")
def measured(truth: Path) -> Measured:
    files = truths(truth / "captures-groundtruth", TLS)
    return measure(files, lambda capture: told(capture)[0])


def wrong(measured: Measured) -> str:
    """Return what is wrong, one error a line."""
    return "\n".join(str(one) for one in measured.judged if not one.whole)


@pytest.mark.parametrize("aspect", FLOORS)
def test_an_aspect_is_right(measured: Measured, aspect: str) -> None:
    """The share of errors of which one thing is told rightly is not below its floor."""
    assert measured.share(aspect) >= FLOORS[aspect], wrong(measured)


def test_errors_are_told_rightly(measured: Measured) -> None:
    """The share of errors of which everything is told rightly is not below its floor."""
    assert len(measured.judged) > 100, "too few errors to speak of a share"
    assert measured.share() >= RIGHT, wrong(measured)


def test_nothing_is_told_of_healthy_requests(measured: Measured) -> None:
    """No request that went well has an incident, and none stands for a request that nobody made."""
    assert measured.healthy > 500
    assert not measured.alarms
