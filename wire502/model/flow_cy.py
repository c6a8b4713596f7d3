"""The compiled contracts between ``tcp``, ``protocol`` and ``exchange``: connections, their halves, and who is told.

``tcp`` owns ``Half`` and the sequence space, a ``Decoder`` reads the octets in order and writes ``Exchange``
records, an ``Observer`` hears of the few moments at which a connection becomes worth a look. None of the three
stages imports another; ``engine`` puts them together.

Frames and time stamps stand side by side as plain integers (frame 0: never seen); offsets are those of
``model.attempt``. The file of a frame is that of its connection, but where a record says otherwise.

This module is long because the records name each other (a connection has a decoder, which has its connection): in
C they can only be declared together.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.cells_cy import Cells
else:
    from wire502.model.cells_cy import Cells

from wire502.model.capture_info import RareFrame

NEVER = 0x7FFFFFFFFFFFFFFF
UNKNOWN = -1

# Half.rst_state
RST_NONE = 0
RST_EXACT = 1  # at the next expected sequence number: accepted
RST_IN_WINDOW = 2  # accepted, unless its receiver goes on
RST_IGNORED = 3

# Exchange.framing
FRAMING_NONE = 0
FRAMING_LENGTH = 1
FRAMING_CHUNKED = 2
FRAMING_CLOSE = 3
FRAMING_TUNNEL = 4
FRAMING_UNKNOWN = 5
FRAMING_NAMES = ("none", "length", "chunked", "close", "tunnel", "unknown")

# kinds of a rung of the ladder (Connection.note), in the order of STEP_NAMES
(
    STEP_SYN,
    STEP_SYN_ACK,
    STEP_ACK,
    STEP_DATA,
    STEP_REQUEST,
    STEP_RESPONSE,
    STEP_INTERIM,
    STEP_FIN,
    STEP_RST,
    STEP_PROBE,
    STEP_RETRANSMISSION,
    STEP_ZERO_WINDOW,
    STEP_UNREACHABLE,
    STEP_GAP,
) = range(14)
STEP_NAMES = (
    "syn",
    "syn_ack",
    "ack",
    "data",
    "request",
    "response",
    "interim",
    "fin",
    "rst",
    "probe",
    "retransmission",
    "zero_window",
    "unreachable",
    "gap",
)
RING = 16

# The same as C numbers: to the compiler a plain module constant is a Python object.
_NEVER = cython.declare(cython.longlong, NEVER)


@cython.freelist(256)
@cython.cclass
class Piece:
    """A run of octets that arrived before its turn. ``octets`` is None where nobody will want to see them."""

    offset: int
    end: int
    frame: int
    ts_ns: int
    file: int
    acks: int
    octets: bytes | None

    def __init__(self) -> None:
        self.offset = self.end = self.frame = self.ts_ns = self.acks = 0
        self.file = 0
        self.octets = None


@cython.no_gc
@cython.freelist(8192)
@cython.cclass
class Half:
    """One direction of a connection: what its sender was seen to do.

    | field | meaning |
    |---|---|
    | started | ``nxt`` is known |
    | nxt, off | next sequence number in order, and its stream offset |
    | top | offset after the highest octet seen, in order or not |
    | skip | octets from ``off`` on that the decoder need not see |
    | acked | offset up to which the peer acknowledged this half (the FIN counts one); -1 none seen |
    | progress_* | last frame that brought new octets in order |
    | ttl, ip_id, ip_id_before | of the last segment that was no RST; the IP ID of the one before it |
    | dont_fragment, stamped | its first segment forbade fragments; its SYN had a timestamp |
    | largest | payload of its largest segment |
    | ahead, ahead_* | offset that the number of an empty segment of it told, ahead of its octets then |
    | rst_flags | as ``Segments.flags``, of the RST that counts |
    | rexmits, unacked_rexmits | retransmissions; those since the peer last acknowledged anything |
    | zero_* | first frame of a zero window that this half still advertises |
    | fin_off, fin_acks | where its FIN stands and what it acknowledges; -1 unknown |
    | rst_state | RST_* of the RST that counts |
    | after_rst_* | first payload of this half after its own RST |
    | pieces, buffered | octets ahead of their turn, sorted, and how many of them are held in memory |
    | gaps | tuples (label, offset, octets, frame, ts, in_head), of the first ones |
    | hole_dups | how often the peer repeated its acknowledgement of what stands before the first piece |
    | lost | how many holes there were by the capture's fault, the wire's, nobody knows whose; None: not one |
    | lane | VLAN or virtual network of its segments, see ``Segments.flags`` |
    """

    high: int
    low: int
    port: int
    started: bool
    syn_seen: bool
    nxt: int
    isn: int
    off: int
    top: int
    skip: int
    acked: int
    acked_frame: int
    acked_ts: int
    frames: int
    last_frame: int
    last_ts: int
    progress_frame: int
    progress_ts: int
    scale: int
    window: int
    mss: int
    ttl: int
    dont_fragment: bool
    stamped: bool
    ip_id: int
    ip_id_before: int
    largest: int
    ahead: int
    ahead_frame: int
    ahead_ts: int
    rexmits: int
    unacked_rexmits: int
    rexmit_frame: int
    rexmit_ts: int
    zero_frame: int
    zero_ts: int
    fin_off: int
    fin_frame: int
    fin_ts: int
    fin_acks: int
    fin_done: bool
    fin_acked_frame: int
    fin_acked_ts: int
    rst_frame: int
    rst_ts: int
    rst_off: int
    rst_acks: int
    rst_seq: int
    rst_state: int
    rst_ttl: int
    rst_ip_id: int
    rst_window: int
    rst_flags: int
    after_rst_frame: int
    after_rst_ts: int
    hole_acked_ts: int
    buffered: int
    pieces: list[Piece] | None
    gaps: list[tuple[str, int, int, int, int, bool]] | None
    hole_dups: int
    lost: list[int] | None
    lane: int

    def __init__(self) -> None:
        self.begin()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def begin(self) -> cython.int:
        """Make the record as new."""
        if not cython.compiled:  # C fields start as zero, and those that hold an object as None
            self.pieces = None
            self.gaps = None
            self.lost = None
            self.high = self.low = self.port = self.nxt = self.isn = self.off = self.top = self.skip = 0
            self.started = self.syn_seen = self.fin_done = False
            self.acked_frame = self.acked_ts = self.frames = self.last_frame = self.last_ts = 0
            self.progress_frame = self.progress_ts = self.window = self.mss = self.ttl = 0
            self.ip_id = self.ip_id_before = self.largest = self.rst_flags = 0
            self.ahead = self.ahead_frame = self.ahead_ts = 0
            self.dont_fragment = self.stamped = False
            self.rexmits = self.unacked_rexmits = self.rexmit_frame = self.rexmit_ts = 0
            self.zero_frame = self.zero_ts = self.fin_frame = self.fin_ts = 0
            self.fin_acked_frame = self.fin_acked_ts = 0
            self.rst_frame = self.rst_ts = self.rst_seq = self.rst_state = 0
            self.rst_ttl = self.rst_ip_id = self.rst_window = 0
            self.after_rst_frame = self.after_rst_ts = self.hole_acked_ts = self.buffered = self.hole_dups = 0
            self.lane = 0
        self.acked = self.fin_off = self.fin_acks = self.rst_off = self.rst_acks = -1
        self.scale = -1
        return 0


@cython.no_gc
@cython.freelist(64)
@cython.cclass
class Exchange:
    """One request and its response on a connection, as a decoder saw them.

    ``violation`` is None or the tuple (part, offset, frame, ts, why, looks_like, framing_lost); ``interim`` holds
    tuples (status, frame, ts). A ``ghost`` is a response whose request the capture did not see.
    """

    number: int
    ghost: bool
    req_whole: bool
    req_cut: bool
    expects: bool
    is_head: bool
    is_connect: bool
    req_frame: int
    req_ts: int
    req_start: int
    req_end: int
    req_last_frame: int
    req_last_ts: int
    req_acks: int
    req_head: bytes
    resp_done: bool
    resp_cut: bool
    resp_none: bool
    resp_frame: int
    resp_ts: int
    resp_start: int
    resp_acks: int
    status: int
    status_frame: int
    status_ts: int
    head_frame: int
    head_ts: int
    head_bytes: int
    body_bytes: int
    expected: int
    framing: int
    resp_last_frame: int
    resp_last_ts: int
    resp_head: bytes | None
    resp_page: bytes | None
    interim: list[tuple[int, int, int]] | None
    violation: tuple[str, int, int, int, str, str | None, bool] | None
    oddities: list[str] | None
    excess_before: bool
    foreign_status: int
    next_frame: int
    next_ts: int
    streaming: bool
    keep_alive: bool
    rexmits_before: int
    row: int
    judged: bool
    piped: bool

    def __init__(self) -> None:
        self.clear()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def clear(self) -> cython.int:
        """Make the record as new."""
        # All of it, since one that has been read is used again; in the order of the declaration, so that the compiler
        # writes what lies side by side at once.
        self.number = 0
        self.ghost = self.req_whole = self.req_cut = self.expects = self.is_head = self.is_connect = False
        self.req_frame = self.req_ts = self.req_start = self.req_end = 0
        self.req_last_frame = self.req_last_ts = 0
        self.req_acks = -1
        self.resp_done = self.resp_cut = self.resp_none = False
        self.resp_frame = self.resp_ts = self.resp_start = 0
        self.resp_acks = -1
        self.status = 0
        self.status_frame = self.status_ts = self.head_frame = self.head_ts = 0
        self.head_bytes = self.body_bytes = 0
        self.expected = -1
        self.framing = 0  # FRAMING_NONE
        self.resp_last_frame = self.resp_last_ts = 0
        self.excess_before = False
        self.foreign_status = 0
        self.next_frame = self.next_ts = 0
        self.streaming = False
        self.keep_alive = True
        self.rexmits_before = 0
        self.row = 0
        self.judged = self.piped = False
        self.req_head = b""
        self.resp_head = None
        self.resp_page = None
        self.interim = None
        self.violation = None
        self.oddities = None
        return 0

    def odd(self, name: str) -> None:
        """Note an oddity once."""
        if self.oddities is None:
            self.oddities = []
        if name not in self.oddities and len(self.oddities) < 16:
            self.oddities.append(name)


@cython.cclass
class Decoder:
    """Reads one connection's octets in order. Sides: 0 the opener's octets, 1 the acceptor's.

    The caller's promise: octets of one side come in order and once; ``on_gap`` stands where some are missing;
    ``on_fin`` comes once, behind the last octet. ``acks`` says how much of the other side the sender of the octets
    had received. ``on_octets`` returns how many it used (all but what follows a skip) and leaves in ``skip`` how
    many of the next octets nobody needs to see; ``on_skipped`` comes when these have gone by. ``proxied`` is the PROXY
    preface that they began with, as far as its first 256 octets were kept.
    """

    conn: Connection
    skip: int
    acks: int
    current: Exchange | None
    queue: list[Exchange] | None
    http: bool
    decided: bool
    tunnel: bool
    exchanges: int
    looks_like: str | None
    proxied: bytes | None

    @cython.cfunc
    def another(self, conn: Connection) -> Decoder:
        """Return a decoder of the same kind, with the same limits and observer, for a new connection."""
        raise NotImplementedError

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def renew(self, conn: Connection) -> cython.bint:
        """Become as new, for the connection *conn*; return False, and be of no more use, where that cannot be."""
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def on_octets(
        self,
        side: cython.int,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read *n* octets that begin at *offset*; return how many were used."""
        raise NotImplementedError

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def on_skipped(
        self, side: cython.int, offset: cython.longlong, frame: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        """Hear that the octets to be skipped have gone by; *offset* is where they end."""
        raise NotImplementedError

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def on_gap(
        self,
        side: cython.int,
        offset: cython.longlong,
        n: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """Hear that *n* octets at *offset* are missing and will not come."""
        raise NotImplementedError

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def on_fin(self, side: cython.int, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """Hear that the side has sent its last octet."""
        raise NotImplementedError

    def kept(self, side: int, offset: int) -> tuple[int, bytes, int, int] | None:
        """Return the octets at *offset* that are still at hand, if any: where they begin, these, frame, time."""
        return None

    def rest(self, cells: Cells) -> bool:
        """Walk its fields with *cells* when its connection begins to rest, and in a new decoder when it wakes.

        Returns False where that cannot be since something is under way.
        """
        return False


@cython.freelist(4096)  # they are let go of thousands at once
@cython.cclass
class Connection:
    """One TCP connection; ``a`` is the half of the opener (the gateway), ``b`` that of the acceptor.

    | field | meaning |
    |---|---|
    | opener | who opened it: 2 a SYN or SYN-ACK shows it, 1 a request head shows it, 0 a guess by port |
    | mid | the capture began after the handshake |
    | established | a SYN-ACK was seen or is implied |
    | syns, syn_acks | (frame, ts) of the first sixteen of each; syn_*, syn_ack_*: of the first; syn_last_ts: the last |
    | refused_* | a RST that acknowledged ISN + 1 before any SYN-ACK |
    | upstream | whatever the observer counts for the acceptor |
    | unreachable | (frame, quotes the SYN, file) of the ICMP error that counts |
    | too_big | (record, file) of the last ICMP error that asks for smaller packets |
    | conflict | (frame, ts, frame, ts) of the first two copies of octets that differ |
    | pending | finished exchanges with a violation that waits for the gateway's reaction |
    | snap_cut, unkept | octets were not seen since frames were cut short; since too many waited for their turn |
    | local | -1 not said, else bit 0: the opener is the capturing host, bit 1: the acceptor is |
    | sign, stamp | what tells its first segment from others on both sides of a translation; its IP ID and TSval |
    | began | who sent that segment: 0, 1 |
    | shadowed, view | the same packets are a connection of their own behind a translation: that one is judged |
    | dead, settled | a FIN of both or a RST has ended it; it has been judged |
    | lane | the VLAN or virtual network that all its segments were on so far, see ``Segments.flags``; -1 several |
    | beside, twin | others have, or had, the same addresses and ports on other VLANs; the next of these |
    | opaque_* | the opener's last new octets before the acceptor's first FIN or RST |
    """

    stream: int
    a: Half
    b: Half
    decoder: Decoder | None
    upstream: Any
    file: int
    interface: int
    first_frame: int
    first_ts: int
    opener: int
    mid: bool
    dead: bool
    settled: bool
    superseded: bool
    evicted: bool
    shadowed: bool
    snap_cut: bool
    unkept: bool
    local: int
    last_ts: int
    syn_frame: int
    syn_ts: int
    syn_last_ts: int
    syn_ack_frame: int
    syn_ack_ts: int
    more_syns: list[tuple[int, int]] | None
    more_syn_acks: list[tuple[int, int]] | None
    ack_frame: int
    ack_ts: int
    established: bool
    ipv6: bool
    refused_frame: int
    refused_ts: int
    refused_ttl: int
    refused_ip_id: int
    refused_window: int
    refused_flags: int
    refused_seq: int
    unreachable: tuple[RareFrame, bool, int] | None
    too_big: tuple[RareFrame, int] | None
    conflict: tuple[int, int, int, int] | None
    step_ts: int
    step_frame: int
    pending: list[Exchange] | None
    opaque_frame: int
    opaque_ts: int
    slot: int
    place: int
    hash: int
    lane: int
    twin: Connection | None
    beside: bool
    sign: int
    stamp: int
    began: int
    view: Connection | None
    settle_at: int
    in_closed: bool
    closed_ts: int
    ring_next: int
    ring_count: int
    ring: list[int]  # three numbers an entry: frame, time, what

    def __init__(self) -> None:
        self.begin()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def begin(self) -> cython.int:
        """Make the record as new."""
        if not cython.compiled:  # C fields start as zero, and those that hold an object as None
            self.decoder = None
            self.upstream = None
            self.more_syns = None
            self.more_syn_acks = None
            self.unreachable = None
            self.too_big = None
            self.conflict = None
            self.pending = None
            self.twin = self.view = None
            self.stream = self.file = self.interface = self.first_frame = self.first_ts = 0
            self.opener = self.last_ts = self.ack_frame = self.ack_ts = 0
            self.syn_frame = self.syn_ts = self.syn_last_ts = self.syn_ack_frame = self.syn_ack_ts = 0
            self.in_closed = False
            self.closed_ts = 0
            self.mid = self.dead = self.settled = self.superseded = self.evicted = self.shadowed = self.snap_cut = False
            self.unkept = False
            self.established = self.ipv6 = False
            self.refused_frame = self.refused_ts = self.refused_ttl = self.refused_ip_id = self.refused_window = 0
            self.refused_flags = self.refused_seq = 0
            self.step_ts = self.step_frame = self.opaque_frame = self.opaque_ts = self.slot = self.hash = 0
            self.place = 0
            self.lane = 0
            self.beside = False
            self.sign = self.stamp = self.began = 0
            self.ring_next = self.ring_count = 0
            self.ring = [0] * (3 * RING)
        # Not by calling the class: there is one of these for each connection, and the call is half of what it costs.
        self.a = Half.__new__(Half)
        self.a.begin()
        self.b = Half.__new__(Half)
        self.b.begin()
        self.local = -1
        self.settle_at = _NEVER
        return 0

    @property
    def syns(self) -> list[tuple[int, int]]:
        """Frame and time of the first sixteen SYNs."""
        first = [(self.syn_frame, self.syn_ts)] if self.syn_frame else []
        return first + (self.more_syns or [])

    @property
    def syn_acks(self) -> list[tuple[int, int]]:
        """Frame and time of the first sixteen SYN-ACKs."""
        first = [(self.syn_ack_frame, self.syn_ack_ts)] if self.syn_ack_frame else []
        return first + (self.more_syn_acks or [])

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def note(
        self,
        side: cython.int,
        what: cython.int,
        octets: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """Remember a noteworthy frame; a run of data of one side is one entry.

        An entry packs what (bits 0-7), side (bit 8), count (bits 9-31) and octets (bits 32-62).
        """
        at: cython.int = self.ring_next
        packed: cython.longlong
        if what == 3 and self.ring_count:  # STEP_DATA: literals are all that a C compiler takes for constants
            packed = self.ring[3 * at - 1 if at else 47]
            if (packed & 0x1FF) == (3 | side << 8):
                if (packed >> 9 & 0x7FFFFF) < 0x3FFFFF and octets < 0x1000000 and packed >> 32 < 0x7E000000:
                    self.ring[3 * at - 1 if at else 47] = packed + 0x200 + (octets << 32)
                return 0
        if octets > 0x7FFFFFFF:
            octets = 0x7FFFFFFF
        self.ring[3 * at] = frame
        self.ring[3 * at + 1] = ts
        self.ring[3 * at + 2] = what | (side << 8) | 0x200 | (octets << 32)
        self.ring_next = (at + 1) & 15  # RING
        if self.ring_count < 16:
            self.ring_count += 1
        return 0

    def steps(self) -> list[tuple[int, int, int, int, int, int]]:
        """Return the remembered frames, oldest first: (frame, ts_ns, what, side, count, octets)."""
        rows = []
        for i in range(self.ring_count):
            at = (self.ring_next + RING - self.ring_count + i) % RING
            packed = self.ring[3 * at + 2]
            rows.append(
                (
                    self.ring[3 * at],
                    self.ring[3 * at + 1],
                    packed & 0xFF,
                    (packed >> 8) & 1,
                    (packed >> 9) & 0x7FFFFF,
                    packed >> 32,
                )
            )
        return rows


@cython.cclass
class Observer:
    """Who is told of the moments that matter. ``next_due`` is the time before which nothing is to be fired.

    ``spares`` are records of exchanges that nobody needs any more, for the next requests; ``spare`` adds one.
    ``growing`` holds the decoders with a large message head under way, oldest first, ``growing_octets`` what these
    take at most, and ``most_growing`` how much that may be: the decoders of a capture share one bound.
    """

    next_due: int
    spares: list[Exchange]
    growing: list[Any]
    growing_octets: int
    most_growing: int

    def __init__(self) -> None:
        self.next_due = _NEVER
        self.spares = []
        self.growing = []
        self.growing_octets = 0
        self.most_growing = 64 << 20

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def opened(self, conn: Connection) -> cython.int:
        """Hear of a new connection (a SYN, or the first frame of one that was open already)."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def established(self, conn: Connection, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """Hear of the first SYN-ACK."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def closing(self, conn: Connection, side: cython.int, ts: cython.longlong) -> cython.int:
        """Hear of a FIN or RST, of a refusal, or of an ICMP error."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def request_started(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of a request whose head has been read."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def exchange_done(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of an exchange whose response is complete; who does not keep the record may ``spare`` it."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def violated(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Hear of the first illegal octet of a response."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def hole(self, conn: Connection, ts: cython.longlong) -> cython.int:
        """Hear of missing octets that their receiver has acknowledged."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def unseen(self, conn: Connection | None, ts: cython.longlong) -> cython.int:
        """Hear that the acceptor tells of octets which the capture does not hold; None: of an unknown connection."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def retired(self, conn: Connection) -> cython.int:
        """Hear that a connection is forgotten (evicted, its port used again, or long closed)."""
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def spare(self, exchange: Exchange) -> cython.int:
        """Leave a record for one of the next requests."""
        if len(self.spares) < 64:
            self.spares.append(exchange)
        return 0

    @cython.cfunc
    def fresh(self) -> Exchange:
        """Return the record of a new request."""
        exchange: Exchange
        if self.spares:
            exchange = self.spares.pop()
        else:
            exchange = Exchange.__new__(Exchange)
        exchange.clear()
        return exchange

    @cython.ccall
    def new_decoder(self, conn: Connection) -> Decoder:
        """Return the decoder for a new connection."""
        raise NotImplementedError

    @cython.ccall
    def fire(self, now_ns: cython.longlong) -> cython.int:
        """Do all that is due at *now_ns*; called before the frame with that time is looked at."""
        raise NotImplementedError

    def rare(self, record: RareFrame) -> None:
        """Hear of a frame beside TCP."""
        raise NotImplementedError

    def is_quiet(self, conn: Connection) -> bool:
        """Whether there is nothing to be said of a connection, or counted, if the capture ends as it is now."""
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def is_over(self, conn: Connection) -> cython.bint:
        """Whether nobody needs a connection that its ends have closed."""
        return False


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)


if not cython.compiled:
    from wire502._cython import give_slots

    give_slots(globals(), "Half", "Exchange", "Connection")
