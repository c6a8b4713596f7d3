"""fin_mid_headers: the upstream closed the connection inside the response's head.

What happened
    The upstream began its response and closed in good order (FIN) before the
    empty line that ends the head. What it had to say it has said, and it is
    not a response.

Why it matters
    The client gets a 502 ("upstream prematurely closed connection while
    reading response header"). It happens for every such request: unlike a
    race or a loss, a retry seldom helps.

How wire502 knows
    At least one octet of a final response, no empty line after the header
    fields, then the upstream's FIN, all octets before it accounted for, and
    the gateway had not closed first. The failure point is that FIN.

Easily mistaken for
    fin_before_response  not one octet came
    fin_mid_body         the head had ended
    invalid_status_line  what came was no HTTP at all
    An HTTP/0.9 answer (a body without a head) looks like garbage, and some
    gateways pass it on.

What to check next
    Look at the octets themselves: tshark -z follow,tcp,ascii,STREAM. Error
    text in the middle of header fields is a script that died (CGI, FastCGI
    bridges, PHP notices printed before the headers). A missing empty line at
    the very end is a program that builds its own responses. A head that ends
    in mid-word is a process that exited with its buffer half flushed.

Example
    #20  12:00:00.000  GET /cgi/report ──────▶
    #21  12:00:00.012                 ◀────── HTTP/1.1 200 OK, 64 octets of head
    #22  12:00:00.012                 ◀────── FIN  no empty line
    #24  12:00:00.013  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "fin_mid_headers"
TITLE = "closed inside the response's head"
GROUP = "response"
REFINES = ()
NEEDS = ("fin", "headless")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the FIN that cut off the head of the response."""
    return _phases.closed(attempt, "headers")
