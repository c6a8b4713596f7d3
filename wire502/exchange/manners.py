"""How the packets of both sides look, and what the path says of them: for the causes, which compare."""

from __future__ import annotations

from wire502.model import head_fields
from wire502.model.attempt import Attempt, Closing, Manners, Point, TooBig
from wire502.model.endpoints import address_text
from wire502.model.flow_cy import Connection, Exchange, Half
from wire502.model.frames_cy import DONT_FRAGMENT, HAS_TIMESTAMP


def add_manners(attempt: Attempt, conn: Connection, exchange: Exchange | None) -> None:
    """Write into *attempt* how both sides' packets look, and what tells of octets that are not there."""
    attempt.upstream_manners = _manners(conn.b)
    attempt.gateway_manners = _manners(conn.a)
    for closing, half in ((attempt.upstream_rst, conn.b), (attempt.gateway_rst, conn.a)):
        if closing is not None:
            _dress(closing, half.rst_flags)
    if attempt.handshake.refused is not None:
        attempt.handshake.refusal = _refusal(conn, attempt.handshake.refused)
    if attempt.response is not None and exchange is not None and exchange.resp_head:
        attempt.response.marks = head_fields.marks(exchange.resp_head)
    b, request = conn.b, attempt.request
    if request is not None and attempt.reused and b.progress_frame and b.progress_ts <= request.first.time_ns:
        attempt.idle_since = Point(b.progress_frame, conn.file, b.progress_ts)
    seen = max(b.off, b.top)
    if b.ahead > seen and b.acked < b.ahead:
        attempt.upstream_ahead = b.ahead - seen
        attempt.upstream_ahead_point = Point(b.ahead_frame, conn.file, b.ahead_ts)
    if conn.too_big is not None:
        record, file = conn.too_big
        attempt.too_big = TooBig(
            Point(record.frame, file, record.ts_ns),
            address_text(*record.sender),
            record.quoted_source == (conn.a.high, conn.a.low),
            record.mtu,
        )


def _refusal(conn: Connection, refused: Point) -> Closing:
    closing = Closing(
        refused, None, 0, ttl=conn.refused_ttl, ip_id=conn.refused_ip_id, window=conn.refused_window, accepted=True
    )
    return _dress(closing, conn.refused_flags)


def _dress(closing: Closing, flags: int) -> Closing:
    """Add whether the segment forbids fragments, and whether it has a timestamp."""
    closing.dont_fragment = flags & DONT_FRAGMENT != 0
    closing.timestamps = flags & HAS_TIMESTAMP != 0
    return closing


def _manners(half: Half) -> Manners:
    return Manners(
        half.ttl, half.dont_fragment, half.stamped, half.ip_id, half.ip_id_before, half.window, half.mss, half.largest
    )
