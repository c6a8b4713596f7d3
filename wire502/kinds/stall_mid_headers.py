"""stall_mid_headers: the response's head began and never ended.

What happened
    Some octets of the response's head arrived, then silence, until the
    gateway gave up. The empty line that ends the head never came.

Why it matters
    The client waits for the gateway's whole read timeout and then gets a 504
    or 502: the gateway has nothing that it could pass on.

How wire502 knows
    At least one octet of a final response, no end of its head, a wait of a
    second or more, and an end that looks like a time limit (a known or round
    time, the wait of another attempt, an error to the client at that moment,
    or longer than the deadline). The failure point is the last frame of
    response data; `until` holds the frame that ended the wait. Time is
    measured from the last progress and from the request.

Easily mistaken for
    stall_before_response  not one octet came
    header_too_large       a long head, and the gateway closed at once
    stall_mid_body         the head had ended: the client already has a status
    A segment that was lost and never repeated looks like silence here: then
    later octets are in the capture, without the ones between.

What to check next
    Octets after a hole, repeated segments, or duplicate ACKs: look at the
    network first (loss, a path MTU that swallows full-size segments: heads
    with large cookies are the first to be hit). None of it: the application
    writes its head in pieces and got stuck between them, for instance on a
    lock or a lookup that one header field needs.

Example
    #10  12:00:00.000  GET /login ──────▶
    #11  12:00:00.001            ◀────── HTTP/1.1 200 OK, 81 octets of head
    #12  12:00:00.001  ACK ─────────────▶
    #55  12:00:02.002  RST ─────────────▶  the gateway gave up after 2.001 s
"""

from __future__ import annotations

from wire502.kinds import _waits
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "stall_mid_headers"
TITLE = "silence inside the response's head"
GROUP = "response"
REFINES = ()
NEEDS = ("asked", "headless", "waited")


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the last frame of the head before the silence."""
    return _waits.stalled(attempt, context, "headers")
