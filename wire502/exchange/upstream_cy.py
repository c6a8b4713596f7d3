"""What one upstream endpoint did, in counters and log buckets: constant memory, no object for each exchange."""

from __future__ import annotations

import math

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.math import log
    from cython.cimports.wire502.exchange.pace_cy import Pace
    from cython.cimports.wire502.exchange.sights_cy import Sights
    from cython.cimports.wire502.model.flow_cy import Exchange
else:
    from wire502.exchange.pace_cy import Pace
    from wire502.exchange.sights_cy import Sights
    from wire502.model.flow_cy import Exchange

    log = math.log

# Buckets grow by a tenth: the middle of each is at most 5 % off. 256 of them reach from 1 µs to 10 hours.
GROWTH = 1.1
_SCALE = cython.declare(cython.double, 1.0 / math.log(GROWTH))
COUNT = 256


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
        """Count a duration of *ns* nanoseconds; negative ones (clocks) count as none."""
        at: cython.int = 0
        if ns > 1000:
            at = (
                cython.cast(cython.int, log(ns / 1000.0) * _SCALE)
                if cython.compiled
                else int(log(ns / 1000.0) * _SCALE)
            )
            at += 1
            if at > 255:
                at = 255
        self.counts[at] += 1
        self.count += 1
        return 0

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
        measured: cython.bint = exchange.resp_frame != 0 and exchange.req_last_ts != 0 and not exchange.ghost
        self.attempts += 1
        if measured:
            took = exchange.resp_ts - exchange.req_last_ts
            self.first_byte.add(took)
            if took < 0:
                took = 0
        if self.pace is not None:
            self.pace.add(exchange.resp_last_ts if exchange.resp_last_ts else exchange.req_last_ts, took)
        return measured


def measure(buckets: Buckets, ns: int) -> None:
    """Count a duration from plain Python."""
    buckets.add(ns)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
