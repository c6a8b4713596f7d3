"""Which leg a connection is on: the client's, or the one between gateway and upstream (vocabulary: which leg).

Three witnesses, in this order: the caller (``--upstream``), the capture's own word on which end is the capturing
host, and behaviour: an address that both accepts and opens HTTP connections is a gateway. Where a gateway has one
address for each side, it gives itself away by asking upstream for what it was asked for.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.exchange.history_cy import asked_key
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Exchange, Half
else:
    from wire502.exchange.history_cy import asked_key
    from wire502.model.flow_cy import Connection, Decoder, Exchange, Half

from wire502.exchange.likeness import forwards
from wire502.model.context import Context

# Typed: a plain module constant is a Python object to the compiler.
OPENS = cython.declare(cython.int, 1)
ACCEPTS = cython.declare(cython.int, 2)
OPENER_LOCAL = cython.declare(cython.int, 1)
ACCEPTOR_LOCAL = cython.declare(cython.int, 2)
MAX_ADDRESSES = cython.declare(cython.Py_ssize_t, 65_536)
MAX_ASKED = cython.declare(cython.Py_ssize_t, 4096)  # a power of two
WAYS = cython.declare(cython.Py_ssize_t, 4)
NESTED_NS = cython.declare(cython.longlong, 60_000_000_000)
VOTES = cython.declare(cython.Py_ssize_t, 2)
SPREAD = cython.declare(cython.ulonglong, 0x9E3779B1)  # an odd number, so that neighbours do not share a place
MAX_BEHIND = cython.declare(cython.Py_ssize_t, 64)  # addresses of one gateway on its upstream legs
RECENT = cython.declare(cython.Py_ssize_t, 16)  # connections of a host that are looked at


@cython.cclass
class Host:
    """An address: its *role* (``OPENS``, ``ACCEPTS``), and the last connections on which it was asked something."""

    high: int
    low: int
    role: int
    known: bool  # it is one of those that are counted
    served: list[Connection] | None
    turn: int  # the place in it of the next one

    def __init__(self) -> None:
        if not cython.compiled:  # C fields start as zero
            self.high = self.low = self.role = self.turn = 0
            self.known = False
        self.served = None


@cython.final
@cython.cclass
class Legs:
    """What the capture has told so far about who is a gateway."""

    _named: tuple[tuple[int, int, int | None], ...]
    _hosts: dict[tuple[int, int], Host]
    _recent: list[Host | None]
    _gateway_host_opens: bool
    _asked: list[Connection | None]  # on which something was asked, in sets of ``WAYS`` that share their keys' low bits
    _votes: dict[tuple[int, int, int], set[bytes]]
    _fronts: set[tuple[int, int, int]]
    _behind: dict[tuple[int, int, int], set[tuple[int, int]]]
    _seen_fronts: set[tuple[int, int, int]]
    client_legs_hinted: bool  # there may be client legs in the capture
    client_legs_seen: bool
    upstream_legs_seen: bool

    def __init__(self, context: Context) -> None:
        self._named = tuple(context.upstreams)
        self._hosts = {}
        self._recent = [None] * 256
        self._gateway_host_opens = False
        self._asked = [None] * MAX_ASKED
        self._asked_keys = array("Q", bytes(8 * MAX_ASKED))
        self._asked_numbers = array("q", bytes(8 * MAX_ASKED))
        self._asked_since = array("q", bytes(8 * MAX_ASKED))
        self._votes = {}
        self._fronts = set()
        self._behind = {}
        self._seen_fronts = set()
        self.client_legs_hinted = False
        self.client_legs_seen = False
        self.upstream_legs_seen = False

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def began(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of the first request on a connection."""
        host: Host
        if len(self._hosts) < MAX_ADDRESSES:
            host = self._host(conn.a)
            if _is_serving(host):
                host.role |= OPENS
                self.client_legs_hinted = self.upstream_legs_seen = True
            host = self._host(conn.b)
            if not host.known:
                host.known = True
                host.served = []
                self._hosts[(host.high, host.low)] = host
            host.role |= ACCEPTS
            assert host.served is not None
            if len(host.served) < RECENT:
                host.served.append(conn)
            else:
                host.served[host.turn] = conn
            host.turn = (host.turn + 1) & (RECENT - 1)
        if conn.local == OPENER_LOCAL:
            self._gateway_host_opens = self.upstream_legs_seen = True
        elif conn.local == ACCEPTOR_LOCAL:
            self.client_legs_hinted = True
        self._compare(conn, exchange)
        return 0

    @cython.cfunc
    def _host(self, half: Half) -> Host:
        """Return what is known of an address; most are found where they were found last time."""
        host: Host | None
        place: cython.Py_ssize_t = (half.low * SPREAD) >> 24 & 0xFF
        host = self._recent[place]
        if host is None or host.low != half.low or host.high != half.high:
            host = self._hosts.get((half.high, half.low))
            if host is None:
                host = Host()
                host.high = half.high
                host.low = half.low
            self._recent[place] = host
        return host

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def opened(self, conn: Connection) -> cython.int:
        """Hear of a connection that failed before any request: its opener opens, at least."""
        if conn.local == OPENER_LOCAL:
            self._gateway_host_opens = self.upstream_legs_seen = True
        return 0

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def is_client(self, conn: Connection) -> cython.bint:
        """Whether a connection is a client leg, as far as is known now."""
        host: Host
        known: cython.bint
        if self._named and self._is_named(conn):
            return False
        known = self._known(conn)
        if known:
            self.client_legs_seen = True
            if len(self._seen_fronts) < MAX_ADDRESSES:
                self._seen_fronts.add((conn.b.high, conn.b.low, conn.b.port))
        elif conn.local == OPENER_LOCAL:
            self.upstream_legs_seen = True
        elif not self.upstream_legs_seen:
            host = self._host(conn.a)
            if host.role & OPENS:
                self.upstream_legs_seen = True
        return known

    def _is_named(self, conn: Connection) -> bool:
        """Whether the caller said that the acceptor is an upstream."""
        address, at = (conn.b.high, conn.b.low), conn.b.port
        return any(address == (high, low) and port in (None, at) for high, low, port in self._named)

    def serves(self, client: Connection, upstream: Connection) -> bool:
        """Whether two connections can be the two legs of one gateway."""
        if client.b.high == upstream.a.high and client.b.low == upstream.a.low:
            return True
        if client.local == ACCEPTOR_LOCAL and upstream.local == OPENER_LOCAL:
            return True
        endpoint = (client.b.high, client.b.low, client.b.port)
        return (upstream.a.high, upstream.a.low) in self._behind.get(endpoint, ())

    def fits(self, client: Connection, upstream: Connection, head: bytes) -> bool:
        """Whether the same request, seen on both, shows them as the legs of one gateway whatever the clocks say.

        *head* is what was asked on *upstream*. Learns of it.
        """
        a, b = (upstream.a.high, upstream.a.low), (client.b.high, client.b.low)
        if a == b and b != (client.a.high, client.a.low) and a != (upstream.b.high, upstream.b.low):
            self._vote(client, upstream, head, False)
            return True
        if _names(head, client):
            self._vote(client, upstream, head, True)
            return True
        return self.is_client(client) and not self.is_client(upstream) and self.serves(client, upstream)

    def is_front(self, high: int, low: int, port: int) -> bool:
        """Whether an endpoint is one where clients were seen to ask a gateway."""
        return (high, low, port) in self._seen_fronts

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _known(self, conn: Connection) -> cython.bint:
        host: Host
        if conn.local == ACCEPTOR_LOCAL and self._gateway_host_opens:
            return True
        if conn.local == OPENER_LOCAL:
            return False
        if self._fronts and (conn.b.high, conn.b.low, conn.b.port) in self._fronts:
            return True
        if conn.a.high == conn.b.high and conn.a.low == conn.b.low:
            return False
        host = self._host(conn.b)
        if not host.role & OPENS:
            return False
        host = self._host(conn.a)
        return not host.role & ACCEPTS

    def _vote(self, front: Connection, back: Connection, head: bytes, sure: bool) -> None:
        """Count a request that was passed on from one connection to the other; two different ones prove it."""
        endpoint = (front.b.high, front.b.low, front.b.port)
        votes = self._votes.setdefault(endpoint, set()) if len(self._votes) < MAX_ASKED else set()
        if len(votes) < VOTES:
            votes.add(_method_and_target(head))
        if (len(votes) >= VOTES or sure) and len(self._behind) < MAX_ADDRESSES:
            self._fronts.add(endpoint)
            behind = self._behind.setdefault(endpoint, set())
            if len(behind) < MAX_BEHIND:
                behind.add((back.a.high, back.a.low))
            self.client_legs_hinted = self.upstream_legs_seen = True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of them
    def _compare(self, conn: Connection, exchange: Exchange) -> cython.int:
        """A request that was asked elsewhere just before, and is still unanswered there, is being passed on."""
        front: Connection | None
        head: bytes = exchange.req_head
        key: cython.ulonglong = asked_key(head)
        first: cython.Py_ssize_t
        at: cython.Py_ssize_t
        place: cython.Py_ssize_t
        first = place = cython.cast(cython.Py_ssize_t, (key >> 20) & (MAX_ASKED // WAYS - 1)) * WAYS
        for at in range(first, first + WAYS):
            if self._asked_keys[at] == key:
                front = self._asked[at]
                if (
                    front is not None
                    and front is not conn
                    and 0 <= exchange.req_ts - self._asked_since[at] <= NESTED_NS
                    and _is_waiting(front, self._asked_numbers[at], head)
                    and _other_hosts(front, conn)
                ):
                    self._vote(front, conn, head, _names(head, front))
                    return 0
                place = at
                break
            if self._asked_since[at] < self._asked_since[place]:
                place = at  # what is oldest gives way
        self._asked_keys[place] = key
        self._asked[place] = conn
        self._asked_numbers[place] = exchange.number
        self._asked_since[place] = exchange.req_ts
        return 0


@cython.cfunc
def _method_and_target(head: bytes) -> bytes:
    """Return the first line of a request head without its last word, the version."""
    octets: cython.p_const_uchar
    n: cython.Py_ssize_t = len(head)
    end: cython.Py_ssize_t = 0
    space: cython.Py_ssize_t
    octets = head
    while end < n and octets[end] != 10:
        end += 1
    if end == n:
        end = n - 1 if n else 0  # as a head without any line end was always read
    while end > 0 and (octets[end - 1] == 32 or 9 <= octets[end - 1] <= 13):
        end -= 1
    space = end - 1
    while space >= 0 and octets[space] != 32:
        space -= 1
    line: bytes = octets[: space if space > 0 else end]  # not of `head`: that goes by a slice object
    return line


@cython.cfunc
def _is_waiting(front: Connection, number: cython.longlong, head: bytes) -> cython.bint:
    """Whether the exchange *number* of a connection has no answer yet, and asks for the same as *head*."""
    current: Exchange | None = None if front.decoder is None else front.decoder.current
    if current is None or current.number != number or current.resp_frame != 0:
        return False
    same: cython.bint = _method_and_target(current.req_head) == _method_and_target(head)
    return same


@cython.cfunc
def _is_serving(host: Host) -> cython.bint:
    """Whether a host asks somebody else while a request that it was asked itself is unanswered.

    A host that only happens to open connections of its own (updates, telemetry) is no gateway for that.
    """
    conn: Connection
    decoder: Decoder | None
    if host.served is None:
        return False
    for conn in host.served:
        decoder = conn.decoder
        if decoder is not None and decoder.current is not None and decoder.current.resp_frame == 0:
            return True
    return False


def _other_hosts(front: Connection, back: Connection) -> bool:
    """Whether two connections can be the two legs of one gateway: asked by different ends."""
    opener = (front.a.high, front.a.low, front.a.port)
    same_opener_host = (front.a.high, front.a.low) == (back.a.high, back.a.low)
    same_endpoint = (front.b.high, front.b.low, front.b.port) == (back.b.high, back.b.low, back.b.port)
    loopback = (front.a.high, front.a.low) == (front.b.high, front.b.low)
    return opener != (back.a.high, back.a.low, back.a.port) and not same_endpoint and (loopback or not same_opener_host)


def _names(head: bytes, front: Connection) -> bool:
    """Whether the request passed on names the client of the first one in a forwarding header."""
    loopback = front.a.high == front.b.high and front.a.low == front.b.low
    return not loopback and forwards(head, front)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
