"""stall_mid_request: the upstream stopped taking the request.

What happened
    The gateway had more of the request to send, or had sent it, and the
    upstream took no more: its receive window fell to zero and stayed there,
    or it acknowledged only a part and the rest was repeated in vain. At last
    the gateway gave up.

Why it matters
    The client waits for the gateway's whole send timeout, then gets a 502,
    503 or 504. Uploads fail while small requests work, which is why such
    trouble is often put down to the client.

How wire502 knows
    Data that the upstream did not take, then silence, then an end: the gateway
    closed after what looks like a time limit, answered its client with an
    error, or tried elsewhere; or the capture ended long after the deadline
    (confidence low). The failure point is the last frame that made progress;
    `until` holds the frame that ended the wait. If everything that was sent
    was acknowledged, the gateway owes octets: then the upstream is not to
    blame, and this is no stall.

Easily mistaken for
    stall_before_response  the request had arrived; the answer is missing
    gateway_abort          the gateway ended it, after no particular time
    A slow client behind the gateway looks like a pause in the upload. The
    difference: then nothing is unacknowledged and the window is open.

What to check next
    Zero window: the process reads too slowly or hangs (blocked workers, a
    full disk, a debugger, SIGSTOP). Repetitions of full-size segments only,
    small ones passing: a path MTU black hole (ping -M do -s 1472 ADDRESS).
    Repetitions of everything: loss, or a firewall that lost the connection.

Example
    #28  12:00:00.118  … 272 octets ──────▶
    #29  12:00:00.142               ◀────── ACK  window 0
    #73  12:00:01.662  window probe ──────▶
    #74  12:00:02.119  RST ───────────────▶  the gateway gave up after 2.000 s
"""

from __future__ import annotations

from wire502.kinds import _opaque, _waits
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "stall_mid_request"
TITLE = "the upstream stopped taking the request"
GROUP = "request"
REFINES = ()
NEEDS = ("partial", "waited")


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the last frame that made progress before the silence."""
    return _opaque.request_lost(attempt) or _waits.stalled(attempt, context, "request")
