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
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange
else:
    from wire502.model.flow_cy import Connection, Exchange

LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
MOST = 64  # rows of one key that are looked at: beyond that nobody can tell them apart


@dataclass(slots=True)
class Row:
    """One exchange. ``end_ts`` is 0 while no whole response has been seen."""

    conn: Connection
    number: int
    head: bytes
    frame: int
    req_ts: int
    end_frame: int
    end_ts: int
    status: int


@cython.cfunc
def line_key(octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.ulonglong:
    """Hash method and target of a request head: all up to the second blank of the first line (FNV-1a)."""
    h: cython.ulonglong = 0x4BF29CE484222325
    prime: cython.ulonglong = 0x100000001B3
    i: cython.Py_ssize_t
    blanks: cython.int = 0
    for i in range(n):
        if octets[i] == 32:
            blanks += 1
            if blanks == 2:
                break
        elif octets[i] == 13 or octets[i] == 10:
            break
        h = ((h ^ octets[i]) * prime) & LOW_64
    return h | 1


@cython.cclass
class History:
    """A ring of *size* rows (a power of two)."""

    rows: int
    conns: list[Connection | None]
    texts: list[bytes | None]

    def __init__(self, size: int) -> None:
        whole = 1024
        while whole < size:
            whole *= 2
        self.size = whole
        self.rows = 0
        self.key = array("Q", bytes(8 * whole))
        self.before = array("q", bytes(8 * whole))
        self.heads = array("q", bytes(8 * whole))
        self.req_ts = array("q", bytes(8 * whole))
        self.end_ts = array("q", bytes(8 * whole))
        self.frame = array("q", bytes(8 * whole))
        self.end_frame = array("q", bytes(8 * whole))
        self.status = array("i", bytes(4 * whole))
        self.number = array("q", bytes(8 * whole))
        self.conns = [None] * whole
        self.texts = [None] * whole

    @cython.cfunc
    def begin(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Write the row of a request. Row numbers count from 1, over all rows ever."""
        head: bytes = exchange.req_head
        octets: cython.p_const_uchar
        at: cython.Py_ssize_t
        bucket: cython.Py_ssize_t
        h: cython.ulonglong
        octets = head
        h = line_key(octets, len(head))
        self.rows += 1
        at = self.rows & (self.size - 1)
        bucket = cython.cast(cython.Py_ssize_t, (h ^ (h >> 29)) & (self.size - 1))
        self.key[at] = h
        self.before[at] = self.heads[bucket]
        self.heads[bucket] = self.rows
        self.req_ts[at] = exchange.req_ts
        self.end_ts[at] = 0
        self.frame[at] = exchange.req_frame
        self.end_frame[at] = 0
        self.status[at] = 0
        self.number[at] = exchange.number
        self.conns[at] = conn
        self.texts[at] = head
        exchange.row = self.rows
        return 0

    @cython.cfunc
    def end(self, exchange: Exchange) -> cython.int:
        """Complete the row of an exchange, if it is still in the ring."""
        at: cython.Py_ssize_t
        if exchange.row > self.rows - self.size and exchange.row > 0:
            at = exchange.row & (self.size - 1)
            self.end_ts[at] = exchange.resp_last_ts if exchange.resp_last_ts else exchange.req_last_ts
            self.end_frame[at] = exchange.resp_frame if exchange.status_frame == 0 else exchange.status_frame
            self.status[at] = exchange.status
        return 0

    def like(self, head: bytes, since_ns: int) -> list[Row]:
        """Return the rows with the method and target of *head* that began at *since_ns* or later, newest first.

        At most ``MOST`` rows are returned.
        """
        octets: cython.p_const_uchar
        h: cython.ulonglong
        at: cython.Py_ssize_t
        row: cython.longlong
        octets = head
        h = line_key(octets, len(head))
        row = self.heads[cython.cast(cython.Py_ssize_t, (h ^ (h >> 29)) & (self.size - 1))]
        line = _line(head)
        found: list[Row] = []
        looked = 0
        while row > 0 and row > self.rows - self.size and len(found) < MOST and looked < 4 * MOST:
            at = row & (self.size - 1)
            looked += 1
            if self.key[at] == h:
                if self.req_ts[at] < since_ns:
                    break
                if _line(self.texts[at] or b"") == line:
                    found.append(self._row(at))
            row = self.before[at]
        return found

    def latest(self, count: int, since_ns: int) -> list[Row]:
        """Return the newest *count* rows that began at *since_ns* or later, newest first."""
        at: cython.Py_ssize_t
        row: cython.longlong = self.rows
        found: list[Row] = []
        while row > 0 and row > self.rows - self.size and row > self.rows - count:
            at = row & (self.size - 1)
            if self.req_ts[at] < since_ns:
                break
            found.append(self._row(at))
            row -= 1
        return found

    def get(self, row: int) -> Row | None:
        """Return a row by its number, None once it has been overwritten."""
        if row <= 0 or row <= self.rows - self.size:
            return None
        return self._row(row & (self.size - 1))

    def _row(self, at: int) -> Row:
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
        )


def _line(head: bytes) -> bytes:
    """Return method and target of a request head."""
    end = head.find(b"\n")
    line = head[: end if end >= 0 else len(head)]
    parts = line.split(b" ", 2)
    return b" ".join(parts[:2]).rstrip(b"\r\n")


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
