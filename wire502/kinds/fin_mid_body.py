"""fin_mid_body: the upstream closed the connection short of the response's end.

What happened
    The head of the response was complete and promised a number of octets, or
    chunks up to a last one. The upstream closed in good order (FIN) before it
    had kept the promise.

Why it matters
    Most gateways have sent the status on by then: the client sees "200" and a
    truncated body, and no log shows an error status. Browsers, caches and
    API clients react in odd ways. Gateways that buffer may answer with 502.

How wire502 knows
    A complete head; by the sequence number of the upstream's FIN, fewer
    octets than Content-Length promised, or no last chunk; the gateway had not
    closed before. The failure point is that FIN. A response without a length
    and without chunks is ended by a FIN, so it is complete, however short.
    Responses to HEAD, and 204 or 304, have no body and cannot be short.

Easily mistaken for
    rst_mid_body    the same, by force
    invalid_chunk   an illegal octet came before: then that frame counts
    gateway_abort   the gateway's own FIN came first
    Octets that only the capture lost do not make a body short: the sequence
    number of the FIN counts them all.

What to check next
    Is the shortfall the same each time? Then Content-Length is computed
    wrongly (characters instead of octets, a file that changed, compression
    after the length was set). Different each time: a handler that died while
    it streamed, a worker killed at a timeout, a deploy. A proxy in front of
    the real application closes like this when its own upstream failed.

Example
    #122  12:00:00.000       ◀────── HTTP/1.1 200 OK, Content-Length 40960
    #127  12:00:00.020       ◀────── … 18019 octets of body so far
    #128  12:00:00.021       ◀────── FIN  22941 octets short
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "fin_mid_body"
TITLE = "closed short of the response's end"
GROUP = "response"
REFINES = ()
NEEDS = ("fin", "bodied")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the FIN that came short of the body's end."""
    return _phases.closed(attempt, "body")
