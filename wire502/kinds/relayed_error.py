"""relayed_error: the upstream itself answered with a 5xx.

What happened
    Nothing broke on the wire. The upstream had the request and sent a
    complete, well-formed response with a status of 500 to 599, and the
    gateway passed it on, or put its own error page in its place.

Why it matters
    The client sees a 5xx and the gateway gets the blame, although it only
    carried the message. A 502 or 504 that is relayed was made by another
    gateway further back: the search goes on there, not here.

How wire502 knows
    A final response, complete by its own framing, with status 500 to 599, to
    whatever method. The failure point is the frame of its status line. If its
    body is cut short, the failure is that (fin_mid_body, rst_mid_body,
    stall_mid_body); if a header field is illegal and was refused, it is
    invalid_header.

Easily mistaken for
    Every other kind: those are failures of the gateway to get a response.
    Here it got one. In a chain of gateways look at the Server and Via fields:
    they name the one that wrote the error.

What to check next
    500: the application's log at this second, with the request id. 502 or
    504: the next gateway back; capture between it and its own upstream, and
    read that. 503: overload protection, maintenance mode, a pool without
    healthy members, a rate limit; Retry-After may say more. Is it one URL,
    one host behind the address, one minute? To list them all:
        wire502 read CAPTURE --kind relayed_error

Example
    #10  12:00:00.000  GET /cart ──────▶
    #11  12:00:00.031           ◀────── HTTP/1.1 502 Bad Gateway, Server: cdn
    #13  12:00:00.032  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.kinds._sight import finished
from wire502.kinds._violations import weigh
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "relayed_error"
TITLE = "the upstream answered with a 5xx"
GROUP = "response"
REFINES = ()
NEEDS = ("error",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the frame of the status line of a complete 5xx response."""
    response = attempt.response
    if response is None or response.status is None or not 500 <= response.status <= 599 or attempt.upgraded:
        return None
    if not _phases.speaks_http(attempt):
        return None
    # The end of a head that the snap length cut cannot be read; that the gateway went on shows that it had all of it.
    shown = response.cut and attempt.next_request is not None and response.status_point is not None
    if not shown and (not finished(response) or response.cut):
        return None
    if attempt.violation is not None and weigh(attempt, attempt.violation)[0] != "oddity":
        return None  # not well-framed, and refused for it
    point = response.status_point or response.first
    finding = Finding(NAME, point, None if attempt.handshake.mid_connection else response.start)
    if shown:
        finding.confidence = "medium"
    if attempt.request is not None:
        finding.evidence.append((attempt.request.last, "request sent"))
    finding.evidence.append((point, f"the upstream's own {response.status}"))
    if response.server or response.via:
        by = ", ".join(part for part in (response.server, f"Via {response.via}" if response.via else None) if part)
        finding.evidence.append((response.head_end or point, f"written by {by}"))
    return finding
