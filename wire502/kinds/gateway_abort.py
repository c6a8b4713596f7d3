"""gateway_abort: the gateway itself ended the attempt.

What happened
    A request was under way, the upstream had done nothing wrong, and the
    gateway closed or reset the connection. Why, only the gateway knows. Most
    often its own client had left; sometimes it was reloaded, or it did not
    like what it got.

Why it matters
    It is no failure of the upstream, so it is not counted among the failures
    and does not change the exit status. Many of them tell of impatient
    clients: page loads that are too slow, health checks or load tests with
    short timeouts.

How wire502 knows
    The gateway's FIN or RST comes first, on a connection with an open
    attempt: before any SYN-ACK, or with a request sent and its response not
    complete. And the end does not look like a time limit: the gateway had
    waited for less than a second, or for a time that is neither round nor
    known nor seen elsewhere, and no 502, 503 or 504 to its client shows at
    that moment. The failure point is the gateway's FIN or RST. A FIN after
    which the response still comes is a half-close, and nothing failed.

Easily mistaken for
    stall_before_response, stall_mid_body   the wait was a time limit; with a
        wait over a second the other reading is named in `alternatives`
    client_abort      the capture shows the client leaving first
    header_too_large  the gateway closed in the middle of a very long head

What to check next
    Capture the client leg as well (tcpdump -i any on the gateway): it shows
    whether the client left. The gateway's access log: nginx writes 499,
    HAProxy CD or CH in the termination state, Apache the status it had begun
    to send. A reload at that second. Compare the wait with the timeouts in
    the gateway's configuration; tell wire502 of them by its settings.

Example
    #10  12:00:00.204  GET /search ──────▶
    #11  12:00:00.244             ◀────── ACK
    #31  12:00:00.704  FIN ──────────────▶  500 ms, no answer yet
"""

from __future__ import annotations

from wire502.kinds._aborts import aborted
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "gateway_abort"
TITLE = "the gateway ended the attempt itself"
GROUP = "gateway"
REFINES = ()
NEEDS = ("first",)


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the gateway's FIN or RST on an open attempt."""
    return aborted(attempt, context, NAME)
