"""listen_queue_overflow: the upstream's listen queue is full.

What happened
    The process accepts connections more slowly than they come. The kernel
    then drops SYNs, or the last ACK of the handshake: it repeats its SYN-ACK
    and does not take the request, while the gateway thinks that it is
    connected.

How wire502 knows
    Two shapes. The SYN-ACK comes again after the gateway has sent its request,
    and the request is never acknowledged. Or SYNs stay unanswered while
    another connection to the same port is accepted in between.

Easily mistaken for
    A deferred accept (TCP_DEFER_ACCEPT) repeats the SYN-ACK too, but while
    nothing was sent, and takes the request. firewall_drop and host_down
    answer nobody.

What to check next
    On the upstream: ss -lnt 'sport = :PORT' (Recv-Q against Send-Q), nstat -az
    TcpExtListenOverflows. More workers, a longer backlog (listen(), and
    net.core.somaxconn), or fewer connections: keep-alive to the upstream.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "listen_queue_overflow"
CLASS = "overload"
TITLE = "the upstream's listen queue is full"
KINDS = frozenset({"connect_timeout", "stall_before_response", "stall_mid_request"})
YIELDS_TO = ()
AT_FAULT = "upstream"

UNLESS = "counters of the upstream (ListenOverflows, ListenDrops) that did not grow at that moment"


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for one of the two shapes."""
    if finding.kind in ("stall_before_response", "stall_mid_request"):
        return _half_accepted(attempt)
    if finding.kind == "connect_timeout":
        return _dropped(attempt, surroundings)
    return None


def _advice(attempt: Attempt) -> str:
    port = attempt.upstream.rpartition(":")[2]
    return (
        f"Compare Recv-Q with Send-Q of ss -lnt 'sport = :{port}' on the upstream under load: raise backlog or workers."
    )


def _half_accepted(attempt: Attempt) -> Cause | None:
    request, shake = attempt.request, attempt.handshake
    if request is None or attempt.response is not None:
        return None
    if attempt.upstream_acked is not None and attempt.upstream_acked > request.start:
        return None
    again = [point for point in shake.syn_acks[1:] if point.time_ns > request.first.time_ns]
    if not again:
        return None
    return Cause(
        NAME,
        CLASS,
        "high" if len(again) >= 2 else "medium",
        [
            cite(request.first, "the request was sent, and never acknowledged"),
            cite(again[-1], f"the SYN-ACK came again {times(len(again), 'time')} after it"),
        ],
        UNLESS,
        _advice(attempt),
    )


def _dropped(attempt: Attempt, surroundings: Surroundings) -> Cause | None:
    syns = attempt.handshake.syns
    answered = surroundings.endpoint().last_answer or attempt.neighbour_answered
    if not syns or answered is None or attempt.handshake.syn_acks:
        return None
    if not syns[0].time_ns < answered.time_ns <= syns[-1].time_ns + 3 * SECOND:
        return None
    return Cause(
        NAME,
        CLASS,
        "medium",
        [
            cite(syns[-1], f"{times(len(syns), 'SYN')} without an answer"),
            cite(answered, "meanwhile it accepted another connection on the same port"),
        ],
        UNLESS,
        _advice(attempt),
    )
