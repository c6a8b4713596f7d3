"""From an attempt and its verdict to the lines that are written: plain copying, no opinions."""

from __future__ import annotations

from typing import Literal, cast

from wire502.model.attempt import Attempt, Point
from wire502.model.finding import Verdict
from wire502.model.text import TEXT_LIMIT
from wire502.model.verdict import (
    ClientRef,
    ConnectionRef,
    ExchangeLine,
    Failure,
    Link,
    Open,
    Pending,
    RequestRef,
    ResponseRef,
    Time,
    Until,
)

_STILL = {
    "stall_mid_request": "has taken nothing more of the request",
    "stall_before_response": "has sent not one octet of a response",
    "stall_mid_headers": "has sent nothing more of the head of its response",
    "stall_mid_body": "has sent nothing more of its response",
}
Outcome = Literal["complete", "error", "cut", "closed_without_response", "reset", "pending"]


def to_failure(attempt: Attempt, verdict: Verdict, ident: str) -> Failure:
    """Return the failure line *ident*. Raises ``ValueError`` for a verdict that is no failure."""
    finding = verdict.finding
    if finding is None:
        raise ValueError(f"a verdict that is {verdict.outcome} is no failure")
    until = None
    if finding.until is not None:
        end = finding.until.until
        until = Until(
            frame=None if end is None else end.frame,
            time=None if end is None else Time(end.time_ns),
            seconds=round(finding.until.seconds, 6),
            file=finding.point.file if end is None else end.file,
        )
    return Failure(
        id=ident,
        kind=finding.kind,
        protocol=attempt.protocol,
        confidence=verdict.confidence,
        frame=finding.point.frame,
        file=finding.point.file,
        time=Time(finding.point.time_ns),
        offset=finding.offset,
        until=until,
        sender=finding.sender,
        secondary=attempt.secondary,
        alternatives=list(verdict.alternatives),
        at_fault=verdict.at_fault,
        connection=connection_ref(attempt),
        request=request_ref(attempt),
        response=response_ref(attempt),
        client=client_ref(attempt),
        masked=verdict.masked,
        causes=[],
        evidence=list(verdict.evidence),
        caveats=list(verdict.caveats),
        gateways={},
        summary=verdict.summary,
        ladder=list(attempt.ladder),
    )


def to_pending(attempt: Attempt, verdict: Verdict, ident: str) -> Pending:
    """Return the line *ident* of a wait that would be the failure *verdict* if it ended now."""
    failure = to_failure(attempt, verdict, ident)
    seconds = failure.until.seconds if failure.until is not None else 0.0
    what = _STILL.get(failure.kind, "has sent nothing")
    return Pending(
        id=ident,
        kind=failure.kind,
        frame=failure.frame,
        file=failure.file,
        time=failure.time,
        seconds=seconds,
        connection=failure.connection,
        request=failure.request,
        response=failure.response,
        summary=f"{failure.connection.upstream} {what} for {seconds:.0f} s, and nothing has ended the wait yet",
    )


def to_open(attempt: Attempt, why: str) -> Open:
    """Return the line of an attempt of which nothing can be said, and *why*."""
    point = first_point(attempt)
    return Open(
        connection=connection_ref(attempt),
        request=request_ref(attempt),
        response=response_ref(attempt),
        frame=point.frame,
        file=point.file,
        time=Time(point.time_ns),
        why_unknown=why,
    )


def to_exchange(attempt: Attempt, leg: Literal["upstream", "client"]) -> ExchangeLine:
    """Return the line of an exchange for ``--all``."""
    point = first_point(attempt)
    request, response = attempt.request, attempt.response
    first_byte = duration = None
    if request is not None and response is not None:
        first_byte = _milliseconds(request.last, response.first)
        duration = _milliseconds(request.first, response.last) if response.complete else None
    return ExchangeLine(
        kind=None,
        leg=leg,
        protocol=attempt.protocol,
        frame=point.frame,
        file=point.file,
        time=Time(point.time_ns),
        connection=connection_ref(attempt),
        request=request_ref(attempt),
        response=response_ref(attempt),
        duration_ms=duration,
        first_byte_ms=first_byte,
        oddities=list(attempt.oddities),
    )


def first_point(attempt: Attempt) -> Point:
    """Return the frame that stands for the attempt as a whole: its request, else its SYN, else its first frame."""
    if attempt.request is not None:
        return attempt.request.first
    if attempt.handshake.syns:
        return attempt.handshake.syns[0]
    if attempt.response is not None:
        return attempt.response.first
    seen = attempt.handshake.syn_acks or tuple(step.point for step in attempt.ladder)
    if seen:
        return seen[0]
    other = attempt.last_from_gateway or attempt.last_from_upstream
    return other if other is not None else Point(attempt.first_frame, attempt.first_file, attempt.judged_at_ns)


def connection_ref(attempt: Attempt) -> ConnectionRef:
    """Return the connection of the attempt."""
    return ConnectionRef(
        attempt.stream,
        attempt.gateway,
        attempt.upstream,
        attempt.first_frame,
        attempt.exchange,
        attempt.reused,
        attempt.first_file,
    )


def request_ref(attempt: Attempt) -> RequestRef | None:
    """Return the request, None when none was seen or it is not HTTP."""
    request = attempt.request
    if request is None or not request.http:
        return None
    return RequestRef(
        frame=request.first.frame,
        time=Time(request.first.time_ns),
        method=request.method,
        target=request.target,
        host=request.host,
        id=request.id,
        target_length=request.target_length if request.target_length > TEXT_LIMIT else None,
        trace=request.trace,
        file=request.first.file,
    )


def response_ref(attempt: Attempt) -> ResponseRef | None:
    """Return the response as far as it came, None when none was seen."""
    response = attempt.response
    if response is None or not attempt.is_http:
        return None
    return ResponseRef(
        frame=response.first.frame,
        time=Time(response.first.time_ns),
        status=response.status,
        head_bytes=response.head_bytes,
        body_bytes=response.body_bytes,
        expected_body_bytes=response.expected_body_bytes,
        file=response.first.file,
    )


def client_ref(attempt: Attempt) -> ClientRef | None:
    """Return what the client got, None when its leg was not seen or not linked."""
    client = attempt.client
    if client is None:
        return None
    seen = client.answer or client.point
    cut = client.outcome == "cut"
    return ClientRef(
        frame=seen.frame,
        file=seen.file,
        time=Time(seen.time_ns - client.skew_ns),
        outcome=cast(Outcome, client.outcome),
        status=client.status,
        connection=client.connection,
        request_frame=client.request_point.frame,
        link=Link(client.score, list(client.by), client.runner_up),
        end_frame=client.point.frame if cut else None,
        end_time=Time(client.point.time_ns - client.skew_ns) if cut else None,
        request_time=Time(client.request_point.time_ns - client.skew_ns),
        request_file=client.request_point.file,
        end_file=client.point.file,
    )


def _milliseconds(first: Point, last: Point) -> float:
    return round(max(0, last.time_ns - first.time_ns) / 1_000_000, 6)
