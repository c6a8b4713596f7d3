"""header_too_large: the response's head was longer than the gateway accepts.

What happened
    The upstream sent a long head, thousands of octets of header fields, and
    the gateway closed in the middle of it or right after: it does not fit
    into the gateway's buffer.

Why it matters
    The client gets a 502 ("upstream sent too big header while reading
    response header"), and gets it again at each try: with large cookies or
    tokens it hits single users, who "cannot log in since this morning",
    while everybody else is fine.

How wire502 knows
    At least 4096 octets of the response's head, then the gateway's own FIN
    or RST within a second of the last frame of the head, before any from the
    upstream; or, where the gateway is recognised, a head over its known limit
    and then its close. The failure point is the frame that went over the
    limit; the limit being unknown, the last response frame. If the response
    was complete, only an error that the client was seen to get makes it a
    failure, whoever closed first.

Easily mistaken for
    gateway_abort     the client left at that moment; the head is short
    invalid_header    an illegal octet came first
    fin_mid_headers   it was the upstream that closed

What to check next
    What fills the head? tshark -Y 'tcp.stream == STREAM && http' -V, then
    look for Set-Cookie (many, or with a session packed inside), long
    Location, Content-Security-Policy or Link fields, debug headers left on.
    Make them smaller, or raise the gateway's limit: nginx proxy_buffer_size
    (4 or 8 KB by default; proxy_buffers does not help), HAProxy tune.bufsize
    (16 KB), Apache LimitRequestFieldSize and ProxyIOBufferSize.

Example
    #72  12:00:00.000       ◀────── HTTP/1.1 200 OK, and 28960 octets of head
    #80  12:00:00.001       ◀────── … 128 KB of head, still no end
    #81  12:00:00.001  RST ────────▶  the gateway has had enough
    #82  12:00:00.001  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _evidence, _phases
from wire502.kinds._sight import blind, finished
from wire502.kinds._signs import LONG_HEAD
from wire502.kinds._violations import client_failed, tolerated
from wire502.model.attempt import Attempt, Point, Response
from wire502.model.context import Context
from wire502.model.finding import Finding
from wire502.model.verdict import Alternative

NAME = "header_too_large"
TITLE = "the response's head was too long for the gateway"
GROUP = "response"
REFINES = ("stall_mid_request", "stall_mid_headers", "stall_mid_body", "gateway_abort", "client_abort")
NEEDS = ("ended", "long")

AT_ONCE_NS = 1_000_000_000


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the frame that went over the limit, or the last frame of the response."""
    response, ended = attempt.response, _phases.gateway_close(attempt)
    if response is None or ended is None or not _phases.speaks_http(attempt) or attempt.upgraded:
        return None
    if tolerated(attempt) or attempt.one_sided is not None or attempt.evicted:
        return None
    over = context.header_limit is not None and response.head_bytes > context.header_limit
    failed = client_failed(attempt, response.status)
    if not over and not _dropped_at_once(attempt, response, ended, failed is not None):
        return None
    if finished(response):
        if failed is None or not _phases.delivered(attempt, None):
            return None
    elif blind(attempt) is not None:
        return None
    point = response.over_limit if over and response.over_limit is not None else response.last
    if _phases.order(ended) < _phases.order(point):
        return None
    return _finding(attempt, response, point, ended, over or failed is not None)


def _dropped_at_once(attempt: Attempt, response: Response, ended: Point, failed: bool) -> bool:
    """Whether the gateway closed within 1 s of the head, before anything from the upstream could have ended it.

    A complete response whose client got an error all the same was refused, whoever closed first.
    """
    theirs = _phases.upstream_close(attempt)
    if failed and finished(response):
        theirs = None
    if theirs is not None and _phases.order(theirs.point) < _phases.order(ended):
        return False
    last = response.head_end or response.last
    return response.head_bytes >= LONG_HEAD and 0 <= ended.time_ns - last.time_ns <= AT_ONCE_NS


def _finding(attempt: Attempt, response: Response, point: Point, ended: Point, sure: bool) -> Finding:
    finding = Finding(NAME, point, None if attempt.handshake.mid_connection else response.start + response.head_bytes)
    if attempt.request is not None:
        finding.evidence.append((attempt.request.last, "request sent"))
    finding.evidence.append((response.first, f"first octets of the response ({_evidence.head_words(attempt)})"))
    finding.evidence.append((point, f"{_evidence.octets(response.head_bytes)} of head"))
    finding.evidence.append((ended, "the gateway closed"))
    finding.numbers["after_ns"] = ended.time_ns - point.time_ns
    if not sure:
        finding.confidence = "medium"
        finding.caveats.append("the gateway's limit is not known: that the length was the reason is inferred")
        why = "the gateway may have ended the attempt for another reason, such as a client that left"
        finding.alternatives.append(Alternative("gateway_abort", ended.frame, "low", why, ended.file))
    return finding
