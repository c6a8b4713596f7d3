"""Which leg a connection is on: the client's, or the one between gateway and upstream (vocabulary: which leg).

Three witnesses, in this order: the caller (``--upstream``), the capture's own word on which end is the capturing
host, and behaviour: an address that both accepts and opens HTTP connections is a gateway. Where a gateway has one
address for each side, it gives itself away by asking upstream for what it was asked for.
"""

from __future__ import annotations

from collections import deque

from wire502.model.context import Context
from wire502.model.flow_cy import Connection, Exchange

OPENS, ACCEPTS = 1, 2
OPENER_LOCAL, ACCEPTOR_LOCAL = 1, 2
MAX_ADDRESSES = 65_536
MAX_ASKED = 4096
NESTED_NS = 60_000_000_000
VOTES = 2
RECENT = 16  # connections of a host that are looked at


class Legs:
    """What the capture has told so far about who is a gateway."""

    def __init__(self, context: Context) -> None:
        self._named = context.upstreams
        self._roles: dict[tuple[int, int], int] = {}
        self._serving: dict[tuple[int, int], deque[Connection]] = {}
        self._gateway_host_opens = False
        self._asked: dict[bytes, tuple[Connection, Exchange, int]] = {}
        self._votes: dict[tuple[int, int, int], set[bytes]] = {}
        self._fronts: set[tuple[int, int, int]] = set()
        self._behind: dict[tuple[int, int, int], set[tuple[int, int]]] = {}
        self._seen_fronts: set[tuple[int, int, int]] = set()
        self.client_legs_seen = False
        self.upstream_legs_seen = False

    def began(self, conn: Connection, exchange: Exchange) -> None:
        """Hear of the first request on a connection."""
        a, b = conn.a, conn.b
        opener, acceptor = (a.high, a.low), (b.high, b.low)
        if len(self._roles) < MAX_ADDRESSES:
            if self._is_serving(opener):
                self._roles[opener] = self._roles.get(opener, 0) | OPENS
            self._roles[acceptor] = self._roles.get(acceptor, 0) | ACCEPTS
            served = self._serving.setdefault(acceptor, deque(maxlen=RECENT))
            served.append(conn)
        if conn.local == OPENER_LOCAL:
            self._gateway_host_opens = self.upstream_legs_seen = True
        self._compare(conn, exchange)

    def _is_serving(self, address: tuple[int, int]) -> bool:
        """Whether a host asks somebody else while a request that it was asked itself is unanswered.

        A host that only happens to open connections of its own (updates, telemetry) is no gateway for that.
        """
        for conn in self._serving.get(address, ()):
            decoder = conn.decoder
            if decoder is not None and decoder.current is not None and decoder.current.resp_frame == 0:
                return True
        return False

    def opened(self, conn: Connection) -> None:
        """Hear of a connection that failed before any request: its opener opens, at least."""
        if conn.local == OPENER_LOCAL:
            self._gateway_host_opens = self.upstream_legs_seen = True

    def is_client(self, conn: Connection) -> bool:
        """Whether a connection is a client leg, as far as is known now."""
        b = conn.b
        for high, low, port in self._named:
            if (b.high, b.low) == (high, low) and port in (None, b.port):
                return False
        known = self._known(conn)
        if known:
            self.client_legs_seen = True
            if len(self._seen_fronts) < MAX_ADDRESSES:
                self._seen_fronts.add((b.high, b.low, b.port))
        elif conn.local == OPENER_LOCAL or self._roles.get((conn.a.high, conn.a.low), 0) & OPENS:
            self.upstream_legs_seen = True
        return known

    def fronts(self, client: Connection, upstream: Connection) -> bool:
        """Whether the acceptor of one connection was seen to pass requests on as the opener of the other."""
        endpoint = (client.b.high, client.b.low, client.b.port)
        return (upstream.a.high, upstream.a.low) in self._behind.get(endpoint, ())

    def is_front(self, high: int, low: int, port: int) -> bool:
        """Whether an endpoint is one where clients were seen to ask a gateway."""
        return (high, low, port) in self._seen_fronts

    def _known(self, conn: Connection) -> bool:
        a, b = conn.a, conn.b
        if conn.local == ACCEPTOR_LOCAL and self._gateway_host_opens:
            return True
        if conn.local == OPENER_LOCAL:
            return False
        if (b.high, b.low, b.port) in self._fronts:
            return True
        opener, acceptor = (a.high, a.low), (b.high, b.low)
        if opener == acceptor:
            return False
        return bool(self._roles.get(acceptor, 0) & OPENS and not self._roles.get(opener, 0) & ACCEPTS)

    def _compare(self, conn: Connection, exchange: Exchange) -> None:
        """A request that was asked elsewhere just before, and is still unanswered there, is being passed on."""
        line = exchange.req_head[: exchange.req_head.find(b"\n")].rstrip()
        method_and_target = line.rpartition(b" ")[0] or line
        now = exchange.req_ts
        earlier = self._asked.get(method_and_target)
        if earlier is not None:
            front, asked, since = earlier
            waiting = front.decoder is not None and front.decoder.current is asked and asked.resp_frame == 0
            if waiting and 0 <= now - since <= NESTED_NS and front is not conn and _other_hosts(front, conn):
                endpoint = (front.b.high, front.b.low, front.b.port)
                votes = self._votes.setdefault(endpoint, set()) if len(self._votes) < MAX_ASKED else set()
                if len(votes) < VOTES:
                    votes.add(method_and_target)
                if len(votes) >= VOTES or _names(exchange, front):
                    self._fronts.add(endpoint)
                    self._behind.setdefault(endpoint, set()).add((conn.a.high, conn.a.low))
                return
        if len(self._asked) >= MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked.pop(method_and_target, None)
        self._asked[method_and_target] = (conn, exchange, now)


def _other_hosts(front: Connection, back: Connection) -> bool:
    """Whether two connections can be the two legs of one gateway: asked by different ends."""
    opener = (front.a.high, front.a.low, front.a.port)
    same_opener_host = (front.a.high, front.a.low) == (back.a.high, back.a.low)
    same_endpoint = (front.b.high, front.b.low, front.b.port) == (back.b.high, back.b.low, back.b.port)
    loopback = (front.a.high, front.a.low) == (front.b.high, front.b.low)
    return opener != (back.a.high, back.a.low, back.a.port) and not same_endpoint and (loopback or not same_opener_host)


def _names(exchange: Exchange, front: Connection) -> bool:
    """Whether the request passed on names the client of the first one in a forwarding header."""
    if front.a.low >> 32 != 0xFFFF or front.a.high:
        return False
    address = ".".join(str((front.a.low >> shift) & 255) for shift in (24, 16, 8, 0)).encode()
    head = exchange.req_head.lower()
    return b"\nx-forwarded-for:" in head and address in head[head.find(b"\nx-forwarded-for:") :]
