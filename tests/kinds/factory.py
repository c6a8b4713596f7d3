"""Attempts for the tests of kinds and judge: what a capture would have shown, in few words.

Times are milliseconds after the beginning; each call of ``at`` names the frame and the time. Offsets: the request has
100 octets from 0 (or from ``start``), the response would begin at 0 of its own direction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wire502.diagnosis.judge import judge
from wire502.model.attempt import (
    Attempt,
    ClientView,
    Closing,
    Gap,
    Handshake,
    Point,
    Request,
    Response,
    Unreachable,
    Violation,
)
from wire502.model.context import Context
from wire502.model.finding import Verdict

BEGIN_NS = 1_795_000_000_000_000_000
CONTEXT = Context()


def at(frame: int, ms: float = 0.0) -> Point:
    """Frame *frame*, captured *ms* milliseconds after the beginning."""
    return Point(frame, 0, BEGIN_NS + round(ms * 1_000_000))


def shaken() -> Handshake:
    """SYN, SYN-ACK, ACK in the frames 1 to 3."""
    return Handshake(syns=(at(1, 0.0),), syn_acks=(at(2, 0.1),), ack=at(3, 0.2))


def request(start: int = 0, size: int = 100, **changes: Any) -> Request:
    """A whole GET in frame 4, 1 ms after the beginning."""
    made = Request(at(4, 1.0), at(4, 1.0), start, start + size, whole=True, method="GET", target="/t/1")
    return replace(made, target_length=4, **changes)


def upload(sent: int = 5000, **changes: Any) -> Request:
    """A POST that is still being sent: frames 4 to 6."""
    made = Request(at(4, 1.0), at(6, 3.0), 0, sent, whole=False, method="POST", target="/up", target_length=3)
    return replace(made, **changes)


def response(head: int = 80, body: int = 0, expected: int | None = 1000, **changes: Any) -> Response:
    """A response whose head is complete, in frame 7 (10 ms) to frame 8 (11 ms)."""
    made = Response(
        at(7, 10.0),
        at(8, 11.0),
        0,
        status=200,
        status_point=at(7, 10.0),
        head_end=at(7, 10.0),
        head_bytes=head,
        body_bytes=body,
        expected_body_bytes=expected,
        framing="chunked" if expected is None else "length",
    )
    return replace(made, **changes)


def half_head(size: int = 40) -> Response:
    """The beginning of a head, frame 7."""
    return response(size, 0, None, head_end=None, framing="none", last=at(7, 10.0))


def complete(status: int = 200, **changes: Any) -> Response:
    """A whole response with 1000 octets of body."""
    return response(body=1000, status=status, complete=True, **changes)


def closing(frame: int, ms: float, offset: int | None = 0, acks: int | None = 100, **changes: Any) -> Closing:
    """A FIN or RST; by default it stands at the beginning and acknowledges the whole request."""
    return replace(Closing(at(frame, ms), offset, acks), **changes)


def rst(frame: int, ms: float, offset: int | None = 0, acks: int | None = 100, **changes: Any) -> Closing:
    """A RST that its receiver accepted."""
    return replace(closing(frame, ms, offset, acks), **{"accepted": True, **changes})


def client(outcome: str = "error", status: int | None = 502, ms: float = 20.0, **changes: Any) -> ClientView:
    """What the client got, in frame 90; its request was frame 50."""
    made = ClientView(at(90, ms), outcome, status, "10.0.0.9:50110", at(50, 0.5))
    return replace(made, **changes)


def gap(label: str = "capture", offset: int = 10, octets: int = 100, **changes: Any) -> Gap:
    """A hole in the upstream's direction."""
    return replace(Gap(label, False, offset, octets, at(9, 12.0)), **changes)


def violation(part: str = "header", offset: int = 30, why: str = "space before colon", **changes: Any) -> Violation:
    """An illegal octet in frame 7."""
    return replace(Violation(part, at(7, 10.0), offset, why), **changes)


def unreachable(**changes: Any) -> Unreachable:
    """An ICMP error of a router."""
    made = Unreachable(at(5, 2.0), True, "host unreachable", "10.0.0.254")
    return replace(made, **changes)


def attempt(judged_ms: float = 100.0, **changes: Any) -> Attempt:
    """A request on a fresh connection, acknowledged by the upstream, and nothing else yet."""
    made = Attempt(
        stream=3,
        gateway="10.1.0.2:41822",
        upstream="10.2.0.2:8080",
        first_frame=1,
        exchange=1,
        reused=False,
        opener_known=True,
        handshake=shaken(),
        judged_at_ns=at(0, judged_ms).time_ns,
        capture_ended=False,
        request=request(),
        response_from=0,
        upstream_acked=100,
        upstream_acked_point=at(5, 1.1),
    )
    return replace(made, **changes)


def connecting(*syns: Point, judged_ms: float = 100.0, **changes: Any) -> Attempt:
    """SYNs without an answer."""
    shake = changes.pop("handshake", Handshake(syns=syns or (at(1, 0.0),)))
    made = attempt(judged_ms, request=None, upstream_acked=None, upstream_acked_point=None, exchange=0)
    return replace(made, handshake=shake, **changes)


def verdict(made: Attempt, context: Context = CONTEXT) -> Verdict:
    """The judge's word."""
    return judge(made, context)


def said(made: Attempt, context: Context = CONTEXT) -> tuple[str, int] | str:
    """Kind and frame of the failure; else ``healthy`` or ``open``."""
    word = judge(made, context)
    return word.outcome if word.finding is None else (word.finding.kind, word.finding.point.frame)
