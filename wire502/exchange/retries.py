"""Failures that a second try made good, as far as the upstream leg alone can tell.

A retry is the same request (method, target, host, id) from the same gateway within a second, later answered well.
"""

from __future__ import annotations

from collections.abc import Mapping

from wire502.exchange.history_cy import History, Row
from wire502.exchange.upstream_cy import Upstream
from wire502.model import head_fields
from wire502.model.attempt import Attempt, Point
from wire502.model.capture_info import place_of
from wire502.model.flow_cy import Connection

WITHIN_NS = 1_000_000_000
OTHER_FAMILY_NS = 300_000_000


def made_good(conn: Connection, head: bytes, attempt: Attempt, history: History, caveats: list[str]) -> bool:
    """Whether exactly one later request can be the retry of a failed attempt; say so when several can."""
    request = attempt.request
    if request is None or not request.http or not head:
        return False
    ended = attempt.judged_at_ns
    rows = history.like(head, request.first.time_ns, ended + WITHIN_NS, ended=True)
    found = [row for row in rows if _good(row, conn)]
    wanted = (request.host, request.id)
    found = [
        row
        for row in found
        if (head_fields.text_field(row.head, b"host", 512), head_fields.correlation(row.head)) == wanted
    ]
    if len(found) > 1 and request.id is None:
        caveats.append(f"{len(found)} like requests of this gateway succeeded shortly after: one may be a retry")
        return False
    if found:
        frame, file = place_of(found[0].frame, -1)
        where = f"frame {frame}" if file < 0 else f"frame {frame} of input {file + 1}"
        caveats.append(f"a retry made it good: the same request succeeded at {where}")
    return bool(found)


def _good(row: Row, conn: Connection) -> bool:
    """Whether a row is an exchange of the same gateway, elsewhere, that ended well."""
    if row.conn is conn or not 100 < row.status < 500:
        return False
    return row.conn.a.low == conn.a.low and row.conn.a.high == conn.a.high and _same_tenant(row.conn, conn)


def _same_tenant(one: Connection, other: Connection) -> bool:
    """Whether two connections can be of one gateway: those of tenants who share addresses are on VLANs of their own."""
    upstream = one.upstream
    return not isinstance(upstream, Upstream) or upstream.tenants is None or one.a.lane == other.a.lane


def other_family(conn: Connection, upstreams: Mapping[tuple[int, int, int], Upstream]) -> Point | None:
    """Return the SYN-ACK of an IPv4 connection to the same port right after a refused IPv6 attempt."""
    for (high, low, port), upstream in upstreams.items():
        ipv4 = high == 0 and low >> 32 == 0xFFFF
        soon = 0 <= upstream.answered_ts - conn.first_ts <= OTHER_FAMILY_NS
        if port == conn.b.port and ipv4 and upstream.answered_frame and soon:
            return Point(upstream.answered_frame, upstream.answered_file, upstream.answered_ts)
    return None
