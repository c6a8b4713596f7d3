"""fin_before_response: the upstream closed the connection without answering.

What happened
    The upstream had the request, or all of it was at least sent, and closed
    in good order (FIN): not one octet of a final response came before.

Why it matters
    The client gets a 502 ("upstream prematurely closed connection while
    reading response header"). A FIN is not a crash of the machine: the
    process ended, or decided to close. Whether it acted on the request only
    its own log can tell.

How wire502 knows
    The upstream's FIN after the request, no octet of a final response before
    it, and the gateway had not closed first. Interim responses (100, 103) do
    not count. The failure point is that FIN. If the upstream resets right
    after, that RST only repeats what the FIN had settled.

Easily mistaken for
    stale_keepalive      a reused connection, and the FIN acknowledges nothing
                         of the request: the upstream had closed before it saw
                         one. Harmless in itself, and cured elsewhere
    fin_mid_request      the upstream did not have the whole request
    gateway_abort        the gateway's own FIN came first
    An idle connection that the upstream closes, no request outstanding, is
    no failure at all.

What to check next
    A worker that exits after a number of requests or at a timeout (gunicorn
    --timeout, php-fpm request_terminate_timeout, max requests per child)
    closes exactly so; many failures after the same round time give it away.
    Wrong protocol on the port: a TLS, FastCGI or gRPC listener that gets
    plain HTTP hangs up. Crashes of the handler before it wrote anything.

Example
    #14  12:00:00.000  GET /report ──────▶
    #15  12:00:00.000              ◀────── ACK
    #16  12:00:30.004              ◀────── FIN  after 30 s, nothing said
    #18  12:00:30.005  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "fin_before_response"
TITLE = "closed before the response"
GROUP = "response"
REFINES = ()
NEEDS = ("fin", "unanswered")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the FIN that came in place of a response."""
    return _phases.closed(attempt, "response")
