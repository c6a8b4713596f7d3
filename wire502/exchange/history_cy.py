"""The exchanges of the last moments, both legs, one row each in a ring: found by method and target, never by a scan.

A row is written when a request head has been read, and completed when its response is; it holds a reference to the
request head, so that a match is by octets and not by a hash. Rows are overwritten in the order in which they came.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.string import memchr, memcpy
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange
else:
    from wire502.model.flow_cy import Connection, Exchange

from wire502.model.flow_cy import NEVER

LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
MOST = 64  # rows of one key that are told apart: with more nobody can
KEPT = cython.declare(cython.Py_ssize_t, 8192)  # octets of a head in a row
LOOKED = 8192  # rows that are looked at for them


@dataclass(slots=True)
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
def _digest(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash octets, eight at a time."""
    h: cython.ulonglong = 0x4BF29CE484222325
    if cython.compiled:
        prime: cython.ulonglong = 0x100000001B3
        word: cython.ulonglong = 0
        while end - start >= 8:
            memcpy(cython.address(word), octets + start, 8)
            h = (h ^ word) * prime
            h ^= h >> 31
            start += 8
        word = cython.cast(cython.ulonglong, end - start)
        while start < end:
            word = word << 8 | octets[start]
            start += 1
        h = (h ^ word) * prime
        h ^= h >> 29
    else:
        h = hash(octets[start:end]) & LOW_64
    return h


@cython.cfunc
@cython.inline
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
def line_key(octets: cython.p_const_uchar, end: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash method and target of a request head, which end at *end*."""
    return _digest(octets, 0, end) | 1


@cython.cfunc
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


@cython.final
@cython.cclass
class History:
    """A ring of *size* rows (a power of two)."""

    rows: int
    more: bool
    conns: list[Connection | None]
    texts: list[bytes | None]

    def __init__(self, size: int) -> None:
        whole = 1024
        while whole < size:
            whole *= 2
        self.size = whole
        self.rows = 0
        self.more = False
        self.key = array("Q", bytes(8 * whole))
        self.before = array("q", bytes(8 * whole))
        self.tail = array("Q", bytes(8 * whole))
        self.tail_before = array("q", bytes(8 * whole))
        self.tail_heads = array("q", bytes(8 * whole))
        self.heads = array("q", bytes(8 * whole))
        self.req_ts = array("q", bytes(8 * whole))
        self.end_ts = array("q", bytes(8 * whole))
        self.frame = array("q", bytes(8 * whole))
        self.end_frame = array("q", bytes(8 * whole))
        self.resp_ts = array("q", bytes(8 * whole))
        self.status = array("i", bytes(4 * whole))
        self.number = array("q", bytes(8 * whole))
        self.conns = [None] * whole
        self.texts = [None] * whole

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the size of all columns
    def begin(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Write the row of a request. Row numbers count from 1, over all rows ever."""
        head: bytes = _kept(exchange.req_head)
        octets: cython.p_const_uchar
        at: cython.Py_ssize_t
        bucket: cython.Py_ssize_t
        end: cython.Py_ssize_t
        h: cython.ulonglong
        octets = head
        end = asked_end(octets, len(head))
        h = line_key(octets, end)
        self.rows += 1
        at = self.rows & (self.size - 1)
        bucket = (h ^ (h >> 29)) & (self.size - 1)
        self.key[at] = h
        self.before[at] = self.heads[bucket]
        self.heads[bucket] = self.rows
        h = tail_key(octets, end)
        self.tail[at] = h
        if h != 0:
            bucket = (h ^ (h >> 29)) & (self.size - 1)
            self.tail_before[at] = self.tail_heads[bucket]
            self.tail_heads[bucket] = self.rows
        self.req_ts[at] = exchange.req_ts
        self.end_ts[at] = 0
        self.frame[at] = exchange.req_frame
        self.end_frame[at] = 0
        self.resp_ts[at] = 0
        self.status[at] = 0
        self.number[at] = exchange.number
        self.conns[at] = conn
        self.texts[at] = head
        exchange.row = self.rows
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    @cython.boundscheck(False)  # places are masked with the size of all columns
    def end(self, exchange: Exchange) -> cython.int:
        """Complete the row of an exchange, if it is still in the ring."""
        at: cython.Py_ssize_t
        if exchange.row > self.rows - self.size and exchange.row > 0:
            at = exchange.row & (self.size - 1)
            self.end_ts[at] = exchange.resp_last_ts if exchange.resp_last_ts else exchange.req_last_ts
            self.end_frame[at] = exchange.resp_frame if exchange.status_frame == 0 else exchange.status_frame
            self.resp_ts[at] = exchange.resp_ts if exchange.status_frame == 0 else exchange.status_ts
            self.status[at] = exchange.status
        return 0

    def like(
        self, head: bytes, since_ns: int, until_ns: int = NEVER, open_ns: int = 0, ended: bool = False
    ) -> list[Row]:
        """Return the rows with the method and target of *head*, newest first.

        Only rows that began from *since_ns* to *until_ns* and were not over before *open_ns*. At most ``MOST`` are
        returned; ``more`` says whether there may be others. With *ended* those of them that have an end.
        """
        unended: cython.Py_ssize_t = 0
        wanted: cython.bint = ended
        octets: cython.p_const_uchar
        h: cython.ulonglong
        at: cython.Py_ssize_t
        row: cython.longlong
        since: cython.longlong = since_ns
        until: cython.longlong = until_ns
        least: cython.longlong = open_ns
        looked: cython.int = 0
        head = _kept(head)
        octets = head
        h = line_key(octets, asked_end(octets, len(head)))
        row = self.heads[cython.cast(cython.Py_ssize_t, (h ^ (h >> 29)) & (self.size - 1))]
        line = _line(head)
        found: list[Row] = []
        self.more = False
        while row > 0 and row > self.rows - self.size:
            if len(found) + unended >= MOST or looked >= LOOKED:
                self.more = True
                break
            at = row & (self.size - 1)
            looked += 1
            if self.key[at] == h:
                if self.req_ts[at] < since:
                    break
                if self.req_ts[at] <= until and (self.end_ts[at] == 0 or self.end_ts[at] >= least):
                    if wanted and self.end_ts[at] == 0:
                        unended += 1
                    elif _line(self.texts[at] or b"") == line:
                        found.append(self._row(row))
            row = self.before[at]
        return found

    def ending_like(self, head: bytes, since_ns: int, until_ns: int = NEVER, open_ns: int = 0) -> list[Row]:
        """Return the rows whose target ends like that of *head* (``target_end``), as ``like`` does."""
        octets: cython.p_const_uchar
        h: cython.ulonglong
        at: cython.Py_ssize_t
        row: cython.longlong
        since: cython.longlong = since_ns
        until: cython.longlong = until_ns
        least: cython.longlong = open_ns
        looked: cython.int = 0
        head = _kept(head)
        octets = head
        h = tail_key(octets, asked_end(octets, len(head)))
        wanted = target_end(head)
        found: list[Row] = []
        self.more = False
        if h == 0 or wanted is None:
            return found
        row = self.tail_heads[cython.cast(cython.Py_ssize_t, (h ^ (h >> 29)) & (self.size - 1))]
        while row > 0 and row > self.rows - self.size:
            if len(found) >= MOST or looked >= LOOKED:
                self.more = True
                break
            at = row & (self.size - 1)
            looked += 1
            if self.tail[at] == h:
                if self.req_ts[at] < since:
                    break
                if self.req_ts[at] <= until and (self.end_ts[at] == 0 or self.end_ts[at] >= least):
                    if target_end(self.texts[at] or b"") == wanted:
                        found.append(self._row(row))
            row = self.tail_before[at]
        return found

    def latest(self, count: int, since_ns: int, until_ns: int = NEVER, open_ns: int = 0) -> list[Row]:
        """Return those of the newest *count* rows that began from *since_ns* to *until_ns*, newest first.

        Rows that were over before *open_ns* are left out.
        """
        at: cython.Py_ssize_t
        row: cython.longlong = self.rows
        last: cython.longlong = max(0, self.rows - count, self.rows - self.size)
        since: cython.longlong = since_ns
        until: cython.longlong = until_ns
        least: cython.longlong = open_ns
        found: list[Row] = []
        self.more = False
        while row > last:
            at = row & (self.size - 1)
            if self.req_ts[at] < since:
                break
            if self.req_ts[at] <= until and (self.end_ts[at] == 0 or self.end_ts[at] >= least):
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
        at = row & (self.size - 1)
        conn, text = self.conns[at], self.texts[at]
        assert conn is not None, "a row that is in the ring has been written"
        assert text is not None, "a row that is in the ring has been written"
        return Row(
            conn,
            self.number[at],
            text,
            self.frame[at],
            self.req_ts[at],
            self.end_frame[at],
            self.end_ts[at],
            self.status[at],
            self.resp_ts[at],
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
