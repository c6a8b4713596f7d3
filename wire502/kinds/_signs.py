"""What an attempt shows at a glance: most kinds need not be asked to know that they have nothing to say.

A kind names in ``NEEDS`` the signs without which it never finds anything; it is asked where an attempt shows all of
them. A sign may promise too much, never too little.

| sign | the attempt shows |
|---|---|
| asked | a request |
| answered, unanswered | an octet of a final response, or none |
| reused | an earlier exchange on its connection |
| rst, fin | the upstream's RST, its FIN |
| ended | a FIN or RST of the gateway |
| left | a client that left |
| connecting | SYNs without a SYN-ACK |
| refused, unreachable | a RST for the SYN, an ICMP error or address requests in vain |
| illegal | octets that the grammar forbids, or that nothing had asked for |
| error | a status from 500 on |
| waited | a time in which the gateway's patience may have ended, or octets that did not get through |
| unattempted | nothing but a client's request |
"""

from __future__ import annotations

from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context

LEAST_NS = 1_000_000_000  # a shorter wait is never taken for a time limit ...
EARLY_NS = 5_000_000  # ... but event loops start timers from the time at which they last woke up, a little in the past

SIGNS = (
    *("asked", "answered", "unanswered", "reused", "rst", "fin", "ended", "left"),
    *("connecting", "refused", "unreachable", "illegal", "error", "waited", "unattempted"),
)
_BITS = {name: 1 << place for place, name in enumerate(SIGNS)}
_ASKED, _ANSWERED, _UNANSWERED, _REUSED, _RST, _FIN, _ENDED, _LEFT = (1 << place for place in range(8))
_CONNECTING, _REFUSED, _UNREACHABLE, _ILLEGAL, _ERROR, _WAITED, _UNATTEMPTED = (1 << place for place in range(8, 15))


def bits(names: tuple[str, ...]) -> int:
    """Return the signs called *names* as one number. Raises ``KeyError`` for a name that is none."""
    return sum({_BITS[name] for name in names})


def signs(attempt: Attempt, context: Context) -> int:
    """Return the signs that *attempt* shows, as one number."""
    request, response, shake = attempt.request, attempt.response, attempt.handshake
    client = attempt.client
    shown = _UNANSWERED
    if response is not None:
        shown = _ANSWERED | _ERROR if response.status is not None and response.status >= 500 else _ANSWERED
    if request is not None:
        shown |= _ASKED
    if attempt.reused:
        shown |= _REUSED
    if attempt.upstream_rst is not None:
        shown |= _RST
    if attempt.upstream_fin is not None:
        shown |= _FIN
    if attempt.gateway_fin is not None or attempt.gateway_rst is not None:
        shown |= _ENDED
    if client is not None and client.left_first is not None:
        shown |= _LEFT
    if shake.syns and not shake.syn_acks:
        shown |= _CONNECTING
    if shake.refused is not None:
        shown |= _REFUSED
    if shake.unreachable is not None:
        shown |= _UNREACHABLE
    if attempt.violation is not None or attempt.excess_point is not None:
        shown |= _ILLEGAL
    if attempt.unattempted:
        shown |= _UNATTEMPTED
    if attempt.gateway_window_zero is not None or not attempt.is_http or _waited(attempt, context):
        shown |= _WAITED
    return shown


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
