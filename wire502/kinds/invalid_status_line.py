"""invalid_status_line: what the upstream sent is no HTTP response.

What happened
    The gateway sent an HTTP request, and the first octets of the answer are
    no status line ("HTTP/1.1 200 OK"): another protocol, error text of a
    script, a stray line feed too many, a status that is not three digits, or
    the rest of an earlier response.

Why it matters
    HAProxy and nginx with some configurations answer 502; others pass the
    octets on as an ancient HTTP/0.9 response, so that clients see a bad
    status line, a blank page or a hang.

How wire502 knows
    RFC 9112 section 4, read leniently as section 2.2 allows: an empty line
    before it, a bare LF, any HTTP/1.x and an empty reason are fine. The
    failure point is the frame with the first octet that cannot belong to a
    status line. It is a failure when the gateway refused it, or when the end
    of the response can no longer be found; if the client got the response or
    the gateway went on to use the connection, it is an oddity only. If the
    capture shows neither: a failure of medium confidence.

Easily mistaken for
    fin_mid_headers  a good status line and then no end
    invalid_header   the status line was fine, a field was not
    tls_not_tls      the other way round: TLS expected, plain text came

What to check next
    What do the octets look like? 15 03 03: a TLS alert, so the port speaks
    TLS and the gateway must use https. "SSH-", a database greeting, a
    FastCGI or uwsgi record: wrong port or wrong protocol directive
    (proxy_pass against fastcgi_pass, uwsgi_pass, grpc_pass). HTML or a stack
    trace: a program that prints before its head. Octets that end an earlier
    body: that response's Content-Length was too small; look one exchange up.

Example
    #14  12:00:00.000  GET /t/1 ──────▶
    #16  12:00:00.001          ◀────── 15 03 03 00 02 02 46  a TLS alert
    #19  12:00:00.001  FIN ───────────▶
    #20  12:00:00.002  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.kinds._violations import client_failed, refused
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "invalid_status_line"
TITLE = "the answer was no HTTP response"
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
    "invalid_header",
)
NEEDS = ("illegal",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the frame with the first octet that cannot belong to a status line."""
    return refused(attempt, NAME, ("status_line",)) or _stray_octets(attempt)


def _stray_octets(attempt: Attempt) -> Finding | None:
    """Octets that were there before the request, its only answer, and the gateway made an end of it."""
    point, request = attempt.excess_point, attempt.request
    if point is None or request is None or attempt.response is not None or not _phases.speaks_http(attempt):
        return None
    if not (attempt.excess or attempt.foreign_answer is not None) or _phases.upstream_close(attempt) is not None:
        return None
    failed, ended = client_failed(attempt), _phases.gateway_close(attempt)
    if (failed is None and ended is None) or attempt.evicted or attempt.upgraded:
        return None
    if failed is None and attempt.upstream_acked is not None and attempt.upstream_acked > request.start:
        return None  # it may have answered after all: the stray octets may belong to requests that were not captured
    finding = Finding(NAME, point, None, confidence="high" if failed is not None else "medium")
    finding.evidence = [(point, "octets that no request had asked for"), (request.first, "request sent")]
    if failed is not None:
        finding.evidence.append((failed.point, "the client got an error"))
    elif ended is not None:
        finding.evidence.append((ended, "the gateway closed"))
    return finding
