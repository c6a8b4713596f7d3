"""Which client request is behind an attempt, and what its client got: the two legs of a gateway joined.

Joined by the request itself (method, target or the end of it, what ``likeness`` finds in the heads) and by nesting in
time: the gateway asks upstream after it was asked, and answers after it has tried. A connect attempt carries no
request; it is joined by nesting alone, and only where one client request fits. Like requests that cannot be told apart
are not guessed at, but counted.
"""

from __future__ import annotations

from wire502.exchange.history_cy import MOST, History, Row
from wire502.exchange.legs_cy import Legs
from wire502.exchange.likeness import narrow, preface_of
from wire502.exchange.nesting import only_pairs
from wire502.exchange.outcomes import Outcomes, closed, paused
from wire502.exchange.skew import Skew
from wire502.model import head_fields
from wire502.model.attempt import Attempt, ClientView, Point
from wire502.model.endpoints import endpoint_text
from wire502.model.flow_cy import Connection, Exchange
from wire502.model.records import field, record

WITHIN_NS = 120_000_000_000
CLOCK_NS = 1_000_000  # frames of two interfaces may change places by so much
FILES_NS = 20_000_000  # ... and of two files whose clocks were compared
BLIND_NS = 30_000_000_000  # ... and of two files before that
SOON_NS = 50_000_000  # a connect so soon after a request, or an answer so soon after a failure, belongs to it
NEWEST = 512  # rows that are looked at where no request can be looked up
COUNTED = 65_536  # rows that are looked at to say how many requests came into question
AGAIN_NS = 1_000_000_000  # ... not more often than this


@record()
class Joined:
    """The result of a look: the client's row, or how many came into question."""

    row: Row | None = None
    score: float = 0.0
    by: list[str] = field(default_factory=list)
    runner_up: float | None = None
    candidates: int = 0


class Linker:
    """Joins attempts with the client legs of their gateway."""

    def __init__(self, history: History, legs: Legs, outcomes: Outcomes) -> None:
        self._history = history
        self._legs = legs
        self._outcomes = outcomes
        self._counted: dict[bytes, tuple[int, int, int]] = {}
        self.skew = Skew()

    def began(self, conn: Connection, exchange: Exchange) -> None:
        """Hear of the first request of a connection, where there are several files: compare their clocks by it."""
        when, head = exchange.req_ts, exchange.req_head
        rows = self._history.like(head, when - BLIND_NS)
        here = [row for row in rows if row.conn.file == conn.file]
        there = [row for row in rows if row.conn.file != conn.file]
        if len(here) != 1 or len(there) != 1 or self._history.more:
            return  # seen twice on one leg: which of them it is, nobody can tell
        other = there[0]
        if self._legs.fits(other.conn, conn, head):
            self.skew.learn(other.conn.file, conn.file, when - other.req_ts)
        elif self._legs.fits(conn, other.conn, other.head):
            self.skew.learn(conn.file, other.conn.file, other.req_ts - when)

    def join(self, conn: Connection, head: bytes, attempt: Attempt) -> Joined:
        """Return the client request behind an attempt on *conn* (empty *head*: no request was sent)."""
        if not self._legs.client_legs_hinted:
            return Joined()
        if not head:
            return self._by_time(conn, attempt)
        start = _start_of(conn, attempt)
        wide = self._wide()
        bounds = (start - WITHIN_NS - wide, start + wide, start - wide)
        rows = [row for row in self._history.like(head, *bounds) if self._can_be(row, conn, start)]
        more, by = self._history.more, ["target"]
        if not rows:
            by = ["suffix"]
            rows = [row for row in self._history.ending_like(head, *bounds) if self._can_be(row, conn, start)]
            more = self._history.more
        if not rows and (ident := head_fields.correlation(head)) is not None:
            by, more = [], False
            rows = [
                row
                for row in self._history.latest(NEWEST, *bounds)
                if head_fields.correlation(row.head) == ident and self._can_be(row, conn, start)
            ]
        if more:  # so many alike that not all were looked at: only an id of its own tells one from the others
            ident = head_fields.correlation(head)
            same = [row for row in rows if ident is not None and head_fields.correlation(row.head) == ident]
            if len(same) == 1:
                return Joined(same[0], 0.9, [*by, "nesting", "id"], None, 1)
            return Joined(candidates=self._how_many(conn, head, start, len(rows)))
        rows, said = narrow(self._waiting(rows, start), head, preface_of(conn))
        return self._choose(rows, [*by, "nesting", *said], conn, head, attempt)

    def view(self, joined: Joined, conn: Connection) -> ClientView | None:
        """Return what the client got, for the attempt on *conn* that it was joined with; times by that leg's clock."""
        row = joined.row
        if row is None:
            return None
        outcome = self._outcomes.of(row)
        client = row.conn
        skew = self.skew.of(client.file, conn.file)
        request = Point(row.frame, client.file, row.req_ts)
        return ClientView(
            point=_moved(outcome.point, skew),
            outcome=outcome.outcome,
            status=outcome.status,
            connection=endpoint_text(client.a.high, client.a.low, client.a.port),
            request_point=_moved(request, skew),
            left_first=_moved(outcome.left_first, skew) if outcome.left_first is not None else None,
            zero_window=client.a.zero_frame > 0,
            idle=paused(row),
            score=joined.score,
            by=tuple(joined.by),
            runner_up=joined.runner_up,
            answer=_moved(outcome.answer, skew) if outcome.answer is not None else None,
            skew_ns=skew,
            hidden=outcome.hidden,
        )

    def attempts_for(self, row: Row, until_ns: int) -> list[Row]:
        """Return the exchanges on upstream legs that may have carried a client's request on, oldest first.

        *until_ns* is when the client's wait was over, by its own leg's clock.
        """
        wide = self._wide()
        bounds = (row.req_ts - wide, until_ns + wide)
        found = [other for other in self._history.like(row.head, *bounds) if self._carries(other, row, until_ns)]
        if not found:
            rows = self._history.ending_like(row.head, *bounds)
            found = [other for other in rows if self._carries(other, row, until_ns)]
        found.reverse()
        return found

    def next_attempt(self, row: Row, conn: Connection, start: int) -> Point | None:
        """Return the first request of another attempt for *row* that began after the one on *conn* did, at *start*."""
        over = self._outcomes.over_ns(row)
        for other in self.attempts_for(row, start + WITHIN_NS if over is None else over):
            if other.conn is not conn and other.req_ts > start:
                return Point(other.frame, other.conn.file, other.req_ts)
        return None

    def _wide(self) -> int:
        """Return by how much two legs' clocks may differ at most: what a look into the history must span."""
        return BLIND_NS if self.skew.several else FILES_NS if self.skew.compared else CLOCK_NS

    def _slack(self, one: int, other: int) -> int:
        """Return by how much moments of two files may change places once their clocks were compared."""
        return CLOCK_NS if one == other else FILES_NS if self.skew.known(one, other) else BLIND_NS

    def _carries(self, other: Row, row: Row, until_ns: int) -> bool:
        client, conn = row.conn, other.conn
        if conn is client or self._legs.is_client(conn) or not self._legs.serves(client, conn):
            return False
        skew, slack = self.skew.of(client.file, conn.file), self._slack(client.file, conn.file)
        return row.req_ts - slack <= other.req_ts - skew <= until_ns + slack

    def _can_be(self, row: Row, conn: Connection, start: int) -> bool:
        """Whether a row is a client's request that was open when the gateway asked upstream at *start*."""
        client = row.conn
        if client is conn:
            return False
        then = start - self.skew.of(client.file, conn.file)
        slack = self._slack(client.file, conn.file)
        if row.req_ts > then + slack or (row.end_ts and row.end_ts < then - slack):
            return False
        return self._legs.is_client(client) and self._legs.serves(client, conn)

    def _waiting(self, rows: list[Row], start: int) -> list[Row]:
        """Return the rows whose clients still waited at *start*: those without a response may have ended otherwise.

        Where all had left by then, the gateway went on without them.
        """
        if len(rows) < 2 or self.skew.several:
            return rows
        overs = [self._outcomes.over_ns(row) for row in rows]
        waited = [row for row, over in zip(rows, overs, strict=True) if over is None or over >= start - CLOCK_NS]
        return waited or rows

    def _choose(self, rows: list[Row], by: list[str], conn: Connection, head: bytes, attempt: Attempt) -> Joined:
        score = min(0.98, 0.6 + 0.1 * len(by) + (0.1 if "id" in by else 0.0))
        if not rows:
            return Joined()
        if len(rows) == 1:
            return Joined(rows[0], score, by, None, 1)
        if len({row.conn.stream for row in rows}) == 1:
            # Pipelined on one connection: the gateway answers in order, so the oldest is being served.
            return Joined(rows[-1], 0.75, [*by, "order"], 0.5, len(rows))
        # Several like requests were open: the one whose answer follows the end of this attempt, if it is one.
        end = end_of(attempt)
        soon = [row for row in rows if self._answered_soon(row, conn, end)]
        if len(soon) == 1:
            return Joined(soon[0], 0.7, [*by, "answer"], 0.5, len(rows))
        if (row := self._only(rows, conn, head, attempt)) is not None:
            return Joined(row, 0.7, [*by, "elimination"], 0.5, len(rows))
        return Joined(candidates=len(rows))

    def _answered_soon(self, row: Row, conn: Connection, end: int) -> bool:
        outcome = self._outcomes.of(row)
        moment = outcome.point.time_ns + self.skew.of(row.conn.file, conn.file)
        slack = self._slack(row.conn.file, conn.file) - CLOCK_NS
        return outcome.failed and outcome.left_first is None and -slack <= moment - end <= SOON_NS

    def _only(self, rows: list[Row], conn: Connection, head: bytes, attempt: Attempt) -> Row | None:
        """Return the client's row if there is only one way to pair the like requests with the like attempts.

        With a retry among them there are more attempts than requests, and nothing is said.
        """
        clients: dict[int, Row] = {}
        for row in rows:
            clients[id(row)] = row
        first = min(row.req_ts for row in rows)
        tries = [
            other
            for other in self._history.like(head, first - self._wide())
            if not self._legs.is_client(other.conn) and any(self._legs.serves(row.conn, other.conn) for row in rows)
        ]
        if self._history.more or len(tries) != len(rows):
            return None
        spans = [self._span(row) for row in rows]
        own = [at for at, other in enumerate(tries) if other.conn is conn and other.number == attempt.exchange]
        if not own:
            return None
        inner = []
        for other in tries:
            skew = self.skew.of(rows[0].conn.file, other.conn.file)
            ended = end_of(attempt) if tries[own[0]] is other else other.end_ts or _ended(other.conn)
            inner.append((other.req_ts - skew, None if ended is None else ended - skew))
        at = only_pairs(spans, inner, CLOCK_NS, SOON_NS)[own[0]]
        return None if at is None else rows[at]

    def _span(self, row: Row) -> tuple[int, int | None]:
        return row.req_ts, row.end_ts or self._outcomes.over_ns(row)

    def _by_time(self, conn: Connection, attempt: Attempt) -> Joined:
        """Join a connect attempt with the one client request that was open and not yet carried on."""
        start, wide = conn.first_ts, self._wide()
        bounds = (start - WITHIN_NS - wide, start + wide, start - wide)
        rows = [row for row in self._history.latest(NEWEST, *bounds) if self._can_be(row, conn, start)]
        more = self._history.more and len(rows) >= MOST
        rows = self._waiting(rows, start)[:MOST]
        rows = [row for row in rows if not self._carried(row, conn, start) and not self._outlived(row, conn, attempt)]
        if len(rows) == 1 and not more:
            return Joined(rows[0], 0.8, ["nesting"], None, 1)
        end = end_of(attempt)
        close = [row for row in rows if start - row.req_ts - self.skew.of(row.conn.file, conn.file) <= SOON_NS]
        failed = [row for row in rows if self._answered_soon(row, conn, end)]
        # Of two clients of one capture, a request that came after the connect is allowed for, but hardly the one.
        before = [row for row in failed if row.conn.file == conn.file and row.req_ts <= start]
        for some, why in ((failed, "answer"), (before, "answer"), (close, "soon")):
            if len(some) == 1:
                return Joined(some[0], 0.7, ["nesting", why], 0.5, len(rows))
        return Joined(candidates=len(rows))

    def _outlived(self, row: Row, conn: Connection, attempt: Attempt) -> bool:
        """Whether the gateway went on to repeat its SYN after it had answered the client: it was for somebody else."""
        shake, outcome = attempt.handshake, self._outcomes.of(row)
        if len(shake.syns) < 2 or shake.refused is not None or shake.unreachable is not None:
            return False
        if not outcome.failed or outcome.left_first is not None:
            return False
        answered = outcome.point.time_ns + self.skew.of(row.conn.file, conn.file)
        return shake.syns[-1].time_ns > answered + self._slack(row.conn.file, conn.file)

    def _carried(self, row: Row, conn: Connection, before: int) -> bool:
        moment = before - self.skew.of(row.conn.file, conn.file)
        return any(other.req_ts < before for other in self.attempts_for(row, moment))

    def _how_many(self, conn: Connection, head: bytes, start: int, least: int) -> int:
        """Return how many client requests came into question, from a count that may be a moment old.

        Counting looks at every row, so it is done again only when as many rows have been written as were looked at.
        """
        line = head[: head.find(b"\n")]
        rows = self._history.rows
        known = self._counted.get(line)
        if known is not None and rows - known[1] <= known[0] and start - known[2] <= AGAIN_NS:
            return max(least, known[0])
        same = self._history.latest(COUNTED, start - WITHIN_NS, start + CLOCK_NS, start - CLOCK_NS)
        number = sum(row.head.startswith(line) and self._can_be(row, conn, start) for row in same)
        if len(self._counted) >= MOST:
            self._counted.clear()
        self._counted[line] = (number, rows, start)
        return max(least, number)


def end_of(attempt: Attempt) -> int:
    """Return when an attempt was over: its first close, refusal or ICMP error, else when it was judged."""
    closes = (attempt.upstream_rst, attempt.upstream_fin, attempt.gateway_rst, attempt.gateway_fin)
    ends = [closing.point.time_ns for closing in closes if closing is not None]
    shake, response = attempt.handshake, attempt.response
    if shake.refused is not None:
        ends.append(shake.refused.time_ns)
    if shake.unreachable is not None:
        ends.append(shake.unreachable.point.time_ns)
    if response is not None and response.complete:
        ends.append(response.last.time_ns)
    return min(ends) if ends else attempt.judged_at_ns


def _start_of(conn: Connection, attempt: Attempt) -> int:
    return attempt.request.first.time_ns if attempt.request is not None else conn.first_ts


def _ended(conn: Connection) -> int | None:
    ends = [one[0] for one in (closed(conn.a), closed(conn.b)) if one is not None]
    return min(ends) if ends else None


def _moved(point: Point, by_ns: int) -> Point:
    return point if not by_ns else Point(point.frame, point.file, point.time_ns + by_ns)
