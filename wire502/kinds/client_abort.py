"""client_abort: the client left, so the gateway ended the attempt.

What happened
    The client closed or reset its own connection before it had its response:
    a closed browser tab, a cancelled download, a client-side timeout. The
    gateway then dropped the request that it had under way at the upstream.

Why it matters
    Nothing is broken between gateway and upstream; it is not counted among
    the failures and does not change the exit status. In a gateway's log it
    looks like an error (nginx 499, HAProxy CD or CH). If many clients leave
    after the same time, they have a timeout, and the upstream is slower than
    that: then it is worth a look.

How wire502 knows
    The same frames as gateway_abort, and the capture holds the client leg,
    which shows the client's FIN or RST before the gateway's. The failure point
    is the gateway's FIN or RST to the upstream; the client's own is cited. If
    the upstream had been silent for longer than the deadline when the client
    left, it is a stall all the same: the client left because of it.

Easily mistaken for
    gateway_abort          the client leg is not in the capture, or shows a
                           client that still waited
    stall_before_response  the gateway's own time limit ended it
    A client that only ends its sending direction (half-close) and still
    reads has not left.

What to check next
    How long had the client waited? Round times (5 s, 10 s, 30 s) are client
    timeouts: compare them with the upstream's usual response times. Short,
    irregular times are people, or scripts that were cancelled. Health
    checkers and load balancers in front of the gateway count as clients too:
    the client's address tells.

Example
    #10  12:00:00.204  GET /search ──────▶
    #11  12:00:00.244             ◀────── ACK
    #30  12:00:00.703  FIN from the client 10.0.0.9
    #31  12:00:00.704  FIN ──────────────▶  the gateway drops the request
"""

from __future__ import annotations

from wire502.kinds._aborts import aborted
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "client_abort"
TITLE = "the client left before its response"
GROUP = "gateway"
REFINES = ("gateway_abort",)
NEEDS = ("first", "left")


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the gateway's FIN or RST that followed the client's own."""
    return aborted(attempt, context, NAME)
