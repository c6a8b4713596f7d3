"""What holds of every verdict, whatever the attempt looks like."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.diagnosis.attempts import ATTEMPTS, CLOSINGS, GAPS, POINTS, maybe
from tests.kinds.factory import (
    CONTEXT,
    at,
    attempt,
    client,
    closing,
    complete,
    half_head,
    request,
    response,
    rst,
    upload,
    violation,
)
from wire502.diagnosis.failures import to_exchange, to_failure, to_open
from wire502.diagnosis.judge import decide, judge
from wire502.diagnosis.surroundings import NoSurroundings
from wire502.kinds import all_kinds, order
from wire502.model.attempt import Attempt, Point, Request, Response
from wire502.model.context import Context
from wire502.model.finding import Finding
from wire502.model.verdict import CONFIDENCES

CONTEXTS = st.builds(
    Context,
    gateway_timeouts_ns=st.sampled_from([(), (2_000_000_000,)]),
    header_limit=st.sampled_from([None, 50, 4096]),
)
FAULTS = {"upstream", "network", "gateway", "client", "unknown"}


def frames(record: object) -> set[tuple[int, int]]:
    """Every (frame, file) that a record holds, however deep."""
    if isinstance(record, Point):
        return {(record.frame, record.file)}
    if is_dataclass(record):
        return set().union(*(frames(getattr(record, field.name)) for field in fields(record)))
    if isinstance(record, tuple | list):
        return set().union(*(frames(one) for one in record))
    return set()


@settings(max_examples=150)
@given(ATTEMPTS, CONTEXTS)
def test_any_attempt_gets_a_sound_verdict(made: Attempt, context: Context) -> None:
    """The judge never raises, never changes the attempt, repeats itself, and cites only frames of the attempt."""
    before = deepcopy(made)
    word = judge(made, context)
    assert made == before
    assert judge(made, context) == word
    assert (word.finding is not None) == (word.outcome == "failure")
    assert bool(word.why_unknown) == (word.outcome == "open")
    assert word.confidence in CONFIDENCES
    assert word.at_fault in FAULTS
    known = frames(made)
    assert {(seen.frame, seen.file) for seen in word.evidence} <= known
    assert {other.frame for other in word.alternatives} <= {frame for frame, _ in known} | {None}
    if word.finding is not None:
        assert word.finding.kind in all_kinds()
        assert (word.finding.point.frame, word.finding.point.file) in known
        assert frames(word.finding.until) <= known
        assert word.summary.endswith(".")
        assert any((seen.frame, seen.file) == word.finding.point[:2] for seen in word.evidence)
        assert to_failure(made, word, "f1").kind == word.finding.kind
    assert to_open(made, "why").why_unknown == "why"
    assert to_exchange(made, "upstream").kind is None


@settings(max_examples=100)
@given(ATTEMPTS, CONTEXTS)
def test_each_kind_speaks_for_itself(made: Attempt, context: Context) -> None:
    """A kind's finding carries the kind's own name, or that of none."""
    for kind in all_kinds().values():
        finding = kind.failure_point(made, context)
        assert finding is None or finding.kind == kind.name


@settings(max_examples=300)
@given(
    status=st.sampled_from([200, 204, 301, 404, 499]),
    closes=st.fixed_dictionaries(
        {name: maybe(CLOSINGS) for name in ("upstream_fin", "upstream_rst", "gateway_fin", "gateway_rst")}
    ),
    gaps=st.lists(GAPS, max_size=2).map(tuple),
    rest=st.fixed_dictionaries(
        {
            "reused": st.booleans(),
            "capture_ended": st.booleans(),
            "request_retransmissions": st.integers(0, 9),
            "response_retransmissions": st.integers(0, 9),
            "gateway_window_zero": maybe(POINTS),
            "upstream_window_zero": maybe(POINTS),
            "clock_step": maybe(POINTS),
            "next_attempt": maybe(POINTS),
            "similar_silence": st.booleans(),
            "judged_at_ns": st.integers(0, 2 * at(0).time_ns),
        }
    ),
)
def test_complete_responses_are_healthy(status: int, closes: dict, gaps: tuple, rest: dict) -> None:
    """A complete response without a violation is healthy, whatever follows."""
    made = replace(attempt(response=complete(status)), **closes, gaps=gaps, **rest)
    assert judge(made, CONTEXT).outcome == "healthy"


# What a capture may do to an attempt without changing what happened: it may miss octets, or frames, and know it.
BLINDFOLDS: list[dict[str, object]] = [
    {"gateway_acked": 5000},
    {"one_sided": "gateway"},
    {"evicted": True},
    {"dropped_nearby": 3},
    {"snaplen_cut": True},
]
SICK = [
    attempt(upstream_rst=rst(9, 15.0)),
    attempt(upstream_fin=closing(9, 15.0)),
    attempt(judged_ms=3000.0, gateway_rst=rst(9, 2001.5)),
    attempt(gateway_rst=rst(9, 300.0)),
    attempt(request=upload(), upstream_acked=2000, upstream_rst=rst(9, 15.0, 0, 2000)),
]


@pytest.mark.parametrize("made", SICK)
@pytest.mark.parametrize("blindfold", BLINDFOLDS)
def test_less_sight_never_accuses_of_something_else(made: Attempt, blindfold: dict[str, object]) -> None:
    """What the capture did not see turns a verdict into itself or into an admission, never into another."""
    clear = judge(made, CONTEXT)
    blurred = judge(replace(made, **blindfold), CONTEXT)  # type: ignore[arg-type]
    assert clear.finding is not None
    if blurred.finding is None:
        assert blurred.outcome == "open"
    else:
        assert (blurred.finding.kind, blurred.finding.point) == (clear.finding.kind, clear.finding.point)
        assert CONFIDENCES.index(blurred.confidence) <= CONFIDENCES.index(clear.confidence)


def test_the_earliest_frame_wins() -> None:
    """Among several findings the earliest decides, by time, then file, then frame."""
    findings = [Finding("rst_mid_body", at(9, 5.0)), Finding("invalid_chunk", at(8, 4.0))]
    assert decide(findings) is findings[1]
    assert decide(findings[::-1]) is findings[1]
    same = [Finding("rst_mid_body", Point(3, 1, 7)), Finding("rst_mid_headers", Point(9, 0, 7))]
    assert decide(same) is same[1]
    assert decide([]) is None


def test_the_finer_kind_wins() -> None:
    """At the same frame the kind that refines the other decides, in whatever order they are found."""
    findings = [Finding("fin_before_response", at(9)), Finding("stale_keepalive", at(9))]
    assert decide(findings) is findings[1]
    assert decide(findings[::-1]) is findings[1]


def test_the_same_silence_elsewhere() -> None:
    """The surroundings are asked about both lengths of the wait, and never about the attempt's own stream."""
    asked = []

    class Around(NoSurroundings):
        def similar_silence(self, seconds: float, exclude_stream: int) -> bool:
            asked.append((round(seconds, 3), exclude_stream))
            return True

    made = attempt(judged_ms=8000.0, gateway_rst=rst(9, 7301.1))
    word = judge(made, CONTEXT, Around())
    assert word.finding is not None
    assert word.finding.kind == "stall_before_response"
    assert asked == [(7.3, 3)]
    assert not made.similar_silence


def _close(frame: int) -> st.SearchStrategy[object]:
    """A FIN or RST in a frame of its own, which acknowledges none, a part or all of the request."""
    times = st.sampled_from([-3000.0, 12.0, 501.0, 2001.0, 61_000.0])
    return maybe(st.builds(rst, st.just(frame), times, st.sampled_from([0, 40, 380]), st.sampled_from([0, 60, 100])))


@settings(max_examples=400)
@given(
    closes=st.fixed_dictionaries(
        {
            "upstream_fin": _close(20),
            "upstream_rst": _close(21),
            "gateway_fin": _close(22),
            "gateway_rst": _close(23),
        }
    ),
    asked=st.sampled_from([request(), request(50, 50), upload(), upload(100, expects_continue=True)]),
    got=st.sampled_from(
        [
            None,
            half_head(),
            half_head(9000),
            response(body=300),
            response(9000, 300),
            response(body=300, expected=None),
            response(body=300, expected=None, framing="close"),
            response(body=300, status=500),
            complete(),
            complete(500),
        ]
    ),
    part=st.sampled_from([None, "status_line", "header", "framing", "chunk"]),
    rest=st.fixed_dictionaries(
        {
            "reused": st.booleans(),
            "capture_ended": st.booleans(),
            "upstream_acked": st.sampled_from([None, 0, 60, 100, 5000]),
            "client": st.sampled_from([None, client(), client("reset", None, 70.0, left_first=at(30, 60.0))]),
            "excess_point": st.sampled_from([None, at(3, 0.5)]),
            "excess": st.booleans(),
            "gateway_window_zero": st.sampled_from([None, at(9, 11.5)]),
        }
    ),
)
def test_no_two_kinds_at_one_frame(
    closes: dict, asked: Request, got: Response | None, part: str | None, rest: dict
) -> None:
    """Two kinds never hold at the same frame unless one refines the other."""
    wrong = None if part is None or got is None else violation(part)
    made = replace(attempt(judged_ms=65_000.0, request=asked, response=got, violation=wrong), **closes, **rest)
    kinds = all_kinds()
    found = [finding for kind in kinds.values() if (finding := kind.failure_point(made, CONTEXT)) is not None]
    for first in found:
        for second in found:
            if first.kind < second.kind and order(first.point) == order(second.point):
                assert second.kind in kinds[first.kind].refines or first.kind in kinds[second.kind].refines
