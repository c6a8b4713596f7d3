"""From held verdicts to lines: failures with what their client got, then the incident that they caused.

A failure is written when its client's answer was seen or its hold is over; an incident when what stands behind it had
time to show. Either may turn out otherwise later: then an update follows, and the last word on an id counts. What is
thought of an attempt is not decided here: ``Judge`` is asked, as often as something new was learned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from wire502.exchange.asides import unattempted
from wire502.exchange.docket import ClientError, Docket, Held, Told, began
from wire502.exchange.history_cy import Row
from wire502.exchange.legs_cy import Legs
from wire502.exchange.linking import FILES_NS, WITHIN_NS, Joined, Linker
from wire502.exchange.outcomes import Outcomes, half_closed, key_of
from wire502.exchange.retries import made_good
from wire502.exchange.summing import Counts
from wire502.exchange.tracker_cy import Tracker
from wire502.exchange.unanswered import Unanswered
from wire502.model.attempt import Attempt, ClientView, Point
from wire502.model.context import Context
from wire502.model.finding import Verdict
from wire502.model.flow_cy import Connection, Exchange
from wire502.model.records import changed, field_types
from wire502.model.verdict import QUIET_KINDS, Cleared, Failure, Incident, Result, Time, Update

Address = tuple[int, int]  # high and low half

TOLD_APART = 16  # like attempts that are looked at once more for one client: with more nothing is gained
NEARBY = 256  # exchanges, and time, in which a missed request would have left its trace
NEARBY_NS = 60_000_000_000
DELAYED_NS = 250_000_000  # by which an acknowledgement may follow the answer
AGAIN_NS = 1_000_000_000  # upstreams are looked at no more often
LOOKS = 5  # times that a written failure is looked at again, each after twice the wait
CERTAIN = frozenset({"id", "ladder", "request", "connection", "evidence"})  # what does not change, or is not told anew


class Judge(Protocol):
    """Who decides what an attempt is."""

    def verdict(self, attempt: Attempt) -> Verdict:
        """Return the verdict on an attempt."""

    def failure(
        self, conn: Connection | None, attempt: Attempt, verdict: Verdict, ident: str, gateway: Address | None
    ) -> Failure:
        """Return the line of a failure; *gateway* is the address at which its client asked."""

    def page(self, gateway: Address, exchange: Exchange, relayed: bool) -> None:
        """See an error page that a client got from the gateway; *relayed*: an upstream may have made it."""

    def incident(
        self, ident: str, attempt: Attempt, failures: Sequence[Failure], tried: int, alike: Counter[str]
    ) -> Incident:
        """Return the line of what a client got; *alike* counts how those attempts failed that may stand behind it."""


class Casebook:
    """All cases of an analysis, open and told."""

    def __init__(
        self,
        context: Context,
        tracker: Tracker,
        unanswered: Unanswered,
        legs: Legs,
        linker: Linker,
        outcomes: Outcomes,
        counts: Counts,
        judge: Judge,
        write: Callable[[Result], None],
    ) -> None:
        self._context = context
        self._tracker = tracker
        self._unanswered = unanswered
        self._legs = legs
        self._linker = linker
        self._outcomes = outcomes
        self._counts = counts
        self._judge = judge
        self._write = write
        self._docket = Docket()
        self._unread: tuple[int, bool] | None = None

    def next_id(self) -> str:
        """Return an id for a failure that may come."""
        return self._docket.next_failure()

    # -- what comes in --------------------------------------------------------------------------------------------

    def hold(
        self,
        conn: Connection | None,
        exchange: Exchange | None,
        attempt: Attempt,
        joined: Joined,
        verdict: Verdict,
        now_ns: int,
        ident: str | None = None,
    ) -> None:
        """Keep a failure back until its client's answer was seen, or its hold is over. It may have an *ident*."""
        head = exchange.req_head if exchange is not None else b""
        own = None if conn is None or exchange is None else (conn.stream, exchange.number)
        row = exchange.row if exchange is not None else 0
        key = None if joined.row is None else key_of(joined.row)
        client = attempt.client
        answered = client is not None and client.outcome != "pending"
        if joined.row is not None and half_closed(joined.row):
            answered = False  # whether it was still there to read its answer shows in what it makes of it
        when = now_ns if answered else now_ns + self._context.hold_ns
        self._docket.hold(Held(when, conn, head, attempt, joined, verdict, own, key, row, ident=ident))
        self._tracker.wake(when)
        if self._docket.full:
            self.release(now_ns)

    def client_error(self, conn: Connection, exchange: Exchange, now_ns: int) -> None:
        """A client got an error: have the attempts behind it looked at, then tell of it."""
        row = self._tracker.history.get(exchange.row)
        if row is None or not self._docket.announce(key_of(row)):
            return
        settle = self._context.settle_ns
        if exchange.status == 502:
            self._counts.client_502 += 1
        # With several files the other leg may come later, if its clock is behind.
        wait = 2 * settle if not self._linker.skew.several else self._context.hold_ns + settle
        head, page = exchange.resp_head or b"", exchange.resp_page or b""
        self._docket.push(ClientError(now_ns + wait, row, head, page))
        self._tracker.wake(now_ns + wait)
        tried = self._linker.attempts_for(row, now_ns)
        if exchange.status >= 500:
            relayed = any(other.status == exchange.status for other in tried)
            self._judge.page((conn.b.high, conn.b.low), exchange, relayed)
        for other in tried:
            decoder = other.conn.decoder
            if decoder is not None and decoder.current is not None and decoder.current.number == other.number:
                self._tracker.look(other.conn, now_ns + settle)
        self._tracker.look_at_connecting(row.req_ts, now_ns + settle)

    def release(self, now_ns: int | None) -> None:
        """Write what has been held long enough by *now_ns*; None: the capture is over, write everything."""
        for item in self._docket.due(now_ns):
            if isinstance(item, ClientError):
                self._tell(item)
                continue
            if item.failure is None:
                self._release_failure(item)
            else:
                self._settle(item)
            if now_ns is not None:
                self._watch(item, now_ns)

    # -- failures -------------------------------------------------------------------------------------------------

    def _release_failure(self, held: Held) -> None:
        if held.dropped:
            return
        conn = held.conn
        if conn is not None and self._legs.is_client(conn):
            # Learned meanwhile: what looked like a failed attempt was a client's own request.
            held.dropped = True
            own = self._tracker.history.get(held.row)
            if own is not None:
                if own.status == 502 and self._docket.announce(key_of(own)):
                    self._counts.client_502 += 1
                self._tell(ClientError(held.when_ns, own))
            return
        self._settle(held)

    def _watch(self, held: Held, now_ns: int) -> None:
        """Have a written failure back later if its client's fate is still open; put it away in time if it is not."""
        client = held.failure.client if held.failure is not None else None
        open_ = client is not None and client.outcome == "pending" and held.verdict.outcome == "failure"
        lost = client is None and self._legs.client_legs_seen and held.joined.candidates == 0
        if held.failure is not None and (open_ or lost) and held.looks < LOOKS and not self._docket.crowded:
            held.looks += 1
            held.when_ns = now_ns + (self._context.hold_ns << held.looks)
            self._docket.push(held)
            self._tracker.wake(held.when_ns)
        else:
            self._docket.rest(held, now_ns)

    def _settle(self, held: Held) -> None:
        """Write a failure with what is known of its client by now, or an update where that is something new."""
        if held.dropped:
            return
        conn, attempt = held.conn, held.attempt
        if conn is not None and held.joined.row is None:
            held.joined = self._linker.join(conn, held.head, attempt)
        joined = held.joined
        client = None if conn is None else self._linker.view(joined, conn)
        known = self._known(held, client)
        if known is not attempt or held.failure is None:
            verdict = self._judge.verdict(known) if known is not attempt else held.verdict
            held.attempt = known
            if verdict.outcome != "failure" and held.failure is None:
                held.dropped = True
                self._counts.odd(verdict.oddities)
                if held.ident is not None:
                    self._write(Cleared(held.ident, "judged", None, None, Time(held.attempt.judged_at_ns), 0.0))
                return
            held.verdict = verdict
            self._put(held)
        if joined.row is not None:
            held.key = key_of(joined.row)
            self._docket.belongs(held.key, held)
            if self._outcomes.of(joined.row).left_first is not None and self._docket.announce(held.key):
                self._docket.push(ClientError(held.when_ns, joined.row))  # its answer was whole, but it had left
            if (told := self._docket.told(held.key)) is not None:
                self._tell_again(told)

    def _known(self, held: Held, client: ClientView | None) -> Attempt:
        """Return the attempt of a held failure, or a copy with what has been learned of its client."""
        attempt, row = held.attempt, held.joined.row
        changes: dict[str, object] = {}
        if client != attempt.client:
            changes["client"] = client
        if row is not None and held.conn is not None and attempt.next_attempt is None:
            later = self._linker.next_attempt(row, held.conn, began(attempt))
            if later is not None:
                changes["next_attempt"] = later
        if row is not None and attempt.client_candidates:
            changes["client_candidates"] = 0
        return changed(attempt, **changes) if changes else attempt

    def _put(self, held: Held) -> None:
        """Write the failure of a held verdict, or what is different from what was written."""
        before = held.failure
        if held.verdict.outcome != "failure":
            # It was told as a failure, and the client had a good response after all.
            if before is not None and not before.masked:
                self._replace(held, before, changed(before, masked=True))
            return
        row = held.joined.row
        gateway = None if row is None else (row.conn.b.high, row.conn.b.low)
        ident = before.id if before is not None else held.ident or self._docket.next_failure()
        failure = self._judge.failure(held.conn, held.attempt, held.verdict, ident, gateway)
        if held.attempt.client is None and held.conn is not None:
            history = self._tracker.history
            failure.masked |= made_good(held.conn, held.head, held.attempt, history, failure.caveats)
            if held.joined.candidates > 1:
                failure.caveats.append(f"ambiguous: {held.joined.candidates} client requests may be behind it")
        if before is not None:
            self._replace(held, before, failure)
            return
        held.failure = failure
        self._counts.ended(held.attempt, None if held.conn is None else held.conn.upstream)
        self._count(failure, held.conn, 1)
        self._write(failure)

    def _replace(self, held: Held, before: Failure, after: Failure) -> None:
        held.failure = after
        changes = {
            name: getattr(after, name)
            for name in field_types(Failure)
            if name not in CERTAIN and getattr(before, name) != getattr(after, name)
        }
        if changes:
            self._count(before, held.conn, -1)
            self._count(after, held.conn, 1)
            self._write(Update(after.id, changes))

    def _count(self, failure: Failure, conn: Connection | None, step: int) -> None:
        quiet = failure.kind in QUIET_KINDS
        self._counts.failure(failure, quiet=quiet, step=step)
        upstream = None if conn is None else conn.upstream
        if upstream is not None and not quiet:
            upstream.failures += step
            kinds = upstream.kinds = upstream.kinds or {}
            kinds[failure.kind] = kinds.get(failure.kind, 0) + step

    # -- incidents ------------------------------------------------------------------------------------------------

    def _tell(self, error: ClientError) -> None:
        """Write the incident of a client's error, the failures behind it first."""
        row = error.row
        key = key_of(row)
        outcome = self._outcomes.of(row)
        if not outcome.failed or self._docket.told(key) is not None:
            return
        over = outcome.point.time_ns
        tried = self._linker.attempts_for(row, over)
        for held in self._unsettled(row, tried, over):
            self._settle(held)
        if not self._docket.behind(key) and not tried and self._covered(row, over):
            self._unattempted(error, over)
        incident = self._made(self._docket.next_incident(), row, tried)
        self._docket.tell(key, Told(incident, row), error.when_ns)
        self._counts.incident(incident)
        self._write(incident)

    def _unsettled(self, row: Row, tried: Sequence[Row], over_ns: int) -> list[Held]:
        """Return the failures that stand or may stand behind a client's request, in the order in which they began."""
        found = self._docket.behind(key_of(row))
        for other in tried if len(tried) <= TOLD_APART else ():
            held = self._docket.of_exchange(key_of(other))
            if held is not None and held.key is None and held not in found:
                found.append(held)
        wide = self._context.hold_ns if self._linker.skew.several else self._early_ns()
        found += self._docket.connects_between(row.req_ts - wide, over_ns + wide)
        return sorted(found, key=lambda held: began(held.attempt))

    def _tell_again(self, told: Told) -> None:
        """Write what is different in an incident now that more is known of the attempts behind it."""
        before = told.incident
        tried = self._linker.attempts_for(told.row, self._outcomes.of(told.row).point.time_ns)
        after = self._made(before.id, told.row, tried)
        changes = {
            name: getattr(after, name)
            for name in field_types(Incident)
            if name != "id" and getattr(before, name) != getattr(after, name)
        }
        if changes:
            told.incident = after
            self._counts.incident(before, step=-1)
            self._counts.incident(after)
            self._write(Update(after.id, changes))

    def _made(self, ident: str, row: Row, tried: Sequence[Row]) -> Incident:
        failures = [held.failure for held in self._docket.behind(key_of(row)) if held.failure is not None]
        attempt = unattempted(row.conn, row.head, _asked(row), row.req_ts)
        attempt.client = self._linker.view(Joined(row, 1.0, ["itself"]), row.conn)
        kinds = [self._docket.kind_of(key_of(other)) for other in tried] if not failures else []
        return self._judge.incident(ident, attempt, failures, len(tried), Counter(kind or "none" for kind in kinds))

    def _unattempted(self, error: ClientError, over_ns: int) -> None:
        """Judge a client's request for which nobody upstream was asked, or nobody but the network for an address."""
        row = error.row
        attempt = unattempted(row.conn, row.head, _asked(row), over_ns)
        asked = self._unanswered.meanwhile(lambda address: self._asks(row.conn, address), row.req_ts, over_ns)
        if asked is not None:
            attempt = changed(asked, request=attempt.request, client_leg_seen=True, unattempted=True)
        attempt.own_answer = error.head, error.page
        joined = Joined(row, 1.0, ["itself"])
        attempt.client = self._linker.view(joined, row.conn)
        verdict = self._judge.verdict(attempt)
        if verdict.outcome == "failure":
            held = Held(over_ns, None, row.head, attempt, joined, verdict, None, key_of(row))
            gateway = row.conn.b.high, row.conn.b.low
            held.failure = self._judge.failure(None, attempt, verdict, self._docket.next_failure(), gateway)
            self._docket.belongs(key_of(row), held)
            self._docket.rest(held, error.when_ns)
            self._count(held.failure, None, 1)
            self._write(held.failure)

    def _asks(self, client: Connection, address: Address) -> bool:
        """Whether the gateway of a client's connection asks for its upstreams from *address*."""
        if address == (client.b.high, client.b.low):
            return True
        return any(
            (other.conn.a.high, other.conn.a.low) == address and self._legs.serves(client, other.conn)
            for other in self._tracker.history.latest(NEARBY, client.last_ts - NEARBY_NS)
        )

    def _covered(self, row: Row, until_ns: int) -> bool:
        """Whether the capture would have shown an attempt for a client's request: nothing upstream is in doubt."""
        if self._linker.skew.several and until_ns - row.req_ts > WITHIN_NS:
            return False
        since = row.req_ts - self._early_ns()
        if not self._legs.upstream_legs_seen or self._tracker.connecting_between(since, until_ns):
            return False
        if self._has_unread(until_ns):
            return False
        near = self._tracker.history.latest(NEARBY, row.req_ts - NEARBY_NS)
        if any(_sent_unseen(other.conn) for other in near if other.conn is not row.conn):
            return False
        return not any(
            since <= ts if conn is None else not self._legs.is_client(conn) and _lacks(conn, since <= ts)
            for ts, conn in self._tracker.doubtful(row.req_ts - NEARBY_NS, until_ns + DELAYED_NS)
        )

    def _early_ns(self) -> int:
        """Return by how much an attempt may seem to begin before its request: clocks that were brought together."""
        return FILES_NS if self._linker.skew.compared else 0

    def _has_unread(self, now_ns: int) -> bool:
        """Whether an endpoint was connected to of which no exchange could be read: TLS may hide an attempt there."""
        if self._unread is None or not 0 <= now_ns - self._unread[0] <= AGAIN_NS:
            found = any(
                one.sights.answers and not one.attempts and not self._legs.is_front(one.high, one.low, one.port)
                for one in self._tracker.endpoints()
            )
            self._unread = now_ns, found
        return self._unread[1]


def _asked(row: Row) -> Point:
    """Return the first frame of a request."""
    return Point(row.frame, row.conn.file, row.req_ts)


def _sent_unseen(conn: Connection) -> bool:
    """Whether the acceptor acknowledged more than the opener was seen to send: a request may have been missed."""
    a, b = conn.a, conn.b
    return max(a.acked, b.rst_acks, b.fin_acks) > a.off + (1 if a.fin_off >= 0 else 0)


def _lacks(conn: Connection, then: bool) -> bool:
    """Whether a connection that was in doubt still is (*then*: at the very time): octets may only have come late."""
    return _sent_unseen(conn) or (then and (conn.mid or conn.a.gaps is not None))
