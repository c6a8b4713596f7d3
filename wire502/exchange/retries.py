"""Failures that a second try made good, as far as the upstream leg alone can tell.

A retry is the same request (method, target, host, id) from the same gateway within a second, later answered well.
Only successes that come shortly after an alarm are remembered, so healthy traffic costs nothing here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from wire502.exchange.upstream_cy import Upstream
from wire502.model import head_fields
from wire502.model.attempt import Attempt, Point
from wire502.model.endpoints import address_text
from wire502.model.flow_cy import Connection, Exchange

WITHIN_NS = 1_000_000_000
OTHER_FAMILY_NS = 300_000_000
REMEMBERED = 8192


class Success(NamedTuple):
    """One good answer."""

    key: tuple[str, str, str, str | None, str | None]
    frame: int
    ts_ns: int
    stream: int


class Retries:
    """Good answers of the last moments."""

    def __init__(self) -> None:
        self._successes: deque[Success] = deque(maxlen=REMEMBERED)

    def passed(self, conn: Connection, exchange: Exchange) -> None:
        """Remember an exchange that ended well shortly after an alarm."""
        if exchange.ghost or exchange.resp_none or not 100 < exchange.status < 500:
            return
        method, target, _length, host = head_fields.request_names(exchange.req_head)
        gateway = f"{conn.a.high:x}:{conn.a.low:x}"
        key = (gateway, method, target, host, head_fields.correlation(exchange.req_head))
        self._successes.append(Success(key, exchange.req_frame, exchange.req_ts, conn.stream))

    def made_good(self, attempt: Attempt, caveats: list[str]) -> bool:
        """Whether exactly one later request can be the retry of a failed attempt; say so when several can."""
        request = attempt.request
        if request is None or not request.http or not request.target:
            return False
        since = request.first.time_ns
        wanted = (request.method, request.target, request.host, request.id)
        host = attempt.gateway.rpartition(":")[0]
        found = [
            success
            for success in self._successes
            if success.key[1:] == wanted
            and success.stream != attempt.stream
            and 0 < success.ts_ns - since
            and success.ts_ns - attempt.judged_at_ns <= WITHIN_NS
            and _address(success.key[0]) == host
        ]
        if len(found) > 1 and request.id is None:
            caveats.append(f"{len(found)} like requests of this gateway succeeded shortly after: one may be a retry")
            return False
        if found:
            caveats.append(f"a retry made it good: the same request succeeded at frame {found[0].frame}")
        return bool(found)

    def other_family(
        self, conn: Connection, upstreams: Mapping[tuple[int, int, int], Upstream]
    ) -> Point | None:
        """Return the SYN-ACK of an IPv4 connection to the same port right after a refused IPv6 attempt."""
        for (high, low, port), upstream in upstreams.items():
            ipv4 = high == 0 and low >> 32 == 0xFFFF
            if ipv4 and port == conn.b.port and upstream.answered_frame:
                if not 0 <= upstream.answered_ts - conn.first_ts <= OTHER_FAMILY_NS:
                    continue
                return Point(upstream.answered_frame, upstream.answered_file, upstream.answered_ts)
        return None


def _address(key: str) -> str:
    high, _, low = key.partition(":")
    text = address_text(int(high, 16), int(low, 16))
    return f"[{text}]" if ":" in text else text
