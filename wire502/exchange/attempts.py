"""Attempts out of connections: the compiled records of one connection, as the plain record that is judged.

Only what alarms comes here, so this is ordinary Python. Every number is taken from the wire's records; nothing is
concluded that ``model.attempt`` does not define.

This module is long because an attempt has many sides, and each is a few lines that read the same two records.
"""

from __future__ import annotations

from collections.abc import Sequence

from wire502.exchange.ladder import ladder
from wire502.exchange.manners import add_manners
from wire502.exchange.upstream_cy import Upstream
from wire502.model import head_fields
from wire502.model.attempt import (
    Attempt,
    Closing,
    Gap,
    Handshake,
    Point,
    Request,
    Response,
    Silence,
    Unreachable,
    Violation,
)
from wire502.model.capture_info import DropReport, RareFrame, place_of
from wire502.model.endpoints import address_text, endpoint_text
from wire502.model.flow_cy import (
    FRAMING_LENGTH,
    FRAMING_NAMES,
    RST_EXACT,
    RST_IGNORED,
    RST_NONE,
    Connection,
    Exchange,
    Half,
)
from wire502.model.text import wire_text

NEIGHBOUR_NS = 60_000_000_000
_LONG_NS = 60 * 10**9  # a counter of losses that covers more says nothing of any one moment

_UNREACHABLE = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "communication administratively prohibited",
}
_UNREACHABLE_6 = {
    0: "no route to destination",
    1: "communication administratively prohibited",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed policy",
    6: "route rejected",
}


def build(
    conn: Connection,
    exchange: Exchange | None,
    *,
    now_ns: int,
    ended: bool,
    secondary: bool = False,
    client_leg_seen: bool = False,
    steps: tuple[tuple[int, int, int], ...] = (),
) -> Attempt:
    """Return what was seen of *exchange* on *conn* (None: no request was read), as it stands at *now_ns*."""
    a, b, file = conn.a, conn.b, conn.file
    decoder = conn.decoder
    # Where nothing was said, nothing but HTTP need be supposed.
    silent = a.top <= 0 and b.top <= 0
    first = Point(conn.first_frame, file, conn.first_ts)
    is_http = decoder is None or decoder.http or exchange is not None or silent
    attempt = Attempt(
        stream=conn.stream,
        gateway=endpoint_text(a.high, a.low, a.port),
        upstream=endpoint_text(b.high, b.low, b.port),
        first_frame=first.frame,
        first_file=first.file,
        exchange=exchange.number if exchange is not None else 0,
        reused=_reused(conn, exchange),
        opener_known=conn.opener > 0,
        handshake=_handshake(conn),
        judged_at_ns=now_ns,
        capture_ended=ended,
        is_http=is_http and not (decoder is not None and decoder.exchanges == 0 and not decoder.http and a.top > 0),
    )
    if not attempt.is_http:
        attempt.protocol = (decoder.looks_like if decoder is not None else None) or "unknown"
    attempt.secondary = secondary
    attempt.evicted = conn.evicted
    attempt.snaplen_cut = conn.snap_cut
    attempt.unkept = conn.unkept
    attempt.upgraded = decoder is not None and decoder.tunnel
    attempt.client_leg_seen = client_leg_seen
    if exchange is not None:
        _add_exchange(attempt, conn, exchange)
    elif not attempt.is_http:
        _add_opaque(attempt, conn)
    _add_closes(attempt, conn, exchange)
    _add_acknowledgements(attempt, conn, exchange)
    attempt.last_from_upstream = _point(b.last_frame, file, b.last_ts)
    attempt.last_from_gateway = _point(a.last_frame, file, a.last_ts)
    attempt.upstream_window_zero = _point(b.zero_frame, file, b.zero_ts)
    attempt.gateway_window_zero = _point(a.zero_frame, file, a.zero_ts)
    attempt.gaps = _gaps(conn, attempt)
    add_manners(attempt, conn, exchange)
    attempt.one_sided = _one_sided(conn)
    attempt.silence = _silence(attempt)
    upstream = conn.upstream
    answered = isinstance(upstream, Upstream) and upstream.answered_frame and not conn.established
    if answered and abs(upstream.answered_ts - conn.first_ts) <= NEIGHBOUR_NS:
        attempt.neighbour_answered = Point(upstream.answered_frame, upstream.answered_file, upstream.answered_ts)
    if conn.conflict is not None:
        first_frame, first_ts, frame, ts = conn.conflict
        attempt.overlap_conflict = (Point(first_frame, file, first_ts), Point(frame, file, ts))
    since = attempt.request.first if attempt.request is not None else first
    for frame, before, after in steps:
        step = Point(frame, file, after)
        if not step.before(since) and after != before:
            attempt.clock_step = step
    attempt.ladder = ladder(conn, attempt)
    return attempt


def unattempted(conn: Connection, head: bytes, asked: Point, now_ns: int) -> Attempt:
    """Return the record of a client's request on *conn*, begun at *asked*, for which no attempt was seen."""
    method, target, length, host = head_fields.request_names(head)
    first = Point(conn.first_frame, conn.file, conn.first_ts)
    attempt = Attempt(
        stream=conn.stream,
        gateway=endpoint_text(conn.b.high, conn.b.low, conn.b.port),
        upstream="",
        first_frame=first.frame,
        first_file=first.file,
        exchange=0,
        reused=False,
        opener_known=True,
        handshake=Handshake(),
        judged_at_ns=now_ns,
        capture_ended=False,
        request=Request(asked, asked, 0, len(head), True, method, target, length, host, head_fields.correlation(head)),
    )
    attempt.unattempted = True
    attempt.client_leg_seen = True
    return attempt


def dropped(drops: Sequence[DropReport], conn: Connection, attempt: Attempt) -> tuple[int, int]:
    """Return how many packets the files of *conn* say were lost while the attempt lasted: around it, sometime.

    A counter of a long while (dumpcap writes one for the whole capture) says little of any one moment in it.
    """
    request, shake = attempt.request, attempt.handshake
    since = request.first.time_ns if request is not None else shake.syns[0].time_ns if shake.syns else None
    if since is None:
        return 0, 0
    files = {conn.file, *(place_of(half.last_frame, conn.file)[1] for half in (conn.a, conn.b))}
    until = attempt.judged_at_ns
    nearby = sometime = 0
    for drop in drops:
        if drop.file not in files or drop.to_ns < since:
            continue
        if drop.from_ns is None or drop.to_ns - drop.from_ns > _LONG_NS:
            sometime += drop.count if drop.from_ns is None or drop.from_ns <= until else 0
        elif drop.from_ns <= until:
            nearby += drop.count
    return nearby, sometime


def _point(frame: int, file: int, ts: int) -> Point | None:
    return Point(frame, file, ts) if frame else None


def _reused(conn: Connection, exchange: Exchange | None) -> bool:
    if exchange is None:
        return False
    if exchange.number > 1 or exchange.excess_before:
        return True
    # Begun mid-connection, one ACK of earlier octets or a response is evidence enough.
    return conn.mid and (exchange.req_start > 0 or exchange.resp_start > 0 or conn.b.frames > 0)


def _handshake(conn: Connection) -> Handshake:
    file = conn.file
    shake = Handshake(
        syns=tuple(Point(frame, file, ts) for frame, ts in conn.syns),
        syn_acks=tuple(Point(frame, file, ts) for frame, ts in conn.syn_acks),
        ack=_point(conn.ack_frame, file, conn.ack_ts),
        refused=_point(conn.refused_frame, file, conn.refused_ts) if not conn.syn_acks else None,
        mid_connection=conn.mid or (conn.established and not conn.syn_acks),
        numbered=conn.refused_seq != 0,
    )
    if conn.unreachable is not None:
        record, quotes_syn, record_file = conn.unreachable
        shake.unreachable = _unreachable(conn, record, quotes_syn, record_file)
    return shake


def _unreachable(conn: Connection, record: RareFrame, quotes_syn: bool, file: int) -> Unreachable:
    if record.kind == "time_exceeded":
        text = "time exceeded"
    elif record.icmp_version == 6:
        text = _UNREACHABLE_6.get(record.icmp_code, f"unreachable (code {record.icmp_code})")
    else:
        text = _UNREACHABLE.get(record.icmp_code, f"unreachable (code {record.icmp_code})")
    return Unreachable(
        point=Point(record.frame, file, record.ts_ns),
        quoted_syn=quotes_syn,
        text=text,
        sender=address_text(*record.sender),
        from_gateway=record.sender == (conn.a.high, conn.a.low),
    )


def _add_exchange(attempt: Attempt, conn: Connection, exchange: Exchange) -> None:
    file = conn.file
    if not exchange.ghost:
        method, target, length, host = head_fields.request_names(exchange.req_head)
        # A body of known length of which the end was sent went out, whatever is missing inside it.
        whole = exchange.req_whole or conn.a.off < exchange.req_end <= conn.a.top
        attempt.request = Request(
            first=Point(exchange.req_frame, file, exchange.req_ts),
            last=_request_last(conn, exchange),
            start=exchange.req_start,
            end=exchange.req_end if whole else max(exchange.req_start, _sent(conn, exchange)),
            # A head that the snap length cut went out all the same: what follows it is known by its numbers.
            whole=whole or (exchange.req_cut and conn.snap_cut),
            method=method,
            target=target,
            target_length=length,
            host=host,
            id=head_fields.correlation(exchange.req_head),
            trace=head_fields.trace(exchange.req_head),
            expects_continue=exchange.expects,
            cut=exchange.req_cut,
        )
    if exchange.interim:
        attempt.interim = tuple((status, Point(frame, file, ts)) for status, frame, ts in exchange.interim)
    if exchange.resp_frame:
        attempt.response = _response(conn, exchange)
    if exchange.violation is not None:
        part, offset, frame, ts, why, looks_like, lost = exchange.violation
        attempt.violation = Violation(part, Point(frame, file, ts), offset, why, looks_like, lost)
    attempt.oddities = tuple(exchange.oddities or ())
    attempt.streaming = exchange.streaming
    attempt.excess = exchange.excess_before
    attempt.foreign_answer = exchange.foreign_status or None
    attempt.next_request = _point(exchange.next_frame, file, exchange.next_ts)
    if attempt.violation is not None and attempt.next_request is None and _went_on(conn.a, exchange):
        attempt.next_request = _point(conn.a.acked_frame or conn.a.last_frame, file, conn.a.acked_ts or conn.a.last_ts)


def _went_on(a: Half, exchange: Exchange) -> bool:
    """Whether the opener sent more than a FIN (or empty lines) behind the request, seen or only acknowledged."""
    return max(a.top, a.off, a.fin_off, a.acked - 1) > exchange.req_end + 4


def _sent(conn: Connection, exchange: Exchange) -> int:
    """Return how far the request had been sent: the inside of a body is only counted by the half."""
    decoder = conn.decoder
    if decoder is not None and (decoder.queue and decoder.queue[-1] is not exchange):
        return exchange.req_end
    return max(conn.a.off, conn.a.top)


def _request_last(conn: Connection, exchange: Exchange) -> Point:
    """Return the last frame that brought octets of the request."""
    a = conn.a
    if not exchange.req_whole and a.progress_frame and a.progress_ts >= exchange.req_last_ts:
        return Point(a.progress_frame, conn.file, a.progress_ts)
    return Point(exchange.req_last_frame, conn.file, exchange.req_last_ts)


def _response(conn: Connection, exchange: Exchange) -> Response:
    file, b, decoder = conn.file, conn.b, conn.decoder
    current = decoder is not None and decoder.current is exchange and not exchange.resp_done
    last = Point(exchange.resp_last_frame or exchange.resp_frame, file, exchange.resp_last_ts or exchange.resp_ts)
    body = exchange.body_bytes
    if current:
        headless = conn.a.fin_off >= 0 and not exchange.head_frame and exchange.resp_last_frame
        if b.progress_frame and b.progress_ts >= last.time_ns and not headless:
            last = Point(b.progress_frame, file, b.progress_ts)
        if exchange.head_frame:
            body = max(0, b.off - exchange.resp_start - exchange.head_bytes)
    head = exchange.resp_head or b""
    return Response(
        first=Point(exchange.resp_frame, file, exchange.resp_ts),
        last=last,
        start=exchange.resp_start,
        status=exchange.status or None,
        status_point=_point(exchange.status_frame, file, exchange.status_ts),
        head_end=_point(exchange.head_frame, file, exchange.head_ts),
        head_bytes=exchange.head_bytes,
        body_bytes=body,
        expected_body_bytes=exchange.expected if exchange.framing == FRAMING_LENGTH else None,
        framing=FRAMING_NAMES[exchange.framing],
        complete=exchange.resp_done and not exchange.resp_cut,
        content_type=head_fields.text_field(head, b"content-type", 128),
        server=head_fields.text_field(head, b"server", 128),
        via=head_fields.text_field(head, b"via", 128),
        cut=exchange.resp_cut,
    )


def _add_opaque(attempt: Attempt, conn: Connection) -> None:
    """A connection that is not HTTP: the opener's octets as one write after the other."""
    a, b, file = conn.a, conn.b, conn.file
    if a.top <= 0 or not a.progress_frame:
        return
    first = conn.opaque_frame or a.progress_frame
    since = conn.opaque_ts or a.progress_ts
    end = max(a.off, a.top)
    attempt.request = Request(
        first=Point(first, file, since),
        last=Point(first, file, since),
        start=0,
        end=end,
        whole=True,
        http=False,
    )
    if b.progress_frame:
        attempt.response = Response(
            first=Point(b.progress_frame, file, b.progress_ts),
            last=Point(b.progress_frame, file, b.progress_ts),
            start=0,
            body_bytes=b.off,
        )
    if not b.progress_frame or b.progress_ts < since:
        attempt.unanswered_since = Point(first, file, since)


def _add_closes(attempt: Attempt, conn: Connection, exchange: Exchange | None) -> None:
    attempt.upstream_fin = _fin(conn, conn.b)
    attempt.gateway_fin = _fin(conn, conn.a)
    attempt.upstream_rst = _rst(conn, conn.b, exchange)
    attempt.gateway_rst = _rst(conn, conn.a, exchange)
    attempt.later_from_upstream = _point(conn.b.after_rst_frame, conn.file, conn.b.after_rst_ts)
    if conn.b.fin_acked_frame:
        attempt.gateway_fin_ack_of_upstream_fin = Point(conn.b.fin_acked_frame, conn.file, conn.b.fin_acked_ts)


def _fin(conn: Connection, half: Half) -> Closing | None:
    if half.fin_off < 0:
        return None
    return Closing(
        Point(half.fin_frame, conn.file, half.fin_ts),
        half.fin_off,
        half.fin_acks if half.fin_acks >= 0 else None,
        ttl=half.ttl,
    )


def _rst(conn: Connection, half: Half, exchange: Exchange | None) -> Closing | None:
    if half.rst_state == RST_NONE:
        return None
    echoes = exchange is not None and exchange.req_acks >= 0 and half.rst_off == exchange.req_acks
    return Closing(
        Point(half.rst_frame, conn.file, half.rst_ts),
        half.rst_off if half.rst_off >= 0 else None,
        half.rst_acks if half.rst_acks >= 0 else None,
        ttl=half.rst_ttl,
        ip_id=half.rst_ip_id,
        window=half.rst_window,
        accepted=False if half.rst_state == RST_IGNORED else True if half.rst_state == RST_EXACT else None,
        echoes_request_ack=echoes,
    )


def _add_acknowledgements(attempt: Attempt, conn: Connection, exchange: Exchange | None) -> None:
    a, b, file = conn.a, conn.b, conn.file
    attempt.gateway_sent = max(a.top, a.off)
    if a.acked >= 0:
        attempt.upstream_acked = a.acked
        attempt.upstream_acked_point = _point(a.acked_frame, file, a.acked_ts)
    if b.acked >= 0:
        attempt.gateway_acked = b.acked
    if a.unacked_rexmits:
        attempt.request_retransmissions = a.unacked_rexmits
        attempt.request_retransmitted_last = _point(a.rexmit_frame, file, a.rexmit_ts)
    rexmits = b.rexmits - (exchange.rexmits_before if exchange is not None else 0)
    if rexmits > 0 or b.unacked_rexmits:
        attempt.response_retransmissions = max(rexmits, b.unacked_rexmits)
        attempt.response_retransmitted_last = _point(b.rexmit_frame, file, b.rexmit_ts)
    if exchange is not None:
        attempt.response_from = exchange.resp_start if exchange.resp_frame else b.off
        if exchange.req_acks >= 0 and not exchange.piped:
            attempt.request_acks = exchange.req_acks


def _gaps(conn: Connection, attempt: Attempt) -> tuple[Gap, ...]:
    found = []
    for half, from_gateway in ((conn.a, True), (conn.b, False)):
        for label, offset, octets, frame, ts, in_head in half.gaps or ():
            before_close = offset + octets == half.fin_off or offset + octets == half.rst_off
            found.append(Gap(label, from_gateway, offset, octets, Point(frame, conn.file, ts), in_head, before_close))
        if half.pieces:
            piece = half.pieces[0]
            label = "wire" if half.acked <= half.off else "unknown"
            point = Point(piece.frame, conn.file, piece.ts_ns)
            found.append(Gap(label, from_gateway, half.off, piece.offset - half.off, point, half.skip == 0))
        reset = half.rst_off if half.rst_state and not 0 <= half.fin_off < half.rst_off <= half.fin_off + 1 else -1
        closes = [off for off in (half.fin_off, reset) if off > half.off]
        if closes and not half.pieces:
            close = min(closes)
            if half.fin_off == close:
                point = Point(half.fin_frame, conn.file, half.fin_ts)
            else:
                point = Point(half.rst_frame, conn.file, half.rst_ts)
            # A RST in the window may stand ahead of octets that were never sent.
            if half.fin_off == close or half.acked > half.off:
                found.append(Gap("unknown", from_gateway, half.off, close - half.off, point, half.skip == 0, True))
    if attempt.request is not None:
        start = attempt.request.start
        found = [gap for gap in found if not gap.from_gateway or gap.offset + gap.octets > start]
    if attempt.response is not None:
        start = attempt.response.start
        found = [gap for gap in found if gap.from_gateway or gap.offset + gap.octets > start]
    return tuple(found)


def _one_sided(conn: Connection) -> str | None:
    a, b = conn.a, conn.b
    if b.frames == 0 and (conn.ack_frame or (conn.established and not conn.syn_acks and b.acked > 0)):
        return "gateway"
    if b.frames == 0 and conn.mid and a.frames > 1:
        return "gateway"
    if a.frames == 0 and b.frames > 0:
        return "upstream"
    return None


def _silence(attempt: Attempt) -> Silence | None:
    """Return the wait that the attempt ended with: from the last progress to the close that ended it."""
    request, response = attempt.request, attempt.response
    if request is None:
        return None
    since = request.last
    if response is not None and response.last.time_ns >= since.time_ns:
        since = response.last
    elif (
        response is None
        and request.http
        and not request.whole
        and attempt.upstream_acked_point is not None
        and attempt.upstream_acked_point.time_ns > since.time_ns
        and (attempt.upstream_acked or 0) > request.start
    ):
        # While the request is being sent, what the upstream takes is progress too.
        since = attempt.upstream_acked_point
    closes = [
        closing.point
        for closing in (attempt.gateway_fin, attempt.gateway_rst, attempt.upstream_fin, attempt.upstream_rst)
        if closing is not None and closing.accepted is not False and closing.point.time_ns >= since.time_ns
    ]
    until = min(closes, key=lambda point: point.time_ns) if closes else None
    end = until.time_ns if until is not None else attempt.judged_at_ns
    return Silence(
        since,
        until,
        (end - since.time_ns) / 1e9,
        (end - request.last.time_ns) / 1e9 if end >= request.last.time_ns else None,
    )


def describe_line(head: bytes) -> str:
    """Return the first line of a head as text, cut at 120 octets."""
    return wire_text(head[: head.find(b"\n")].strip(b"\r")[:120]) if b"\n" in head else wire_text(head[:120])
