"""invalid_chunk: the chunked body of the response breaks the rules.

What happened
    The response came in chunks (Transfer-Encoding: chunked), and one of them
    is not what it should be: a size that is no hexadecimal number, one that
    is absurdly large, or data that is not followed by an end of line where
    the size said it would end.

Why it matters
    From that octet on nobody knows where anything ends. The gateway has
    mostly sent the status on already: the client sees "200" and a body that
    breaks off, mixed with sizes, or hangs. Gateways that buffer answer 502.

How wire502 knows
    RFC 9112 section 7.1, octet by octet; a bare LF is let pass. The failure
    point is the frame with the first octet that cannot be right, and `offset`
    is its place in the stream. It is a failure when the gateway closed before
    the end or the client was seen to get an error or a cut response, and also
    when the end of the body can no longer be found; an oddity when the client
    got the response or the gateway used the connection again.

Easily mistaken for
    fin_mid_body   all chunks were right and the last one is missing
    rst_mid_body   the same, ended by a reset
    invalid_header the head already contradicted itself

What to check next
    Who writes the chunks? Applications that print sizes themselves, or set
    Transfer-Encoding while their server does it too (chunks inside chunks:
    the data begins with a hexadecimal number and an end of line). Sizes
    counted in characters instead of octets fail only with text beyond ASCII.
    Compression done after chunking. Two threads or a log line writing to the
    same socket: text in the middle of a body.

Example
    #11  12:00:00.000       ◀────── HTTP/1.1 200 OK, chunked, 190 octets
    #13  12:00:00.050       ◀────── "XYZ" where a chunk size should be
    #14  12:00:00.051       ◀────── FIN
    #16  12:00:00.051  FIN ────────▶  the client's body is cut
"""

from __future__ import annotations

from wire502.kinds._violations import refused
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "invalid_chunk"
TITLE = "illegal chunk in the response's body"
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
    """Return the frame with the octet that no chunk may have there."""
    return refused(attempt, NAME, ("chunk",))
