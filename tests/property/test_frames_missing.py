"""A capture that lacks frames gives the same verdict or an admission; never another accusation, none of the healthy.

What is demanded of each failure line of a capture with holes (lines "ended by the gateway or its client" accuse nobody
and are free), against what the whole capture says of the same two endpoints:

- the same kind at the same frame, the same side at fault or ``unknown``; or
- the same kind at another frame, where the frame of the whole verdict is the one that is missing; or
- a coarser reading that the missing frame leaves as the only one (``COARSER``); or
- an admission: confidence low, of an attempt that did fail.

Where the whole capture says nothing of these endpoints, nothing may be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.property.sources import frames_of, known, name, samples
from tests.property.transform import Raw, Verdict, judge, loud, verdicts
from tests.score import floors

# What the capture shows as the first kind, without the frame that tells them apart, as the second.
COARSER = {
    ("connect_unreachable", "connect_timeout"),  # the ICMP error is missing
    ("connect_refused", "connect_timeout"),  # the RST is missing
    ("client_abort", "stall_before_response"),  # nothing of the client is left
    ("fin_mid_request", "fin_before_response"),  # without its head the request is no HTTP: confidence medium at most
    ("rst_mid_request", "rst_before_response"),
}


def unjust(whole: Sequence[Verdict], missing: set[int], found: Sequence[Verdict]) -> list[Verdict]:
    """Return those of *found* that a capture without *missing* must not say, by the rules above."""
    return [verdict for verdict in loud(found) if not _just(whole, missing, verdict)]


def _just(whole: Sequence[Verdict], missing: set[int], verdict: Verdict) -> bool:
    there = [one for one in whole if one.attempt[:2] == verdict.attempt[:2]]
    for one in there:
        if verdict.kind == one.kind and one.identity in missing:
            return True
        if (verdict.kind, verdict.identity) == (one.kind, one.identity) and verdict.at_fault in (
            one.at_fault,
            "unknown",
        ):
            return True
        if (one.kind, verdict.kind) in COARSER and verdict.confidence != "high":
            return True
    return bool(there) and verdict.confidence == "low"


def wrongs(frames: Sequence[Raw], gaps: Sequence[set[int]]) -> list[str]:
    """Return what is said wrongly when the frames of each of *gaps* (indices) are missing."""
    whole = verdicts(judge(frames), frames)
    found = []
    for gap in gaps:
        kept = [frame for index, frame in enumerate(frames) if index not in gap]
        missing = {frames[index].identity for index in gap}
        found += [
            f"without {sorted(missing)}: {verdict.kind} {verdict.identity} {verdict.confidence}"
            for verdict in unjust(whole, missing, verdicts(judge(kept), kept))
        ]
    return found


@pytest.mark.parametrize("path", samples(), ids=name)
def test_one_frame_of_a_sample(path: Path) -> None:
    """Whichever single frame of a sample is missing, nobody is accused wrongly."""
    frames = frames_of(path)

    assert [] == wrongs(frames, [{index} for index in range(len(frames))])


def test_one_frame_of_real_captures(truth: Path) -> None:
    """Of real captures, sixty frames of each tried one by one, the share of wrong accusations keeps to its limit."""
    assert truth
    tried, found = 0, []
    for path in known():
        frames = frames_of(path)
        indices = range(len(frames)) if len(frames) <= 60 else Random(11).sample(range(len(frames)), 60)
        tried += len(indices)
        found += [f"{name(path)} {wrong}" for wrong in wrongs(frames, [{index} for index in indices])]

    assert tried > 1000
    assert len(found) / tried <= floors.ONE_FRAME_MISSING_UNJUST, "\n".join(found)


def test_the_rules_can_be_broken() -> None:
    """The comparison itself tells a wrong accusation from a right one, a coarser one and an admission."""
    ends = ("10.0.0.1:41000", "10.0.0.2:8080", 4)
    whole = [Verdict("rst_mid_body", 9, "upstream", False, False, "high", ends)]
    said = whole[0]

    assert not unjust(whole, {5}, whole)
    assert not unjust(whole, {5}, [said._replace(at_fault="unknown", confidence="low")])
    assert not unjust(whole, {9}, [said._replace(identity=8)])
    assert not unjust(whole, {5}, [said._replace(kind="stall_mid_body", confidence="low")])
    assert unjust(whole, {5}, [said._replace(identity=8)])
    assert unjust(whole, {5}, [said._replace(at_fault="gateway")])
    assert unjust(whole, {5}, [said._replace(kind="rst_before_response")])
    assert unjust([], {5}, [said._replace(confidence="low")])
    assert not unjust([], {5}, [said._replace(kind="gateway_abort")])
