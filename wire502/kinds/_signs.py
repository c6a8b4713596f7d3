"""What an attempt shows at a glance: most kinds need not be asked to know that they have nothing to say.

A kind names in ``NEEDS`` the signs without which it never finds anything; it is asked where an attempt shows all of
them. A sign may promise too much, never too little.

| sign | the attempt shows |
|---|---|
| asked | a request |
| partial | a request that the upstream may not have had whole |
| reused | an earlier exchange on its connection |
| unanswered, answered | no octet of a final response, or some |
| headless, bodied | an unfinished response whose head has no end, or has one |
| long | a head so long that the gateway may have refused it |
| error | a status from 500 on |
| rst, fin | the upstream's RST, its FIN, before any end by the gateway |
| ended, first | an end by the gateway, or one that the upstream had not made before |
| left | a client that left |
| waited | a time in which the gateway's patience may have ended, or octets that did not get through |
| illegal | octets that the grammar forbids, or that nothing had asked for |
| connecting | SYNs without a SYN-ACK |
| refused, unreachable | a RST for the SYN, an ICMP error or address requests in vain |
| unattempted | nothing but a client's request |
"""

from __future__ import annotations

from wire502.model.attempt import Attempt, Closing, Handshake, Point, Request, Response
from wire502.model.context import Context

LEAST_NS = 1_000_000_000  # a shorter wait is never taken for a time limit ...
EARLY_NS = 5_000_000  # ... but event loops start timers from the time at which they last woke up, a little in the past
LONG_HEAD = 4096  # the smallest limit of any gateway in common use

SIGNS = (
    *("asked", "partial", "reused", "unanswered", "answered", "headless", "bodied", "long", "error", "rst", "fin"),
    *("ended", "first", "left", "waited", "illegal", "connecting", "refused", "unreachable", "unattempted"),
)
_BITS = {name: 1 << place for place, name in enumerate(SIGNS)}
_ASKED, _PARTIAL, _REUSED, _UNANSWERED, _ANSWERED = (1 << place for place in range(5))
_HEADLESS, _BODIED, _LONG, _ERROR, _RST, _FIN, _ENDED, _FIRST = (1 << place for place in range(5, 13))
_LEFT, _WAITED, _ILLEGAL, _CONNECTING, _REFUSED, _UNREACHABLE, _UNATTEMPTED = (1 << place for place in range(13, 20))


def bits(names: tuple[str, ...]) -> int:
    """Return the signs called *names* as one number. Raises ``KeyError`` for a name that is none."""
    return sum({_BITS[name] for name in names})


def signs(attempt: Attempt, context: Context) -> int:
    """Return the signs that *attempt* shows, as one number."""
    request, response, client = attempt.request, attempt.response, attempt.client
    shown = _UNANSWERED if response is None else _of_response(response, context)
    shown |= _of_ends(attempt) | _of_handshake(attempt.handshake)
    if request is not None:
        shown |= _ASKED
        if _partial(attempt, request):
            shown |= _PARTIAL
    if attempt.reused:
        shown |= _REUSED
    if client is not None and client.left_first is not None:
        shown |= _LEFT
    if attempt.violation is not None or attempt.excess_point is not None:
        shown |= _ILLEGAL
    if attempt.unattempted:
        shown |= _UNATTEMPTED
    if attempt.gateway_window_zero is not None or not attempt.is_http or _waited(attempt, context):
        shown |= _WAITED
    return shown


def _of_response(response: Response, context: Context) -> int:
    shown = _ANSWERED
    if not response.complete:
        shown |= _HEADLESS if response.head_end is None else _BODIED
    limit = context.header_limit
    if response.head_bytes >= LONG_HEAD or (limit is not None and response.head_bytes > limit):
        shown |= _LONG
    if response.status is not None and response.status >= 500:
        shown |= _ERROR
    return shown


def _of_handshake(shake: Handshake) -> int:
    shown = _CONNECTING if shake.syns and not shake.syn_acks else 0
    if shake.refused is not None:
        shown |= _REFUSED
    if shake.unreachable is not None:
        shown |= _UNREACHABLE
    return shown


def _of_ends(attempt: Attempt) -> int:
    fin, ours = _time(attempt.upstream_fin), _time(attempt.gateway_fin)
    rst, again = _time_of_rst(attempt.upstream_rst), _time_of_rst(attempt.gateway_rst)
    if ours is None or (again is not None and again < ours):
        ours = again
    shown = 0
    if rst is not None and (ours is None or rst <= ours):
        shown |= _RST
    if fin is not None and (ours is None or fin <= ours):
        shown |= _FIN
    if ours is not None:
        shown |= _ENDED
        # behind octets that were lost on their way a FIN never took its turn
        if (rst is None or rst >= ours) and (fin is None or fin >= ours or attempt.gaps):
            shown |= _FIRST
    return shown


def _time(closing: Closing | None) -> int | None:
    return None if closing is None else closing.point.time_ns


def _time_of_rst(rst: Closing | None) -> int | None:
    """Return when a RST came, None for one that its receiver ignored."""
    return None if rst is None or rst.accepted is False else rst.point.time_ns


def _partial(attempt: Attempt, request: Request) -> bool:
    if not request.whole or not attempt.is_http:
        return True
    rst, fin = attempt.upstream_rst, attempt.upstream_fin
    for acked in (attempt.upstream_acked, None if rst is None else rst.acks, None if fin is None else fin.acks):
        if acked is not None and request.start < acked < request.end:
            return True
    return False


def _waited(attempt: Attempt, context: Context) -> bool:
    """Whether so long a time lies behind the last progress that the wait may be a stall."""
    request, silence = attempt.request, attempt.silence
    if request is None:
        return False
    since = request.last.time_ns
    if silence is not None and silence.since.time_ns < since:
        since = silence.since.time_ns
    least = since + min(LEAST_NS - EARLY_NS, context.first_byte_deadline_ns, context.response_deadline_ns)
    if attempt.judged_at_ns >= least:
        return True
    closings, client = (attempt.gateway_fin, attempt.gateway_rst), attempt.client
    ends: list[Point | None] = [closing.point for closing in closings if closing is not None]
    ends += attempt.next_attempt, None if client is None else client.point
    return any(end is not None and end.time_ns >= least for end in ends)
