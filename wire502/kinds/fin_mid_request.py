"""fin_mid_request: the upstream closed the connection during the request.

What happened
    The gateway was still sending the request, most often the body of a POST
    or PUT, when the upstream closed in good order (FIN). It did not have the
    whole request and had not answered it completely.

Why it matters
    The client usually gets a 502. The upload is lost, and gateways hardly
    ever repeat a request of which a part was sent.

How wire502 knows
    The upstream's FIN, with the request not yet sent in full or, by the ACK
    number of that FIN, not received in full; no complete final response
    before it; the gateway had not closed first. The failure point is the FIN.

Easily mistaken for
    rst_mid_request      the same, but with data unread or by force
    fin_before_response  the whole request had arrived
    stale_keepalive      the FIN acknowledges nothing of the request, and the
                         connection had served others before
    413 and close        a complete early answer is no failure

What to check next
    Was the request slow? A pause before the FIN, with everything that was
    sent acknowledged, is a read timeout of the upstream: look at its request
    or body timeout, and at the client that sends slowly (mobile networks,
    large uploads without buffering in the gateway). No pause: a size limit, or
    an application that gave up on what it had read so far. Buffering requests
    in the gateway (nginx: proxy_request_buffering on) keeps slow clients
    away from the upstream.

Example
    #31  12:00:00.000  POST /upload ──────▶
    #40  12:00:00.104  … 65536 octets ────▶
    #41  12:00:20.107               ◀────── FIN  20 s later, still waiting
    #43  12:00:20.108  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "fin_mid_request"
TITLE = "closed while the request was being sent"
GROUP = "request"
REFINES = ()
NEEDS = ("fin", "partial")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the FIN that came before the upstream had the whole request."""
    return _phases.closed(attempt, "request")
