"""How far an attempt had come, and the predicates that the rst_ and fin_ kinds share for each phase.

The phases follow one another, and an attempt is in exactly one: ``idle`` (no request yet), ``request`` (the upstream
does not have all of it), ``response`` (it has, or all was at least sent, and no octet of a final response came),
``headers``, ``body``, ``done``, ``tunnel``.
"""

from __future__ import annotations

from wire502.kinds import _evidence
from wire502.kinds._sight import blind, finished, lost_on_wire, seen_end, sent_end, sent_whole
from wire502.kinds._violations import tolerated
from wire502.model.attempt import Attempt, Closing, Point
from wire502.model.finding import Finding

FRESH_NS = 1_000_000_000  # a reset so soon after the handshake is an answer, not the end of an idle connection


def order(point: Point) -> tuple[int, int, int]:
    """Return the key by which frames of several files stand in the order of the wire."""
    return (point.time_ns, point.file, point.frame)


def earliest(*points: Point | None) -> Point | None:
    """Return the first of *points* in the order of the wire."""
    first = None
    for point in points:
        if point is not None and (first is None or order(point) < order(first)):
            first = point
    return first


def speaks_http(attempt: Attempt) -> bool:
    """Whether HTTP kinds may be judged at all on this connection."""
    return attempt.is_http and (attempt.request is None or attempt.request.http)


def upstream_rst(attempt: Attempt) -> Closing | None:
    """Return the upstream's RST, unless its receiver ignored it (RFC 9293 section 3.5.3)."""
    rst = attempt.upstream_rst
    return None if rst is None or rst.accepted is False else rst


def upstream_fin(attempt: Attempt) -> Closing | None:
    """Return the upstream's FIN, unless octets before it were lost for good: then it never took its turn."""
    fin, end = attempt.upstream_fin, seen_end(attempt)
    if fin is not None and fin.offset is not None and end is not None and fin.offset > end and lost_on_wire(attempt):
        return None
    return fin


def upstream_close(attempt: Attempt) -> Closing | None:
    """Return the earliest FIN or RST of the upstream that counted."""
    fin, rst = upstream_fin(attempt), upstream_rst(attempt)
    if fin is None or rst is None:
        return fin or rst
    return rst if order(rst.point) < order(fin.point) else fin


def gateway_close(attempt: Attempt) -> Point | None:
    """Return the earliest FIN or RST of the gateway."""
    fin, rst = attempt.gateway_fin, attempt.gateway_rst
    if fin is None and rst is None:
        return None
    return earliest(fin.point if fin else None, rst.point if rst and rst.accepted is not False else None)


def delivered(attempt: Attempt, acks: int | None) -> bool:
    """Whether the upstream had the whole request, or all of it was at least sent.

    *acks* is what the upstream's FIN or RST acknowledges; without it the highest ACK seen decides. An ACK of none
    of the request tells nothing (the frames may have crossed), an ACK of a part tells that it stopped there.
    """
    request = attempt.request
    if request is None:
        return attempt.response is not None
    if not sent_whole(request):
        return False
    acked = acks if acks is not None else attempt.upstream_acked
    return acked is None or acked <= request.start or acked >= request.end


def phase(attempt: Attempt, acks: int | None = None) -> str:
    """Return the phase that the attempt had reached, see the module's docstring."""
    response = attempt.response
    if attempt.upgraded:
        return "tunnel"
    if finished(response):
        return "done"
    if attempt.request is None and response is None:
        return "idle"
    if not delivered(attempt, acks):
        return "request"
    if response is None:
        return "response"
    return "headers" if response.head_end is None else "body"


def short_by(attempt: Attempt, closing: Closing) -> int | None:
    """Return how many octets the body lacked at *closing*; None when the response has no length."""
    response = attempt.response
    if response is None or response.framing != "length" or response.expected_body_bytes is None:
        return None
    sent = None if lost_on_wire(attempt) else sent_end(attempt, closing)
    got = response.body_bytes if sent is None else max(response.body_bytes, sent - response.start - response.head_bytes)
    return response.expected_body_bytes - got


def offset_of(attempt: Attempt) -> int | None:
    """Return the octets of the response direction that arrived in order; None when counting began mid-connection."""
    if attempt.handshake.mid_connection:
        return None
    return seen_end(attempt)


def reset(attempt: Attempt, where: str) -> Finding | None:
    """Return the finding ``rst_*`` for the phase *where*: the upstream's RST, before any end by the gateway."""
    closing = upstream_rst(attempt)
    return None if closing is None else _closed(attempt, closing, where, "rst")


def closed(attempt: Attempt, where: str) -> Finding | None:
    """Return the finding ``fin_*`` for the phase *where*: the upstream's FIN, before any end by the gateway."""
    closing = upstream_fin(attempt)
    if closing is None:
        return None
    response = attempt.response
    if where == "body" and response is not None and response.framing == "close":
        return None  # a FIN is the proper end of such a response (RFC 9112 section 6.3)
    return _closed(attempt, closing, where, "fin")


_NAMES = {"request": "mid_request", "response": "before_response", "headers": "mid_headers", "body": "mid_body"}


def _closed(attempt: Attempt, closing: Closing, where: str, how: str) -> Finding | None:
    ended = gateway_close(attempt)
    if ended is not None and order(ended) < order(closing.point):
        return None  # the gateway ended it first: gateway_abort, a stall, or nothing at all
    if not speaks_http(attempt):
        return _closed_opaque(attempt, closing, where, how)
    if phase(attempt, closing.acks) != where or tolerated(attempt) or blind(attempt, closing) is not None:
        return None
    finding = Finding(f"{how}_{_NAMES[where]}", closing.point, offset_of(attempt))
    finding.evidence = _evidence.until_answer(attempt)
    missing = short_by(attempt, closing)
    if missing is not None:
        finding.numbers["short"] = missing
    finding.evidence.append((closing.point, _evidence.close_note(attempt, how, where, missing)))
    if how == "rst" and closing.accepted is None:
        finding.confidence = "medium"
        finding.caveats.append("the capture does not show whether the gateway accepted this RST")
    return finding


def _closed_opaque(attempt: Attempt, closing: Closing, where: str, how: str) -> Finding | None:
    """Not HTTP: only "the opener spoke, and not one octet came back" is known well enough to say."""
    spoke = attempt.request.first if attempt.request is not None else attempt.unanswered_since
    if where != "response" or spoke is None or attempt.response is not None or attempt.upgraded:
        return None
    if order(closing.point) < order(spoke) or blind(attempt, closing) is not None:
        return None
    finding = Finding(f"{how}_before_response", closing.point, offset_of(attempt), confidence="medium")
    finding.evidence = [(spoke, "first octets from the gateway")]
    finding.evidence.append((closing.point, f"{how.upper()} from the upstream: not one octet came back"))
    return finding


def request_unseen(closing: Closing | None) -> bool:
    """Whether the upstream's *closing* shows that octets went either way which are not in the capture."""
    return closing is not None and ((closing.acks or 0) > 1 or (closing.offset or 0) > 0)


def reset_while_fresh(attempt: Attempt) -> Finding | None:
    """Return ``rst_before_response`` without a request: a reset within 1 s of the handshake, nobody else closing."""
    rst, shake = upstream_rst(attempt), attempt.handshake
    if rst is None or attempt.request is not None or attempt.response is not None or attempt.reused:
        return None
    if not shake.syn_acks or shake.refused is not None or upstream_close(attempt) is not rst or request_unseen(rst):
        return None
    began = shake.ack or shake.syn_acks[-1]
    ended = gateway_close(attempt)
    if ended is not None and order(ended) < order(rst.point):
        return None
    if not 0 <= rst.point.time_ns - began.time_ns <= FRESH_NS or blind(attempt, rst) is not None:
        return None
    finding = Finding("rst_before_response", rst.point, offset_of(attempt))
    finding.evidence = [(shake.syn_acks[0], "SYN-ACK: the connection was accepted")]
    finding.evidence.append((rst.point, "RST from the upstream before one octet of a request"))
    if attempt.client is None:
        finding.caveats.append("no request was sent: this may be a health check")
    return finding
