"""HTTP/1.0 and 1.1 on one connection (RFC 9112): which octets are which request's, where each message ends.

Each side is a small state machine. A side that is lost (begun in the middle, a hole in a head, framing that nobody
can follow) waits for octets that can only begin a message. This module is long because request and response
readers share their state: the framing of a response depends on its request (RFC 9112 section 6.3).
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.cells_cy import Cells
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Exchange, Observer
    from cython.cimports.wire502.protocol.heads_cy import Head, looks_like_status, request_likeness, status_line_fault
else:
    from wire502.model.cells_cy import Cells
    from wire502.model.flow_cy import Connection, Decoder, Exchange, Observer
    from wire502.protocol.heads_cy import Head, looks_like_status, request_likeness, status_line_fault

from wire502.model.flow_cy import (
    FRAMING_CHUNKED,
    FRAMING_CLOSE,
    FRAMING_LENGTH,
    FRAMING_NONE,
    FRAMING_TUNNEL,
    FRAMING_UNKNOWN,
)
from wire502.protocol.first_octets import name_of, preface_length

START = cython.declare(cython.int, 0)  # between messages
HEAD = cython.declare(cython.int, 1)
BODY = cython.declare(cython.int, 2)  # a length is being skipped
CHUNKS = cython.declare(cython.int, 3)
CLOSE = cython.declare(cython.int, 4)  # until the end of the connection
TUNNEL = cython.declare(cython.int, 5)
LOST = cython.declare(cython.int, 6)
EXCESS = cython.declare(cython.int, 7)  # octets that no request asked for
PREFACE = cython.declare(cython.int, 8)  # the beginning of what may be a PROXY protocol preface

# inside the chunked coding (RFC 9112 section 7.1)
SIZE = cython.declare(cython.int, 0)
EXTENSION = cython.declare(cython.int, 1)
SIZE_LF = cython.declare(cython.int, 2)
DATA = cython.declare(cython.int, 3)
DATA_CR = cython.declare(cython.int, 4)
DATA_LF = cython.declare(cython.int, 5)
TRAILER = cython.declare(cython.int, 6)  # at the start of a trailer line
TRAILER_LINE = cython.declare(cython.int, 7)
TRAILER_LF = cython.declare(cython.int, 8)
BLANKS = cython.declare(cython.int, 9)

# Typed: a plain module constant is a Python object to the compiler.
FOREVER = cython.declare(cython.longlong, 1 << 62)
# What is kept of a head once it has been read; what follows behind (a tail of cookies) is of no use to a report.
KEPT = cython.declare(cython.Py_ssize_t, 16_384)
# Heads under way that are larger than this are watched, so that all of them together stay below Observer.most_growing.
SMALL = cython.declare(cython.Py_ssize_t, 4_096)
MARK = cython.declare(cython.Py_ssize_t, 128)  # what it costs to remember the frame of a segment
EARLY_OCTETS = cython.declare(cython.longlong, 65_536)
NAMED = cython.declare(cython.Py_ssize_t, 64)  # octets by which a foreign protocol is named
PAGE = cython.declare(cython.Py_ssize_t, 512)
# What a segment costs beside its octets: tiny ones must not cost more than large ones.
EARLY_EACH = cython.declare(cython.longlong, 128)
HOLE_NS = cython.declare(cython.longlong, 200_000_000)  # what an observer waits before it closes a hole
_FRAMING_CHUNKED = cython.declare(cython.int, FRAMING_CHUNKED)
_FRAMING_CLOSE = cython.declare(cython.int, FRAMING_CLOSE)
_FRAMING_LENGTH = cython.declare(cython.int, FRAMING_LENGTH)
_FRAMING_NONE = cython.declare(cython.int, FRAMING_NONE)
_FRAMING_TUNNEL = cython.declare(cython.int, FRAMING_TUNNEL)
_FRAMING_UNKNOWN = cython.declare(cython.int, FRAMING_UNKNOWN)


@cython.final
@cython.cclass
class Http1(Decoder):
    """The decoder of one connection; decides first whether it is HTTP/1 at all."""

    observer: Observer
    reader: Head
    keep: bool
    state_a: int
    state_b: int
    head_a: Head | None
    head_b: Head | None
    buffer_a: bytearray | None
    buffer_b: bytearray | None
    start_b: int
    marks: list[tuple[int, int, int]] | None
    asking: Exchange | None
    early: list[tuple[bytes, int, int, int, int]] | None
    early_size: int
    excess_offset: int
    foreign: int
    max_head: int
    max_queue: int
    chunk: int
    chunk_state: int
    chunk_digits: int
    chunk_a: int
    chunk_state_a: int
    chunk_digits_a: int
    end_a: int
    gap_a: int
    gap_b: int
    unseen: int
    preface: tuple[bytes, int, int, int] | None
    plain: bool
    foreign_octets: bytes | None
    foreign_side: int
    upgrading: bool
    growing: bool

    def __init__(self, conn: Connection, observer: Observer, max_head: int, max_queue: int, keep: bool = True) -> None:
        self._set(conn, observer, Head(), max_head, max_queue, keep)

    @cython.cfunc
    def another(self, conn: Connection) -> Decoder:
        """See ``Decoder``: not by calling the class, which costs more than all that it does."""
        made: Http1 = Http1.__new__(Http1)
        made._set(conn, self.observer, self.reader, self.max_head, self.max_queue, self.keep)
        return made

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def renew(self, conn: Connection) -> cython.bint:
        """See ``Decoder``: not while it is one of those with a large head."""
        if self.growing:
            return False
        self._set(conn, self.observer, self.reader, self.max_head, self.max_queue, self.keep)
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _set(
        self,
        conn: Connection,
        observer: Observer,
        reader: Head,
        max_head: cython.longlong,
        max_queue: cython.int,
        keep: cython.bint,
    ) -> cython.int:
        """Begin; *reader* is for heads that come in one piece: nothing of one is left there for the next."""
        self.conn = conn
        self.observer = observer
        self.reader = reader
        self.keep = keep
        self.max_head = max_head
        self.max_queue = max_queue
        # All of it, since the decoder of a connection that was forgotten is used again.
        self.skip = self.exchanges = self.early_size = self.chunk = self.chunk_a = 0
        self.chunk_state = self.chunk_state_a = self.chunk_digits = self.chunk_digits_a = 0
        self.start_b = self.end_a = 0
        self.foreign = 0
        self.preface = self.proxied = self.foreign_octets = None
        self.plain = False
        self.http = self.decided = self.tunnel = self.upgrading = self.growing = False
        self.current = self.asking = None
        self.queue = None
        self.early = None
        self.marks = None
        self.buffer_a = self.buffer_b = None
        self.head_a = self.head_b = None
        self.looks_like = None
        self.acks = self.excess_offset = self.gap_a = self.gap_b = self.unseen = -1
        self.foreign_side = -1
        self.state_a = self.state_b = LOST if conn.mid else START
        return 0

    # -- the contract ---------------------------------------------------------------------------------------------

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
        """See ``Decoder``. Returns -1 when the octets show that the sides are the wrong way round."""
        if self.http:  # most octets begin a message, of a connection that is known
            if side == 0:
                if self.state_a == START and octets[0] > 13:
                    self.end_a = offset + n
                    return self._request_head(octets, n, offset, frame, ts)
            elif self.state_b == START and self.current is not None:
                if self.acks > self.current.req_start and not self.current.resp_done:
                    return self._response_head(octets, n, offset, frame, ts)
        return self._octets(side, octets, n, offset, frame, ts)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _octets(
        self,
        side: cython.int,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read any octets: ``on_octets`` does nothing that is not done without it."""
        if self.tunnel:
            self.skip = FOREVER
            return n
        if self.decided and not self.http:
            if side == self.foreign_side:
                self._gather(octets, n)
            else:
                self.skip = FOREVER
            return n
        if side == 0:
            self.end_a = offset + n
            return self._request_octets(octets, n, offset, frame, ts)
        if not self.decided and self.conn.opener == 0 and request_likeness(octets, n) == 1:
            return -1
        return self._response_octets(octets, n, offset, frame, ts)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def on_skipped(
        self, side: cython.int, offset: cython.longlong, frame: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        """A body of known length, or a chunk's data, has gone by."""
        if side == 0:
            self.end_a = offset
            if self.state_a == BODY:
                self._request_end(offset, frame, ts)
            elif self.state_a == CHUNKS:
                self.chunk_state_a = DATA_CR
        elif self.state_b == BODY:
            self._response_end(self.current, offset, frame, ts)
        elif self.state_b == CHUNKS:
            self.chunk_state = DATA_CR
        return 0

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
        """Octets that the capture does not hold, where they would have mattered."""
        ex: Exchange | None
        if self.tunnel or (self.decided and not self.http):
            self.skip = FOREVER
            return 0
        if side == 0:
            if self.state_a == HEAD:
                # Take what there is of the head: method and target are usually in it.
                ex = self.asking
                assert ex is not None
                ex.req_cut = True
                ex.req_head = bytes(self.buffer_a[:KEPT]) if self.buffer_a is not None else b""
                self.buffer_a = None
                self.head_a = None
                ex.req_end = offset + n
                ex.req_last_frame = frame
                ex.req_last_ts = ts
                self._name_request(ex)
                self.http = self.decided = True
                self.observer.request_started(self.conn, ex)
            elif self.state_a == CHUNKS and self.asking is not None:
                self.asking.req_cut = True
            if self.asking is not None:
                self.asking.req_end = offset + n
            self.end_a = offset + n
            self.gap_a = offset
            self.asking = None
            self.state_a = LOST
            self.unseen = offset + n
            self._answer_unseen(offset + n)
            return 0
        self.gap_b = offset
        ex = self.current
        if self.state_b == HEAD and ex is not None:
            ex.resp_cut = True
            ex.framing = _FRAMING_UNKNOWN
            ex.status = self.head_b.status if self.head_b is not None else 0
            if self.buffer_b is not None:
                ex.head_bytes = len(self.buffer_b)
                ex.resp_head = bytes(self.buffer_b[:KEPT])
            self.buffer_b = None
            self.marks = None
            self.head_b = None
        elif ex is not None and (ex.resp_frame or self.acks > ex.req_start):
            ex.resp_cut = True
        if self.state_b == CLOSE:
            return 0
        self.state_b = LOST
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def on_fin(self, side: cython.int, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """The last octet of a side has been seen; a body without a length ends with it."""
        if side == 1 and self.state_b == CLOSE and self.current is not None and not self.current.resp_cut:
            self._response_end(self.current, self.conn.b.off, frame, ts)
        return 0

    def rest(self, cells: Cells) -> bool:
        """See ``Decoder``."""
        if cells.writing and (
            self.current is not None
            or self.asking is not None
            or self.queue
            or self.early is not None
            or self.preface is not None
            or self.marks is not None
            or self.buffer_a is not None
            or self.buffer_b is not None
            or self.growing
            or self.state_a == HEAD
            or self.state_b == HEAD
        ):
            return False
        self.state_a = cells.number(self.state_a)
        self.state_b = cells.number(self.state_b)
        self.exchanges = cells.number(self.exchanges)
        self.http = cells.flag(self.http)
        self.decided = cells.flag(self.decided)
        self.acks = cells.near(self.acks, self.conn.a.off)
        self.end_a = cells.near(self.end_a, self.conn.a.off)
        self.start_b = cells.near(self.start_b, self.conn.b.off)
        self.tunnel = cells.flag(self.tunnel)
        self.plain = cells.flag(self.plain)
        self.upgrading = cells.flag(self.upgrading)
        self.skip = cells.number(self.skip)
        self.early_size = cells.number(self.early_size)
        self.excess_offset = cells.near(self.excess_offset, -1)
        self.foreign = cells.number(self.foreign)
        self.chunk = cells.number(self.chunk)
        self.chunk_state = cells.number(self.chunk_state)
        self.chunk_digits = cells.number(self.chunk_digits)
        self.chunk_a = cells.number(self.chunk_a)
        self.chunk_state_a = cells.number(self.chunk_state_a)
        self.chunk_digits_a = cells.number(self.chunk_digits_a)
        self.gap_a = cells.near(self.gap_a, -1)
        self.gap_b = cells.near(self.gap_b, -1)
        self.unseen = cells.near(self.unseen, -1)
        self.foreign_side = cells.near(self.foreign_side, -1)
        self.foreign_octets = cells.text(self.foreign_octets)
        self.proxied = cells.text(self.proxied)
        known = cells.text(None if self.looks_like is None else self.looks_like.encode())
        self.looks_like = None if known is None else known.decode()
        return True

    # -- requests -------------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _request_octets(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        likeness: cython.int
        length: cython.Py_ssize_t
        if self.state_a == START:
            if not self.decided:
                if (octets[0] == 13 or (octets[0] == 80 and (n < 2 or octets[1] == 82))) and not self.plain:
                    length = preface_length(octets[: min(n, 256)])
                    if length:
                        return self._preface(octets, n, offset, frame, ts)
                likeness = request_likeness(octets, n)
                if likeness == 0:
                    self._opaque(0, octets[: min(n, NAMED)])
                    return n
            if octets[0] == 13 or octets[0] == 10:
                length = 1  # empty lines before a request line are to be ignored (RFC 9112 section 2.2)
                while self.decided and length < n and (octets[length] == 13 or octets[length] == 10):
                    length += 1
                return length
            return self._request_head(octets, n, offset, frame, ts)
        if self.state_a == HEAD:
            return self._more_of_request_head(octets, n, offset, frame, ts)
        if self.state_a == CHUNKS:
            return self._chunk_octets(0, octets, n, offset, frame, ts)
        if self.state_a == LOST:
            if request_likeness(octets, n) == 1:
                self.state_a = START
                return self._request_head(octets, n, offset, frame, ts)
        if self.state_a == PREFACE:
            return self._preface(octets, n, offset, frame, ts)
        return n

    @cython.cfunc
    def _preface(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read past what a proxy says of its client before the first request, however that is cut into segments."""
        before: cython.Py_ssize_t = 0
        length: cython.Py_ssize_t
        known: bytes = octets[: min(n, 256)]
        view: cython.p_const_uchar
        if self.preface is not None:
            before = len(self.preface[0])
            known = self.preface[0] + known
        length = preface_length(known)
        if length < 0:
            if self.preface is None:
                self.preface = (known, offset, frame, ts)
            else:
                self.preface = (known, *self.preface[1:])
            self.state_a = PREFACE
            return n
        self.state_a = START
        if length > before:
            self.preface = None
            self.proxied = known[:length]
            if length - before <= n:
                return length - before  # what follows the preface comes by itself
            self.skip = length - before - n
            return n
        # It was none. What was kept of it begins a request; empty lines before one are to be ignored.
        self.plain = True
        if self.preface is not None:
            known, start, first_frame, first_ts = self.preface
            self.preface = None
            length = len(known)
            known = known.lstrip(b"\r\n")
            if known:
                view = known
                self._request_octets(view, len(known), start + length - len(known), first_frame, first_ts)
            if self.decided and not self.http:
                self._gather(octets, n)
                return n
        return self._request_octets(octets, n, offset, frame, ts)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _request_head(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read a request head that begins here, after what it says of the exchange before it."""
        ex: Exchange
        head: Head = self.reader
        whole: cython.Py_ssize_t
        if self.early is not None and 0 < self.early[0][4] <= offset:
            self._answer_unseen(offset)
        if self.current is not None:
            self._settle_before(self.current, frame, ts)
        ex = self.observer.fresh()
        self.gap_a = -1
        self.foreign_octets = None
        self.exchanges += 1
        ex.number = self.exchanges
        ex.req_frame = frame
        ex.req_ts = ts
        ex.req_start = offset
        ex.req_end = offset
        ex.req_last_frame = frame
        ex.req_last_ts = ts
        ex.req_acks = self.acks
        ex.rexmits_before = self.conn.b.rexmits
        if self.excess_offset >= 0:
            self._follows_excess(ex)
        if self.current is None:
            self.current = ex
        else:
            self._wait_behind(ex)
        self.asking = ex
        head.reset()
        head.request(octets, n)
        if head.done:
            whole = head.at
            self._request_read(ex, head, octets[: min(whole, KEPT)], offset + whole, frame, ts)
            return whole
        self.state_a = HEAD
        self.head_a = head = Head()  # its own: it is not read in one go
        head.request(octets, n)
        self.buffer_a = bytearray(octets[:n])
        ex.req_end = offset + n
        return n

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _more_of_request_head(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read on in a request head."""
        head: Head | None = self.head_a
        ex: Exchange | None = self.asking
        before: cython.Py_ssize_t
        text: bytes
        view: cython.p_const_uchar
        assert ex is not None
        assert self.buffer_a is not None
        assert head is not None
        before = len(self.buffer_a)
        self.buffer_a += octets[:n]
        ex.req_last_frame = frame
        ex.req_last_ts = ts
        ex.req_end = offset + n
        view = self.buffer_a  # no copy: heads may come octet by octet
        head.request(view, before + n)
        if not self.decided and not head.done and request_likeness(view, min(before + n, 512)) == 0:
            self._opaque(0, bytes(self.buffer_a[:NAMED]))
            return n
        if head.done:
            text = bytes(self.buffer_a[: min(head.at, KEPT)])
            self.buffer_a = None
            self.head_a = None
            self._request_read(ex, head, text, offset + head.at - before, frame, ts)
            return head.at - before
        if len(self.buffer_a) > self.max_head:
            self._lose_request(ex)
        elif before + n > SMALL:
            self._grow(before, n)
        return n

    def _lose_request(self, ex: Exchange) -> None:
        """A head beyond the limit: keep its beginning, follow it no further."""
        assert self.buffer_a is not None
        ex.req_head = bytes(self.buffer_a[:KEPT])
        ex.req_cut = True
        ex.odd("request_head_over_limit")
        self._name_request(ex)
        self.buffer_a = None
        self.head_a = None
        self.asking = None
        self.state_a = LOST
        self.http = self.decided = True
        self.observer.request_started(self.conn, ex)

    def _name_request(self, ex: Exchange) -> None:
        ex.is_head = ex.req_head.startswith(b"HEAD ")
        ex.is_connect = ex.req_head.startswith(b"CONNECT ")

    def _settle_before(self, last: Exchange, frame: int, ts: int) -> None:
        """A request begins while the exchange before it is not over: what does that say of it?"""
        if last.resp_frame or last.violation is not None:
            # It has moved on from an answer; a request behind an unanswered one is only pipelined.
            last.next_frame = frame
            last.next_ts = ts
        if last.resp_done and not last.req_whole:
            # an early response; the gateway gave up sending the rest and went on
            last.req_whole = True
            self._finished(last)
        elif self.state_b == LOST and (last.resp_frame or last.resp_cut or last.violation is not None):
            self._abandon(last)
        elif self.state_b == CLOSE:
            last.odd("request_before_the_end_of_a_close_delimited_response")
            self._abandon(last)
        elif self.conn.b.frames == 0:
            last.resp_none = True
            self._abandon(last)
        elif last.ghost:
            self._abandon(last)

    def _follows_excess(self, ex: Exchange) -> None:
        """The upstream had sent what nobody asked for before this request began."""
        ex.excess_before = True
        ex.foreign_status = self.foreign
        self.excess_offset = -1
        self.foreign = 0
        if self.state_b == EXCESS:
            self.state_b = LOST

    def _wait_behind(self, ex: Exchange) -> None:
        """Put a new request behind those that wait for their answers."""
        first: Exchange
        ex.piped = True
        if self.queue is None:
            self.queue = []
        self.queue.append(ex)
        if len(self.queue) > self.max_queue:
            first = self.queue.pop(0)
            first.resp_none = True
            self.observer.exchange_done(self.conn, first)

    def _abandon(self, ex: Exchange) -> None:
        """The end of this response cannot be seen, but the gateway went on: it is over."""
        if self.current is ex:
            ex.resp_cut = True
            ex.body_bytes = max(0, self.conn.b.off - ex.resp_start - ex.head_bytes) if ex.resp_frame else 0
            ex.resp_done = ex.req_whole = True
            self.state_b = LOST
            self.conn.b.skip = 0
            self._finished(ex)
            self.state_b = LOST

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _request_read(
        self,
        ex: Exchange,
        parsed: Head,
        head: bytes,
        end: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """A request head is complete: what comes behind it?"""
        length: cython.longlong = parsed.length
        chunked: cython.bint = parsed.chunked
        early: list[tuple[bytes, int, int, int, int]]
        if not self.decided and head.startswith(b"PRI * HTTP/2.0"):
            self._opaque(0, head[:NAMED].ljust(NAMED))
            return 0
        self.http = self.decided = True
        ex.req_head = head
        ex.req_end = end
        ex.req_last_frame = frame
        ex.req_last_ts = ts
        ex.expects = parsed.expects
        if head[0] == 72:
            ex.is_head = head.startswith(b"HEAD ")
        elif head[0] == 67:
            ex.is_connect = head.startswith(b"CONNECT ")
        if parsed.upgrade:
            self.upgrading = True
        if parsed.old and ex is self.current and self.state_b == START:
            # HTTP/0.9: the answer has no head and ends with the connection
            self.state_b = CLOSE
            ex.framing = _FRAMING_CLOSE
            ex.status = 0
        self.observer.request_started(self.conn, ex)
        if chunked:
            self.state_a = CHUNKS
            self.chunk_state_a = SIZE
            self.chunk_a = 0
            self.chunk_digits_a = 0
        elif length > 0:
            self.state_a = BODY
            ex.req_end = end + length
            self.skip = length
        else:
            self._request_end(end, frame, ts)
        if self.early is not None:
            early = self.early
            self.early = None
            self.early_size = 0
            self._replay(early, False, self.conn.b.off)
        return 0

    def _wait(self, ex: Exchange) -> None:
        """Put an exchange behind the one that begins now."""
        if self.queue is None:
            self.queue = []
        self.queue.insert(0, ex)

    def _go_without(self, ex: Exchange) -> None:
        """The first outstanding exchange is over, and what answered it was not seen."""
        ex.resp_none = True
        ex.resp_cut = True
        ex.resp_done = ex.req_whole = True
        self._finished(ex)

    def _begin_unseen(self) -> None:
        """Begin an exchange whose request is not in the capture."""
        ex: Exchange = self.observer.fresh()
        ex.ghost = ex.req_whole = True
        self.current = ex
        self.http = self.decided = True
        self.state_b = START

    def _answer_unseen(self, upto: int) -> None:
        """Read what was sent when no more than the octets up to *upto* had come: it answers what was lost there."""
        early = self.early
        if early is None:
            return
        mine = [row for row in early if row[4] <= upto]
        rest = [row for row in early if row[4] > upto]
        self.early = rest or None
        self.early_size = sum(len(row[0]) + EARLY_EACH for row in rest)
        if mine:
            self._replay(mine, True, rest[0][1] if rest else self.conn.b.off)

    def _replay(self, early: list[tuple[bytes, int, int, int, int]], unseen: bool, stop: int) -> None:
        """Read octets of responses that were captured before their request, or without one at all (*unseen*).

        What comes behind them is at hand from the offset *stop* on.
        """
        mine = self.skip
        at: cython.Py_ssize_t
        step: cython.Py_ssize_t
        n: cython.Py_ssize_t
        start: cython.p_const_uchar
        octets: bytes
        end = early[0][1] if early else 0
        for octets, offset, frame, ts, acks in early:
            if offset > end:
                self._pass_over(end, offset - end, frame, ts)
            end = offset + len(octets)
            at = 0
            n = len(octets)
            while at < n:
                if self.conn.b.skip:
                    step = n - at
                    if step > self.conn.b.skip:
                        step = self.conn.b.skip
                    self.conn.b.skip -= step
                    at += step
                    if self.conn.b.skip == 0:
                        self.skip = 0
                        self.on_skipped(1, offset + at, frame, ts)
                        self.conn.b.skip = self.skip
                    continue
                if unseen and self.current is None:
                    if not looks_like_status(octets[at:], n - at):
                        break
                    self._begin_unseen()
                self.skip = 0
                self.acks = acks
                if cython.compiled:  # no copy of the rest for each chunk
                    start = octets
                    at += self._response_octets(start + at, n - at, offset + at, frame, ts)
                else:
                    at += self._response_octets(octets[at:], n - at, offset + at, frame, ts)
                self.conn.b.skip = self.skip
        if early and stop > end:
            self._pass_over(end, stop - end, frame, ts)
        self.skip = mine

    def _pass_over(self, offset: int, octets: int, frame: int, ts: int) -> None:
        """Pass over octets of responses that were on the wire, but not kept (the snap length cut them off)."""
        end = offset + octets
        while offset < end:
            step = min(end - offset, self.conn.b.skip)
            if step == 0:
                self.skip = 0
                self.on_gap(1, offset, end - offset, frame, ts)
                self.conn.b.skip = self.skip
                return
            self.conn.b.skip -= step
            offset += step
            if self.conn.b.skip == 0:
                self.skip = 0
                self.on_skipped(1, offset, frame, ts)
                self.conn.b.skip = self.skip

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1, check=False)
    def _request_end(self, end: cython.longlong, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        ex: Exchange | None = self.asking
        self.state_a = START
        if ex is None:
            return 0
        ex.req_whole = True
        ex.req_end = end
        ex.req_last_frame = frame
        ex.req_last_ts = ts
        self.asking = None
        if ex.resp_done and ex is self.current:
            self._finished(ex)
        return 0

    # -- responses ------------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _response_octets(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        ex: Exchange | None = self.current
        if self.decided and not self.http:
            self.skip = FOREVER
            return n
        if ex is None and (self.state_b == HEAD or self.state_b == CHUNKS):
            # The exchange was judged and let go of; what still comes of its response is of no use.
            self.buffer_b = None
            self.marks = None
            self.head_b = None
            self.state_b = LOST
        if self.state_b == CHUNKS:
            return self._chunk_octets(1, octets, n, offset, frame, ts)
        if self.state_b == HEAD:
            return self._more_of_response_head(octets, n, offset, frame, ts)
        if self.state_b == CLOSE:
            if ex is not None and ex.resp_frame == 0:
                ex.resp_frame = frame
                ex.resp_ts = ts
                ex.resp_start = offset
            return n
        if ex is None or ex.resp_done:
            if (self.state_b == LOST and self.conn.mid and self.exchanges == 0) or self.conn.a.frames == 0:
                if looks_like_status(octets, n):
                    # a response whose request was before the capture's beginning
                    self._begin_unseen()
                    return self._response_head(octets, n, offset, frame, ts)
                return n
            if self.gap_a >= 0 and self.gap_a < self.acks <= self.end_a and looks_like_status(octets, n):
                # It answers a request that was lost, after which none was seen.
                self.gap_a = self.acks
                self._begin_unseen()
                return self._response_head(octets, n, offset, frame, ts)
            if (
                self.acks > self.end_a
                or (self.exchanges == 0 and looks_like_status(octets, n))
                or self.early is not None
            ) and self.state_b != EXCESS:
                # It answers a request that the capture has not shown yet, or one that the upstream did not wait for.
                if self.early is None:
                    self.early = []
                self.early.append((octets[:n], offset, frame, ts, self.acks))
                self.early_size += n + EARLY_EACH
                if self.early_size > EARLY_OCTETS:
                    if self.conn.a.pieces is not None and self.early_size <= 4 * EARLY_OCTETS:
                        # The request may stand behind a hole: have that looked at without the usual wait.
                        self.observer.hole(self.conn, ts - HOLE_NS)
                        return n
                    # So much was not overtaken by its request: the request is not in the capture.
                    self._answer_unseen(FOREVER)
                    self.skip = self.conn.b.skip
                return n
            if not self.decided and self.exchanges == 0 and status_line_fault(octets, 0, min(n, 12), False) >= 0:
                # The server speaks first: no HTTP.
                self._opaque(1, octets[: min(n, NAMED)])
                return n
            if self.excess_offset < 0:
                self.excess_offset = offset
                if looks_like_status(octets, n):
                    self.foreign = (octets[9] - 48) * 100 + (octets[10] - 48) * 10 + octets[11] - 48
            self.state_b = EXCESS
            return n
        if self.state_b == LOST:
            if self.foreign_octets is not None:
                self._name_on(ex, octets[: min(n, NAMED)])
            if ex.resp_frame == 0 and not ex.excess_before and ex.violation is None and self.exchanges == 1:
                if self.conn.mid and self.conn.b.frames <= 1 and not looks_like_status(octets, n):
                    return n
            if 0 <= self.acks <= ex.req_start and (ex.number > 1 or self.unseen >= 0):
                return n  # it cannot answer what it had not received
            if looks_like_status(octets, n) and ex.violation is None:
                while self.queue and self.acks >= self.queue[0].req_end and self.queue[0].req_end > 0:
                    # Between the hole and here earlier answers have gone by unseen.
                    self._go_without(ex)
                    ex = self.current
                    assert ex is not None
                if 0 < self.acks <= ex.req_start and not ex.excess_before:
                    # Sent before this request had come: it answers one that was not seen.
                    self._wait(ex)
                    self._begin_unseen()
                    return self._response_head(octets, n, offset, frame, ts)
                if ex.req_whole and self.acks > ex.req_end + 4:  # empty lines are no request
                    # Octets of a request that was not seen had come, so this answers that one.
                    if not self.queue:
                        self._go_without(ex)
                        return self._response_octets(octets, n, offset, frame, ts)
                    if self.queue[0].req_start >= self.acks:
                        self._go_without(ex)
                        ex = self.current
                        assert ex is not None
                        self._wait(ex)
                        self._begin_unseen()
                        return self._response_head(octets, n, offset, frame, ts)
                if ex.resp_frame == 0:
                    self.state_b = START
                    return self._response_head(octets, n, offset, frame, ts)
            elif ex.resp_frame == 0 and ex.excess_before and self.acks >= ex.req_end:
                self.state_b = START
                return self._response_head(octets, n, offset, frame, ts)
            elif self.gap_b >= 0 and self.gap_b >= ex.req_acks:
                pass  # the capture lacks octets that came after the request: these do not begin its answer
            elif ex.resp_frame == 0 and not ex.resp_cut and not self.conn.mid and self.acks >= ex.req_end:
                self.state_b = START
                return self._response_head(octets, n, offset, frame, ts)
            return n
        if 0 <= self.acks <= ex.req_start and (ex.number > 1 or self.unseen >= 0) and looks_like_status(octets, n):
            # Sent before the request had arrived: an answer to nobody (408 on an idle connection), or to a request
            # that the capture does not hold.
            if self.unseen < 0:
                ex.excess_before = True
                ex.foreign_status = (octets[9] - 48) * 100 + (octets[10] - 48) * 10 + octets[11] - 48
            self.state_b = LOST
            return n
        return self._response_head(octets, n, offset, frame, ts)

    def _name_on(self, ex: Exchange, octets: bytes) -> None:
        """More of what is no response has come: name it anew, by its first few dozen octets."""
        first = ((self.foreign_octets or b"") + octets)[:NAMED]
        self.foreign_octets = first if len(first) < NAMED else None
        if ex.violation is not None and ex.violation[0] == "status_line":
            self._name_violation(ex, name_of(first))
        else:
            self.foreign_octets = None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _response_head(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read a response head that begins here."""
        ex: Exchange | None = self.current
        head: Head = self.reader
        whole: cython.Py_ssize_t
        assert ex is not None
        if self.buffer_b is not None:
            self.buffer_b = None
            self.marks = None
            self.head_b = None
        self.start_b = offset
        if ex.resp_frame == 0:
            ex.resp_frame = frame
            ex.resp_ts = ts
            ex.resp_start = offset
            ex.resp_acks = self.acks
        head.reset()
        head.response(octets, n)
        if not head.done:
            self.state_b = HEAD
            self.buffer_b = bytearray(octets[:n])
            self.marks = [(0, frame, ts)]
            self.head_b = head = Head()  # its own: it is not read in one go
            head.response(octets, n)
        if not head.done or head.bad >= 0:
            return self._odd_response_head(head, 0, octets, n, offset, frame, ts)
        whole = head.at
        ex.resp_last_frame = frame
        ex.resp_last_ts = ts
        if ex.status == 0:
            ex.status = head.status
            ex.status_frame = frame
            ex.status_ts = ts
        ex.head_bytes = whole
        ex.head_frame = frame
        ex.head_ts = ts
        if self._is_of_no_interest(ex, head, n):
            ex.streaming = head.streaming
            ex.keep_alive = not head.close and head.minor > 0
            ex.framing = _FRAMING_LENGTH
            ex.expected = head.length
            whole += head.length
            self._response_end(ex, offset + whole, frame, ts)
            return whole
        ex.resp_head = octets[: min(whole, KEPT)]
        if head.status >= 500:
            # The beginning of an error page tells who wrote it.
            ex.resp_page = octets[whole : min(n, whole + PAGE)]
        self._response_read(ex, head, offset + whole, frame, ts)
        return whole

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _is_of_no_interest(self, ex: Exchange, head: Head, n: cython.Py_ssize_t) -> cython.bint:
        """Whether *n* octets hold a whole response, and nobody will ask for the head of such a good one."""
        return (
            not self.keep
            and head.lengths > 0
            and not head.coded
            and head.at < SMALL
            and head.length <= n - head.at
            and 200 <= head.status < 500
            and head.status != 204
            and head.status != 304
            and ex.req_whole
            and not ex.is_head
            and not ex.is_connect
            and ex.violation is None
            and ex.oddities is None
        )

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _more_of_response_head(
        self,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Read on in a response head."""
        head: Head | None = self.head_b
        before: cython.Py_ssize_t
        view: cython.p_const_uchar
        assert self.buffer_b is not None
        assert self.marks is not None
        assert head is not None
        before = len(self.buffer_b)
        self.buffer_b += octets[:n]
        if len(self.marks) < 4096:
            self.marks.append((before, frame, ts))
        view = self.buffer_b  # no copy: heads may come octet by octet
        head.response(view, before + n)
        return self._odd_response_head(head, before, octets, n, offset, frame, ts)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _odd_response_head(
        self,
        head: Head,
        before: cython.Py_ssize_t,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Take what has been read of a head that has a fault, or did not come in one piece: *before* came before."""
        ex: Exchange | None = self.current
        whole: cython.Py_ssize_t = head.at
        assert ex is not None
        if ex.resp_last_frame == 0 or head.done or self.conn.a.fin_off < 0:
            # What was still under way when the gateway closed over half a head is no progress.
            ex.resp_last_frame = frame
            ex.resp_last_ts = ts
        if head.status and ex.status == 0:
            ex.status = head.status
            ex.status_frame = frame
            ex.status_ts = ts
            if before:
                ex.status_frame, ex.status_ts = self._frame_at(0)
        if head.bad >= 0 and ex.violation is None:
            if before == 0 and self.state_b != HEAD:
                self._blame(ex, offset + head.bad, head.part, head.why, None, head.lost, frame, ts)
            else:
                at = self._frame_at(head.bad)
                self._blame(ex, self.start_b + head.bad, head.part, head.why, None, head.lost, at[0], at[1])
            if head.part == "status_line":
                first = octets[: min(n, NAMED)] if self.buffer_b is None else bytes(self.buffer_b[:NAMED])
                self.foreign_octets = first if len(first) < NAMED else None
                self._name_violation(ex, name_of(first))
        if head.lost and ex.violation is not None and not ex.violation[6]:
            ex.violation = (*ex.violation[:6], True)  # a later line lost what the first fault had left
        if head.lost and head.status == 0 and head.part == "status_line":
            # Nobody can say where this ends.
            ex.head_bytes = 0
            ex.framing = _FRAMING_CLOSE
            self.state_b = LOST
            self.buffer_b = None
            self.marks = None
            self.head_b = None
            return n
        if head.done:
            ex.head_bytes = whole
            ex.head_frame = frame
            ex.head_ts = ts
            if self.buffer_b is None:
                ex.resp_head = octets[: min(whole, KEPT)]
            else:
                ex.resp_head = bytes(self.buffer_b[: min(whole, KEPT)])
            if head.status >= 500:
                # The beginning of an error page tells who wrote it.
                ex.resp_page = octets[whole - before : min(n, whole - before + PAGE)]
            self.buffer_b = None
            self.marks = None
            self.head_b = None
            self._response_read(ex, head, offset + whole - before, frame, ts)
            return whole - before
        ex.head_bytes = before + n
        if self.buffer_b is not None and len(self.buffer_b) > self.max_head:
            self._lose_response(ex)
        elif before + n > SMALL:
            self._grow(before, n)
        return n

    def _lose_response(self, ex: Exchange) -> None:
        """A head beyond the limit: keep its beginning, follow it no further."""
        assert self.buffer_b is not None
        ex.odd("response_head_over_limit")
        ex.resp_cut = True
        ex.resp_head = bytes(self.buffer_b[:KEPT])
        self.buffer_b = None
        self.marks = None
        self.head_b = None
        self.state_b = LOST

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _grow(self, before: cython.Py_ssize_t, n: cython.Py_ssize_t) -> cython.int:
        """Count a large head that goes on; when all of them are too much, the ones that began first are given up."""
        observer: Observer = self.observer
        if not self.growing:
            self.growing = True
            observer.growing.append(self)
            observer.growing_octets += before
        observer.growing_octets += n + MARK
        if observer.growing_octets > observer.most_growing:
            self._thin_out()
        return 0

    def _thin_out(self) -> None:
        """Count all large heads under way anew, and give up the oldest until half of the room is free."""
        observer = self.observer
        left: list[Http1] = []
        one: Http1
        for one in observer.growing:
            if one.held():
                left.append(one)
            else:
                one.growing = False
        total = sum(one.held() for one in left)
        observer.growing = []
        for one in left:
            if one is not self and total > observer.most_growing // 2:
                total -= one.held()
                one.lose()
                one.growing = False
            else:
                observer.growing.append(one)
        observer.growing_octets = total

    def held(self) -> int:
        """Return how many octets the heads under way take; a connection that is forgotten has none."""
        if self.conn.superseded:
            self.buffer_a = self.buffer_b = self.marks = None
            self.head_a = self.head_b = None
        octets = len(self.buffer_a or b"") + len(self.buffer_b or b"")
        return octets + MARK * len(self.marks) if self.marks is not None else octets

    def lose(self) -> None:
        """Give up the heads under way."""
        if self.buffer_a is not None and self.asking is not None:
            self._lose_request(self.asking)
        if self.buffer_b is not None and self.current is not None:
            self._lose_response(self.current)
        self.buffer_a = self.buffer_b = self.marks = None

    def _frame_at(self, position: int) -> tuple[int, int]:
        """Return frame and time of the segment that carried an octet of the buffered head."""
        marks = self.marks
        assert marks
        low, high = 0, len(marks)
        while high - low > 1:
            middle = (low + high) // 2
            if marks[middle][0] <= position:
                low = middle
            else:
                high = middle
        return marks[low][1], marks[low][2]

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _response_read(
        self,
        ex: Exchange,
        head: Head,
        end: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        """A response head is complete: final or interim, and where does its body end (RFC 9112 section 6.3)?"""
        if 100 <= head.status < 200 and head.status != 101:
            if ex.interim is None:
                ex.interim = []
            if len(ex.interim) < 16:
                ex.interim.append((head.status, ex.resp_frame, ex.resp_ts))
            ex.resp_frame = ex.resp_ts = 0
            ex.status = 0
            ex.head_bytes = 0
            ex.head_frame = 0
            ex.resp_head = None
            self.state_b = START
            return 0
        ex.streaming = head.streaming
        ex.keep_alive = not head.close and head.minor > 0
        if head.chunked and head.lengths:
            ex.odd("content_length_with_transfer_encoding")
        if head.status == 101 or (ex.is_connect and 200 <= head.status < 300):
            ex.framing = _FRAMING_TUNNEL
            self.tunnel = True
            self.state_a = self.state_b = TUNNEL
            self._response_end(ex, end, frame, ts)
            self.state_a = self.state_b = TUNNEL
            self.skip = FOREVER
            self.conn.a.skip = FOREVER
        elif ex.is_head or head.status == 204 or head.status == 304:
            ex.framing = _FRAMING_NONE
            self._response_end(ex, end, frame, ts)
        elif head.coded:
            if head.chunked:
                ex.framing = _FRAMING_CHUNKED
                self.state_b = CHUNKS
                self.chunk_state = SIZE
                self.chunk = 0
                self.chunk_digits = 0
            else:
                ex.framing = _FRAMING_CLOSE
                self.state_b = CLOSE
        elif head.lengths and head.length >= 0:
            ex.framing = _FRAMING_LENGTH
            ex.expected = head.length
            if head.length == 0:
                self._response_end(ex, end, frame, ts)
            else:
                self.state_b = BODY
                self.skip = head.length
        elif head.lost:
            ex.framing = _FRAMING_CLOSE
            self.state_b = LOST
        else:
            ex.framing = _FRAMING_CLOSE
            self.state_b = CLOSE
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _response_end(
        self, ex: Exchange | None, end: cython.longlong, frame: cython.longlong, ts: cython.longlong
    ) -> cython.int:
        self.state_b = START
        if ex is None:
            return 0
        ex.resp_done = True
        ex.body_bytes = end - ex.resp_start - ex.head_bytes
        if ex.interim is not None and ex.body_bytes < 0:
            ex.body_bytes = 0
        ex.resp_last_frame = frame
        ex.resp_last_ts = ts
        if ex.req_cut:
            ex.req_whole = True
        if ex.req_whole:
            self._finished(ex)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1, check=False)
    def _finished(self, ex: Exchange) -> cython.int:
        """The first outstanding exchange is over."""
        if self.asking is ex:
            self.asking = None
        if self.queue:
            self.current = self.queue.pop(0)
        else:
            self.current = None
        if self.unseen >= 0 and ex.req_start >= self.unseen and ex.resp_frame and ex.resp_acks >= ex.req_end:
            self.unseen = -1  # in step again: what comes unasked from here on is nobody's answer
        self.observer.exchange_done(self.conn, ex)
        return 0

    # -- the chunked coding ---------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _chunk_octets(
        self,
        side: cython.int,
        octets: cython.p_const_uchar,
        n: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Follow chunk lines and trailers (RFC 9112 section 7.1); chunk data is skipped."""
        i: cython.Py_ssize_t = 0
        octet: cython.int
        digit: cython.int
        state: cython.int = self.chunk_state if side else self.chunk_state_a
        digits: cython.int = self.chunk_digits if side else self.chunk_digits_a
        size: cython.longlong = self.chunk if side else self.chunk_a
        fault: str | None = None
        while i < n:
            octet = octets[i]
            if state == SIZE:
                if 48 <= octet <= 57:
                    digit = octet - 48
                elif 97 <= (octet | 32) <= 102:
                    digit = (octet | 32) - 87
                else:
                    digit = -1
                if digit >= 0:
                    digits += 1
                    if digits > 15:
                        fault = "chunk size of more than 15 digits"
                        break
                    size = size * 16 + digit
                elif digits == 0:
                    fault = "chunk size is no hexadecimal number"
                    break
                elif octet == 13:
                    state = SIZE_LF
                elif octet == 10:
                    state = DATA
                elif octet == 59:
                    state = EXTENSION
                elif octet == 32 or octet == 9:
                    state = BLANKS
                else:
                    fault = "chunk size is no hexadecimal number"
                    break
            elif state == BLANKS:
                if octet == 59:
                    state = EXTENSION
                elif octet == 13:
                    state = SIZE_LF
                elif octet == 10:
                    state = DATA
                elif octet != 32 and octet != 9:
                    fault = "octets after the chunk size"
                    break
            elif state == EXTENSION:
                if octet == 10:
                    state = DATA
                elif octet == 13:
                    state = SIZE_LF
                elif octet == 0:
                    fault = "NUL in a chunk extension"
                    break
            elif state == SIZE_LF:
                if octet != 10:
                    fault = "CR without LF after the chunk size"
                    break
                state = DATA
            elif state == DATA_CR:
                if octet == 13:
                    state = DATA_LF
                elif octet == 10:
                    state = SIZE
                    size = 0
                    digits = 0
                else:
                    fault = "chunk data does not end where its size says"
                    break
            elif state == DATA_LF:
                if octet != 10:
                    fault = "chunk data does not end where its size says"
                    break
                state = SIZE
                size = 0
                digits = 0
            elif state == TRAILER:
                if octet == 13:
                    state = TRAILER_LF
                elif octet == 10:
                    self.chunk_state = self.chunk_state_a = SIZE
                    if side:
                        self._response_end(self.current, offset + i + 1, frame, ts)
                    else:
                        self._request_end(offset + i + 1, frame, ts)
                    return i + 1
                else:
                    state = TRAILER_LINE
            elif state == TRAILER_LINE:
                if octet == 10:
                    state = TRAILER
            else:  # TRAILER_LF
                if octet != 10:
                    fault = "CR without LF after the last chunk"
                    break
                if side:
                    self._response_end(self.current, offset + i + 1, frame, ts)
                else:
                    self._request_end(offset + i + 1, frame, ts)
                return i + 1
            i += 1
            if state == DATA:
                if size == 0:
                    state = TRAILER
                elif size <= n - i:  # all of the data is here: small chunks cost no way out and in again
                    i += size
                    state = DATA_CR
                else:
                    self.skip = size
                    break
        if side:
            self.chunk_state = state
            self.chunk = size
            self.chunk_digits = digits
        else:
            self.chunk_state_a = state
            self.chunk_a = size
            self.chunk_digits_a = digits
            if self.asking is not None:
                self.asking.req_end = offset + i
                self.asking.req_last_frame = frame
                self.asking.req_last_ts = ts
        if fault is not None:
            self._chunk_fault(side, offset + i, frame, ts, fault)
            return n
        return i

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _chunk_fault(
        self, side: cython.int, offset: cython.longlong, frame: cython.longlong, ts: cython.longlong, why: str
    ) -> cython.int:
        if side == 0:
            if self.asking is not None:
                self.asking.odd("invalid_chunk_in_request")
                self.asking.req_cut = True
                self.asking = None
            self.state_a = LOST
            return 0
        self.state_b = LOST
        self._blame(self.current, offset, "chunk", why, None, True, frame, ts)
        return 0

    # -- the rest -------------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _blame(
        self,
        exchange: Exchange,
        offset: cython.longlong,
        part: str,
        why: str,
        looks: str | None,
        lost: cython.bint,
        frame: cython.longlong,
        ts: cython.longlong,
    ) -> cython.int:
        exchange.violation = (part, offset, frame, ts, why, looks, bool(lost))
        self.observer.violated(self.conn, exchange)
        return 0

    def _name_violation(self, ex: Exchange, looks: str | None) -> None:
        violation = ex.violation
        if violation is not None:
            ex.violation = (*violation[:5], looks, violation[6])

    def kept(self, side: int, offset: int) -> tuple[int, bytes, int, int] | None:
        """Return the octets of a head under way, or of the last one, if *offset* stands in it: see ``Decoder``."""
        ex = self.current
        if side == 0:
            if self.asking is not None:
                ex = self.asking
            if ex is None or ex.ghost or not ex.req_start <= offset < ex.req_end:
                return None
            octets = bytes(self.buffer_a[:KEPT]) if self.buffer_a is not None else ex.req_head
            return ex.req_start, octets, ex.req_frame, ex.req_ts
        if ex is None or ex.resp_frame == 0 or offset < self.start_b:
            return None
        if self.buffer_b is not None:
            frame, ts = self._frame_at(max(0, min(offset - self.start_b, len(self.buffer_b) - 1)))
            return self.start_b, bytes(self.buffer_b[:KEPT]), frame, ts
        return self.start_b, ex.resp_head or b"", ex.resp_frame, ex.resp_ts

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _gather(self, octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
        """Name foreign octets by the first few dozen of them, however these are cut into segments."""
        known = self.foreign_octets
        if known is not None:
            room = NAMED - len(known)
            self.foreign_octets = known = known + octets[: min(n, room)]
            self.looks_like = name_of(known)
            if len(known) < NAMED:
                return 0
            self.foreign_octets = None
        self.skip = FOREVER
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _opaque(self, side: cython.int, octets: bytes) -> cython.int:
        """This connection does not carry HTTP/1; *octets* begin what the *side* says."""
        self.decided = True
        self.http = False
        self.looks_like = name_of(octets)
        self.conn.a.skip = FOREVER
        self.conn.b.skip = FOREVER
        if len(octets) >= NAMED:
            self.skip = FOREVER
        else:
            self.foreign_side = side
            self.foreign_octets = octets
            self.skip = 0
        self.current = self.asking = None
        self.buffer_a = self.buffer_b = self.marks = None
        self.head_a = self.head_b = None
        self.exchanges = 0
        return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
