"""Which client request is behind an attempt, and what its client got: the two legs of a gateway joined.

Joined by the request itself (method, target, host, correlation header) and by nesting in time: the gateway asks
upstream after it was asked, and answers after it has tried. A connect attempt carries no request; it is joined by
nesting alone, and only where one client request fits. Like requests that cannot be told apart are not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wire502.exchange.history_cy import History, Row
from wire502.exchange.legs_cy import Legs
from wire502.model import head_fields
from wire502.model.attempt import Attempt, ClientView, Point
from wire502.model.endpoints import address_text, endpoint_text
from wire502.model.flow_cy import RST_IGNORED, Connection, Exchange, Half

WITHIN_NS = 120_000_000_000
CLOCK_NS = 1_000_000  # frames of two interfaces may change places by so much
SOON_NS = 50_000_000  # a connect so soon after a request, or an answer so soon after a failure, belongs to it
NEWEST = 512  # rows that are looked at where no request can be looked up
REMEMBERED = 65_536

Key = tuple[int, int]  # stream and number of a client's exchange


@dataclass(slots=True)
class Outcome:
    """What a client got for one request."""

    outcome: str
    status: int | None
    point: Point
    left_first: Point | None = None


@dataclass(slots=True)
class Joined:
    """The result of a look: the client's row, or how many came into question."""

    row: Row | None = None
    score: float = 0.0
    by: list[str] = field(default_factory=list)
    runner_up: float | None = None
    candidates: int = 0


def key_of(row: Row) -> Key:
    """Return what identifies a client's exchange."""
    return row.conn.stream, row.number


class Linker:
    """Joins attempts with the client legs of their gateway."""

    def __init__(self, history: History, legs: Legs) -> None:
        self._history = history
        self._legs = legs
        self._outcomes: dict[Key, Outcome] = {}

    def settled(self, conn: Connection, exchange: Exchange) -> Outcome:
        """Remember what the client of an unfinished exchange got, before its connection is forgotten."""
        outcome = _live_outcome(conn, exchange)
        self._outcomes[conn.stream, exchange.number] = outcome
        if len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]
        return outcome

    def outcome(self, row: Row) -> Outcome:
        """Return what the client of *row* got, as far as is known now."""
        file = row.conn.file
        if row.end_ts:
            kind = "error" if row.status >= 500 else "complete"
            return Outcome(kind, row.status or None, Point(row.end_frame, file, row.end_ts))
        known = self._outcomes.get(key_of(row))
        if known is not None:
            return known
        exchange = _exchange_of(row)
        if exchange is None:
            return Outcome("pending", None, Point(row.frame, file, row.req_ts))
        return _live_outcome(row.conn, exchange)

    def join(self, conn: Connection, head: bytes, attempt: Attempt) -> Joined:
        """Return the client request behind an attempt on *conn* (empty *head*: no request was sent)."""
        if not self._legs.client_legs_seen:
            return Joined()
        if not head:
            return self._by_time(conn, attempt)
        request = attempt.request
        start = request.first.time_ns if request is not None else conn.first_ts
        rows = [
            row
            for row in self._history.like(head, start - WITHIN_NS)
            if self._can_be(row, conn, start) and _same(row.head, head, b"host")
        ]
        by = ["target", "nesting"]
        if not rows:
            rows = self._rewritten(conn, head, start)
            by = ["suffix", "nesting"]
        ident = head_fields.correlation(head)
        if ident is not None:
            same = [row for row in rows if head_fields.correlation(row.head) == ident]
            if same:
                rows, by = same, [*by, "id"]
            else:
                rows = [row for row in rows if head_fields.correlation(row.head) is None]
        named = [row for row in rows if _forwards(head, row.conn)]
        if named and len(rows) > 1:
            rows, by = named, [*by, "forwarded-for"]
        return self._choose(rows, by, attempt)

    def view(self, joined: Joined) -> ClientView | None:
        """Return what the client got, for the attempt that it was joined with."""
        row = joined.row
        if row is None:
            return None
        outcome = self.outcome(row)
        conn = row.conn
        return ClientView(
            point=outcome.point,
            outcome=outcome.outcome,
            status=outcome.status,
            connection=endpoint_text(conn.a.high, conn.a.low, conn.a.port),
            request_point=Point(row.frame, conn.file, row.req_ts),
            left_first=outcome.left_first,
            zero_window=conn.a.zero_frame > 0,
            idle=_idle(row),
            score=joined.score,
            by=tuple(joined.by),
            runner_up=joined.runner_up,
        )

    def attempts_for(self, row: Row, until_ns: int) -> list[Row]:
        """Return the exchanges on upstream legs that carried a client's request on, oldest first."""
        found = [
            other
            for other in self._history.like(row.head, row.req_ts - CLOCK_NS)
            if other.conn is not row.conn
            and other.req_ts <= until_ns
            and not self._legs.is_client(other.conn)
            and self._serves(row.conn, other.conn)
        ]
        found.reverse()
        return found

    def _can_be(self, row: Row, conn: Connection, start: int) -> bool:
        """Whether a row is a client's request that was open when the gateway asked upstream at *start*."""
        if row.conn is conn or row.req_ts > start + CLOCK_NS or (row.end_ts and row.end_ts < start - CLOCK_NS):
            return False
        return self._legs.is_client(row.conn) and self._serves(row.conn, conn)

    def _serves(self, client: Connection, upstream: Connection) -> bool:
        """Whether two connections are the two legs of one gateway."""
        if (client.b.high, client.b.low) == (upstream.a.high, upstream.a.low):
            return True
        if client.local == 2 and upstream.local == 1:
            return True
        return self._legs.fronts(client, upstream)

    def _choose(self, rows: list[Row], by: list[str], attempt: Attempt) -> Joined:
        score = 0.6 + 0.1 * len(by) + (0.1 if "id" in by else 0.0)
        if len(rows) == 1:
            return Joined(rows[0], min(0.98, score), by, None, 1)
        if not rows:
            return Joined()
        # Several like requests were open: the one whose answer follows the end of this attempt, if it is one.
        end = _end_of(attempt)
        soon = [row for row in rows if row.end_ts and 0 <= row.end_ts - end <= SOON_NS and row.status >= 500]
        first = [row for row in rows if all(row.conn is other.conn or row.req_ts < other.req_ts for other in rows)]
        if len(soon) == 1:
            return Joined(soon[0], 0.7, [*by, "answer"], 0.5, len(rows))
        one_connection = len({row.conn.stream for row in rows}) == 1
        if one_connection and first:
            return Joined(rows[-1], 0.75, [*by, "order"], 0.5, len(rows))
        return Joined(candidates=len(rows))

    def _rewritten(self, conn: Connection, head: bytes, start: int) -> list[Row]:
        """Return open client requests whose target ends like this one: the gateway may rewrite the beginning."""
        tail = _tail(head)
        if tail is None:
            return []
        return [
            row
            for row in self._history.latest(NEWEST, start - WITHIN_NS)
            if self._can_be(row, conn, start) and _tail(row.head) == tail and _method(row.head) == _method(head)
        ]

    def _by_time(self, conn: Connection, attempt: Attempt) -> Joined:
        """Join a connect attempt with the one client request that was open and not yet carried on."""
        start = conn.first_ts
        rows = [
            row
            for row in self._history.latest(NEWEST, start - WITHIN_NS)
            if self._can_be(row, conn, start) and not self._carried(row, start)
        ]
        if len(rows) == 1:
            return Joined(rows[0], 0.8, ["nesting"], None, 1)
        end = _end_of(attempt)
        close = [row for row in rows if start - row.req_ts <= SOON_NS]
        failed = [row for row in rows if row.end_ts and 0 <= row.end_ts - end <= SOON_NS and row.status >= 500]
        for some, why in ((failed, "answer"), (close, "soon")):
            if len(some) == 1:
                return Joined(some[0], 0.7, ["nesting", why], 0.5, len(rows))
        return Joined(candidates=len(rows))

    def _carried(self, row: Row, before: int) -> bool:
        return any(other.req_ts < before for other in self.attempts_for(row, before))


def _exchange_of(row: Row) -> Exchange | None:
    decoder = row.conn.decoder
    if decoder is None:
        return None
    for exchange in (decoder.current, *decoder.queue):
        if exchange is not None and exchange.number == row.number:
            return exchange
    return None


def _closed(half: Half) -> tuple[int, int, bool] | None:
    """Return time, frame and whether it was a RST, of the first close of a half."""
    closes = []
    if half.fin_off >= 0:
        closes.append((half.fin_ts, half.fin_frame, False))
    if half.rst_state and half.rst_state != RST_IGNORED:
        closes.append((half.rst_ts, half.rst_frame, True))
    return min(closes) if closes else None


def _live_outcome(conn: Connection, exchange: Exchange) -> Outcome:
    """Return what the client of an unfinished exchange got so far; ``conn.b`` is the gateway."""
    file = conn.file
    gateway, client = _closed(conn.b), _closed(conn.a)
    status = exchange.status or None
    if exchange.resp_done:
        kind = "error" if exchange.status >= 500 else "complete"
        return Outcome(kind, status, Point(exchange.resp_last_frame, file, exchange.resp_last_ts))
    if client is not None and (gateway is None or client < gateway):
        left = Point(client[1], file, client[0])
        return Outcome("pending", status, left, left)
    if gateway is not None:
        point = Point(gateway[1], file, gateway[0])
        if exchange.resp_frame:
            return Outcome("cut", status, point)
        return Outcome("reset" if gateway[2] else "closed_without_response", None, point)
    return Outcome("pending", status, Point(exchange.req_frame, file, exchange.req_ts))


def _end_of(attempt: Attempt) -> int:
    closes = (attempt.upstream_rst, attempt.upstream_fin, attempt.gateway_rst, attempt.gateway_fin)
    ends = [closing.point.time_ns for closing in closes if closing is not None]
    shake = attempt.handshake
    if shake.refused is not None:
        ends.append(shake.refused.time_ns)
    if shake.unreachable is not None:
        ends.append(shake.unreachable.point.time_ns)
    return min(ends) if ends else attempt.judged_at_ns


def _idle(row: Row) -> bool:
    """Whether the client has stopped sending a request that is not whole."""
    exchange = _exchange_of(row)
    if exchange is None or exchange.req_whole:
        return False
    return row.conn.last_ts - row.conn.a.progress_ts > 1_000_000_000


def _same(one: bytes, other: bytes, name: bytes) -> bool:
    """Whether two heads agree on a field; a gateway may set Host anew, so one that it lacks agrees with all."""
    first, second = head_fields.field(one, name), head_fields.field(other, name)
    return first is None or second is None or first.lower() == second.lower() or name == b"host"


def _forwards(head: bytes, client: Connection) -> bool:
    """Whether a request names a client's address in a forwarding header."""
    value = head_fields.field(head, b"x-forwarded-for") or head_fields.field(head, b"forwarded")
    return value is not None and address_text(client.a.high, client.a.low).encode() in value


def _method(head: bytes) -> bytes:
    return head[: head.find(b" ")]


def _tail(head: bytes) -> tuple[bytes, ...] | None:
    """Return the last two segments of a target's path and its query; None where that would say too little."""
    parts = head_fields.start_line(head)
    if len(parts) < 2:
        return None
    path, _, query = parts[1].partition(b"?")
    segments = [segment for segment in path.split(b"/") if segment]
    if len(segments) < 2 and not query:
        return None
    return (*segments[-2:], b"?", query)
