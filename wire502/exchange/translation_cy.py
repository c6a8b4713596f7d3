"""The same connection before and after an address translation (NAT, a Service of Kubernetes): one hop, judged once.

Who translates addresses keeps sequence numbers, so the first segment of both views is the same: of a SYN its number,
window and scale, in the middle its two numbers; where neither end kept its address, its IP identification or time
stamp have to be the same as well. The view nearer to the acceptor is the one that is judged: it names
the host that answered. The other one is shadowed, unless its acceptor ends it and nobody ended the judged one: what
came then came from the translator.
"""

from __future__ import annotations

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
MAX_FRESH = cython.declare(cython.Py_ssize_t, 8192)
IGNORED = cython.declare(cython.int, 3)  # RST_IGNORED of model.flow_cy


@cython.cclass
class Translations:
    """Connections that began a moment ago, by their first segment; ``found`` are those seen a second time."""

    found: int
    _fresh: dict[int, Connection]
    _stale: dict[int, Connection]
    _since: int

    def __init__(self) -> None:
        self.found = 0
        self._fresh = {}
        self._stale = {}
        self._since = 0

    @cython.cfunc
    def opened(self, conn: Connection) -> cython.int:
        """Hear of a new connection; shadow it or its other view."""
        other: Connection | None
        if conn.first_ts - self._since > WITHIN_NS or len(self._fresh) > MAX_FRESH:
            self._stale, self._fresh = self._fresh, {}
            self._since = conn.first_ts
        other = self._fresh.get(conn.sign)
        if other is None:
            other = self._stale.get(conn.sign)
        self._fresh[conn.sign] = conn
        if other is None or abs(conn.first_ts - other.first_ts) > WITHIN_NS or other.superseded:
            return 0
        if other.began != conn.began or _same(other, conn):
            return 0  # the port is used again
        if not _shares_an_end(other, conn) and (conn.stamp == 0 or conn.stamp != other.stamp):
            return 0  # the same numbers may be chance, or a habit of whoever made them
        self.found += 1
        if conn.began == 0:
            _shadow(other, conn)
        else:
            # seen on its way back: the view before the translation is the one nearer to the acceptor
            _shadow(conn, other)
            self._fresh[conn.sign] = other
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
def _shadow(conn: Connection, judged: Connection) -> cython.int:
    conn.shadowed = True
    conn.view = judged
    judged.shadowed = False
    judged.view = None
    return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
