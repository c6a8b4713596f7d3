"""Attempts out of connections: the compiled records of one connection, as the plain record that is judged.

Only what alarms comes here, but that may be every tenth exchange of a bad minute, and it reads hundreds of fields of
the compiled records: so this is compiled, too. Every number is taken from the wire's records; nothing is concluded that
``model.attempt`` does not define. What few attempts have stands in ``asides``.

This module is long because an attempt has many sides, and each is a few lines that read the same two records.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.exchange.points_cy import point, seen
    from cython.cimports.wire502.exchange.upstream_cy import Upstream
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Exchange, Half
else:
    from wire502.exchange.points_cy import point, seen
    from wire502.exchange.upstream_cy import Upstream
    from wire502.model.flow_cy import Connection, Decoder, Exchange, Half

from wire502.exchange import asides
from wire502.exchange.ladder_cy import ladder
from wire502.model import head_fields
from wire502.model.attempt import (
    Attempt,
    Closing,
    Gap,
    Handshake,
    Manners,
    Point,
    Request,
    Response,
    Silence,
    Violation,
)
from wire502.model.endpoints import endpoint_text
from wire502.model.flow_cy import FRAMING_LENGTH, FRAMING_NAMES, RST_EXACT, RST_IGNORED, RST_NONE
from wire502.model.frames_cy import DONT_FRAGMENT, HAS_TIMESTAMP

NEIGHBOUR_NS = 60_000_000_000

_NEIGHBOUR_NS = cython.declare(cython.longlong, NEIGHBOUR_NS)
_LENGTH = cython.declare(cython.int, FRAMING_LENGTH)
_EXACT = cython.declare(cython.int, RST_EXACT)
_IGNORED = cython.declare(cython.int, RST_IGNORED)
_NO_RST = cython.declare(cython.int, RST_NONE)
_DONT_FRAGMENT = cython.declare(cython.uint, DONT_FRAGMENT)
_HAS_TIMESTAMP = cython.declare(cython.uint, HAS_TIMESTAMP)


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
    a: Half = conn.a
    b: Half = conn.b
    decoder: Decoder | None = conn.decoder
    file: cython.int = conn.file
    first = point(conn.first_frame, file, conn.first_ts)
    # Where nothing was said, nothing but HTTP need be supposed.
    silent: cython.bint = a.top <= 0 and b.top <= 0
    is_http: cython.bint = decoder is None or decoder.http or exchange is not None or silent
    if decoder is not None and decoder.exchanges == 0 and not decoder.http and a.top > 0:
        is_http = False
    attempt = Attempt(
        conn.stream,
        endpoint_text(a.high, a.low, a.port),
        endpoint_text(b.high, b.low, b.port),
        first.frame,
        exchange.number if exchange is not None else 0,
        _reused(conn, exchange),
        conn.opener > 0,
        _handshake(conn),
        now_ns,
        ended,
        is_http,
    )
    attempt.first_file = first.file
    if not is_http:
        attempt.protocol = (decoder.looks_like if decoder is not None else None) or "unknown"
    attempt.secondary = secondary
    attempt.evicted = conn.evicted
    attempt.snaplen_cut = conn.snap_cut
    attempt.unkept = conn.unkept
    attempt.upgraded = decoder is not None and decoder.tunnel
    attempt.client_leg_seen = client_leg_seen
    if exchange is not None:
        _add_exchange(attempt, conn, exchange)
    elif not is_http:
        _add_opaque(attempt, conn)
    _add_closes(attempt, conn, exchange)
    _add_acknowledgements(attempt, conn, exchange)
    attempt.last_from_upstream = seen(b.last_frame, file, b.last_ts)
    attempt.last_from_gateway = seen(a.last_frame, file, a.last_ts)
    attempt.upstream_window_zero = seen(b.zero_frame, file, b.zero_ts)
    attempt.gateway_window_zero = seen(a.zero_frame, file, a.zero_ts)
    attempt.gaps = _gaps(conn, attempt)
    _add_manners(attempt, conn)
    attempt.one_sided = _one_sided(conn)
    attempt.silence = _silence(attempt)
    if not conn.established and isinstance(conn.upstream, Upstream):
        attempt.neighbour_answered = _neighbour(conn, conn.upstream)
    if conn.conflict is not None:
        first_frame, first_ts, frame, ts = conn.conflict
        attempt.overlap_conflict = (point(first_frame, file, first_ts), point(frame, file, ts))
    since = attempt.request.first if attempt.request is not None else first
    for frame, before, after in steps:
        step = point(frame, file, after)
        if not step.before(since) and after != before:
            attempt.clock_step = step
    attempt.ladder = ladder(conn, attempt)
    return attempt


@cython.cfunc
def _reused(conn: Connection, exchange: Exchange | None) -> cython.bint:
    """Whether an earlier exchange, or evidence of one, was on the connection."""
    if exchange is None:
        return False
    if exchange.number > 1 or exchange.excess_before:
        return True
    # Begun mid-connection, one ACK of earlier octets or a response is evidence enough.
    return conn.mid and (exchange.req_start > 0 or exchange.resp_start > 0 or conn.b.frames > 0)


@cython.cfunc
def _neighbour(conn: Connection, upstream: Upstream) -> Point | None:
    """Return the SYN-ACK of another connection to the same endpoint around the time of this one."""
    apart: cython.longlong = upstream.answered_ts - conn.first_ts
    near: Point | None = None
    if -_NEIGHBOUR_NS <= apart <= _NEIGHBOUR_NS:
        near = seen(upstream.answered_frame, upstream.answered_file, upstream.answered_ts)
    return near


@cython.cfunc
def _handshake(conn: Connection) -> Handshake:
    file: cython.int = conn.file
    answered: cython.bint = conn.syn_ack_frame != 0
    shake = Handshake(
        _points(conn.syn_frame, conn.syn_ts, conn.more_syns, file),
        _points(conn.syn_ack_frame, conn.syn_ack_ts, conn.more_syn_acks, file),
        seen(conn.ack_frame, file, conn.ack_ts),
        None if answered else seen(conn.refused_frame, file, conn.refused_ts),
    )
    shake.mid_connection = conn.mid or (conn.established and not answered)
    shake.numbered = conn.refused_seq != 0
    if conn.unreachable is not None:
        record, quotes_syn, record_file = conn.unreachable
        shake.unreachable = asides.unreachable(conn, record, quotes_syn, record_file)
    return shake


@cython.cfunc
def _points(
    frame: cython.longlong, ts: cython.longlong, more: list[tuple[int, int]] | None, file: cython.int
) -> tuple[Point, ...]:
    """Return the first of several frames, if there is one, and those that came after it."""
    first: tuple[Point, ...] = () if frame == 0 else (point(frame, file, ts),)
    if not more:
        return first
    return (*first, *[point(one, file, when) for one, when in more])


@cython.cfunc
def _add_exchange(attempt: Attempt, conn: Connection, exchange: Exchange) -> None:
    file: cython.int = conn.file
    if not exchange.ghost:
        attempt.request = _request(conn, exchange)
    if exchange.interim:
        attempt.interim = tuple([(status, point(frame, file, ts)) for status, frame, ts in exchange.interim])
    if exchange.resp_frame:
        attempt.response = _response(conn, exchange)
    if exchange.violation is not None:
        part, offset, frame, ts, why, looks_like, lost = exchange.violation
        attempt.violation = Violation(part, point(frame, file, ts), offset, why, looks_like, lost)
    attempt.oddities = tuple(exchange.oddities or ())
    attempt.streaming = exchange.streaming
    attempt.excess = exchange.excess_before
    attempt.foreign_answer = exchange.foreign_status or None
    attempt.next_request = seen(exchange.next_frame, file, exchange.next_ts)
    if attempt.violation is not None and attempt.next_request is None and _went_on(conn.a, exchange):
        attempt.next_request = seen(conn.a.acked_frame or conn.a.last_frame, file, conn.a.acked_ts or conn.a.last_ts)


@cython.cfunc
def _request(conn: Connection, exchange: Exchange) -> Request:
    # A body of known length of which the end was sent went out, whatever is missing inside it.
    whole: cython.bint = exchange.req_whole or conn.a.off < exchange.req_end <= conn.a.top
    end: cython.longlong = exchange.req_end
    if not whole:
        end = _sent(conn, exchange)
        if end < exchange.req_start:
            end = exchange.req_start
    request = Request(
        point(exchange.req_frame, conn.file, exchange.req_ts),
        _request_last(conn, exchange),
        exchange.req_start,
        end,
        # A head that the snap length cut went out all the same: what follows it is known by its numbers.
        whole or (exchange.req_cut and conn.snap_cut),
    )
    names = head_fields.names(exchange.req_head)
    request.method, request.target, request.target_length, request.host, request.id, request.trace = names
    request.expects_continue = exchange.expects
    request.cut = exchange.req_cut
    return request


@cython.cfunc
def _went_on(a: Half, exchange: Exchange) -> cython.bint:
    """Whether the opener sent more than a FIN (or empty lines) behind the request, seen or only acknowledged."""
    return max(a.top, a.off, a.fin_off, a.acked - 1) > exchange.req_end + 4


@cython.cfunc
def _sent(conn: Connection, exchange: Exchange) -> cython.longlong:
    """Return how far the request had been sent: the inside of a body is only counted by the half."""
    decoder: Decoder | None = conn.decoder
    if decoder is not None and decoder.queue and decoder.queue[len(decoder.queue) - 1] is not exchange:
        return exchange.req_end
    return max(conn.a.off, conn.a.top)


@cython.cfunc
def _request_last(conn: Connection, exchange: Exchange) -> Point:
    """Return the last frame that brought octets of the request."""
    a: Half = conn.a
    last: Point = point(exchange.req_last_frame, conn.file, exchange.req_last_ts)
    if not exchange.req_whole and a.progress_frame and a.progress_ts >= exchange.req_last_ts:
        last = point(a.progress_frame, conn.file, a.progress_ts)
    return last


@cython.cfunc
def _response(conn: Connection, exchange: Exchange) -> Response:
    file: cython.int = conn.file
    b: Half = conn.b
    decoder: Decoder | None = conn.decoder
    frame: cython.longlong = exchange.resp_last_frame or exchange.resp_frame
    ts: cython.longlong = exchange.resp_last_ts or exchange.resp_ts
    body: cython.longlong = exchange.body_bytes
    if decoder is not None and decoder.current is exchange and not exchange.resp_done:
        headless: cython.bint = conn.a.fin_off >= 0 and not exchange.head_frame and exchange.resp_last_frame != 0
        if b.progress_frame and b.progress_ts >= ts and not headless:
            frame = b.progress_frame
            ts = b.progress_ts
        if exchange.head_frame:
            body = max(0, b.off - exchange.resp_start - exchange.head_bytes)
    response = Response(
        point(exchange.resp_frame, file, exchange.resp_ts),
        point(frame, file, ts),
        exchange.resp_start,
        exchange.status or None,
        seen(exchange.status_frame, file, exchange.status_ts),
        seen(exchange.head_frame, file, exchange.head_ts),
        exchange.head_bytes,
        body,
        exchange.expected if exchange.framing == _LENGTH else None,
        FRAMING_NAMES[exchange.framing],
        exchange.resp_done and not exchange.resp_cut,
    )
    if exchange.resp_head:
        about = head_fields.about(exchange.resp_head)
        response.content_type, response.server, response.via, response.marks = about
    response.cut = exchange.resp_cut
    return response


@cython.cfunc
def _add_opaque(attempt: Attempt, conn: Connection) -> None:
    """A connection that is not HTTP: the opener's octets as one write after the other."""
    a: Half = conn.a
    b: Half = conn.b
    file: cython.int = conn.file
    if a.top <= 0 or not a.progress_frame:
        return
    first: cython.longlong = conn.opaque_frame or a.progress_frame
    since: cython.longlong = conn.opaque_ts or a.progress_ts
    end: cython.longlong = max(a.off, a.top)
    attempt.request = Request(
        first=point(first, file, since),
        last=point(first, file, since),
        start=0,
        end=end,
        whole=True,
        http=False,
    )
    if b.progress_frame:
        attempt.response = Response(
            first=point(b.progress_frame, file, b.progress_ts),
            last=point(b.progress_frame, file, b.progress_ts),
            start=0,
            body_bytes=b.off,
        )
    if not b.progress_frame or b.progress_ts < since:
        attempt.unanswered_since = point(first, file, since)


@cython.cfunc
def _add_closes(attempt: Attempt, conn: Connection, exchange: Exchange | None) -> None:
    a: Half = conn.a
    b: Half = conn.b
    attempt.upstream_fin = _fin(conn, b)
    attempt.gateway_fin = _fin(conn, a)
    attempt.upstream_rst = _rst(conn, b, exchange)
    attempt.gateway_rst = _rst(conn, a, exchange)
    attempt.later_from_upstream = seen(b.after_rst_frame, conn.file, b.after_rst_ts)
    attempt.gateway_fin_ack_of_upstream_fin = seen(b.fin_acked_frame, conn.file, b.fin_acked_ts)


@cython.cfunc
def _fin(conn: Connection, half: Half) -> Closing | None:
    if half.fin_off < 0:
        return None
    return Closing(
        point(half.fin_frame, conn.file, half.fin_ts),
        half.fin_off,
        half.fin_acks if half.fin_acks >= 0 else None,
        half.ttl,
    )


@cython.cfunc
def _rst(conn: Connection, half: Half, exchange: Exchange | None) -> Closing | None:
    if half.rst_state == _NO_RST:
        return None
    return Closing(
        point(half.rst_frame, conn.file, half.rst_ts),
        half.rst_off if half.rst_off >= 0 else None,
        half.rst_acks if half.rst_acks >= 0 else None,
        half.rst_ttl,
        half.rst_ip_id,
        half.rst_window,
        half.rst_flags & _DONT_FRAGMENT != 0,
        half.rst_flags & _HAS_TIMESTAMP != 0,
        False if half.rst_state == _IGNORED else True if half.rst_state == _EXACT else None,
        exchange is not None and exchange.req_acks >= 0 and half.rst_off == exchange.req_acks,
    )


@cython.cfunc
def _refusal(conn: Connection, refused: Point) -> Closing:
    return Closing(
        refused,
        None,
        0,
        conn.refused_ttl,
        conn.refused_ip_id,
        conn.refused_window,
        conn.refused_flags & _DONT_FRAGMENT != 0,
        conn.refused_flags & _HAS_TIMESTAMP != 0,
        True,
    )


@cython.cfunc
def _add_acknowledgements(attempt: Attempt, conn: Connection, exchange: Exchange | None) -> None:
    a: Half = conn.a
    b: Half = conn.b
    file: cython.int = conn.file
    rexmits: cython.longlong
    attempt.gateway_sent = max(a.top, a.off)
    if a.acked >= 0:
        attempt.upstream_acked = a.acked
        attempt.upstream_acked_point = seen(a.acked_frame, file, a.acked_ts)
    if b.acked >= 0:
        attempt.gateway_acked = b.acked
    if a.unacked_rexmits:
        attempt.request_retransmissions = a.unacked_rexmits
        attempt.request_retransmitted_last = seen(a.rexmit_frame, file, a.rexmit_ts)
    rexmits = b.rexmits - (exchange.rexmits_before if exchange is not None else 0)
    if rexmits > 0 or b.unacked_rexmits:
        attempt.response_retransmissions = max(rexmits, b.unacked_rexmits)
        attempt.response_retransmitted_last = seen(b.rexmit_frame, file, b.rexmit_ts)
    if exchange is not None:
        attempt.response_from = exchange.resp_start if exchange.resp_frame else b.off
        if exchange.req_acks >= 0 and not exchange.piped:
            attempt.request_acks = exchange.req_acks


@cython.cfunc
def _gaps(conn: Connection, attempt: Attempt) -> tuple[Gap, ...]:
    """Return the holes of both directions, but those that lie before the request, or before the response."""
    found: list[Gap] = []
    _add_gaps(found, conn, conn.a, True)
    _add_gaps(found, conn, conn.b, False)
    if not found:
        return ()
    request, response = attempt.request, attempt.response
    if request is not None:
        found = [gap for gap in found if not gap.from_gateway or gap.offset + gap.octets > request.start]
    if response is not None:
        found = [gap for gap in found if gap.from_gateway or gap.offset + gap.octets > response.start]
    return tuple(found)


@cython.cfunc
def _add_gaps(found: list[Gap], conn: Connection, half: Half, from_gateway: cython.bint) -> None:
    """Add the holes that were found, the one that octets wait behind, and the one right before a close."""
    close: cython.longlong = -1
    if half.gaps is not None:
        for label, offset, octets, frame, ts, in_head in half.gaps:
            before_close = offset + octets == half.fin_off or offset + octets == half.rst_off
            at = point(frame, conn.file, ts)
            found.append(Gap(label, from_gateway, offset, octets, at, in_head, before_close))
    if half.pieces:
        piece = half.pieces[0]
        label = "wire" if half.acked <= half.off else "unknown"
        at = point(piece.frame, conn.file, piece.ts_ns)
        found.append(Gap(label, from_gateway, half.off, piece.offset - half.off, at, half.skip == 0))
        return
    if half.fin_off > half.off:
        close = half.fin_off
    if half.rst_state and half.rst_off > half.off and not 0 <= half.fin_off < half.rst_off <= half.fin_off + 1:
        if close < 0 or half.rst_off < close:
            close = half.rst_off
    if close < 0:
        return
    if half.fin_off == close:
        at = point(half.fin_frame, conn.file, half.fin_ts)
    elif half.acked > half.off:
        at = point(half.rst_frame, conn.file, half.rst_ts)
    else:
        return  # a RST in the window may stand ahead of octets that were never sent
    found.append(Gap("unknown", from_gateway, half.off, close - half.off, at, half.skip == 0, True))


@cython.cfunc
def _add_manners(attempt: Attempt, conn: Connection) -> None:
    """Write into *attempt* how both sides' packets look, and what tells of octets that are not there."""
    b: Half = conn.b
    top: cython.longlong = max(b.off, b.top)
    attempt.upstream_manners = _manners(b)
    attempt.gateway_manners = _manners(conn.a)
    if attempt.handshake.refused is not None:
        attempt.handshake.refusal = _refusal(conn, attempt.handshake.refused)
    request = attempt.request
    if request is not None and attempt.reused and b.progress_frame and b.progress_ts <= request.first.time_ns:
        attempt.idle_since = point(b.progress_frame, conn.file, b.progress_ts)
    if b.ahead > top and b.acked < b.ahead:
        attempt.upstream_ahead = b.ahead - top
        attempt.upstream_ahead_point = point(b.ahead_frame, conn.file, b.ahead_ts)
    if conn.too_big is not None:
        record, file = conn.too_big
        attempt.too_big = asides.too_big(conn, record, file)


@cython.cfunc
def _manners(half: Half) -> Manners:
    return Manners(
        half.ttl, half.dont_fragment, half.stamped, half.ip_id, half.ip_id_before, half.window, half.mss, half.largest
    )


@cython.cfunc
def _one_sided(conn: Connection) -> str | None:
    a: Half = conn.a
    b: Half = conn.b
    if b.frames == 0 and (conn.ack_frame or (conn.established and not conn.syn_acks and b.acked > 0)):
        return "gateway"
    if b.frames == 0 and conn.mid and a.frames > 1:
        return "gateway"
    if a.frames == 0 and b.frames > 0:
        return "upstream"
    return None


@cython.cfunc
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
    begin, asked = since.time_ns, request.last.time_ns
    until: Point | None = None
    end = attempt.judged_at_ns
    for closing in (attempt.gateway_fin, attempt.gateway_rst, attempt.upstream_fin, attempt.upstream_rst):
        if closing is not None and closing.accepted is not False:
            when = closing.point.time_ns
            if when >= begin and (until is None or when < end):
                until, end = closing.point, when
    return Silence(since, until, (end - begin) / 1e9, (end - asked) / 1e9 if end >= asked else None)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
