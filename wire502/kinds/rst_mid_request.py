"""rst_mid_request: the upstream reset the connection during the request.

What happened
    The gateway was still sending the request, most often the body of a POST
    or PUT, when the upstream reset the connection. It did not have the whole
    request, and no complete final response came.

Why it matters
    The client usually gets a 502 after it has sent much data for nothing.
    Gateways hardly ever repeat such a request on another upstream, so what
    the user uploaded is lost.

How wire502 knows
    The upstream's RST, with the gateway's request not yet sent in full or not
    acknowledged in full: the ACK number of the RST decides, or the highest
    ACK seen if it carries none. The failure point is that RST. If a complete
    final response came first (413 and close is the usual one), nothing
    failed, unless the client was seen to get an error instead of it.

Easily mistaken for
    rst_before_response  the whole request had arrived
    stale_keepalive      the RST answers a request on an old connection, and
                         acknowledges none of it
    gateway_abort        it was the gateway that closed first

What to check next
    Limits on the size of a request body in the upstream or in something in
    front of it (client_max_body_size, LimitRequestBody, a WAF, a servlet
    container's post size): many close without reading the rest, and the
    reset then destroys the 413 that was on its way. The upstream's log at
    this second: a crash, an out-of-memory kill, a restart. If the request
    had paused for seconds before the reset, a read timeout: see who was
    slow, the client or the gateway.

Example
    #11  12:00:00.573  POST /upload ──────▶
    #21  12:00:00.574  … 89341 octets ────▶
    #22  12:00:00.574               ◀────── RST  before it had all of it
    #23  12:00:00.575  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.kinds._sight import finished
from wire502.kinds._violations import client_failed
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "rst_mid_request"
TITLE = "reset while the request was being sent"
GROUP = "request"
REFINES = ()
NEEDS = ("rst", "partial")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the RST that came before the upstream had the whole request."""
    return _phases.reset(attempt, "request") or _after_early_answer(attempt)


def _after_early_answer(attempt: Attempt) -> Finding | None:
    """The final response came before the request was whole, and the reset kept the gateway from reading it."""
    rst, response, request = _phases.upstream_rst(attempt), attempt.response, attempt.request
    if rst is None or response is None or request is None or not finished(response) or attempt.upgraded:
        return None
    if not _phases.speaks_http(attempt) or _phases.delivered(attempt, rst.acks) or attempt.evicted:
        return None
    failed = client_failed(attempt, response.status)
    ended = _phases.gateway_close(attempt)
    if failed is None or (ended is not None and _phases.order(ended) < _phases.order(rst.point)):
        return None
    finding = Finding(NAME, rst.point, _phases.offset_of(attempt))
    finding.evidence = [
        (response.first, f"early response, status {response.status}"),
        (rst.point, "RST from the upstream while the request was on its way"),
        (failed.point, "the client got an error instead of the response"),
    ]
    return finding
