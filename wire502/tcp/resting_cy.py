"""Connections that rest: of each a few hundred octets that say all that was known, until its next segment comes.

A gateway keeps thousands of idle connections open for minutes. What is needed to find one again (addresses, ports,
its place in the table) stands in a ``Resting``; the rest are the fields of connection, halves, ring of steps and
decoder, as ``Cells``. Nothing is left out: a connection that wakes is what it was.

What has something under way, or is remembered by anybody (a verdict that waits, a timer, the history), never rests.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.cells_cy import Cells
    from cython.cimports.wire502.model.flow_cy import Connection, Half
else:
    from wire502.model.cells_cy import Cells
    from wire502.model.flow_cy import Connection, Half

from wire502.model.flow_cy import NEVER, RING

_NEVER = cython.declare(cython.longlong, NEVER)
_RING = cython.declare(cython.int, RING)
LOW_32 = cython.declare(cython.longlong, 0xFFFFFFFF)

# What is in no packed record: references, which a connection that rests has none of but to what is kept beside it, and
# what a ``Resting`` holds itself. A test holds these lists against the records' declarations.
NOT_PACKED = {
    "Connection": (
        *("a", "b", "decoder", "upstream", "stream", "last_ts", "local"),  # packed apart, or beside it
        *("slot", "place", "hash"),  # likewise, or given anew
        *("dead", "superseded", "evicted", "shadowed", "beside", "in_closed"),  # false, or it does not rest
        *("more_syns", "more_syn_acks", "unreachable", "too_big", "conflict", "pending", "twin", "view"),  # None
        "settle_at",  # NEVER
    ),
    "Half": ("high", "low", "port", "pieces", "gaps", "lost", "buffered"),
}


@cython.final
@cython.no_gc  # it refers to nothing that could refer to it
@cython.freelist(64)
@cython.cclass
class Resting:
    """A connection that rests: where it stands, who its ends are, and everything else packed.

    ``packed`` is None once it was woken. ``quiet``: when the capture ends there is nothing to be said of it.
    """

    a_high: int
    a_low: int
    b_high: int
    b_low: int
    hash: int
    slot: int
    stream: int
    last_ts: int
    upstream: Any
    packed: bytes | None
    a_port: int
    b_port: int
    local: int
    quiet: bool

    def __init__(self) -> None:
        if not cython.compiled:  # C fields start as zero
            self.a_high = self.a_low = self.b_high = self.b_low = self.hash = self.slot = self.stream = 0
            self.last_ts = self.a_port = self.b_port = self.local = 0
            self.quiet = False
        self.upstream = None
        self.packed = None


@cython.cfunc
@cython.inline
def _is_calm(half: Half) -> cython.bint:
    """Whether nothing of one direction is missing, waits, or has ended."""
    return (
        half.frames > 0
        and half.pieces is None
        and half.gaps is None
        and half.lost is None
        and half.buffered == 0
        and half.fin_off < 0
        and half.rst_state == 0
        and half.acked <= half.off
    )


@cython.cfunc
def may_rest(conn: Connection) -> cython.bint:
    """Whether a connection is open, as far as its own record says, and nothing special has happened to it."""
    return (
        conn.established
        and not (conn.dead or conn.in_closed or conn.superseded or conn.evicted or conn.shadowed or conn.beside)
        and conn.settle_at == _NEVER
        and conn.decoder is not None
        and conn.pending is None
        and conn.twin is None
        and conn.view is None
        and conn.more_syns is None
        and conn.more_syn_acks is None
        and conn.unreachable is None
        and conn.too_big is None
        and conn.conflict is None
        and _is_calm(conn.a)
        and _is_calm(conn.b)
    )


@cython.ccall
def pack(conn: Connection, cells: Cells) -> Resting | None:
    """Return what a connection is while it rests; None: its decoder has something under way."""
    resting: Resting = Resting.__new__(Resting)
    cells.begin(conn.last_ts)
    _walk(conn, cells)
    if conn.decoder is None or not conn.decoder.rest(cells):
        return None
    resting.packed = cells.finish()
    resting.a_high = conn.a.high
    resting.a_low = conn.a.low
    resting.a_port = conn.a.port
    resting.b_high = conn.b.high
    resting.b_low = conn.b.low
    resting.b_port = conn.b.port
    resting.hash = conn.hash
    resting.slot = conn.slot
    resting.stream = conn.stream
    resting.last_ts = conn.last_ts
    resting.local = conn.local
    resting.upstream = conn.upstream
    resting.quiet = False
    return resting


@cython.ccall
@cython.exceptval(-1, check=False)
def unpack(resting: Resting, conn: Connection, cells: Cells) -> cython.int:
    """Make *conn*, which is new and has a new decoder, what it was before it rested."""
    name(resting, conn)
    conn.hash = resting.hash
    conn.slot = resting.slot
    conn.stream = resting.stream
    conn.last_ts = resting.last_ts
    conn.upstream = resting.upstream
    cells.read(resting.packed, resting.last_ts)
    _walk(conn, cells)
    if conn.decoder is not None:
        conn.decoder.rest(cells)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def name(resting: Resting, conn: Connection) -> cython.int:
    """Give a connection the ends of one that rests, and nothing else."""
    conn.a.high = resting.a_high
    conn.a.low = resting.a_low
    conn.a.port = resting.a_port
    conn.b.high = resting.b_high
    conn.b.low = resting.b_low
    conn.b.port = resting.b_port
    conn.local = resting.local
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _walk(conn: Connection, cells: Cells) -> cython.int:
    """Hand all fields in, and take back what comes out. Times and frames go backwards from the last segment."""
    place: cython.int
    count: cython.int
    what: cython.longlong
    kind: cython.longlong
    times: cython.longlong
    octets: cython.longlong
    _walk_half(conn.a, cells)
    _walk_half(conn.b, cells)
    conn.ring_next = cells.number(conn.ring_next)
    conn.ring_count = cells.number(conn.ring_count)
    count = conn.ring_count
    place = conn.ring_next
    for _ in range(count):
        place = place - 1 if place else _RING - 1
        conn.ring[3 * place] = cells.seen(conn.ring[3 * place])
        conn.ring[3 * place + 1] = cells.time(conn.ring[3 * place + 1])
        what = conn.ring[3 * place + 2]
        kind = cells.plain((what & 0xFF) << 1 | (what >> 8 & 1))
        times = cells.plain(what >> 9 & 0x7FFFFF)
        octets = cells.plain(what >> 32)
        conn.ring[3 * place + 2] = octets << 32 | times << 9 | (kind & 1) << 8 | kind >> 1
    conn.established = cells.flag(conn.established)
    conn.ack_frame = cells.seen(conn.ack_frame)
    conn.ack_ts = cells.time(conn.ack_ts)
    conn.syn_ack_frame = cells.seen(conn.syn_ack_frame)
    conn.syn_ack_ts = cells.time(conn.syn_ack_ts)
    conn.syn_last_ts = cells.time(conn.syn_last_ts)
    conn.syn_frame = cells.seen(conn.syn_frame)
    conn.syn_ts = cells.time(conn.syn_ts)
    conn.first_frame = cells.seen(conn.first_frame)
    conn.first_ts = cells.time(conn.first_ts)
    conn.sign = cells.plain(conn.sign)
    conn.stamp = cells.number(conn.stamp)
    conn.opener = cells.number(conn.opener)
    conn.began = cells.number(conn.began)
    conn.interface = cells.number(conn.interface)
    conn.file = cells.number(conn.file)
    conn.lane = cells.number(conn.lane)
    conn.mid = cells.flag(conn.mid)
    conn.settled = cells.flag(conn.settled)
    conn.ipv6 = cells.flag(conn.ipv6)
    conn.snap_cut = cells.flag(conn.snap_cut)
    conn.unkept = cells.flag(conn.unkept)
    conn.refused_frame = cells.seen(conn.refused_frame)
    conn.refused_ts = cells.time(conn.refused_ts)
    conn.refused_ttl = cells.number(conn.refused_ttl)
    conn.refused_ip_id = cells.number(conn.refused_ip_id)
    conn.refused_window = cells.number(conn.refused_window)
    conn.refused_flags = cells.number(conn.refused_flags)
    conn.refused_seq = cells.number(conn.refused_seq)
    conn.step_frame = cells.seen(conn.step_frame)
    conn.step_ts = cells.time(conn.step_ts)
    conn.opaque_frame = cells.seen(conn.opaque_frame)
    conn.opaque_ts = cells.time(conn.opaque_ts)
    conn.closed_ts = cells.time(conn.closed_ts)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _walk_half(half: Half, cells: Cells) -> cython.int:
    half.started = cells.flag(half.started)
    half.nxt = cells.number(half.nxt)
    half.off = cells.number(half.off)
    half.top = cells.near(half.top, half.off)
    half.acked = cells.near(half.acked, half.off)
    half.isn = cells.near(half.isn, (half.nxt - half.off - 1) & LOW_32)
    half.skip = cells.number(half.skip)
    half.last_frame = cells.seen(half.last_frame)
    half.last_ts = cells.time(half.last_ts)
    half.acked_frame = cells.seen(half.acked_frame)
    half.acked_ts = cells.time(half.acked_ts)
    half.progress_frame = cells.seen(half.progress_frame)
    half.progress_ts = cells.time(half.progress_ts)
    half.frames = cells.number(half.frames)
    half.window = cells.number(half.window)
    half.largest = cells.number(half.largest)
    half.ttl = cells.number(half.ttl)
    half.ip_id = cells.number(half.ip_id)
    half.ip_id_before = cells.near(half.ip_id_before, half.ip_id)
    half.syn_seen = cells.flag(half.syn_seen)
    half.scale = cells.number(half.scale)
    half.mss = cells.number(half.mss)
    half.dont_fragment = cells.flag(half.dont_fragment)
    half.stamped = cells.flag(half.stamped)
    half.lane = cells.number(half.lane)
    half.ahead = cells.number(half.ahead)
    half.ahead_frame = cells.seen(half.ahead_frame)
    half.ahead_ts = cells.time(half.ahead_ts)
    half.rexmits = cells.number(half.rexmits)
    half.unacked_rexmits = cells.number(half.unacked_rexmits)
    half.rexmit_frame = cells.seen(half.rexmit_frame)
    half.rexmit_ts = cells.time(half.rexmit_ts)
    half.zero_frame = cells.seen(half.zero_frame)
    half.zero_ts = cells.time(half.zero_ts)
    half.hole_acked_ts = cells.time(half.hole_acked_ts)
    half.hole_dups = cells.number(half.hole_dups)
    half.fin_off = cells.near(half.fin_off, -1)
    half.fin_acks = cells.near(half.fin_acks, -1)
    half.fin_frame = cells.seen(half.fin_frame)
    half.fin_ts = cells.time(half.fin_ts)
    half.fin_done = cells.flag(half.fin_done)
    half.fin_acked_frame = cells.seen(half.fin_acked_frame)
    half.fin_acked_ts = cells.time(half.fin_acked_ts)
    half.rst_off = cells.near(half.rst_off, -1)
    half.rst_acks = cells.near(half.rst_acks, -1)
    half.rst_state = cells.number(half.rst_state)
    half.rst_frame = cells.seen(half.rst_frame)
    half.rst_ts = cells.time(half.rst_ts)
    half.rst_seq = cells.number(half.rst_seq)
    half.rst_ttl = cells.number(half.rst_ttl)
    half.rst_ip_id = cells.number(half.rst_ip_id)
    half.rst_window = cells.number(half.rst_window)
    half.rst_flags = cells.number(half.rst_flags)
    half.after_rst_frame = cells.seen(half.after_rst_frame)
    half.after_rst_ts = cells.time(half.after_rst_ts)
    return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
