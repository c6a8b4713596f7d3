"""rst_before_response: the upstream reset the connection instead of answering.

What happened
    The upstream had the request, or all of it was at least sent, and answered
    with a reset: not one octet of a final response came. An interim response
    (100, 103) before it changes nothing. A reset within a second of the
    handshake, before the gateway could send a request, is counted here too.

Why it matters
    The client gets a 502 within milliseconds ("connection reset by peer while
    reading response header"). The upstream may or may not have acted on the
    request: for a POST nobody can tell without its log.

How wire502 knows
    A RST from the upstream's address, accepted by the gateway, on a fresh
    connection or with an ACK number that covers the request; no response octet
    before it; the gateway had not closed first. The failure point is that
    RST.

Easily mistaken for
    stale_keepalive      a reused connection whose RST has not seen the
                         request: a race, not a crash
    rst_mid_request      the upstream did not have all of it
    fin_before_response  closed in good order
    A reset written by a firewall or intrusion system has the upstream's
    address too. Compare TTL, IP ID and window with its other packets.

What to check next
    The upstream's log and the kernel's (dmesg: segfault, out of memory) at
    this second. A process that is killed, or closes with unread data in its
    buffer, sends exactly this. Plain HTTP to a TLS port is often answered so:
    check the scheme. Many at once on all connections: a restart or crash. One
    URL only: the code behind it. Only after idle time: a middlebox that
    forgot the connection.

Example
    #4  12:00:00.871  GET /cart ──────▶
    #5  12:00:00.871           ◀────── ACK
    #6  12:00:00.880           ◀────── RST  not one octet of a response
    #8  12:00:00.882  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "rst_before_response"
TITLE = "reset before the response"
GROUP = "response"
REFINES = ()
NEEDS = ("rst", "unanswered")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the RST that came in place of a response."""
    return _phases.reset(attempt, "response") or _phases.reset_while_fresh(attempt)
