"""How often a connection is looked at again of which nothing can be said yet.

Anybody can send segments that alarm and change nothing: a reset that its receiver ignores, as often as he likes, while
fifty requests wait. Each look costs fifty judgements. So after a few looks in vain the next one waits, twice as long
each time: the cost grows with the logarithm of the time that passes, not with the number of alarms. What ends a
connection (a FIN, a reset that no receiver can ignore), or the next request, makes it worth a look at once.
"""

from __future__ import annotations

from wire502.model.flow_cy import RST_EXACT, Connection

FREE = 4  # looks in vain that are not waited for
MOST_DOUBLINGS = 40


class _Vain:
    """The looks in vain at a connection that was as *what* says; ``not_before`` is when the next one is due."""

    __slots__ = ("count", "not_before", "scheduled", "what")

    def __init__(self, what: tuple[int, ...]) -> None:
        self.what = what
        self.count = 0
        self.not_before = 0
        self.scheduled = False


class Patience:
    """The connections that were looked at in vain, ``vain`` by stream; there are never more than are followed."""

    def __init__(self, settle_ns: int) -> None:
        self._settle = settle_ns
        self.vain: dict[int, _Vain] = {}

    def not_before(self, conn: Connection, now_ns: int) -> tuple[int, bool]:
        """Return when to look at a connection, and whether that was asked for already; 0: now."""
        vain = self.vain.get(conn.stream)
        if vain is None or now_ns >= vain.not_before or vain.what != _what(conn):
            return 0, False
        asked, vain.scheduled = vain.scheduled, True
        return vain.not_before, asked

    def looked(self, conn: Connection, now_ns: int, final: bool) -> None:
        """Hear of a look: *final* if nothing is left to wait for."""
        if final:
            self.forget(conn)
            return
        what = _what(conn)
        vain = self.vain.get(conn.stream)
        if vain is None or vain.what != what:
            vain = self.vain[conn.stream] = _Vain(what)
        vain.count += 1
        vain.scheduled = False
        if vain.count > FREE:
            vain.not_before = now_ns + (self._settle << min(vain.count - FREE, MOST_DOUBLINGS))

    def forget(self, conn: Connection) -> None:
        """Hear that a connection is settled, or followed no more."""
        self.vain.pop(conn.stream, None)


def _what(conn: Connection) -> tuple[int, ...]:
    """Return what makes a connection worth another look: its requests so far, and what has ended it for good."""
    asked = conn.decoder.exchanges if conn.decoder is not None else 0
    a, b = conn.a, conn.b
    return (asked, a.fin_off, b.fin_off, a.rst_state == RST_EXACT, b.rst_state == RST_EXACT)
