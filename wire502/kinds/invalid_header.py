"""invalid_header: a header field of the response breaks the rules.

What happened
    The status line was fine, but a field line is not: a space before the
    colon, a name with characters that no name may have, a control character,
    no colon at all; or the fields that say where the body ends contradict
    each other (two different Content-Length values, one that is no number).

Why it matters
    Such responses are how request smuggling works, so gateways refuse them
    ever more strictly: 502, often only after an update of the gateway, while
    the application has not changed and a browser without a gateway shows the
    page as always.

How wire502 knows
    RFC 9112 section 5 for field lines, section 6.3 for framing. Bare LF,
    folded lines and a repeated, identical Content-Length are let pass;
    Content-Length beside Transfer-Encoding is an oddity. The failure point is
    the frame with the offending octet, and `offset` is its place in the
    stream. It is a failure when the gateway refused the response (an error to
    the client, a close before the end, a connection dropped that it otherwise
    keeps); an oddity when the client got it or the connection was used again.
    If the capture shows neither: a failure of medium confidence.

Easily mistaken for
    header_too_large     legal, but too long for the gateway
    invalid_status_line  not even the first line is HTTP
    relayed_error        the upstream itself answered 5xx

What to check next
    The offending octets: tshark -z follow,tcp,ascii,STREAM. Who writes this
    field? Usual sources: line feeds or UTF-8 copied unescaped into Location,
    Content-Disposition or a cookie; scripts that print "Name : value"; two
    layers that both set Content-Length. Does it fail for one URL or user only?
    Then look at the data in that field. Gateways have switches that tolerate
    some of it: use them to get over the night, then repair the application.

Example
    #12  12:00:00.004       ◀────── HTTP/1.1 200 OK, "X-Id : 7"
    #15  12:00:00.004  FIN ────────▶  the gateway wants no more
    #16  12:00:00.005  502 to the client
"""

from __future__ import annotations

from wire502.kinds._violations import refused
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "invalid_header"
TITLE = "an illegal header field"
GROUP = "response"
REFINES = (
    "rst_mid_request",
    "fin_mid_request",
    "stall_mid_request",
    "rst_mid_headers",
    "fin_mid_headers",
    "stall_mid_headers",
    "rst_mid_body",
    "fin_mid_body",
    "stall_mid_body",
    "header_too_large",
    "relayed_error",
)
NEEDS = ("illegal",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the frame with the octet that breaks a field line or the framing fields."""
    return refused(attempt, NAME, ("header", "framing"))
