"""The exchanges of the last moments, both legs, one row each in a ring: found by method and target, never by a scan.

A row is written when a request head has been read, and completed when its response is; it holds a reference to the
request head, so that a match is by octets and not by a hash. Rows are overwritten in the order in which they came.

This module is long because what writes, links and finds a row goes by the same places of the same numbers.
"""

from __future__ import annotations

from mmap import mmap

from wire502.model.records import record

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.string import memchr, memcpy
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange
else:
    from binascii import crc32

    from wire502.model.flow_cy import Connection, Exchange

from wire502.model.flow_cy import NEVER

LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
LOW_63 = cython.declare(cython.ulonglong, 0x7FFFFFFFFFFFFFFF)  # of a hash, so that it stands among signed numbers
if not cython.compiled:  # the same numbers stand in the declarations, where the C compiler takes them for constants
    # Places in a row: what belongs to one exchange lies in one cache line; a column for each number would touch seven.
    REQ_TS, FRAME, NUMBER, END_TS, END_FRAME, RESP_TS, STATUS = range(7)
    LATEST = 7  # the highest REQ_TS up to this row: captures may be out of order
    WIDTH = 8
    # Places in the links of a row, which are written when somebody asks.
    KEY, BEFORE = 0, 1  # hash of method and target, and the row before with the same bucket
    TAIL, TAIL_BEFORE = 2, 3  # hash of the end of the target, likewise; 0: it says too little
    LINKS = 4
    KEPT = 8192  # octets of a head in a row
MOST = 64  # rows of one key that are told apart: with more nobody can
LOOKED = 8192  # rows that are looked at for them


@record()
class Row:
    """One exchange, as it stood when it was read. ``end_ts`` is 0 while no whole response has been seen.

    ``index`` is its number in the history, with which it can be read again.
    """

    conn: Connection
    number: int
    head: bytes
    frame: int
    req_ts: int
    end_frame: int
    end_ts: int
    status: int
    resp_ts: int
    index: int


@cython.cfunc
@cython.exceptval(check=False)
def _digest(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash octets, eight at a time."""
    h: cython.ulonglong = 0x4BF29CE484222325
    if cython.compiled:
        prime: cython.ulonglong = 0x100000001B3
        word: cython.ulonglong = 0
        n: cython.Py_ssize_t = end - start
        while end - start >= 8:
            memcpy(cython.address(word), octets + start, 8)
            h = (h ^ word) * prime
            h ^= h >> 31
            start += 8
        if n >= 8:  # the last eight once more, rather than what is left one by one
            memcpy(cython.address(word), octets + end - 8, 8)
        else:
            while start < end:
                word = word << 8 | octets[start]
                start += 1
        h = (h ^ (word + cython.cast(cython.ulonglong, n))) * prime
        h ^= h >> 29
    else:
        h = crc32(octets[start:end])  # not `hash`: what is forgotten first would differ from run to run
    return h


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _find(
    octets: cython.p_const_uchar, octet: cython.int, start: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Return where an octet stands between *start* and *end*, -1 if it does not."""
    where: cython.Py_ssize_t = -1
    if cython.compiled:
        if end > start:
            found = cython.cast(
                cython.p_const_uchar, memchr(octets + start, octet, cython.cast(cython.size_t, end - start))
            )
            if found != cython.NULL:
                where = found - octets
    else:
        where = octets.find(octet, start, end)
    return where


@cython.cfunc
@cython.exceptval(check=False)
def asked_end(octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where method and target end: at the second blank of the first line, or at its end."""
    end: cython.Py_ssize_t = _find(octets, 10, 0, n)
    blank: cython.Py_ssize_t
    if end < 0:
        end = n
    blank = _find(octets, 32, 0, end)
    if blank >= 0:
        blank = _find(octets, 32, blank + 1, end)
        if blank >= 0:
            end = blank
    while end > 0 and octets[end - 1] == 13:
        end -= 1
    return end


@cython.cfunc
@cython.exceptval(check=False)
def line_key(octets: cython.p_const_uchar, end: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash method and target of a request head, which end at *end*."""
    return _digest(octets, 0, end) | 1


@cython.cfunc
@cython.exceptval(check=False)
def tail_key(octets: cython.p_const_uchar, end: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash method and end of the target: what ``target_end`` returns. 0: it says too little."""
    i: cython.Py_ssize_t
    method: cython.Py_ssize_t = _find(octets, 32, 0, end)
    path: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    least: cython.Py_ssize_t = method + 1
    segments: cython.int = 0
    wanted: cython.int
    if method < 0:
        return 0
    path = _find(octets, 63, method + 1, end)
    if path < 0:
        path = end
    i = path
    wanted = 1 if end - path > 1 else 2
    while segments < wanted:
        stop = i
        while i > least and octets[i - 1] != 47:
            i -= 1
        if i == least:
            return 0
        if stop > i:  # the segment is not empty
            segments += 1
        i -= 1
    return (_digest(octets, 0, method) * 31 + _digest(octets, i, end)) & LOW_64 | 1


def _zeros(count: int) -> memoryview:
    """Return *count* numbers of 64 bits that take memory where they are written: most captures are short."""
    return memoryview(mmap(-1, 8 * count)).cast("q")


@cython.final
@cython.cclass
class History:
    """A ring of *size* rows (a power of two)."""

    rows: int
    more: bool
    conns: list[Connection | None]
    texts: list[bytes | None]

    def __init__(self, size: int) -> None:
        whole = 1
        while whole < size:
            whole *= 2
        self.size = whole
        self.rows = 0
        self.latest_ts = 0
        # Of lines and of ends of targets: the first and the last of the rows that are in the chains, all without a
        # gap, and how many rows there were when a gap was filled.
        self.first_lined = self.first_tailed = 1
        self.lined = self.tailed = 0
        self.filled_lined = self.filled_tailed = -whole
        self.more = False
        self.cells = _zeros(WIDTH * whole)
        self.links = _zeros(LINKS * whole)
        self.heads = _zeros(whole)  # the newest row of each bucket, by line and by end of the target
        self.tail_heads = _zeros(whole)
        self.conns = [None] * whole
        self.texts = [None] * whole

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of rows
    def begin(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Write the row of a request. Row numbers count from 1, over all rows ever."""
        row: cython.Py_ssize_t
        at: cython.Py_ssize_t
        cells: cython.p_longlong
        if cython.compiled:
            cells = cython.address(self.cells[0])
        else:
            cells = self.cells
        head: bytes = exchange.req_head
        self.rows += 1
        row = self.rows & (self.size - 1)
        self.conns[row] = conn
        self.texts[row] = head if len(head) <= KEPT else head[:KEPT]
        if exchange.req_ts > self.latest_ts:
            self.latest_ts = exchange.req_ts
        at = row * WIDTH
        cells[at + REQ_TS] = exchange.req_ts
        cells[at + FRAME] = exchange.req_frame
        cells[at + NUMBER] = exchange.number
        cells[at + END_TS] = cells[at + END_FRAME] = cells[at + RESP_TS] = cells[at + STATUS] = 0
        cells[at + LATEST] = self.latest_ts
        exchange.row = self.rows
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of rows
    def _since(self, since: cython.longlong) -> cython.longlong:
        """Return the first row that may have begun at *since* or later; all before it began earlier."""
        low: cython.longlong = self.rows - self.size + 1
        high: cython.longlong = self.rows + 1
        middle: cython.longlong
        place: cython.Py_ssize_t
        if low < 1:
            low = 1
        while low < high:
            middle = (low + high) >> 1
            place = middle & (self.size - 1)
            if self.cells[place * WIDTH + LATEST] < since:
                low = middle + 1
            else:
                high = middle
        return low

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of rows
    def _index(self, tail: cython.bint, since: cython.longlong) -> cython.int:
        """Bring the chains of rows with the same bucket up to date, by line or by the end of the target.

        That waits until somebody asks, and leaves out what began before *since*: most rows are overwritten before
        anybody asks for them, and their buckets lie all over the memory. When somebody asks for what was left out,
        the chains are made anew; that can happen once in as many rows as there are, so that it costs nobody more
        than to leave out none.
        """
        head: bytes
        octets: cython.p_const_uchar
        number: cython.longlong = self.tailed if tail else self.lined
        first: cython.longlong = self.first_tailed if tail else self.first_lined
        filled: cython.longlong = self.filled_tailed if tail else self.filled_lined
        start: cython.longlong = self._since(since)
        at: cython.Py_ssize_t
        bucket: cython.Py_ssize_t
        end: cython.Py_ssize_t
        h: cython.ulonglong
        links: cython.p_longlong
        heads: cython.p_longlong
        if cython.compiled:
            links = cython.address(self.links[0])
            heads = cython.address(self.tail_heads[0]) if tail else cython.address(self.heads[0])
        else:
            links = self.links
            heads = self.tail_heads if tail else self.heads
        if number < self.rows - self.size:
            number = self.rows - self.size
            first = number + 1
        if start < first:
            for bucket in range(self.size):
                heads[bucket] = 0
            filled = self.rows
            first = start
            number = start - 1
        elif start > number + 1 and self.rows - filled >= self.size:
            first = start
            number = start - 1
        while number < self.rows:
            number += 1
            at = number & (self.size - 1)
            head = self.texts[at]
            octets = head
            at *= LINKS
            end = asked_end(octets, len(head))
            if tail:
                h = tail_key(octets, end) & LOW_63
                links[at + TAIL] = h
                if h != 0:
                    bucket = (h ^ (h >> 29)) & (self.size - 1)
                    links[at + TAIL_BEFORE] = heads[bucket]
                    heads[bucket] = number
            else:
                h = line_key(octets, end) & LOW_63
                bucket = (h ^ (h >> 29)) & (self.size - 1)
                links[at + KEY] = h
                links[at + BEFORE] = heads[bucket]
                heads[bucket] = number
        if tail:
            self.tailed = number
            self.first_tailed = first
            self.filled_tailed = filled
        else:
            self.lined = number
            self.first_lined = first
            self.filled_lined = filled
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of rows
    def end(self, exchange: Exchange) -> cython.int:
        """Complete the row of an exchange, if it is still in the ring."""
        at: cython.Py_ssize_t
        cells: cython.p_longlong
        if exchange.row > self.rows - self.size and exchange.row > 0:
            at = (exchange.row & (self.size - 1)) * WIDTH
            if cython.compiled:
                cells = cython.address(self.cells[0])
            else:
                cells = self.cells
            cells[at + END_TS] = exchange.resp_last_ts if exchange.resp_last_ts else exchange.req_last_ts
            cells[at + END_FRAME] = exchange.resp_frame if exchange.status_frame == 0 else exchange.status_frame
            cells[at + RESP_TS] = exchange.resp_ts if exchange.status_frame == 0 else exchange.status_ts
            cells[at + STATUS] = exchange.status
        return 0

    def like(
        self, head: bytes, since_ns: int, until_ns: int = NEVER, open_ns: int = 0, ended: bool = False
    ) -> list[Row]:
        """Return the rows with the method and target of *head*, newest first.

        Only rows that began from *since_ns* to *until_ns* and were not over before *open_ns*. At most ``MOST`` are
        returned; ``more`` says whether there may be others. With *ended* those of them that have an end.
        """
        octets: cython.p_const_uchar
        h: cython.ulonglong
        head = _kept(head)
        octets = head
        h = line_key(octets, asked_end(octets, len(head))) & LOW_63
        found: list[Row] = self._like(False, h, _line(head), since_ns, until_ns, open_ns, ended)
        return found

    def ending_like(self, head: bytes, since_ns: int, until_ns: int = NEVER, open_ns: int = 0) -> list[Row]:
        """Return the rows whose target ends like that of *head* (``target_end``), as ``like`` does."""
        octets: cython.p_const_uchar
        h: cython.ulonglong
        head = _kept(head)
        octets = head
        h = tail_key(octets, asked_end(octets, len(head))) & LOW_63
        wanted = target_end(head)
        if h == 0 or wanted is None:
            self.more = False
            return []
        found: list[Row] = self._like(True, h, wanted, since_ns, until_ns, open_ns, False)
        return found

    @cython.cfunc
    def _like(
        self,
        tail: cython.bint,
        h: cython.ulonglong,
        wanted: object,
        since: cython.longlong,
        until: cython.longlong,
        least: cython.longlong,
        ended: cython.bint,
    ) -> list[Row]:
        """Walk the rows of the key *h*, of lines or of tails, for those of which that part is *wanted*."""
        key: cython.Py_ssize_t = TAIL if tail else KEY
        before: cython.Py_ssize_t = TAIL_BEFORE if tail else BEFORE
        wanted_key: cython.longlong = h
        slot: cython.Py_ssize_t = (h ^ (h >> 29)) & (self.size - 1)
        row: cython.longlong
        at: cython.Py_ssize_t
        link: cython.Py_ssize_t
        place: cython.Py_ssize_t
        unended: cython.Py_ssize_t = 0
        looked: cython.int = 0
        found: list[Row] = []
        self._index(tail, since)
        row = self.tail_heads[slot] if tail else self.heads[slot]
        self.more = False
        while row > 0 and row > self.rows - self.size:
            if len(found) + unended >= MOST or looked >= LOOKED:
                self.more = True
                break
            place = row & (self.size - 1)
            at = place * WIDTH
            link = place * LINKS
            if self.cells[at + LATEST] < since:
                break
            looked += 1
            if self.links[link + key] == wanted_key:
                if self.cells[at + REQ_TS] < since:
                    break
                if self.cells[at + REQ_TS] <= until and (
                    self.cells[at + END_TS] == 0 or self.cells[at + END_TS] >= least
                ):
                    text = self.texts[place]
                    assert text is not None, "a row that is in the ring has been written"
                    if ended and self.cells[at + END_TS] == 0:
                        unended += 1
                    elif (target_end(text) if tail else _line(text)) == wanted:
                        found.append(self._row(row))
            row = self.links[link + before]
        return found

    def latest(self, count: int, since_ns: int, until_ns: int = NEVER, open_ns: int = 0) -> list[Row]:
        """Return those of the newest *count* rows that began from *since_ns* to *until_ns*, newest first.

        Rows that were over before *open_ns* are left out.
        """
        at: cython.Py_ssize_t
        place: cython.Py_ssize_t
        row: cython.longlong = self.rows
        last: cython.longlong = max(0, self.rows - count, self.rows - self.size)
        since: cython.longlong = since_ns
        until: cython.longlong = until_ns
        least: cython.longlong = open_ns
        found: list[Row] = []
        self.more = False
        while row > last:
            place = row & (self.size - 1)
            at = place * WIDTH
            if self.cells[at + REQ_TS] < since:
                break
            if self.cells[at + REQ_TS] <= until and (self.cells[at + END_TS] == 0 or self.cells[at + END_TS] >= least):
                found.append(self._row(row))
            row -= 1
        self.more = 0 < row <= last
        return found

    def get(self, row: int) -> Row | None:
        """Return a row by its number, None once it has been overwritten."""
        if row <= 0 or row <= self.rows - self.size:
            return None
        return self._row(row)

    def _row(self, row: int) -> Row:
        place = row & (self.size - 1)
        at = place * WIDTH
        conn, text = self.conns[place], self.texts[place]
        assert conn is not None, "a row that is in the ring has been written"
        assert text is not None, "a row that is in the ring has been written"
        return Row(
            conn,
            self.cells[at + NUMBER],
            text,
            self.cells[at + FRAME],
            self.cells[at + REQ_TS],
            self.cells[at + END_FRAME],
            self.cells[at + END_TS],
            self.cells[at + STATUS],
            self.cells[at + RESP_TS],
            row,
        )


@cython.cfunc
def _kept(head: bytes) -> bytes:
    """Return as much of a head as a row keeps: thousands of rows times the largest head would be gigabytes."""
    return head if len(head) <= KEPT else head[:KEPT]


def _line(head: bytes) -> bytes:
    """Return method and target of a request head."""
    end = head.find(b"\n")
    line = head[: end if end >= 0 else len(head)]
    parts = line.split(b" ", 2)
    return b" ".join(parts[:2]).rstrip(b"\r\n")


def target_end(head: bytes) -> tuple[bytes, ...] | None:
    """Return method and end of the target: its last segment and the query, or its last two segments.

    A gateway that rewrites the beginning of targets leaves that as it was. None where the target has less.
    """
    parts = _line(head).split(b" ", 1)
    if len(parts) < 2:
        return None
    path, _, query = parts[1].partition(b"?")
    wanted = 1 if query else 2
    segments = path.rsplit(b"/", wanted + 1 if path.endswith(b"/") else wanted)[1:]
    if len([one for one in segments if one]) < wanted:
        return None
    return (parts[0], *segments, b"?", query)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
