"""stall_mid_body: the response's body began and never ended.

What happened
    The head of the response was complete and a part of the body may have
    come, then silence, until somebody gave up. Or the gateway itself stopped
    reading: its receive window fell to zero and stayed there.

Why it matters
    The client has a status 200 and waits for the rest: a spinner, a download
    that hangs and then breaks. No error status appears in any log.

How wire502 knows
    A complete head, a body without its end, a wait of a second or more, and
    an end that looks like a time limit (a known or round time, the wait of
    another attempt, an error to the client, or longer than the deadline). The
    failure point is the last frame of response data; `until` holds the frame
    that ended the wait. With a zero window of the gateway it is the first ACK
    that closed the window, if the response ended badly. Streams that are
    meant to be silent (server-sent events, gRPC, upgraded connections) never
    stall.

Easily mistaken for
    gateway_abort  the gateway closed after no particular time: most often
                   its client had left
    rst_mid_body, fin_mid_body   the upstream ended it
    A lost segment that is never repeated looks like silence: later octets
    are then in the capture, without the ones between.

What to check next
    Duplicate ACKs, holes, segments repeated: loss or a path MTU black hole,
    not the application. All octets acknowledged, then nothing: the upstream
    waits for something itself (its database, another service) while it
    streams. Window of the gateway at zero: its client reads slowly, or its
    buffers and temporary files are full.

Example
    #12  12:00:00.001       ◀────── HTTP/1.1 200 OK, 1621 of 5000 octets
    #13  12:00:00.001  ACK ────────▶
    #61  12:01:00.003  FIN ────────▶  the gateway gave up after 60.002 s
"""

from __future__ import annotations

from wire502.kinds import _evidence, _opaque, _phases, _waits
from wire502.kinds._sight import blind
from wire502.kinds._signs import LEAST_NS
from wire502.kinds._violations import client_failed
from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context
from wire502.model.finding import Finding, Wait

NAME = "stall_mid_body"
TITLE = "silence inside the response's body"
GROUP = "response"
REFINES = ()
NEEDS = ("answered", "waited")


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the last frame of the body before the silence, or the ACK that closed the gateway's window."""
    return (
        _opaque.response_lost(attempt)
        or _gateway_not_reading(attempt, context)
        or _waits.stalled(attempt, context, "body")
    )


def _gateway_not_reading(attempt: Attempt, context: Context) -> Finding | None:
    zero = attempt.gateway_window_zero
    if zero is None or not _waits.can_stall(attempt) or _phases.phase(attempt) != "body" or blind(attempt) is not None:
        return None
    ended = _bad_end(attempt, context)
    if ended is None or ended.time_ns - zero.time_ns < LEAST_NS:
        return None
    seconds = (ended.time_ns - zero.time_ns) / _waits.SECOND
    finding = Finding(NAME, zero, _phases.offset_of(attempt), Wait(zero, ended, seconds))
    finding.evidence = _evidence.until_answer(attempt)
    finding.evidence.append((zero, "zero window of the gateway: it takes no more data"))
    finding.evidence.append((ended, f"the end, {seconds:.3f} s later"))
    finding.at_fault = "client" if attempt.client is not None and attempt.client.zero_window else "gateway"
    finding.numbers["zero_window"] = 1
    return finding


def _bad_end(attempt: Attempt, context: Context) -> Point | None:
    """Return what ended the response badly: the upstream's close, a time limit, or an error that the client got."""
    theirs, ended = _phases.upstream_close(attempt), _phases.gateway_close(attempt)
    if theirs is not None and (ended is None or _phases.order(theirs.point) < _phases.order(ended)):
        return theirs.point
    failed = client_failed(attempt)
    wait = _waits.pause(attempt)
    if ended is None or wait is None:
        return failed.point if failed is not None else None
    grounds, _ = _waits.limit_grounds(attempt, context, wait, context.response_deadline_ns)
    return ended if grounds and not _waits.client_left(attempt, ended) else None
