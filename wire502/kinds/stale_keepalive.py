"""stale_keepalive: the request met a connection that the upstream was closing.

What happened
    The gateway kept the connection open after an earlier response and used it
    again. At that moment the upstream was closing it, mostly since its idle
    timeout had run out: request and close crossed, and the request fell on
    deaf ears.

Why it matters
    A GET is usually repeated on another connection, and nobody notices. A
    POST must not be repeated (RFC 9112 section 9.3.1), so the client gets a
    502 (nginx: "upstream prematurely closed connection" or "recv() failed
    (104: Connection reset by peer)"). It strikes at random, at low load more
    than at high, and no log of the upstream shows it.

How wire502 knows
    An earlier exchange on this connection; the acknowledgement number of the
    upstream's FIN or RST is not beyond the first octet of the request, so the
    upstream had not seen it; no response octet follows. A RST without ACK
    counts when its sequence number is the one that the request acknowledged:
    so answers a kernel that no longer knows the connection. The failure point
    is the upstream's earliest FIN or RST, even if it is seconds older than
    the request. An unsolicited 408 before it is no answer.

Easily mistaken for
    fin_before_response, rst_before_response   the upstream had the request;
        on a first request the same frames are never a stale connection
    Reset by a middlebox after long idle time: nobody closed, the state was
    forgotten. Then no FIN is seen, and the idle time is a round number of
    minutes.

What to check next
    Compare both idle timeouts: the gateway's must be the shorter one (nginx
    keepalive_timeout in the upstream block, HAProxy timeout http-keep-alive
    on the server side, against the upstream's: Node 5 s, gunicorn 2 s, Apache
    5 s by default). If the gateway had acknowledged the FIN a second or more
    before, it wrote to a connection that it knew to be closed.

Example
    #44  12:00:05.000  POST /order ──────▶   5.000 s after the last response
    #45  12:00:05.000             ◀────── FIN  acknowledges none of it
    #51  12:00:05.001             ◀────── RST
    #52  12:00:05.001  502 to the client
"""

from __future__ import annotations

from wire502.kinds import _phases
from wire502.model.attempt import Attempt, Closing, Request
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "stale_keepalive"
TITLE = "a reused connection was already closing"
GROUP = "request"
REFINES = ("rst_before_response", "fin_before_response", "rst_mid_request", "fin_mid_request")
NEEDS = ("asked", "unanswered", "reused")


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the earliest FIN or RST of an upstream that had not seen the request."""
    request, first = attempt.request, _phases.upstream_close(attempt)
    if request is None or first is None or not attempt.reused or attempt.response is not None or attempt.upgraded:
        return None
    if not _phases.speaks_http(attempt) or attempt.evicted:
        return None
    if not _unseen_request(attempt, request, first):
        return None
    ended = _phases.gateway_close(attempt)
    if ended is not None and _phases.order(ended) < _phases.order(min(first.point, request.first, key=_phases.order)):
        return None
    return _finding(attempt, request, first)


def _unseen_request(attempt: Attempt, request: Request, first: Closing) -> bool:
    """Whether the upstream's closes show that it had not one octet of the request."""
    if _crossed(first, request):
        return True
    if first.acks is not None:
        return False  # it had a part of the request when it closed
    return any(
        closing is not None and _crossed(closing, request)
        for closing in (_phases.upstream_fin(attempt), _phases.upstream_rst(attempt))
    )


def _crossed(closing: Closing, request: Request) -> bool:
    if closing.acks is not None:
        return closing.acks <= request.start
    return closing.echoes_request_ack or _phases.order(closing.point) < _phases.order(request.first)


def _finding(attempt: Attempt, request: Request, first: Closing) -> Finding:
    finding = Finding(NAME, first.point, None if attempt.handshake.mid_connection else first.offset)
    flag = "FIN" if first is _phases.upstream_fin(attempt) else "RST"
    if attempt.excess_point is not None and attempt.foreign_answer is not None:
        finding.evidence.append((attempt.excess_point, f"unsolicited {attempt.foreign_answer}, no answer to it"))
    finding.evidence.append((first.point, f"{flag} from the upstream: it had not seen the request"))
    acked = attempt.gateway_fin_ack_of_upstream_fin
    if acked is not None and _phases.order(acked) < _phases.order(request.first):
        finding.evidence.append((acked, "the gateway acknowledged that FIN before it sent the request"))
    finding.evidence.append((request.first, "request sent on this connection"))
    rst = _phases.upstream_rst(attempt)
    if rst is not None and rst.point != first.point:
        finding.evidence.append((rst.point, "RST: the upstream no longer knows the connection"))
    finding.evidence.sort(key=lambda seen: _phases.order(seen[0]))
    finding.numbers["before_ns"] = request.first.time_ns - first.point.time_ns
    if first.acks is None and rst is first:
        finding.confidence = "medium"
        finding.caveats.append("the RST has no ACK number: one that answers a request that was read looks the same")
    return finding
