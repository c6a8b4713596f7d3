"""What one upstream endpoint did, in counters and log buckets: constant memory, no object for each exchange."""

from __future__ import annotations

import math

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.math import log
    from cython.cimports.libc.string import memcpy
    from cython.cimports.wire502.exchange.pace_cy import Pace, bucket_of
    from cython.cimports.wire502.exchange.sights_cy import Sights
    from cython.cimports.wire502.model.flow_cy import Exchange
else:
    from wire502.exchange.pace_cy import Pace, bucket_of
    from wire502.exchange.sights_cy import Sights
    from wire502.model.flow_cy import Exchange

    log = math.log

# Buckets grow by a tenth: the middle of each is at most 5 % off. 256 of them reach from 1 µs to 10 hours.
GROWTH = 1.1
_SCALE = cython.declare(cython.double, 1.0 / math.log(GROWTH))
COUNT = 256
if cython.compiled:
    # The least duration of each bucket, and the bucket of ``Pace`` that it is in.
    _least = cython.declare(cython.longlong[256])
    _coarse = cython.declare(cython.int[256])
    # A logarithm for each exchange is much: the highest bits of a duration as a floating-point number, its power of two
    # and which of 32 parts up to the next one, tell its bucket but for one edge in between.
    _rough = cython.declare(cython.uchar[1152])  # of 2^9 ns up to 2^45 ns, where the last bucket has begun
else:
    _coarse = [0] * COUNT
_LOWEST = cython.declare(cython.ulonglong, (1023 + 9) << 5)


@cython.cfunc
@cython.exceptval(check=False)
def _measured(ns: cython.longlong) -> cython.int:
    """Return the bucket of a duration."""
    at: cython.int = 0
    if ns > 1000:
        at = cython.cast(cython.int, log(ns / 1000.0) * _SCALE) if cython.compiled else int(log(ns / 1000.0) * _SCALE)
        at += 1
        if at > 255:
            at = 255
    return at


@cython.cfunc
@cython.exceptval(check=False)
def _bits(ns: cython.longlong) -> cython.ulonglong:
    """Return the place of a duration of at least 2^9 ns in ``_rough``. Compiled code only."""
    number: cython.double = ns
    bits: cython.ulonglong = 0
    if cython.compiled:
        memcpy(cython.address(bits), cython.address(number), 8)
    return (bits >> 47) - _LOWEST


@cython.cfunc
@cython.exceptval(-1, check=False)
def _prepare() -> cython.int:
    """Write the tables."""
    at: cython.int
    place: cython.int
    ns: cython.longlong
    edge: cython.double = 1000.0
    growth: cython.double = GROWTH
    for at in range(1, 256):
        ns = (cython.cast(cython.longlong, edge) if cython.compiled else int(edge)) - 2
        while _measured(ns) < at:
            ns += 1
        _coarse[at] = bucket_of(ns)
        if cython.compiled:
            _least[at] = ns
        edge *= growth
    if cython.compiled:
        _least[0] = 0
        at = 0
        for place in range(1152):
            ns = 32 + (place & 31)
            ns <<= 4 + (place >> 5)
            while at < 255 and ns >= _least[at + 1]:
                at += 1
            _rough[place] = at
    return 0


_prepare()


@cython.final
@cython.cclass
class Buckets:
    """A histogram of durations."""

    count: int
    counts: list[int]

    def __init__(self) -> None:
        if not cython.compiled:  # C fields start as zero
            self.count = 0
            self.counts = [0] * COUNT

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def add(self, ns: cython.longlong) -> cython.int:
        """Count a duration of *ns* nanoseconds; negative ones (clocks) count as none. Returns the bucket."""
        at: cython.int = 0
        if not cython.compiled:
            at = _measured(ns)
        elif ns >= _least[255]:
            at = 255
        elif ns > 1000:
            at = _rough[_bits(ns)]
            if ns >= _least[at + 1]:
                at += 1
        self.counts[at] += 1
        self.count += 1
        return at

    def tally(self) -> list[tuple[float, int]]:
        """Return the buckets that hold something: upper edge in seconds, and how many durations lie in it."""
        return [(GROWTH**at / 1e6, self.counts[at]) for at in range(COUNT) if self.counts[at]]

    def percentile(self, share: float) -> float | None:
        """Return the duration in ms below which *share* (0 to 1) of all lie; None without a sample."""
        if self.count == 0:
            return None
        at: cython.int
        wanted: cython.double = share * self.count
        seen: cython.longlong = 0
        for at in range(256):  # COUNT
            seen += self.counts[at]
            if seen >= wanted and seen > 0:
                if at == 0:
                    return 0.001
                return float(f"{GROWTH ** (at - 0.5) / 1000:.4g}")
        return None


@cython.final
@cython.cclass
class Upstream:
    """Counters of one endpoint (address and port), on the VLAN or virtual network ``lane`` where it was first met.

    ``tenants`` is None unless several have had this address and port at once, each in a lane of its own: then it holds
    the counters of each, by lane, those of the first one among them.
    ``attempts`` have had a whole answer, ``unfinished`` never got one (no connection among them, too).
    """

    high: int
    low: int
    port: int
    attempts: int
    failures: int
    unfinished: int
    connections: int
    retransmissions: int
    connect: Buckets
    first_byte: Buckets
    idle: Buckets
    answered_frame: int
    answered_ts: int
    answered_file: int
    sights: Sights
    kinds: dict[str, int] | None
    pace: Pace | None  # made with the first exchange
    lane: int
    tenants: dict[int, Upstream] | None

    def __init__(self, high: int, low: int, port: int) -> None:
        self.high = high
        self.low = low
        self.port = port
        self.attempts = self.failures = self.unfinished = self.connections = self.retransmissions = 0
        self.connect = Buckets()
        self.first_byte = Buckets()
        self.idle = Buckets()
        self.answered_frame = self.answered_ts = 0
        self.answered_file = 0
        self.sights = Sights()
        self.kinds = None
        self.pace = None
        self.lane = 0
        self.tenants = None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def finished(self, exchange: Exchange) -> cython.bint:
        """Count a whole exchange; return whether the time to its first octet could be measured."""
        took: cython.longlong = -1
        bucket: cython.int = 0
        measured: cython.bint = exchange.resp_frame != 0 and exchange.req_last_ts != 0 and not exchange.ghost
        self.attempts += 1
        if measured:
            took = exchange.resp_ts - exchange.req_last_ts
            bucket = _coarse[self.first_byte.add(took)]
            if took < 0:
                took = 0
        if self.pace is not None:
            self.pace.add(exchange.resp_last_ts if exchange.resp_last_ts else exchange.req_last_ts, took, bucket)
        return measured


def measure(buckets: Buckets, ns: int) -> None:
    """Count a duration from plain Python."""
    buckets.add(ns)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
