"""What the connections to one upstream endpoint did, for the causes: counters, and a ring of its last 256 ends.

Everything is written where a connection begins, is answered or ends, and once an exchange; never once a packet. An
idle connection that the gateway closes is only counted: it tells nothing of the upstream, and would push out what
does.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Exchange
else:
    from wire502.model.flow_cy import Connection, Decoder, Exchange

from wire502.model.around import Ending, FirstBytes, Outage
from wire502.model.attempt import Point

ROWS = 256  # ends that are remembered
WIDTH = 7  # numbers a row
SLOTS = 64  # seconds whose first-byte times are remembered
SLOT_NS = 1_000_000_000
OUTAGES = 32  # outages that are remembered
LEAST_FAILURES = 2  # fewer are no outage ...
LEAST_OUTAGE_NS = 1_000_000_000  # ... unless it took so long until a good response
FOREVER_NS = 1 << 62  # longer than any wait
_new = tuple.__new__  # what the constructor of a named tuple comes down to, without the way there in Python
# Typed: a plain module constant is a Python object to the compiler.
_ROWS = cython.declare(cython.longlong, ROWS)
_WIDTH = cython.declare(cython.longlong, WIDTH)
_RST = cython.declare(cython.longlong, 1)
_BY_UPSTREAM = cython.declare(cython.longlong, 2)
_BUSY = cython.declare(cython.longlong, 4)
_FRESH = cython.declare(cython.longlong, 8)


@cython.final
@cython.cclass
class Sights:
    """One endpoint.

    | field | meaning |
    |---|---|
    | open_now, open_most | connections open at once, now and at the most |
    | answers, first_answer_* | SYN-ACKs, and the first of them |
    | ttl, dont_fragment, ip_id | how its last SYN-ACK looked (ttl 0: none seen) |
    | reuse_* | the longest idle time in ns after which the gateway used a connection again, and that request |
    | kept_* | the longest idle time in ns after which the gateway closed a connection itself, and that close |
    | refusals, refused_* | refused SYNs since it was last well: how many, the first, the last |
    | well_* | the first SYN-ACK after refusals |
    | heard_* | the last response that began |
    | good_ts | the last response that was no 5xx |
    | down_* | the first failure since then, and how many there have been (down_failures 0: none) |
    | outages | the times without a good response, see ``Outage`` |
    | largest_acked, largest_got | payload of the largest segment that got through, to it and from it |
    """

    total: int
    open_now: int
    open_most: int
    open_most_ts: int
    answers: int
    first_answer_frame: int
    first_answer_ts: int
    first_answer_file: int
    ttl: int
    dont_fragment: bool
    ip_id: int
    reuse_longest: int
    reuse_frame: int
    reuse_file: int
    kept_longest: int
    kept_frame: int
    kept_file: int
    refusals: int
    refused_since_frame: int
    refused_since_ts: int
    refused_last_frame: int
    refused_last_ts: int
    refused_file: int
    well_frame: int
    well_ts: int
    well_file: int
    heard_frame: int
    heard_ts: int
    heard_file: int
    good_ts: int
    down_ts: int
    down_frame: int
    down_file: int
    down_failures: int
    outages: list[Outage]
    largest_acked: int
    largest_got: int
    room: int
    store: array[int] | None
    rows: memoryview
    told: list[Ending | None]  # the rows that were asked for, as they were told: they are asked for again and again
    slots: list[int]

    def __init__(self) -> None:
        if not cython.compiled:  # C fields start as zero
            self.total = self.open_now = self.open_most = self.open_most_ts = 0
            self.answers = self.first_answer_frame = self.first_answer_ts = self.first_answer_file = 0
            self.ttl = self.ip_id = 0
            self.dont_fragment = False
            self.reuse_longest = self.reuse_frame = self.reuse_file = 0
            self.kept_longest = self.kept_frame = self.kept_file = 0
            self.refusals = self.refused_since_frame = self.refused_since_ts = 0
            self.refused_last_frame = self.refused_last_ts = self.refused_file = 0
            self.well_frame = self.well_ts = self.well_file = 0
            self.heard_frame = self.heard_ts = self.heard_file = 0
            self.good_ts = self.down_ts = self.down_frame = self.down_file = self.down_failures = 0
            self.largest_acked = self.largest_got = 0
            self.slots = [0] * (4 * SLOTS)
        self.room = 0
        self.store = None
        self.outages = []
        self.told = []

    # -- hooks, called by the tracker -----------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def opened(self, conn: Connection) -> cython.int:
        """Hear of a connection that was open before the capture began."""
        self.open_now += 1
        if self.open_now > self.open_most:
            self.open_most = self.open_now
            self.open_most_ts = conn.first_ts
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def answered(self, conn: Connection, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """Hear of a SYN-ACK (frame 0: it was on the wire, but is not in the capture)."""
        self.open_now += 1
        if self.open_now > self.open_most:
            self.open_most = self.open_now
            self.open_most_ts = ts
        if frame == 0:
            return 0
        if self.answers == 0:
            self.first_answer_frame = frame
            self.first_answer_ts = ts
            self.first_answer_file = conn.file
        self.answers += 1
        self.ttl = conn.b.ttl
        self.dont_fragment = conn.b.dont_fragment
        self.ip_id = conn.b.ip_id
        if self.refusals and self.well_frame == 0:
            self.well_frame = frame
            self.well_ts = ts
            self.well_file = conn.file
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def requested(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of a request: on a connection that carried a response, how long was it idle?"""
        idle: cython.longlong = exchange.req_ts - conn.b.progress_ts
        if exchange.number > 1 and conn.b.progress_frame and idle > self.reuse_longest:
            self.reuse_longest = idle
            self.reuse_frame = exchange.req_frame
            self.reuse_file = conn.file
        # Sizes count while the connection is open, too: it may outlive the one whose large segments vanish.
        if conn.b.acked >= conn.b.top and conn.b.largest > self.largest_got:
            self.largest_got = conn.b.largest
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def responded(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of a complete exchange: how long did its first octet take?"""
        ts: cython.longlong = exchange.resp_ts
        ns: cython.longlong = ts - exchange.req_last_ts
        second: cython.longlong = ts // 1_000_000_000
        at: cython.Py_ssize_t = (second & 63) * 4
        if ns < 0:
            ns = 0
        self.heard_frame = exchange.resp_frame
        self.heard_ts = ts
        self.heard_file = conn.file
        if exchange.status < 500 and exchange.violation is None:
            if self.down_failures and ts > self.down_ts:
                self._up(Point(exchange.resp_frame, conn.file, ts))
            self.good_ts = ts
        if self.slots[at] != second:
            self.slots[at] = second
            self.slots[at + 1] = 0
            self.slots[at + 2] = 0
            self.slots[at + 3] = 0
        self.slots[at + 1] += 1
        self.slots[at + 2] += ns
        if ns > self.slots[at + 3]:
            self.slots[at + 3] = ns
        if conn.a.acked >= conn.a.top and conn.a.largest > self.largest_acked:
            self.largest_acked = conn.a.largest
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def ended(self, conn: Connection, side: cython.int, ts: cython.longlong, busy: cython.bint) -> cython.int:
        """Hear of a FIN, RST or refusal; only the first end of a connection counts."""
        marks: cython.int = 0
        if not conn.established:
            if side == 1 and conn.refused_frame:
                self._refused(conn)
            return 0
        marks += conn.a.fin_off >= 0
        marks += conn.b.fin_off >= 0
        marks += conn.a.rst_state == 1 or conn.a.rst_state == 2
        marks += conn.b.rst_state == 1 or conn.b.rst_state == 2
        if marks != 1:
            return 0
        self.open_now -= 1
        if conn.shadowed:
            return 0  # its twin tells the same
        if conn.a.acked >= conn.a.top and conn.a.largest > self.largest_acked:
            self.largest_acked = conn.a.largest
        if conn.b.acked >= conn.b.top and conn.b.largest > self.largest_got:
            self.largest_got = conn.b.largest
        if side == 1 or busy:
            self._write(conn, side, ts, busy)
        elif conn.b.progress_frame and ts - conn.b.progress_ts > self.kept_longest:
            self.kept_longest = ts - conn.b.progress_ts
            self.kept_frame = conn.a.rst_frame if conn.a.fin_off < 0 else conn.a.fin_frame
            self.kept_file = conn.file
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def forgotten(self, conn: Connection) -> cython.int:
        """Hear of a connection that is let go; one that never ended is open no longer."""
        if conn.established and conn.a.fin_off < 0 and conn.b.fin_off < 0:
            if conn.a.rst_state in (0, 3) and conn.b.rst_state in (0, 3):
                self.open_now -= 1
        return 0

    def failed(self, point: Point) -> None:
        """Hear of a failed attempt, at its failure point; one from before the last good response is no outage."""
        if self.good_ts > point.time_ns:
            return
        if self.down_failures == 0 or point.time_ns < self.down_ts:
            self.down_ts = point.time_ns
            self.down_frame = point.frame
            self.down_file = point.file
        self.down_failures += 1

    def down(self) -> Outage | None:
        """Return the outage that goes on, None when there is none."""
        if self.down_failures < LEAST_FAILURES:
            return None
        return Outage(Point(self.down_frame, self.down_file, self.down_ts), None, self.down_failures)

    def _up(self, point: Point) -> None:
        """End an outage; one failure that the next moment made good is none."""
        long_ago = point.time_ns - self.down_ts >= LEAST_OUTAGE_NS
        if (long_ago or self.down_failures >= LEAST_FAILURES) and len(self.outages) < OUTAGES:
            begin = Point(self.down_frame, self.down_file, self.down_ts)
            self.outages.append(Outage(begin, point, self.down_failures))
        self.down_failures = 0

    def _refused(self, conn: Connection) -> None:
        if self.refusals == 0 or self.well_frame:
            self.refusals = 0
            self.well_frame = 0
            self.refused_since_frame = conn.refused_frame
            self.refused_since_ts = conn.refused_ts
        self.refusals += 1
        self.refused_last_frame = conn.refused_frame
        self.refused_last_ts = conn.refused_ts
        self.refused_file = conn.file

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _write(self, conn: Connection, side: cython.int, ts: cython.longlong, busy: cython.bint) -> cython.int:
        """Write a row: time, frame, stream, what and file, how long it had waited, open connections, exchanges."""
        decoder: Decoder | None = conn.decoder
        at: cython.Py_ssize_t
        what: cython.longlong = 0
        since: cython.longlong = conn.b.progress_ts
        if self.total == self.room and self.room < _ROWS:
            self._grow()
        at = self.total % _ROWS
        self.told[at] = None
        at *= _WIDTH
        if side == 1:
            what = _BY_UPSTREAM
            if conn.b.fin_off < 0:
                what |= _RST
        elif conn.a.fin_off < 0:
            what |= _RST
        if busy:
            what |= _BUSY
        if decoder is None or (decoder.exchanges == 0 and decoder.current is None):
            what |= _FRESH
            since = conn.ack_ts if conn.ack_ts else conn.first_ts
        elif decoder.current is not None and decoder.current.resp_frame == 0:
            since = decoder.current.req_last_ts if decoder.current.req_last_ts else decoder.current.req_ts
        self.rows[at] = ts
        if side == 1:
            self.rows[at + 1] = conn.b.rst_frame if what & _RST else conn.b.fin_frame
        else:
            self.rows[at + 1] = conn.a.rst_frame if what & _RST else conn.a.fin_frame
        self.rows[at + 2] = conn.stream
        self.rows[at + 3] = what | (cython.cast(cython.longlong, conn.file) << 8)
        self.rows[at + 4] = ts - since
        self.rows[at + 5] = self.open_now + 1
        self.rows[at + 6] = 0 if decoder is None else decoder.exchanges
        self.total += 1
        return 0

    def _grow(self) -> None:
        """Take room for more rows: an endpoint that was only scanned shall not cost a whole ring."""
        room = min(ROWS, max(4, 4 * self.room))
        store = array("q", bytes(8 * WIDTH * room))
        if self.store is not None:
            store[: len(self.store)] = self.store
        self.store = store
        self.rows = memoryview(store)
        self.told += [None] * (room - self.room)
        self.room = room

    # -- questions ------------------------------------------------------------------------------------------------

    def endings(
        self,
        since_ns: int,
        until_ns: int,
        busy: int = -1,
        *,
        least_ns: int = -FOREVER_NS,
        most_ns: int = FOREVER_NS,
        but: int = -1,
    ) -> list[Ending]:
        """Return the remembered ends by the upstream between two moments (both included), oldest first.

        *busy* 1 chooses those over something open, 0 the idle ones, -1 all. Those of the stream *but*, and those that
        had waited for less than *least_ns* or more than *most_ns*, are left out.
        """
        row: cython.Py_ssize_t
        at: cython.Py_ssize_t
        ts: cython.longlong
        what: cython.longlong
        since: cython.longlong = since_ns
        until: cython.longlong = until_ns
        least: cython.longlong = max(least_ns, -FOREVER_NS)
        most: cython.longlong = min(most_ns, FOREVER_NS)
        stream: cython.longlong = but
        wanted: cython.longlong = _BY_UPSTREAM | (_BUSY if busy == 1 else 0)
        looked_at: cython.longlong = _BY_UPSTREAM | (_BUSY if busy >= 0 else 0)
        number: cython.longlong = self.total
        first: cython.longlong = max(0, self.total - _ROWS)
        found: list[Ending] = []
        while number > first:
            number -= 1
            row = number % _ROWS
            at = row * _WIDTH
            ts = self.rows[at]
            what = self.rows[at + 3]
            if ts > until or ts < since or what & looked_at != wanted:
                continue
            if self.rows[at + 4] < least or self.rows[at + 4] > most or self.rows[at + 2] == stream:
                continue
            one = self.told[row]
            if one is None:
                one = _new(
                    Ending,
                    (
                        Point(self.rows[at + 1], what >> 8, ts),
                        self.rows[at + 2],
                        "rst" if what & _RST else "fin",
                        what & _BUSY != 0,
                        what & _FRESH != 0,
                        self.rows[at + 4],
                        self.rows[at + 5],
                        self.rows[at + 6],
                    ),
                )
                self.told[row] = one
            found.append(one)
        found.reverse()
        return found

    def first_bytes(self) -> list[FirstBytes]:
        """Return the first-byte times of the last seconds in which there were any, oldest first."""
        at: cython.Py_ssize_t
        found = []
        for slot in range(SLOTS):
            at = 4 * slot
            count = self.slots[at + 1]
            if count:
                mean = self.slots[at + 2] // count
                found.append(_new(FirstBytes, (self.slots[at] * SLOT_NS, count, mean, self.slots[at + 3])))
        return sorted(found)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
