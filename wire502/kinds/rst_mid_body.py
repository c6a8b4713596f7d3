"""rst_mid_body: the upstream reset the connection inside the response's body.

What happened
    The head of the response was complete and said how long the body would
    be, or that it would come in chunks. A reset came before its end.

Why it matters
    Most gateways have sent the status on by then: the client sees "200" and a
    download that breaks off, a JSON document that does not parse, or a hung
    page. No 502 appears in any log. Gateways that buffer answer with 502.

How wire502 knows
    A complete head, a body short of its Content-Length, without its last
    chunk, or one that only a close may end, then the upstream's RST, accepted
    by the gateway, which had not closed before. The failure point is that
    RST. After a complete response a reset is harmless and not reported.

Easily mistaken for
    fin_mid_body    closed in good order, and short
    stall_mid_body  silence, then the gateway closed
    gateway_abort   the gateway's own FIN or RST came first: the upstream then
                    answers further data with a reset as well
    A middlebox can write such a RST: compare its TTL, IP ID and window with
    those of the data before it. Octets after the RST give it away.

What to check next
    The process that died in mid-response (kernel log, exit codes, container
    restarts), an exception after streaming began, a limit on the time or
    memory of a request. Did the gateway read slowly for long? Then a send
    timeout of the upstream may have struck. The number of octets that came,
    the same each time, points to a buffer or a file that cannot be read
    further.

Example
    #46  12:00:00.000             ◀────── HTTP/1.1 200 OK, chunked
    #47  12:00:00.000  ACK ──────────────▶
    #55  12:00:00.051             ◀────── RST  the last chunk never came
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "rst_mid_body"
TITLE = "reset inside the response's body"
GROUP = "response"
REFINES = ()
NEEDS = ("rst", "bodied")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the RST that cut off the body of the response."""
    return _phases.reset(attempt, "body")
