"""The exchanges of the last moments, both legs, one row each in a ring: found by hashes of method and target.

A row is written when a request head has been read, and completed when its response is; it holds a reference to the
request head, so that a match is by octets and not by a hash. Rows are overwritten in the order in which they came.

This module is long because what writes and finds a row goes by the same places and the same hashes.
"""

from __future__ import annotations

import sys
from mmap import mmap
from typing import Any

from wire502.model.records import record

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.cpython.list import PyList_GET_ITEM
    from cython.cimports.libc.string import memchr, memcpy
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange, fetch_early
else:
    from binascii import crc32

    from wire502.model.flow_cy import Connection, Exchange

    PyList_GET_ITEM: Any = None  # for compiled code only
    fetch_early: Any = None

from wire502.model.flow_cy import NEVER

LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
LOW_63 = cython.declare(cython.ulonglong, 0x7FFFFFFFFFFFFFFF)  # of a hash, so that it stands among signed numbers
if not cython.compiled:  # the same numbers stand in the declarations, where the C compiler takes them for constants
    # Places in a row: what belongs to one exchange lies in one cache line; a column for each number would touch seven.
    REQ_TS, FRAME, NUMBER, END_TS, END_FRAME, RESP_TS, STATUS = range(7)
    LATEST = 7  # the highest REQ_TS up to this row: captures may be out of order
    WIDTH = 8
    KEPT = 8192  # octets of a head in a row
LITTLE = cython.declare(cython.bint, sys.byteorder == "little")  # the first octet is the lowest one of a number
MOST = 64  # rows of one key that are told apart: with more nobody can
LOOKED = 8192  # rows of one key that are looked at for them


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
def asked_key(head: bytes) -> cython.ulonglong:
    """Hash method and target of a request head: the same number for heads that have the same.

    For each request of a capture, so it looks for the end of the target while it reads, eight octets at a time. Of
    the method its length and first letter are enough, which hardly any two share: who finds a row by its key compares
    what was asked, but only so many rows of one key are looked at.
    """
    h: cython.ulonglong = 0x4BF29CE484222325
    if cython.compiled:
        octets: cython.p_const_uchar = head
        n: cython.Py_ssize_t = len(head)
        i: cython.Py_ssize_t = 0
        prime: cython.ulonglong = 0x100000001B3
        word: cython.ulonglong
        low: cython.ulonglong
        if not LITTLE:
            return _digest(octets, 0, asked_end(octets, n)) & LOW_63
        least: cython.ulonglong = 0x2121212121212121  # what is below 33 is no octet of a method or target
        tops: cython.ulonglong = 0x8080808080808080
        while i < n and octets[i] > 32:
            i += 1
        if i == n or octets[i] != 32:
            return 0  # a line without a blank
        h ^= cython.cast(cython.ulonglong, i) << 8 | octets[0]
        low = 0
        while low == 0:
            i += 1
            word = 0
            if n - i >= 8:
                memcpy(cython.address(word), octets + i, 8)
            else:
                memcpy(cython.address(word), octets + i, cython.cast(cython.size_t, n - i))
            low = (word - least) & ~word & tops  # the lowest bit stands at the first octet below 33
            if low != 0:
                word &= ((low & (~low + 1)) >> 7) - 1  # what is before that
            h = (h ^ word) * prime
            h ^= h >> 31
            i += 7
    else:
        h = crc32(_line(head))  # not `hash`: what is forgotten first would differ from run to run
    return h & LOW_63


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
        self.tailed = 0  # up to which row the chains of targets' ends are up to date
        self.more = False
        self.cells = _zeros(WIDTH * whole)
        self.keys = _zeros(whole)  # hash of method and target of each row
        self.tails = _zeros(whole)  # hash of the end of the target, 0: it says too little; ...
        self.tails_before = _zeros(whole)  # ... the row before with the same bucket ...
        self.tail_heads = _zeros(whole)  # ... and the newest row of each bucket
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
        if len(head) > KEPT:
            head = head[:KEPT]  # the key, too, is of what is kept, as in `like`
        self.texts[row] = head
        if exchange.req_ts > self.latest_ts:
            self.latest_ts = exchange.req_ts
        at = row * WIDTH
        cells[at + REQ_TS] = exchange.req_ts
        cells[at + FRAME] = exchange.req_frame
        cells[at + NUMBER] = exchange.number
        cells[at + END_TS] = cells[at + END_FRAME] = cells[at + RESP_TS] = cells[at + STATUS] = 0
        cells[at + LATEST] = self.latest_ts
        self.keys[row] = asked_key(head)
        exchange.row = self.rows
        if cython.compiled:  # what the next row lets go of: nobody has touched it for long
            row = (row + 1) & (self.size - 1)
            fetch_early(PyList_GET_ITEM(self.conns, row))
            fetch_early(PyList_GET_ITEM(self.texts, row))
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
    def _index(self) -> cython.int:
        """Bring the chains of rows whose targets' ends have the same bucket up to date.

        That waits until somebody asks: most rows are overwritten before, and their buckets lie all over the memory.
        """
        head: bytes
        octets: cython.p_const_uchar
        number: cython.longlong = self.tailed
        at: cython.Py_ssize_t
        bucket: cython.Py_ssize_t
        h: cython.ulonglong
        if number < self.rows - self.size:
            number = self.rows - self.size
        while number < self.rows:
            number += 1
            at = number & (self.size - 1)
            head = self.texts[at] or b""
            octets = head
            h = tail_key(octets, asked_end(octets, len(head))) & LOW_63
            self.tails[at] = h
            if h != 0:
                bucket = (h ^ (h >> 29)) & (self.size - 1)
                self.tails_before[at] = self.tail_heads[bucket]
                self.tail_heads[bucket] = number
        self.tailed = number
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the number of rows
    def _older(
        self, tail: cython.bint, h: cython.longlong, row: cython.longlong, first: cython.longlong
    ) -> cython.longlong:
        """Return the row before *row* with the key *h*, 0 if there is none from *first* on.

        Those of one line are looked for among all: to go through the keys of all rows takes less than to link each.
        """
        mask: cython.longlong = self.size - 1
        bucket: cython.Py_ssize_t
        if tail:
            if row > self.rows:
                bucket = (h ^ (h >> 29)) & mask
                row = self.tail_heads[bucket]
            else:
                row = self.tails_before[row & mask]
            while row >= first and self.tails[row & mask] != h:
                row = self.tails_before[row & mask]
        else:
            row -= 1
            while row >= first and self.keys[row & mask] != h:
                row -= 1
        return row if row >= first else 0

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
        head = _kept(head)
        found: list[Row] = self._like(False, asked_key(head), _line(head), since_ns, until_ns, open_ns, ended)
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
        first: cython.longlong = self._since(since)
        row: cython.longlong
        at: cython.Py_ssize_t
        place: cython.Py_ssize_t
        unended: cython.Py_ssize_t = 0
        looked: cython.int = 0
        found: list[Row] = []
        if tail:
            self._index()
        self.more = False
        row = self._older(tail, h, self.rows + 1, first)
        while row > 0:
            if len(found) + unended >= MOST or looked >= LOOKED:
                self.more = True
                break
            place = row & (self.size - 1)
            at = place * WIDTH
            looked += 1
            if self.cells[at + REQ_TS] < since:
                break
            if self.cells[at + REQ_TS] <= until and (self.cells[at + END_TS] == 0 or self.cells[at + END_TS] >= least):
                text = self.texts[place] or b""
                if ended and self.cells[at + END_TS] == 0:
                    unended += 1
                elif (target_end(text) if tail else _line(text)) == wanted:
                    found.append(self._row(row))
            row = self._older(tail, h, row, first)
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
