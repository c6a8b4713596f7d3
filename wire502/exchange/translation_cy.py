"""The same connection before and after an address translation (NAT, a Service of Kubernetes): one hop, judged once.

Who translates addresses keeps sequence numbers, so the first segment of both views is the same: of a SYN its number,
window and scale, in the middle its two numbers; where neither end kept its address, its IP identification or time
stamp have to be the same as well. The view nearer to the acceptor is the one that is judged: it names
the host that answered. The other one is shadowed, unless its acceptor ends it and nobody ended the judged one: what
came then came from the translator.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection
else:
    from wire502.model.flow_cy import Connection

# Typed: a plain module constant is a Python object to the compiler.
WITHIN_NS = cython.declare(cython.longlong, 200_000_000)
ROWS = cython.declare(cython.Py_ssize_t, 8192)  # connections that are remembered, a power of two
MOST = cython.declare(cython.int, 64)  # rows of one bucket that are looked at
MANY = cython.declare(cython.int, 4)  # earlier views of a connection: nobody is translated so often
SPREAD = cython.declare(cython.ulonglong, 0x1E3779B97F4A7C15)  # an odd number
LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
PLACE = cython.declare(cython.int, 51)  # of 64 bits the 13 highest are one of ROWS
IGNORED = cython.declare(cython.int, 3)  # RST_IGNORED of model.flow_cy


@cython.final
@cython.cclass
class Translations:
    """Connections that began a moment ago, by their first segment; ``found`` are those seen a second time.

    They stand in a ring, each with the number of the one before it in the same bucket; numbers count from 1.
    """

    found: int
    _rows: int
    _oldest: int
    _conns: list[Connection | None]

    def __init__(self) -> None:
        self.found = 0
        self._rows = 0
        self._oldest = 1
        self._signs = array("Q", bytes(8 * ROWS))
        self._before = array("q", bytes(8 * ROWS))
        self._heads = array("q", bytes(8 * ROWS))
        self._conns = [None] * ROWS

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def opened(self, conn: Connection) -> cython.int:
        """Hear of a new connection; shadow it or its other view."""
        other: Connection | None = None
        bucket: cython.Py_ssize_t = ((conn.sign * SPREAD) & LOW_64) >> PLACE
        row: cython.longlong = self._heads[bucket]
        at: cython.Py_ssize_t
        looked: cython.int = 0
        views: cython.int = 0
        while row >= self._oldest and looked < MOST and views < MANY:
            at = row & (ROWS - 1)
            if self._signs[at] == conn.sign:
                views += 1
                if other is None:
                    other = self._conns[at]
            row = self._before[at]
            looked += 1
        self._forget(conn.first_ts)
        self._rows += 1
        at = self._rows & (ROWS - 1)
        self._signs[at] = conn.sign
        self._before[at] = self._heads[bucket]
        self._heads[bucket] = self._rows
        self._conns[at] = conn
        if other is None or abs(conn.first_ts - other.first_ts) > WITHIN_NS or other.superseded:
            return 0
        if other.began != conn.began or _same(other, conn):
            return 0  # the port is used again
        if not _shares_an_end(other, conn) and (conn.stamp == 0 or conn.stamp != other.stamp):
            return 0  # the same numbers may be chance, or a habit of whoever made them
        if views == MANY:
            return self._part(conn)
        self.found += 1
        if conn.began == 0:
            _shadow(other, conn)
        else:
            # seen on its way back: the view before the translation is the one nearer to the acceptor
            _shadow(conn, other)
            self._conns[at] = other
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _part(self, conn: Connection) -> cython.int:
        """Judge by itself what looked like views of *conn*: somebody tries many hosts or ports with one number."""
        row: cython.longlong = self._heads[((conn.sign * SPREAD) & LOW_64) >> PLACE]
        other: Connection | None
        looked: cython.int = 0
        while row >= self._oldest and looked < 2 * MANY:  # these came last
            other = self._conns[row & (ROWS - 1)]
            if other is not None and other.shadowed and other.sign == conn.sign:
                other.shadowed = False
                other.view = None
                self.found -= 1
            row = self._before[row & (ROWS - 1)]
            looked += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _forget(self, now: cython.longlong) -> cython.int:
        """Let go of what is too long ago, and of the oldest when there is no room: nobody else may need them."""
        old: Connection | None
        at: cython.Py_ssize_t
        while self._oldest <= self._rows:
            at = self._oldest & (ROWS - 1)
            old = self._conns[at]
            if old is not None and now - old.first_ts <= WITHIN_NS and self._rows - self._oldest < ROWS - 1:
                break
            self._conns[at] = None
            self._oldest += 1
        return 0

    @cython.cfunc
    def unveil(self, conn: Connection) -> cython.bint:
        """Judge a shadowed connection after all if its acceptor has ended it, and that of its other view has not."""
        other: Connection | None = conn.view
        if other is None or other.shadowed or other.superseded:
            return False
        if not _ended(conn) or _ended(other):
            return False
        _shadow(other, conn)
        return True


@cython.cfunc
def _same(one: Connection, other: Connection) -> cython.bint:
    return (
        one.a.port == other.a.port
        and one.b.port == other.b.port
        and one.a.low == other.a.low
        and one.b.low == other.b.low
        and one.a.high == other.a.high
        and one.b.high == other.b.high
    )


@cython.cfunc
def _shares_an_end(one: Connection, other: Connection) -> cython.bint:
    return (one.a.port == other.a.port and one.a.low == other.a.low and one.a.high == other.a.high) or (
        one.b.port == other.b.port and one.b.low == other.b.low and one.b.high == other.b.high
    )


@cython.cfunc
def _ended(conn: Connection) -> cython.bint:
    return conn.refused_frame > 0 or conn.b.fin_off >= 0 or (conn.b.rst_state > 0 and conn.b.rst_state != IGNORED)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _shadow(conn: Connection, judged: Connection) -> cython.int:
    conn.shadowed = True
    conn.view = judged
    judged.shadowed = False
    judged.view = None
    return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
