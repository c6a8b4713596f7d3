"""Waits past their deadline that nothing has ended yet (live only): told as pending, then failed or cleared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from wire502.exchange.outcomes import Key
from wire502.model.attempt import Point
from wire502.model.flow_cy import Connection
from wire502.model.records import record

LOOK_NS = 250_000_000  # how soon it is seen that a wait is over
MOST = 1024  # waits that are told; beyond it they are only judged when they end

Why = Literal["answered", "judged", "forgotten", "ended"]


@record()
class Waiting:
    """A wait that was told as *ident*: nothing came on *conn* for its exchange since *since*."""

    ident: str
    conn: Connection
    exchange: int
    since: Point


@record(frozen=True)
class Over:
    """The end of a wait: *point* is the frame that ended it, None where no frame did."""

    ident: str
    why: Why
    since: Point
    point: Point | None
    now_ns: int


class Waits:
    """The waits that were told and are not over."""

    def __init__(self, wake: Callable[[int], object]) -> None:
        self._wake = wake
        self._told: dict[Key, Waiting] = {}
        self._next_ns = 0

    def knows(self, conn: Connection, exchange: int) -> bool:
        """Whether the wait of an exchange was told, or may not be told since there are too many."""
        return len(self._told) >= MOST or (conn.stream, exchange) in self._told

    def told(self, ident: str, conn: Connection, exchange: int, since: Point, now_ns: int) -> None:
        """Take note that a wait was told."""
        self._told[(conn.stream, exchange)] = Waiting(ident, conn, exchange, since)
        self._look_at(now_ns + LOOK_NS)

    def failed(self, conn: Connection, exchange: int) -> str | None:
        """Return the id under which a wait was told that turned out to be a failure; it is told no more."""
        waiting = self._told.pop((conn.stream, exchange), None)
        return None if waiting is None else waiting.ident

    def over(self, now_ns: int) -> Iterator[Over]:
        """Yield the waits that ended without a failure; to be asked at the times that it wanted to be woken at."""
        if not self._told or now_ns < self._next_ns:
            return
        for key, waiting in list(self._told.items()):
            over = _over(waiting, now_ns)
            if over is not None:
                del self._told[key]
                yield over
        if self._told:
            self._look_at(now_ns + LOOK_NS)

    def finish(self, now_ns: int) -> Iterator[Over]:
        """Yield all that are left at the end of the capture."""
        for waiting in self._told.values():
            yield Over(waiting.ident, "ended", waiting.since, None, now_ns)
        self._told.clear()

    def _look_at(self, when_ns: int) -> None:
        self._next_ns = when_ns
        self._wake(when_ns)


def _over(waiting: Waiting, now_ns: int) -> Over | None:
    conn, since = waiting.conn, waiting.since
    decoder = conn.decoder
    half = conn.b if conn.b.progress_ts > since.time_ns else conn.a  # an upload goes on from the gateway's side
    if half.progress_ts > since.time_ns:
        point = Point(half.progress_frame, conn.file, half.progress_ts)
        return Over(waiting.ident, "answered", since, point, now_ns)
    if conn.superseded or decoder is None:
        return Over(waiting.ident, "forgotten", since, None, now_ns)
    if decoder.current is None or decoder.current.number != waiting.exchange:
        return Over(waiting.ident, "judged", since, None, now_ns)
    return None
