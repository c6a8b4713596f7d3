"""The flow table and what each segment does to its connection (RFC 9293 section 3, as an observer sees it).

This module is longer than most: every segment of a capture goes through this one loop, and its steps (duplicate,
SYN, acknowledgement, payload, FIN, RST) share the same dozen values, which would have to cross a border each time.
Nothing here knows what the octets mean.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Iterator
from typing import Any, cast

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.cpython.list import PyList_GET_ITEM
    from cython.cimports.wire502.model.cells_cy import Cells
    from cython.cimports.wire502.model.flow_cy import Connection, Half, Observer, Piece, fetch_early
    from cython.cimports.wire502.model.frames_cy import RowAt, Segments
    from cython.cimports.wire502.tcp.reassembly_cy import deliver, drain, finish_fin, hold, release
    from cython.cimports.wire502.tcp.resting_cy import Resting, may_rest, name, pack, unpack
else:
    from wire502.model.cells_cy import Cells
    from wire502.model.flow_cy import Connection, Half, Observer, Piece
    from wire502.model.frames_cy import RowAt, Segments
    from wire502.tcp.reassembly_cy import deliver, drain, finish_fin, hold, release
    from wire502.tcp.resting_cy import Resting, may_rest, name, pack, unpack

    PyList_GET_ITEM: Any = None  # for compiled code only
    fetch_early: Any = None

from wire502.model.capture_info import Interface, RareFrame
from wire502.model.context import Context
from wire502.model.flow_cy import (
    RST_EXACT,
    RST_IGNORED,
    RST_IN_WINDOW,
    RST_NONE,
    STEP_DATA,
    STEP_FIN,
    STEP_PROBE,
    STEP_RETRANSMISSION,
    STEP_RST,
    STEP_SYN,
    STEP_SYN_ACK,
    STEP_UNREACHABLE,
    STEP_ZERO_WINDOW,
)
from wire502.tcp.reassembly_cy import WIRE, compare, count_hole, holes

_FIN = cython.declare(cython.uint, 0x01)
_SYN = cython.declare(cython.uint, 0x02)
_RST = cython.declare(cython.uint, 0x04)
_ACK = cython.declare(cython.uint, 0x10)
_IPV6 = cython.declare(cython.uint, 0x1000)
_DONT_FRAGMENT = cython.declare(cython.uint, 0x2000)
_HAS_TIMESTAMP = cython.declare(cython.uint, 0x4000)
_INBOUND = cython.declare(cython.uint, 0x10000)
_OUTBOUND = cython.declare(cython.uint, 0x20000)
_STEP_SYN = cython.declare(cython.int, STEP_SYN)
_STEP_SYN_ACK = cython.declare(cython.int, STEP_SYN_ACK)
_STEP_DATA = cython.declare(cython.int, STEP_DATA)
_STEP_FIN = cython.declare(cython.int, STEP_FIN)
_STEP_RST = cython.declare(cython.int, STEP_RST)
_STEP_PROBE = cython.declare(cython.int, STEP_PROBE)
_STEP_RETRANSMISSION = cython.declare(cython.int, STEP_RETRANSMISSION)
_STEP_ZERO_WINDOW = cython.declare(cython.int, STEP_ZERO_WINDOW)
_RST_NONE = cython.declare(cython.int, RST_NONE)
_RST_EXACT = cython.declare(cython.int, RST_EXACT)
_RST_IN_WINDOW = cython.declare(cython.int, RST_IN_WINDOW)
_RST_IGNORED = cython.declare(cython.int, RST_IGNORED)

COOKED = (113, 276)  # LINKTYPE_LINUX_SLL, _SLL2: one capture of many interfaces
SAME_INTERFACE_NS = 50_000
# Typed, like all numbers that the loop over segments uses: a plain module constant is a Python object to the compiler,
# and so is a literal beyond 31 bits.
RECENT = cython.declare(cython.Py_ssize_t, 1024)  # frames that a duplicate is looked for among
# Numbers of such a row, which is one cache line: key, number and rest of the segment, time, place. The loop names them
# by literals, which are all that a C compiler takes for constants.
SEEN_WIDTH = 8
OTHER_INTERFACE_NS = cython.declare(cython.longlong, 2_000_000)
FAR_NS = 250_000_000  # ... and at most where the same segments are seen on two hosts
FAR = cython.declare(cython.longlong, 64 << 20)  # octets ahead of everything seen that are still believed
NEAR = cython.declare(cython.longlong, 512 << 10)  # octets around those under way that are not another connection's
MAX_BESIDE = cython.declare(cython.int, 16)  # connections with the same addresses and ports on different VLANs
LANE_SHIFT = cython.declare(cython.int, 18)  # as in model.frames_cy
JUMP_NS = 3_600_000_000_000  # a leap of the clock that a second frame must confirm
_JUMP_NS = cython.declare(cython.longlong, JUMP_NS)
RETRANSMITTED_NS = cython.declare(cython.longlong, 150_000_000)  # a hole that lasts so long was not reordering
STEP_BACK_NS = cython.declare(cython.longlong, 1_000_000_000)
# After it a connection of which both FINs were acknowledged is forgotten: had one of these acknowledgements not come,
# that FIN would have come again by now (RFC 6298: after 0.2, 0.6, 1.4, 3 s with the shortest timeouts in use).
BRIEF_NS = cython.declare(cython.longlong, 5_000_000_000)
# A connection that is awake takes 2 KB. Beyond so many those rest that can, however short they have been idle; and of
# those that cannot (half-open ones of a flood) the oldest are let go.
MOST_AWAKE = cython.declare(cython.longlong, 131_072)
MOST_UNRESTING = cython.declare(cython.longlong, 262_144)
STEPS = cython.declare(cython.int, 16)  # connections that are looked at for rest with so many segments
LOW_32 = cython.declare(cython.uint, 0xFFFFFFFF)
LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
SCATTER_1 = cython.declare(cython.ulonglong, 0x7F51AFD7ED558CCD)
SCATTER_2 = cython.declare(cython.ulonglong, 0x64CEB9FE1A85EC53)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _apart(later: cython.uint, earlier: cython.uint) -> cython.longlong:
    """Return how far *later* stands behind *earlier*, between -2^31 and 2^31 - 1 (RFC 9293 section 3.4, RFC 1982)."""
    result: cython.longlong
    if cython.compiled:
        result = cython.cast(cython.int, later - earlier)
    else:
        result = ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return result


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _mix(x: cython.ulonglong) -> cython.ulonglong:
    """Scatter 64 bits (the finaliser of a well-known hash, so that neighbours in address space lie apart)."""
    if cython.compiled:
        x ^= x >> 33
        x *= SCATTER_1
        x ^= x >> 29
        x *= SCATTER_2
        x ^= x >> 32
    return x


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _scatter(
    sh: cython.ulonglong,
    sl: cython.ulonglong,
    th: cython.ulonglong,
    tl: cython.ulonglong,
    ports: cython.uint,
    seed: cython.ulonglong,
) -> cython.ulonglong:
    """Hash both ends of a segment, the same number for both directions; never 0. Compiled code only.

    Its upper bits are the ones to use. An attacker does not know the seed, an odd number that is multiplied with: of
    IPv4 address and port no two share bits; of IPv6 each half of the address is scattered before the next part. What
    each end gives is folded before the two are added, or ends that add up to the same would share one number.
    """
    one: cython.ulonglong = sl
    two: cython.ulonglong = tl
    if sh | th | sl >> 48 | tl >> 48:
        one = _mix(_mix(one ^ seed) ^ sh)
        two = _mix(_mix(two ^ seed) ^ th)
    one ^= cython.cast(cython.ulonglong, ports >> 16) << 48
    two ^= cython.cast(cython.ulonglong, ports & 0xFFFF) << 48
    one *= seed
    two *= seed
    one ^= one >> 32
    two ^= two >> 32
    return ((one + two) * seed) | 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _fetch(record: cython.p_void) -> cython.int:
    """Have the first lines of a record fetched, which hold what each segment touches."""
    fetch_early(record)
    fetch_early(cython.cast(cython.p_const_uchar, record) + 64)
    fetch_early(cython.cast(cython.p_const_uchar, record) + 128)
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _joins(
    s: Half,
    r: Half,
    sh: cython.ulonglong,
    sl: cython.ulonglong,
    th: cython.ulonglong,
    tl: cython.ulonglong,
    ports: cython.uint,
) -> cython.bint:
    """Whether *s* is the half of a segment's sender and *r* that of its receiver."""
    source: cython.int = ports >> 16
    target: cython.int = ports & 0xFFFF
    return s.low == sl and r.low == tl and s.port == source and r.port == target and s.high == sh and r.high == th


def _ends(conn: Connection) -> tuple[tuple[int, int, int, int, int], tuple[int, int, int, int, int]]:
    """Return addresses and ports as the segments of each side have them."""
    a, b = conn.a, conn.b
    return (a.high, a.low, b.high, b.low, a.port << 16 | b.port), (b.high, b.low, a.high, a.low, b.port << 16 | a.port)


def _table() -> Any:
    """Return the empty rows of recent frames: C numbers; uncompiled an object for each, which is faster there."""
    return array("Q", bytes(8 * SEEN_WIDTH * RECENT)) if cython.compiled else [(None, 0, 0)] * RECENT


@cython.final
@cython.cclass
class Connections:
    """All connections of a capture, by address and port. ``feed`` takes segments in the order of the capture."""

    observer: Observer
    context: Context
    now: int
    streams: int
    duplicates: int
    evicted: int
    live: int
    ignored: int
    overlapping: int
    first_ts: int
    last_ts: int
    oddities: dict[str, int]
    lost: list[int]
    steps: list[tuple[int, int, int]]
    slots: list[Connection | Resting | None]
    early: list[int]
    index: dict[tuple[int, int, int, int, int], Connection | Resting]  # uncompiled the table: addresses, both ports
    order: list[Connection | None]
    rested: list[Resting | None]
    resting: int
    woken: int
    cells: Cells
    shape: Connection
    closed: list[Connection | None]
    files: list[int]
    windows: list[int]
    buffered: int

    def __init__(self, observer: Observer, context: Context) -> None:
        self.observer = observer
        self.context = context
        self.now = 0
        self.streams = self.duplicates = self.evicted = self.live = self.ignored = self.overlapping = 0
        self.first_ts = self.last_ts = 0
        self.oddities = {}
        self.lost = [0, 0, 0]
        self.steps = []
        self.slots = [None] * 1024
        self.hashes = array("Q", bytes(8 * 1024))
        self.mask = 1023
        self.shift = 54  # the upper bits of a hash are the place
        self.used = 0
        self.seed = int.from_bytes(os.urandom(8), "little") | 1
        self.index = {}
        # Those that are awake, by their beginning or as they were looked at last, from the place `oldest` on: a list
        # takes another one without a call.
        self.order = []
        self.oldest = self.passed = 0  # `passed`: how many were let go of before the first place of the list
        self.rested = []  # those that rest, idle longest first, from the place `first_rested` on
        self.first_rested = 0
        self.resting = self.woken = 0
        self.rest_after = context.rest_after_ns
        self.rest_from = context.rest_from
        self.most_awake = min(MOST_AWAKE, self.rest_from * 8)
        self.pause = 0 if self.rest_after == 0 else STEPS - 1
        self.round_ts = self.left = 0
        self.cells = Cells()
        self.shape = Connection()
        self.mine = -8
        self._count_mine()
        self.closed = []  # those that have ended, from the place `first_closed` on
        self.first_closed = 0
        self.first_brief = 0  # the first of them that is not yet long enough ago for those that are over
        self.lingering = 0
        self.doubt = 0
        self.max_connections = context.max_connections
        self.linger = context.closed_linger_ns
        self.max_closed = context.max_closed
        self.max_waiting = context.max_out_of_order
        self.max_buffered = context.max_buffered
        self.buffered = 0
        self.recount = 0
        self.seen = _table()
        self.files = []
        self.windows = []
        self.far = OTHER_INTERFACE_NS

    def see_far(self, way_ns: int) -> None:
        """Hear that the same segments are seen at places that are *way_ns* apart."""
        self.far = min(FAR_NS, max(OTHER_INTERFACE_NS, 3 * way_ns))

    def interfaces(self, interfaces: list[Interface]) -> None:
        """Learn the interfaces that ``Segments.interface`` counts; to be called when the list has grown."""
        for interface in interfaces[len(self.files) :]:
            self.files.append(interface.file)
            self.windows.append(OTHER_INTERFACE_NS if interface.linktype in COOKED else SAME_INTERFACE_NS)

    # -- the table ------------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)  # the place is one of the table
    def _look_ahead(self, segments: Segments, i: cython.Py_ssize_t) -> cython.int:
        """Hash segment *i*, and have fetched what the ones before it will need; compiled code only.

        Hundreds of connections that take turns do not fit into the caches next to a processor. Their addresses are
        known long before: the record of the connection is asked for three segments ahead, its halves one ahead.
        """
        conn: Connection
        if i < segments.count:
            row = cython.address(segments.rows[i])
            fetch_early(cython.address(row.ts_value))  # the rest of it, in another line
            fetch_early(cython.address(row.ttl))
            self.early[i & 3] = _scatter(
                row.source_high, row.source_low, row.target_high, row.target_low, row.ports, self.seed
            )
        _fetch(PyList_GET_ITEM(self.slots, self.early[(i - 1) & 3] >> self.shift))
        one = self.slots[self.early[(i - 3) & 3] >> self.shift]
        if type(one) is Connection:
            conn = cython.cast(Connection, one)
            _fetch(cython.cast(cython.p_void, conn.a))
            _fetch(cython.cast(cython.p_void, conn.b))
            _fetch(cython.cast(cython.p_void, conn.decoder))
        return 0

    @cython.cfunc
    @cython.boundscheck(False)  # the index is masked with the length of both
    def _find(
        self,
        h: cython.ulonglong,
        sh: cython.ulonglong,
        sl: cython.ulonglong,
        th: cython.ulonglong,
        tl: cython.ulonglong,
        ports: cython.uint,
    ) -> Connection | None:
        conn: Connection
        mask: cython.Py_ssize_t
        i: cython.Py_ssize_t
        if not cython.compiled:
            found = self.index.get((sh, sl, th, tl, ports))
            return self._wake(found) if isinstance(found, Resting) else found
        mask = self.mask
        i = h >> self.shift
        while self.hashes[i] != 0:  # not by a local view: to count one up and down is dearer than the search
            if self.hashes[i] == h:
                one = self.slots[i]
                if type(one) is not Connection:
                    if one is not None and _is_of(one, sh, sl, th, tl, ports):
                        return self._wake(one)
                    i = (i + 1) & mask
                    continue
                conn = cython.cast(Connection, one)
                if _joins(conn.a, conn.b, sh, sl, th, tl, ports) or _joins(conn.b, conn.a, sh, sl, th, tl, ports):
                    return conn
            i = (i + 1) & mask
        return None

    # -- rest -----------------------------------------------------------------------------------------------------

    def _references(self) -> int:
        """Return how often the oldest connection is referred to, as ``sys.getrefcount`` counts from here."""
        return sys.getrefcount(self.order[self.oldest])

    @cython.cfunc
    def _rest(self) -> cython.bint:
        """Have the oldest connection rest if it can: whether it does."""
        conn: Connection | None = self.order[self.oldest]
        resting: Resting | None
        if self.mine < 0 or conn is None or not may_rest(conn):
            return False  # no interpreter that counts references, or something special
        # Beside who asks here: its decoder, and the table (the interpreter's has it twice).
        if self._references() != self.mine + (2 if cython.compiled else 3):
            return False  # somebody remembers it
        resting = pack(conn, self.cells)
        if resting is None:
            return False
        resting.quiet = self.observer.is_quiet(conn)
        if cython.compiled:
            self.slots[conn.slot] = resting
        else:
            self._enter(conn, resting)
        conn.decoder = None  # else the two would keep each other alive
        self.rested.append(resting)
        self.resting += 1
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _count_mine(self) -> cython.int:
        """Find out how many references ``_rest`` and the list make: one that is referred to by nobody else has them."""
        self.order.append(Connection())
        conn: Connection | None = self.order[self.oldest]
        if conn is not None and hasattr(sys, "getrefcount"):
            self.mine = self._references()
        self.order.clear()
        return 0

    def _enter(self, conn: Connection, one: Connection | Resting) -> None:
        """Put *one* in the place of a connection in the interpreter's table."""
        for ends in _ends(conn):
            self.index[ends] = one

    @cython.cfunc
    def _wake(self, resting: Resting) -> Connection:
        """Have a connection go on that rested."""
        conn: Connection = self._awoken(resting)
        if cython.compiled:
            self.slots[conn.slot] = conn
        else:
            self._enter(conn, conn)
        resting.packed = None
        resting.upstream = None
        self.resting -= 1
        self.woken += 1
        self._line_up(conn)
        return conn

    @cython.cfunc
    def _awoken(self, resting: Resting) -> Connection:
        """Return the connection that a resting one was, without putting it into the table."""
        conn: Connection = Connection.__new__(Connection)
        conn.begin()
        conn.decoder = self.observer.new_decoder(conn)
        unpack(resting, conn, self.cells)
        return conn

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _sweep(self) -> cython.int:
        """Look at the next few connections: those rest that are idle. Each is looked at once in ``rest_after``."""
        steps: cython.int = STEPS
        awake: cython.longlong = self.live - self.resting
        idle: cython.longlong
        while steps > 0 and awake > self.rest_from and self.oldest < len(self.order):
            if self.left <= 0:
                if 0 <= self.now - self.round_ts < self.rest_after and awake <= self.most_awake:
                    break
                self.round_ts = self.now
                self.left = len(self.order) - self.oldest
            self.left -= 1
            steps -= 1
            idle = self._idle()
            if idle >= 0:  # else it is followed no more
                if (idle >= self.rest_after or awake > self.most_awake) and self._rest():
                    awake -= 1
                else:
                    conn = self.order[self.oldest]
                    assert conn is not None
                    self._line_up(conn)
            self.order[self.oldest] = None
            self.oldest += 1
        self._trim()
        return 0

    @cython.cfunc
    def _idle(self) -> cython.longlong:
        """Return for how long the oldest connection has been idle, -1 if it is no longer followed."""
        conn: Connection | None = self.order[self.oldest]
        if conn is None or conn.superseded:
            return -1
        return self.now - conn.last_ts if self.now > conn.last_ts else 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _line_up(self, conn: Connection) -> cython.int:
        """Put a connection behind all others that are awake."""
        conn.place = self.passed + len(self.order)
        self.order.append(conn)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _close_ranks(self) -> cython.int:
        """Take the places of those that have gone out of the list."""
        conn: Connection | None
        order: list[Connection | None] = self.order
        self.order = []
        self.oldest = self.passed = 0
        self.left = 0
        for conn in order:
            if conn is not None and not conn.superseded:
                self._line_up(conn)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _trim(self) -> cython.int:
        """Free what the lists no longer need."""
        if self.oldest > 1024 and 2 * self.oldest > len(self.order):
            del self.order[: self.oldest]
            self.passed += self.oldest
            self.oldest = 0
        if len(self.rested) - self.first_rested > 2 * self.resting + 1024:
            self.rested = [one for one in self.rested if one is not None and one.packed is not None]
            self.first_rested = 0
        elif self.first_rested > 1024 and 2 * self.first_rested > len(self.rested):
            del self.rested[: self.first_rested]
            self.first_rested = 0
        return 0

    # -- in and out -----------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _insert(self, conn: Connection) -> cython.int:
        i: cython.Py_ssize_t
        mask: cython.Py_ssize_t
        if conn.beside:
            conn.twin = self._first(conn)
            if conn.twin is not None:
                self._stand_in(conn.twin, conn)
                return 0
        if not cython.compiled:
            self._enter(conn, conn)
            return 0
        if (self.used + 1) * 2 > len(self.slots):
            self._grow()
        mask = self.mask
        i = conn.hash >> self.shift
        while self.slots[i] is not None:
            i = (i + 1) & mask
        if self.hashes[i] == 0:  # else it is the place of one that was forgotten
            self.used += 1
        self.hashes[i] = conn.hash
        self.slots[i] = conn
        conn.slot = i
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _remove(self, conn: Connection) -> cython.int:
        """Forget a connection. Its place keeps its hash, so that others behind it are still found."""
        self.live -= 1
        first: Connection | None
        if conn.beside:
            first = self._first(conn)
            if first is not conn:
                while first is not None:
                    if first.twin is conn:
                        first.twin = conn.twin
                    first = first.twin
                conn.twin = None
                return 0
            if conn.twin is not None:
                self._stand_in(conn, conn.twin)
                conn.twin = None
                return 0
        if not cython.compiled:
            for ends in _ends(conn):
                if self.index.get(ends) is conn:
                    del self.index[ends]
            return 0
        self.slots[conn.slot] = None
        return 0

    @cython.cfunc
    def _first(self, conn: Connection) -> Connection | None:
        """Return the first of the connections that have the addresses and ports of *conn*."""
        ports: cython.uint = conn.a.port << 16 | conn.b.port
        first: Connection | None = self._find(conn.hash, conn.a.high, conn.a.low, conn.b.high, conn.b.low, ports)
        return first

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _stand_in(self, old: Connection, new: Connection) -> cython.int:
        """Put a connection at the place in the table of another one with the same addresses and ports."""
        if not cython.compiled:
            self._enter(new, new)
            return 0
        new.slot = old.slot
        self.slots[new.slot] = new
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _grow(self) -> cython.int:
        size: cython.Py_ssize_t = 1024
        mask: cython.Py_ssize_t
        i: cython.Py_ssize_t
        conn: Connection
        resting: Resting
        h: cython.ulonglong
        old: list[Connection | Resting | None] = self.slots
        while size < self.live * 4:
            size *= 2
        self.slots = [None] * size
        self.hashes = array("Q", bytes(8 * size))
        self.mask = mask = size - 1
        self.shift = 65 - size.bit_length()
        self.used = 0
        for one in old:
            if one is None:
                continue
            if type(one) is Connection:
                conn = cython.cast(Connection, one)
                h = conn.hash
            else:
                resting = cython.cast(Resting, one)
                h = resting.hash
            i = h >> self.shift
            while self.hashes[i] != 0:
                i = (i + 1) & mask
            self.hashes[i] = h
            self.slots[i] = one
            if type(one) is Connection:
                conn.slot = i
            else:
                resting.slot = i
            self.used += 1
        return 0

    @cython.cfunc
    def _open(
        self,
        h: cython.ulonglong,
        sh: cython.ulonglong,
        sl: cython.ulonglong,
        th: cython.ulonglong,
        tl: cython.ulonglong,
        ports: cython.uint,
        flags: cython.uint,
        frame: cython.longlong,
        ts: cython.longlong,
        interface: cython.int,
        beside: cython.bint,
    ) -> Connection:
        """Begin a connection with its first segment, and decide for now who opened it."""
        conn: Connection = Connection.__new__(Connection)
        source: cython.int = ports >> 16
        target: cython.int = ports & 0xFFFF
        sender_opens: cython.bint
        half: Half
        conn.begin()
        self._make_room(ts)
        conn.stream = self.streams
        self.streams += 1
        if flags & _SYN:
            sender_opens = not (flags & _ACK)
            conn.opener = 2
        else:
            sender_opens = source >= target
            conn.mid = True
            conn.established = True
        half = conn.a if sender_opens else conn.b
        half.high = sh
        half.low = sl
        half.port = source
        half = conn.b if sender_opens else conn.a
        half.high = th
        half.low = tl
        half.port = target
        conn.ipv6 = (flags & _IPV6) != 0
        conn.hash = h
        conn.lane = conn.a.lane = conn.b.lane = flags >> LANE_SHIFT
        if beside:
            conn.lane = -1
            conn.beside = True
        conn.interface = interface
        conn.file = self.files[interface]
        conn.first_frame = frame
        conn.first_ts = ts
        conn.last_ts = ts
        conn.decoder = self.observer.new_decoder(conn)
        self.live += 1
        self._insert(conn)
        self._line_up(conn)
        return conn

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _make_room(self, ts: cython.longlong) -> cython.int:
        """Let go of connections closed long ago, then, at the limit, of those idle longest."""
        conn: Connection | None
        resting: Resting | None
        tries: cython.int = 64
        awake: cython.longlong
        while self.first_closed < len(self.closed):
            conn = self.closed[self.first_closed]
            if conn is not None:
                if ts - conn.closed_ts < self.linger and self.lingering <= self.max_closed:
                    break
                self._let_go(self.first_closed)
                if conn.dead and not conn.superseded:
                    self._retire(conn)
            self.first_closed += 1
        if self.first_brief < self.first_closed:
            self.first_brief = self.first_closed
        while self.first_brief < len(self.closed):
            conn = self.closed[self.first_brief]
            assert conn is not None
            if ts - conn.closed_ts < BRIEF_NS:
                break
            if _is_over(conn) and self.observer.is_over(conn):
                self._let_go(self.first_brief)
                self._retire(conn)
            self.first_brief += 1
        if self.first_closed > 1024 and 2 * self.first_closed > len(self.closed):
            del self.closed[: self.first_closed]
            self.first_brief -= self.first_closed
            self.first_closed = 0
        awake = self.live - self.resting
        if len(self.order) - self.oldest > 2 * awake + 4096:
            self._close_ranks()
        while self.live >= self.max_connections and self.first_rested < len(self.rested):
            resting = self.rested[self.first_rested]
            assert resting is not None
            self.rested[self.first_rested] = None
            self.first_rested += 1
            if resting.packed is not None:
                conn = self._wake(resting)
                conn.evicted = True
                self.evicted += 1
                self._retire(conn)
        while (self.live >= self.max_connections or self.live - self.resting >= MOST_UNRESTING) and self.oldest < len(
            self.order
        ):
            conn = self.order[self.oldest]
            self.order[self.oldest] = None
            self.oldest += 1
            if conn is None or conn.superseded:
                continue
            tries -= 1
            if tries > 0 and conn.last_ts > conn.first_ts and ts - conn.last_ts < 1_000_000_000:
                self._line_up(conn)
                continue
            conn.evicted = True
            self.evicted += 1
            self._retire(conn)
        self._trim()
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _let_go(self, place: cython.Py_ssize_t) -> cython.int:
        """Take a connection out of those that have ended."""
        conn: Connection | None = self.closed[place]
        if conn is not None:
            conn.in_closed = False
            self.closed[place] = None
            self.lingering -= 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _retire(self, conn: Connection) -> cython.int:
        conn.superseded = True
        self.observer.retired(conn)
        if not (_whole(conn.a) and _whole(conn.b)):
            self._add_holes(conn, self.lost)
        conn.a.pieces = conn.b.pieces = None  # others may remember the connection, but not its octets
        place = conn.place - self.passed
        if place >= 0 and self.order[place] is conn:
            self.order[place] = None
        self._remove(conn)
        return 0

    def _odd(self, name: str) -> None:
        self.oddities[name] = self.oddities.get(name, 0) + 1

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _sign(
        self,
        conn: Connection,
        seq: cython.uint,
        ack: cython.uint,
        flags: cython.uint,
        window: cython.int,
        scale: cython.int,
        ports: cython.uint,
        ip_id: cython.int,
        ts_value: cython.uint,
    ) -> cython.int:
        """Note what tells the first segment of a connection from others, before the observer hears of it."""
        rest: cython.uint = ack
        port: cython.int = ports >> 16
        number: cython.ulonglong = seq
        conn.stamp = ts_value  # no cast: it would cost the interpreter a call
        conn.stamp <<= 16
        if ip_id > 0:
            conn.stamp |= ip_id & 0xFFFF
        conn.began = 0 if conn.a.port == port else 1
        if flags & _RST:
            return 0  # numbers of a reset may be those of many
        if flags & _SYN:
            (conn.b if flags & _ACK else conn.a).isn = seq
            if not flags & _ACK:
                rest = window
                rest = rest << 8 | (scale & 0xFF)
        conn.sign = number << 32 | rest
        return 0

    # -- one batch ------------------------------------------------------------------------------------------------

    @cython.boundscheck(False)  # the record has shown at the start that it holds as many rows as it says
    def feed(self, segments: Segments) -> None:
        """Take the segments and the rare frames of one batch, in order."""
        i: cython.Py_ssize_t
        segments.check()
        count: cython.Py_ssize_t = segments.count
        conn: Connection
        s: Half
        r: Half
        side: cython.int
        h: cython.ulonglong
        key: cython.ulonglong
        number: cython.ulonglong
        rest: cython.ulonglong
        where: cython.longlong
        other: cython.longlong
        before: cython.longlong
        after: cython.longlong
        lane: cython.int
        port: cython.int
        at: cython.Py_ssize_t
        beside: cython.bint = False
        ts: cython.longlong
        delta: cython.longlong
        frame: cython.longlong
        flags: cython.uint
        seq: cython.uint
        ack: cython.uint
        ports: cython.uint
        n: cython.longlong
        acks: cython.longlong
        offset: cython.longlong
        window: cython.int
        octets: cython.p_const_uchar
        seen: cython.ulonglong[::1] = self.seen
        sh: cython.ulonglong
        sl: cython.ulonglong
        th: cython.ulonglong
        tl: cython.ulonglong
        ip_id: cython.int
        ts_value: cython.uint
        observer: Observer = self.observer
        rare: list[RareFrame] = cast("list[RareFrame]", segments.rare)
        next_rare: cython.Py_ssize_t = 0
        rare_row: cython.Py_ssize_t = -1
        row: RowAt
        data: cython.uchar[::1] = segments.data
        if cython.compiled:
            octets = cython.address(data[0])
            for i in range(4):
                self._look_ahead(segments, i)
        else:  # the interpreter takes a row faster than its numbers one by one
            index: Any = self.index
        if rare:
            rare_row = rare[0].row
        for i in range(count):
            if cython.compiled:
                row = cython.address(segments.rows[i])
            else:
                row = segments.rows[i]
            if i & self.pause == 0 and self.live - self.resting > self.rest_from:
                conn = self.shape  # nor may this loop remember one that shall rest
                self._sweep()
            ts = row.ts_ns
            frame = row.frame
            seq = row.seq
            ack = row.ack
            flags = row.flags
            ports = row.ports
            n = row.length
            sh = row.source_high
            sl = row.source_low
            th = row.target_high
            tl = row.target_low
            ip_id = row.ip_id
            ts_value = row.ts_value
            side = -1  # not yet known
            if rare_row == i:
                next_rare, rare_row = self._rare_before(rare, next_rare, i)
            # The clock: never fire on the word of one frame that leaps far ahead.
            delta = ts - self.now
            if delta > 0:
                if delta < _JUMP_NS or self.now == 0 or self.doubt > 0:
                    self.doubt = 0
                    if ts >= observer.next_due:
                        observer.fire(ts)
                    self.now = ts
                else:
                    self.doubt = ts
            else:
                self.doubt = 0
                if delta < -STEP_BACK_NS:
                    self._step_back(frame, ts)
            # A duplicate: the same segment again, seen on another interface or by a mirror port. (Widened by
            # assignments: a cast costs the interpreter a call.)
            number = seq
            number = (number << 32) | ack
            rest = ts_value
            rest = ((rest << 32) | ((n & 0xFFFF) << 16) | (ip_id & 0xFFFF)) ^ ((flags & 0x1FF) << 23)
            # Where it is remembered must not depend on the seed: which copies are found would differ from run to run.
            # The upper bits of a product depend on all bits.
            key = number ^ rest ^ ports
            at = ((key * SCATTER_1) & LOW_64) >> 54  # one of RECENT
            lane = flags >> LANE_SHIFT
            where = row.interface
            where = where << 14 | lane
            if cython.compiled:
                h = self.early[i & 3]
                self._look_ahead(segments, i + 4)
                key = ports
                key = h ^ (key << 1)
                at <<= 3
                if seen[at + 1] != number or seen[at] != key or seen[at + 2] != rest:
                    at ^= 8
                before = seen[at + 3]
                if seen[at + 1] == number and seen[at] == key and seen[at + 2] == rest:
                    delta = ts - before
                    if delta < 0:
                        delta = -delta
                    other = seen[at + 4]
                    if delta <= self.far and (where != other or delta <= self._window(row.interface)):
                        self.duplicates += 1
                        continue
                else:
                    after = seen[(at ^ 8) + 3]
                    if before > after:
                        at ^= 8  # of the two places, what is older gives way
                seen[at] = key
                seen[at + 1] = number
                seen[at + 2] = rest
                seen[at + 3] = ts
                seen[at + 4] = where
                # Most are found where they belong, with their ends in hand: a call costs as much as the search.
                one = self.slots[h >> self.shift]
                if type(one) is Connection:
                    conn = cython.cast(Connection, one)
                    s = conn.a
                    r = conn.b
                    if _joins(s, r, sh, sl, th, tl, ports):
                        side = 0
                    elif _joins(r, s, sh, sl, th, tl, ports):
                        side = 1
                        s = conn.b
                        r = conn.a
                    else:
                        conn = self._find(h, sh, sl, th, tl, ports)
                else:
                    conn = self._find(h, sh, sl, th, tl, ports)
            else:  # the same with a row as one object
                h = 0
                ends = (sh, sl, th, tl, ports)
                this = (number, rest, ends)
                if seen[at][0] != this:
                    at ^= 1
                one, before, other = seen[at]
                if one == this:
                    if abs(ts - before) <= self.far and (
                        where != other or abs(ts - before) <= self._window(row.interface)
                    ):
                        self.duplicates += 1
                        continue
                elif before > seen[at ^ 1][1]:
                    at ^= 1
                seen[at] = (this, ts, where)
                found = index.get(ends)
                conn = self._wake(found) if isinstance(found, Resting) else found
            if conn is None:
                beside = False
            elif conn.lane != lane:
                conn = self._on_lane(conn, sh, sl, ports, seq, ack, flags)
                side = -1
                beside = conn is None
            if conn is None:
                conn = self._open(
                    h,
                    sh,
                    sl,
                    th,
                    tl,
                    ports,
                    flags,
                    frame,
                    ts,
                    row.interface,
                    beside,
                )
                self._sign(conn, seq, ack, flags, row.window, row.scale, ports, ip_id, ts_value)
                observer.opened(conn)
            elif (flags & (_SYN | _ACK)) == _SYN and self._begins_anew(conn, seq, sl, ports):
                side = -1
                self._retire(conn)
                conn = self._open(
                    h,
                    sh,
                    sl,
                    th,
                    tl,
                    ports,
                    flags,
                    frame,
                    ts,
                    row.interface,
                    conn.beside,
                )
                self._sign(conn, seq, ack, flags, row.window, row.scale, ports, ip_id, ts_value)
                observer.opened(conn)
            if side < 0:
                s = conn.a
                r = conn.b
                side = 0
                port = ports >> 16
                if s.port != port or (s.low != sl or s.high != sh):
                    side = 1
                    s = conn.b
                    r = conn.a
            conn.last_ts = ts
            s.frames += 1
            s.last_frame = frame
            s.last_ts = ts
            if flags & (_INBOUND | _OUTBOUND):
                self._locate(conn, side, flags)
            if flags & _RST:
                self._rst(conn, side, seq, ack, flags, row.window, row.ttl, ip_id, frame, ts)
                continue
            if s.ttl == 0:
                s.dont_fragment = (flags & _DONT_FRAGMENT) != 0
            s.ttl = row.ttl
            s.ip_id_before = s.ip_id
            s.ip_id = ip_id
            window = row.window
            if flags & _SYN:
                self._syn(conn, side, seq, ack, flags, window, row.mss, row.scale, frame, ts)
                seq = (seq + 1) & LOW_32
            elif not conn.established and side == 0 and (flags & _ACK):
                # The opener goes on: it has had a SYN-ACK that the capture does not hold.
                self._implied(conn, ack)
            acks = -1
            if flags & _ACK:
                if ack == r.nxt and r.acked == r.off and r.started and r.pieces is None:
                    acks = r.off  # it has been said before
                else:
                    acks = self._ack(conn, side, ack, frame, ts)
            if r.rst_state == _RST_IN_WINDOW and ts > r.rst_ts:
                self._alive_after_rst(conn, side, ts)
            # Window: an advertisement of zero, until one that is not.
            s.window = window
            if window == 0:
                if s.zero_frame == 0 and not (flags & (_SYN | _FIN)):
                    s.zero_frame = frame
                    s.zero_ts = ts
                    conn.note(side, _STEP_ZERO_WINDOW, 0, frame, ts)
            elif s.zero_frame:
                s.zero_frame = 0
            if not s.started:
                s.started = True
                s.nxt = seq
            if n > 0:
                if n > s.largest:
                    s.largest = n
                if (
                    seq == s.nxt
                    and s.top == s.off
                    and s.pieces is None
                    and s.rst_state == 0
                    and r.rst_state == 0
                    and s.fin_off < 0
                    and conn.established
                ):
                    # The fast path: what comes next, on a connection of which nothing is missing.
                    s.top += n
                    s.progress_frame = frame
                    s.progress_ts = ts
                    conn.note(side, _STEP_DATA, n, frame, ts)
                    if s.skip > n:  # the inside of a body whose length is known
                        s.skip -= n
                        s.off += n
                        s.nxt = (seq + n) & LOW_32
                    elif cython.compiled:
                        deliver(conn, s, side, octets + row.start, n, row.captured, frame, ts, acks)
                    else:
                        octets = data[row.start : row.start + row.captured].tobytes()
                        deliver(conn, s, side, octets, n, row.captured, frame, ts, acks)
                else:
                    if not cython.compiled:
                        octets = data[row.start : row.start + row.captured].tobytes()
                        self._payload(conn, side, seq, octets, n, row.captured, acks, frame, ts)
                    else:
                        self._payload(conn, side, seq, octets + row.start, n, row.captured, acks, frame, ts)
            elif seq != s.nxt and (flags & (_SYN | _FIN)) == 0:
                offset = s.off + _apart(seq, s.nxt)
                if offset > s.top and offset > s.ahead and offset <= s.top + FAR:
                    # Its sender has sent octets that are not here: late, or lost.
                    s.ahead = offset
                    s.ahead_frame = frame
                    s.ahead_ts = ts
            if flags & _FIN:
                offset = s.off + _apart((seq + n) & LOW_32, s.nxt)
                self._fin(conn, side, offset, acks, frame, ts)
        if rare_row >= 0:
            self._rare_before(rare, next_rare, count)
        if count:
            self.last_ts = self.now

    @cython.cfunc
    def _window(self, interface: cython.int) -> cython.longlong:
        """Return how long after a segment its duplicate may come on the same interface."""
        return self.windows[interface]

    def _rare_before(self, rare: list[RareFrame], start: int, row: int) -> tuple[int, int]:
        """Handle the rare frames that stand before *row*; return the next one's place and row (-1: none)."""
        while start < len(rare) and rare[start].row <= row:
            record = rare[start]
            start += 1
            if record.ts_ns >= self.observer.next_due and record.ts_ns - self.now < _JUMP_NS:
                self.observer.fire(record.ts_ns)
            if record.ts_ns > self.now and record.ts_ns - self.now < _JUMP_NS:
                self.now = record.ts_ns
            if record.quoted_source is not None and record.quoted_target is not None:
                self._icmp(record, record.quoted_source, record.quoted_target)
            self.observer.rare(record)
        return start, rare[start].row if start < len(rare) else -1

    def _icmp(self, record: RareFrame, source: tuple[int, int], target: tuple[int, int]) -> None:
        """Tell the connection whose segment an ICMP error quotes."""
        conn: Connection
        half: Half
        ports: cython.uint = record.quoted_ports
        h: cython.ulonglong = _scatter(source[0], source[1], target[0], target[1], ports, self.seed)
        conn = self._find(h, source[0], source[1], target[0], target[1], ports)
        if conn is None:
            if record.kind != "packet_too_big":
                self.observer.unseen(None, record.ts_ns)
            return
        side = 0 if conn.a.port == ports >> 16 and (conn.a.high, conn.a.low) == source else 1
        half = conn.b if side else conn.a
        while conn.beside and conn.twin is not None and not self._is_near(half, record.quoted_seq):
            conn = conn.twin
            side = 0 if conn.a.port == ports >> 16 and (conn.a.high, conn.a.low) == source else 1
            half = conn.b if side else conn.a
        if record.kind == "packet_too_big":
            self._odd("packet_too_big")
            conn.too_big = (record, self.files[record.interface])
            return
        conn.note(1 - side, STEP_UNREACHABLE, 0, record.frame, record.ts_ns)
        quotes_syn = half.syn_seen and half.isn == record.quoted_seq
        if conn.unreachable is None or (quotes_syn and not conn.unreachable[1]):
            conn.unreachable = (record, quotes_syn, self.files[record.interface])
            self.observer.closing(conn, 1 - side, record.ts_ns)

    def _step_back(self, frame: int, ts: int) -> None:
        """The clock of the capture went back by more than a second: follow it, and remember where."""
        if len(self.steps) < 256:
            self.steps.append((frame, self.now, ts))
        self.now = ts

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _locate(self, conn: Connection, side: cython.int, flags: cython.uint) -> cython.int:
        """Learn from the capture's own word which end of the connection is the capturing host."""
        sender: cython.int = 2 if side else 1
        if conn.local < 0:
            conn.local = 0
        conn.local |= sender if flags & _OUTBOUND else 3 - sender
        return 0

    @cython.cfunc
    def _on_lane(
        self,
        conn: Connection,
        high: cython.ulonglong,
        low: cython.ulonglong,
        ports: cython.uint,
        seq: cython.uint,
        ack: cython.uint,
        flags: cython.uint,
    ) -> Connection | None:
        """Return the connection that a segment belongs to whose addresses and ports were seen on another VLAN.

        VLANs split nothing where the numbers go on: requests on one and answers on another, or the same packet before
        and after a bridge, are one connection. Numbers far from all that this one had, while it is open, are those
        of somebody else who has the same addresses on his own VLAN: None, and a connection of its own begins.
        """
        lane: cython.int = flags >> LANE_SHIFT
        one: Connection | None = conn
        last: Connection = conn
        fitting: Connection | None = None
        home: Connection | None = None
        half: Half
        side: cython.int
        count: cython.int = 0
        while one is not None:
            half = one.a
            side = 0
            if half.port != cython.cast(cython.int, ports >> 16) or half.low != low or half.high != high:
                side = 1
                half = one.b
            if self._fits(one, side, seq, ack, flags, low, ports):
                if half.lane == lane:
                    return one
                if fitting is None:
                    fitting = one
            elif half.lane == lane and home is None:
                home = one
            count += 1
            last = one
            one = one.twin
        if fitting is not None:
            half = fitting.a
            if half.port != cython.cast(cython.int, ports >> 16) or half.low != low or half.high != high:
                half = fitting.b
            half.lane = lane
            fitting.lane = lane if fitting.a.lane == fitting.b.lane and not fitting.beside else -1
            return fitting
        if home is not None:
            return home
        if (conn.dead and not conn.beside) or flags & _RST:
            return conn
        if count >= MAX_BESIDE:
            last.evicted = True
            self.evicted += 1
            self._retire(last)
        self.overlapping += 1
        conn.beside = True
        conn.lane = -1
        return None

    @cython.cfunc
    def _fits(
        self,
        conn: Connection,
        side: cython.int,
        seq: cython.uint,
        ack: cython.uint,
        flags: cython.uint,
        low: cython.ulonglong,
        ports: cython.uint,
    ) -> cython.bint:
        """Whether a segment's numbers are near those that a connection has had."""
        s: Half = conn.b if side else conn.a
        r: Half = conn.a if side else conn.b
        if (flags & (_SYN | _ACK)) == _SYN:
            return not self._begins_anew(conn, seq, low, ports)
        if flags & _ACK and r.started and not self._is_near(r, ack):
            return False
        if flags & _SYN and s.syn_seen:
            return s.isn == seq
        return not s.started or self._is_near(s, seq) or (flags & (_RST | _ACK)) == (_RST | _ACK)

    @cython.cfunc
    def _is_near(self, half: Half, number: cython.uint) -> cython.bint:
        away: cython.longlong = _apart(number, half.nxt)
        least: cython.longlong = half.acked - half.off if half.acked < half.off else 0
        return least - NEAR <= away <= half.top - half.off + NEAR

    def _begins_anew(self, conn: Connection, seq: int, low: int, ports: int) -> bool:
        """Whether a SYN belongs to a new connection on a known 5-tuple (its port is used again)."""
        side = 0 if conn.a.port == ports >> 16 and conn.a.low == low else 1
        sender = conn.b if side else conn.a
        if sender.syn_seen:
            return bool(sender.isn != seq)
        if side == 0 and not conn.mid and sender.started:
            # The SYN behind its own SYN-ACK: frames were captured in another order than they were sent.
            return bool(seq != (sender.nxt - sender.off - 1) & 0xFFFFFFFF)
        # A first SYN of the acceptor while the opener's stands unanswered is a simultaneous open.
        return conn.mid or side == 0 or conn.established

    def _implied(self, conn: Connection, ack: int) -> None:
        conn.established = True
        if not conn.b.started:
            conn.b.started = True
            conn.b.nxt = ack
        self.observer.established(conn, 0, conn.last_ts)

    # -- what a segment can do --------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _syn(
        self,
        conn: Connection,
        side: cython.int,
        seq: cython.uint,
        ack: cython.uint,
        flags: cython.uint,
        window: cython.int,
        mss: cython.int,
        scale: cython.int,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        s: Half = conn.b if side else conn.a
        r: Half = conn.a if side else conn.b
        if flags & _ACK:
            if side == 0 and not r.syn_seen:
                return 0
            if side == 1 and r.syn_seen and not conn.mid and _apart(ack, r.isn) < 1:
                self._odd("syn_ack_for_another_syn")
                return 0
            conn.note(side, _STEP_SYN_ACK, 0, frame, ts)
        else:
            conn.note(side, _STEP_SYN, 0, frame, ts)
        if not s.syn_seen:
            s.syn_seen = True
            s.stamped = (flags & _HAS_TIMESTAMP) != 0
            s.isn = seq
            s.scale = scale
            s.mss = mss
            if not s.started:
                s.started = True
                s.nxt = (seq + 1) & LOW_32
        if s.isn == seq:
            self._remember(conn, side, frame, ts)
        if (flags & _ACK) and side == 1 and not conn.established:
            conn.established = True
            if conn.a.fin_off >= 0 or conn.a.rst_state:
                # What came before the handshake was over has not ended it.
                conn.dead = False
            self.observer.established(conn, frame, ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _remember(self, conn: Connection, side: cython.int, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """Keep frame and time of the first sixteen SYNs, or SYN-ACKs, of a connection."""
        more: list[tuple[int, int]] | None
        if side:
            if conn.syn_ack_frame == 0:
                conn.syn_ack_frame = frame
                conn.syn_ack_ts = ts
                return 0
            if conn.more_syn_acks is None:
                conn.more_syn_acks = []
            more = conn.more_syn_acks
        else:
            if conn.syn_frame == 0:
                conn.syn_frame = frame
                conn.syn_ts = conn.syn_last_ts = ts
                return 0
            if conn.more_syns is None:
                conn.more_syns = []
            more = conn.more_syns
        if len(more) < 15:
            more.append((frame, ts))
            if side == 0:
                conn.syn_last_ts = ts
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _ack(
        self, conn: Connection, side: cython.int, ack: cython.uint, frame: cython.longlong, ts: cython.longlong
    ) -> cython.longlong:
        """Follow an acknowledgement; return the offset of the other side that it reaches, -1 if none."""
        r: Half = conn.a if side else conn.b
        offset: cython.longlong
        if not r.started:
            r.started = True
            r.nxt = ack
        offset = r.off + _apart(ack, r.nxt)
        if offset > r.acked:
            if offset > r.top:
                if offset > r.top + FAR:
                    self.ignored += 1
                    return -1
                if side == 1 and (r.fin_off < 0 or offset > r.fin_off + 1):
                    self.observer.unseen(conn, ts)
            if r.fin_off < 0 or r.acked < r.fin_off or offset != r.fin_off + 1:
                # The acknowledgement of a FIN alone takes no octet.
                r.acked_frame = frame
                r.acked_ts = ts
            r.acked = offset
            r.unacked_rexmits = 0
            if r.fin_off >= 0 and offset > r.fin_off and r.fin_acked_frame == 0:
                r.fin_acked_frame = frame
                r.fin_acked_ts = ts
            if side == 0 and conn.ack_frame == 0 and conn.established:
                conn.ack_frame = frame
                conn.ack_ts = ts
            if r.pieces is not None and r.hole_acked_ts == 0 and offset >= r.pieces[0].offset:
                r.hole_acked_ts = ts
                self.observer.hole(conn, ts)
        elif offset == r.acked and r.pieces is not None:
            r.hole_dups += 1
        return offset if offset >= 0 else -1

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _payload(
        self,
        conn: Connection,
        side: cython.int,
        seq: cython.uint,
        octets: cython.p_const_uchar,
        n: cython.longlong,
        captured: cython.longlong,
        acks: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        s: Half = conn.b if side else conn.a
        r: Half = conn.a if side else conn.b
        offset: cython.longlong = s.off + _apart(seq, s.nxt)
        end: cython.longlong = offset + n
        late: cython.longlong
        had: cython.longlong
        keep: cython.bint
        fresh: cython.longlong
        if not conn.established and side == 1:
            self._odd("data_before_handshake")
            return 0
        if side == 0 and conn.established and not conn.mid and s.rst_state and s.rst_ts <= ts:
            if s.rst_frame < conn.syn_ack_frame and s.rst_ts <= conn.syn_ack_ts:  # files may be in any order
                s.rst_state = _RST_NONE
        if s.fin_off >= 0 and side == 0 and s.fin_frame < conn.syn_ack_frame and offset >= s.fin_off:
            if s.fin_ts <= conn.syn_ack_ts:
                s.fin_off = -1  # a FIN before the handshake, which nobody honoured
                s.fin_frame = 0
        if s.rst_state == _RST_EXACT or s.rst_state == _RST_IN_WINDOW:
            if s.rst_off < 0 or offset >= s.rst_off:
                if s.after_rst_frame == 0:
                    s.after_rst_frame = frame
                    s.after_rst_ts = ts
                return 0
        if side == 1 and (r.rst_state == _RST_EXACT or r.rst_state == _RST_IN_WINDOW) and r.rst_acks < end:
            # The gateway had left before these octets reached it.
            if s.after_rst_frame == 0:
                s.after_rst_frame = frame
                s.after_rst_ts = ts
            return 0
        if end <= s.off:
            if n <= 1 and end == s.off:
                conn.note(side, _STEP_PROBE, n, frame, ts)
                return 0
            s.rexmits += 1
            s.rexmit_frame = frame
            s.rexmit_ts = ts
            if end > s.acked:
                s.unacked_rexmits += 1
            conn.note(side, _STEP_RETRANSMISSION, n, frame, ts)
            if captured > 0 and conn.conflict is None:
                self._compare(conn, side, octets, min(n, captured), offset, frame, ts)
            return 0
        if s.fin_off >= 0 and end > s.fin_off:
            if offset >= s.fin_off:
                self._odd("data_after_fin")
                return 0
            n = s.fin_off - offset
            end = s.fin_off
            if end <= s.off:
                return 0
        if offset > s.top + FAR:
            self.ignored += 1
            return 0
        if offset < s.top:
            s.rexmits += 1
            s.rexmit_frame = frame
            s.rexmit_ts = ts
        if end > s.top:
            s.top = end
        conn.note(side, _STEP_DATA, n, frame, ts)
        if offset > s.off:
            keep = conn.decoder is not None
            if keep and (s.buffered + n > self.max_waiting or self.buffered + n > self.max_buffered):
                keep = self._room(s, n)
            had = s.buffered
            fresh = hold(conn, s, octets, n, captured, offset, frame, ts, acks, keep)
            self.buffered += s.buffered - had
            if fresh != 0:
                s.progress_frame = frame
                s.progress_ts = ts
            if fresh < 0:
                release(conn, side, ts, False)
            elif s.hole_acked_ts == 0 and s.acked >= offset:
                s.hole_acked_ts = ts
                self.observer.hole(conn, ts)
            return 0
        s.progress_frame = frame
        s.progress_ts = ts
        late = s.off - offset
        if late > 0 and captured > 0 and conn.conflict is None:
            self._compare(conn, side, octets, min(n, captured), offset, frame, ts)
        if late > captured:
            captured = late
        if s.pieces is not None:
            self._fill(conn, s, octets, n, captured, offset, frame, ts, acks)
        elif cython.compiled:
            deliver(conn, s, side, octets + late, n - late, captured - late, frame, ts, acks)
        else:
            deliver(conn, s, side, octets[late:], n - late, captured - late, frame, ts, acks)
        if s.fin_off >= 0:
            finish_fin(conn, 0 if conn.a is s else 1)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _compare(
        self,
        conn: Connection,
        side: cython.int,
        octets: cython.p_const_uchar,
        n: cython.longlong,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """Compare octets that came once more with what the decoder still has of them."""
        kept = None if conn.decoder is None else conn.decoder.kept(side, offset)
        if kept is not None and kept[2] != frame:
            compare(conn, kept[1], kept[0], kept[2], kept[3], octets[:n], offset, frame, ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _fill(
        self,
        conn: Connection,
        s: Half,
        octets: cython.p_const_uchar,
        n: cython.longlong,
        captured: cython.longlong,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
        acks: cython.longlong,
    ) -> cython.int:
        """Deliver octets that stand at ``s.off`` while others wait behind a hole; what waits came first and stays."""
        end: cython.longlong = offset + n
        stop: cython.longlong
        late: cython.longlong
        known: cython.longlong
        had: cython.longlong = s.buffered
        piece: Piece
        lost: cython.bint
        while s.off < end:
            stop = end
            if s.pieces is not None:
                piece = s.pieces[0]
                if piece.offset < end:
                    stop = piece.offset
                    if conn.conflict is None and piece.octets is not None and piece.offset - offset < captured:
                        again = octets[: min(n, captured)]
                        compare(conn, piece.octets, piece.offset, piece.frame, piece.ts_ns, again, offset, frame, ts)
                lost = s.hole_dups >= 3 or (s.hole_dups > 0 and ts - piece.ts_ns >= RETRANSMITTED_NS)
                if lost and s.acked <= s.off and stop >= piece.offset:
                    count_hole(s, WIRE)
                s.hole_dups = 0
            late = s.off - offset
            known = captured - late if captured > late else 0
            if stop - s.off < known:
                known = stop - s.off
            if cython.compiled:
                deliver(conn, s, 0 if conn.a is s else 1, octets + late, stop - s.off, known, frame, ts, acks)
            else:
                deliver(conn, s, 0 if conn.a is s else 1, octets[late:], stop - s.off, known, frame, ts, acks)
            drain(conn, 0 if conn.a is s else 1)
        self.buffered += s.buffered - had
        return 0

    def _room(self, half: Half, octets: int) -> bool:
        """Whether octets may wait in memory: within the limits of their connection and of all together.

        Holes that the observer closed are not counted down at once, so all are counted anew before it is full.
        """
        if half.buffered + octets <= self.max_waiting:
            self.recount -= 1
            if self.recount < 0:
                self.recount = 65_536
                self.buffered = sum(
                    conn.a.buffered + conn.b.buffered for conn in self.order if conn is not None and not conn.superseded
                )
            if self.buffered + octets <= self.max_buffered:
                return True
        self._odd("octets_not_kept")
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _fin(
        self,
        conn: Connection,
        side: cython.int,
        offset: cython.longlong,
        acks: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        s: Half = conn.b if side else conn.a
        r: Half = conn.a if side else conn.b
        if offset == -1 and side == 0 and not conn.established and s.top == 0:
            offset = 0  # some stacks close an unanswered SYN with the SYN's own number
        if s.fin_off >= 0 or offset > s.top + FAR or offset < s.acked:
            return 0
        if not conn.established and side == 1:
            self._odd("fin_before_handshake")
            return 0
        s.fin_off = offset
        s.fin_frame = frame
        s.fin_ts = ts
        s.fin_acks = acks
        if side == 1 and conn.opaque_frame == 0:
            conn.opaque_frame = r.progress_frame
            conn.opaque_ts = r.progress_ts
        conn.note(side, _STEP_FIN, 0, frame, ts)
        finish_fin(conn, side)
        if r.fin_off >= 0 and conn.established:
            self._dead(conn, ts)
        self.observer.closing(conn, side, ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _rst(
        self,
        conn: Connection,
        side: cython.int,
        seq: cython.uint,
        ack: cython.uint,
        flags: cython.uint,
        window: cython.int,
        ttl: cython.int,
        ip_id: cython.int,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """Judge a RST as its receiver would (RFC 9293 section 3.10.7, RFC 5961 section 3)."""
        s: Half = conn.b if side else conn.a
        r: Half = conn.a if side else conn.b
        offset: cython.longlong = -1
        room: cython.longlong
        state: cython.int
        conn.note(side, _STEP_RST, 0, frame, ts)
        if not conn.established and side == 1:
            if (flags & _ACK) and r.syn_seen and (ack == ((r.isn + 1) & LOW_32) or ack == r.nxt):
                if conn.refused_frame == 0:
                    conn.refused_frame = frame
                    conn.refused_ts = ts
                    conn.refused_ttl = ttl
                    conn.refused_ip_id = ip_id
                    conn.refused_window = window
                    conn.refused_flags = flags
                    conn.refused_seq = seq
                    self._dead(conn, ts)
                    self.observer.closing(conn, side, ts)
            else:
                self._odd("rst_ignored")
            return 0
        if not s.started:
            state = _RST_EXACT
        else:
            offset = s.off + _apart(seq, s.nxt)
            room = r.window
            if r.scale > 0 and s.scale >= 0:
                room <<= r.scale
            elif conn.mid:
                room <<= 14
            if (
                offset == s.off
                or offset == s.top
                or offset == s.acked
                or (s.fin_off >= 0 and offset == s.fin_off + 1)
                or (not conn.established)
            ):
                state = _RST_EXACT
            elif offset >= (s.acked if s.acked >= 0 else 0) and offset <= s.top + room:
                state = _RST_IN_WINDOW
            elif conn.mid and s.frames == 1:
                state = _RST_EXACT
            else:
                state = _RST_IGNORED
        if state == _RST_IGNORED:
            self._odd("rst_ignored")
            return 0
        if s.rst_state != _RST_NONE and s.rst_state != _RST_IGNORED:
            return 0
        s.rst_state = state
        s.rst_frame = frame
        s.rst_ts = ts
        s.rst_seq = seq
        s.rst_off = offset
        s.rst_acks = -1
        s.rst_ttl = ttl
        s.rst_ip_id = ip_id
        s.rst_window = window
        s.rst_flags = flags
        if side == 1 and conn.opaque_frame == 0:
            conn.opaque_frame = r.progress_frame
            conn.opaque_ts = r.progress_ts
        if (flags & _ACK) and r.started:
            s.rst_acks = r.off + _apart(ack, r.nxt)
            if side == 1 and s.rst_acks > r.top and (r.fin_off < 0 or s.rst_acks > r.fin_off + 1):
                self.observer.unseen(conn, ts)
        self._dead(conn, ts)
        self.observer.closing(conn, side, ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _alive_after_rst(self, conn: Connection, side: cython.int, ts: cython.longlong) -> cython.int:
        """A RST inside the window, but not at its edge, was ignored when its receiver goes on."""
        r: Half = conn.a if side else conn.b
        r.rst_state = _RST_IGNORED
        conn.dead = False
        self._odd("rst_ignored")
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _dead(self, conn: Connection, ts: cython.longlong) -> cython.int:
        if not conn.dead:
            conn.dead = True
            if not conn.in_closed:
                conn.in_closed = True
                conn.closed_ts = ts
                self.lingering += 1
                self.closed.append(conn)
        return 0

    # -- the end --------------------------------------------------------------------------------------------------

    def holes(self) -> tuple[int, int, int]:
        """Return how many holes were lost by the capture, on the wire, and nobody knows where."""
        found = list(self.lost)
        conn: Connection | None
        for conn in self.order:
            if conn is not None and not conn.superseded and not (_whole(conn.a) and _whole(conn.b)):
                self._add_holes(conn, found)
        return found[0], found[1], found[2]

    def _add_holes(self, conn: Connection, found: list[int]) -> None:
        for half in (conn.a, conn.b):
            for whose, count in enumerate(holes(half)):
                found[whose] += count

    def remaining(self) -> list[Connection | Resting]:
        """Return the connections that are still known, by stream; ``awake`` wakes those that rest."""
        known: list[Connection | Resting] = []
        conn: Connection | None
        last: cython.longlong = -1
        sorted_already: cython.bint = self.resting == 0
        for conn in self.order:
            if conn is not None and not conn.superseded:
                sorted_already = sorted_already and conn.stream > last
                last = conn.stream
                known.append(conn)
        known += [one for one in self.rested if one is not None and one.packed is not None]
        if not sorted_already:  # near the limit of connections, or of those awake, some are put behind others
            known.sort(key=lambda one: one.stream)
        return known

    def those(
        self, known: list[Connection | Resting], test: Callable[[Connection], bool], passed: bool
    ) -> list[Connection | Resting]:
        """Return those of ``remaining`` that *passed* a *test*, or not; of those that rest it sees the ends alone."""
        chosen: list[Connection | Resting] = []
        for one in known:
            if type(one) is Resting:
                name(one, self.shape)
                found = test(self.shape)
            else:
                found = test(cython.cast(Connection, one))
            if found == passed:
                chosen.append(one)
        return chosen

    def up(self, known: list[Connection | Resting]) -> list[Connection]:
        """Return those of a part of ``remaining`` that do not rest."""
        return [cython.cast(Connection, one) for one in known if type(one) is Connection]

    def awake(self, known: list[Connection | Resting]) -> Iterator[Connection]:
        """Return the connections of a part of ``remaining``, each for its turn only, without those that are quiet."""
        for one in known:
            if not isinstance(one, Resting):
                yield one
            elif one.packed is not None and not one.quiet:
                yield self._awoken(one)


@cython.cfunc
@cython.exceptval(check=False)
def _is_of(
    resting: Resting,
    sh: cython.ulonglong,
    sl: cython.ulonglong,
    th: cython.ulonglong,
    tl: cython.ulonglong,
    ports: cython.uint,
) -> cython.bint:
    """Whether a segment is one of a connection that rests."""
    source: cython.int = ports >> 16
    target: cython.int = ports & 0xFFFF
    if (
        resting.a_low == sl
        and resting.b_low == tl
        and resting.a_port == source
        and resting.b_port == target
        and resting.a_high == sh
        and resting.b_high == th
    ):
        return True
    return (
        resting.b_low == sl
        and resting.a_low == tl
        and resting.b_port == source
        and resting.a_port == target
        and resting.b_high == sh
        and resting.a_high == th
    )


@cython.cfunc
def _is_over(conn: Connection) -> cython.bint:
    """Whether both ends have closed a connection and know it of each other: nothing more can come."""
    return (
        conn.dead
        and not (conn.superseded or conn.shadowed or conn.beside)
        and conn.view is None
        and conn.a.fin_acked_frame > 0
        and conn.b.fin_acked_frame > 0
        and conn.a.rst_state == 0
        and conn.b.rst_state == 0
    )


@cython.cfunc
def _whole(half: Half) -> cython.bint:
    """Whether no octet of a direction is missing, as most are: ``holes`` has nothing to count."""
    fin: cython.int = 1 if half.fin_off >= 0 else 0
    return half.lost is None and half.pieces is None and half.acked <= half.off + fin


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
