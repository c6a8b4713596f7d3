"""rst_mid_headers: the upstream reset the connection inside the response's head.

What happened
    The upstream began its response, the status line or some header fields
    arrived, and a reset cut it off before the empty line that ends the head.

Why it matters
    A gateway cannot use half a head: the client gets a 502. What arrived
    before the reset tells little, since a reset also throws away what the
    gateway's kernel had received but the gateway not yet read.

How wire502 knows
    At least one octet of a final response, no end of its head, then the
    upstream's RST, accepted by the gateway, which had not closed before. The
    failure point is that RST.

Easily mistaken for
    rst_before_response  not one octet came
    rst_mid_body         the head had ended
    header_too_large     the gateway closed, since the head grew too long
    invalid_header       an illegal octet came earlier: then that frame counts

What to check next
    Heads are written in one go by nearly every server. A head that arrives
    in pieces and stops is a process that died while it wrote (the kernel's
    log: segfault, out of memory), an application that writes raw headers
    itself (CGI scripts, embedded devices), or a middlebox that stepped in:
    compare the RST's TTL with the other packets of the upstream. If it always
    stops at the same number of octets, think of a buffer, or of the path MTU.

Example
    #10  12:00:00.000  GET /cart ──────▶
    #11  12:00:00.004           ◀────── HTTP/1.1 200 OK, 81 octets of head
    #12  12:00:00.009           ◀────── RST
    #14  12:00:00.010  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "rst_mid_headers"
TITLE = "reset inside the response's head"
GROUP = "response"
REFINES = ()
NEEDS = ("rst", "headless")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the RST that cut off the head of the response."""
    return _phases.reset(attempt, "headers")
