"""What the client of a request got: the end of an exchange on a client leg, as its frames show it.

On a client leg ``conn.a`` is the client and ``conn.b`` the gateway. What a client got is remembered for a while after
its connection is forgotten, since the attempt behind it may be judged later.
"""

from __future__ import annotations

from wire502.exchange.history_cy import History, Row
from wire502.model.attempt import Point
from wire502.model.flow_cy import RST_IGNORED, Connection, Exchange, Half
from wire502.model.records import record

REMEMBERED = 65_536
ERRORS = ("error", "cut", "closed_without_response", "reset")
PAUSE_NS = 1_000_000_000

Key = tuple[int, int]  # stream and number of an exchange


@record()
class Outcome:
    """What a client got for one request; ``point`` is where that became final.

    ``answer`` is the first frame of the response, if there was one; ``left_first`` the client's own close while it
    still waited. ``hidden``: it acknowledged octets that are not in the capture, and may have had its answer.
    """

    outcome: str
    status: int | None
    point: Point
    answer: Point | None = None
    left_first: Point | None = None
    hidden: bool = False

    @property
    def failed(self) -> bool:
        """Whether a client saw this as an error."""
        return self.outcome in ERRORS or self.left_first is not None

    @property
    def over_ns(self) -> int | None:
        """When the client stopped waiting; None while it waits."""
        return None if self.outcome == "pending" and self.left_first is None else self.point.time_ns


def key_of(row: Row) -> Key:
    """Return what identifies an exchange."""
    return row.conn.stream, row.number


class Outcomes:
    """What the clients of this capture got."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: dict[Key, Outcome] = {}

    def settled(self, conn: Connection, exchange: Exchange) -> Outcome:
        """Remember what the client of an unfinished exchange got, before its connection is forgotten."""
        outcome = live_outcome(conn, exchange)
        self._known[conn.stream, exchange.number] = outcome
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return outcome

    def of(self, row: Row) -> Outcome:
        """Return what the client of *row* got, as far as is known now."""
        file = row.conn.file
        if not row.end_ts:
            row = self._history.get(row.index) or row
        if row.end_ts:
            kind = "error" if row.status >= 500 else "complete"
            answer = Point(row.end_frame, file, row.resp_ts or row.end_ts)
            if (gone := _gone(row)) is not None:
                left = Point(gone[1], file, gone[0])
                return Outcome("pending", None, left, answer, left)
            return Outcome(kind, row.status or None, Point(row.end_frame, file, row.end_ts), answer)
        known = self._known.get(key_of(row))
        if known is not None:
            return known
        exchange = exchange_of(row)
        if exchange is None:
            return Outcome("pending", None, Point(row.frame, file, row.req_ts))
        return live_outcome(row.conn, exchange)

    def over_ns(self, row: Row) -> int | None:
        """Return when the exchange of *row* was over, None while it may go on."""
        over = row.end_ts or self.of(row).over_ns
        if over is not None:
            return over
        conn = row.conn
        # Forgotten with nothing open, or gone on to a later request: this one can be waiting no longer.
        return conn.last_ts if conn.decoder is None or conn.superseded or exchange_of(row) is None else None


def exchange_of(row: Row) -> Exchange | None:
    """Return the record of an exchange that is not over, None once it is."""
    decoder = row.conn.decoder
    if decoder is None:
        return None
    under_way: list[Exchange | None] = [decoder.current, *(decoder.queue or ())]
    for exchange in under_way:
        if exchange is not None and exchange.number == row.number:
            return exchange
    return None


def closed(half: Half) -> tuple[int, int, bool] | None:
    """Return time, frame and whether it was a RST, of the first close of a half."""
    closes = []
    if half.fin_off >= 0:
        closes.append((half.fin_ts, half.fin_frame, False))
    if half.rst_state and half.rst_state != RST_IGNORED:
        closes.append((half.rst_ts, half.rst_frame, True))
    return min(closes) if closes else None


def live_outcome(conn: Connection, exchange: Exchange) -> Outcome:
    """Return what the client of an unfinished exchange got so far."""
    file = conn.file
    gateway, client = closed(conn.b), closed(conn.a)
    status = exchange.status or None
    answer = Point(exchange.resp_frame, file, exchange.resp_ts) if exchange.resp_frame else None
    last = Point(exchange.resp_last_frame or exchange.resp_frame, file, exchange.resp_last_ts or exchange.resp_ts)
    if exchange.resp_done:
        return Outcome("error" if exchange.status >= 500 else "complete", status, last, answer)
    if answer is not None and _no_response(exchange):
        return Outcome("error", None, answer, answer)
    if exchange.resp_cut or _unseen(conn.b) or _hole_since(conn.b, exchange):
        return Outcome("pending", status, Point(exchange.req_frame, file, exchange.req_ts), answer, hidden=True)
    if client is not None and (gateway is None or client < gateway):
        left = Point(client[1], file, client[0])
        return Outcome("pending", status, left, answer, left)
    if gateway is not None:
        point = Point(gateway[1], file, gateway[0])
        if answer is not None:
            return Outcome("cut", status, point, answer)
        return Outcome("reset" if gateway[2] else "closed_without_response", None, point)
    return Outcome("pending", status, Point(exchange.req_frame, file, exchange.req_ts), answer)


def half_closed(row: Row) -> bool:
    """Whether the client closed its side before its response began, which it may still have read."""
    half = row.conn.a
    return half.fin_off >= 0 and 0 < half.fin_ts < (row.resp_ts or row.end_ts)


def _gone(row: Row) -> tuple[int, int] | None:
    """Return when and by which frame a client closed that did not wait for its response: a RST answered that one."""
    half = row.conn.a
    if not half_closed(row) or half.rst_state in (0, RST_IGNORED) or half.rst_ts < half.fin_ts:
        return None
    return half.fin_ts, half.fin_frame


def paused(row: Row) -> bool:
    """Whether the client has stopped sending a request that is not whole."""
    exchange = exchange_of(row)
    if exchange is None or exchange.req_whole:
        return False
    return row.conn.last_ts - row.conn.a.progress_ts > PAUSE_NS


def _no_response(exchange: Exchange) -> bool:
    """Whether what the client got cannot be read as a response at all."""
    return exchange.violation is not None and exchange.violation[0] == "status_line"


def _hole_since(half: Half, exchange: Exchange) -> bool:
    """Whether the capture lacks octets that came after the request, where its answer would be."""
    return exchange.resp_frame == 0 and any(gap[1] >= exchange.req_acks for gap in half.gaps or ())


def _unseen(half: Half) -> bool:
    """Whether the peer acknowledged octets that the capture does not hold: what they were, nobody can tell."""
    return half.acked > half.off + (1 if half.fin_off >= 0 else 0) and (half.fin_off < 0 or half.fin_off > half.off)
