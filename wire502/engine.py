"""The order of the stages, and nothing else: batches in, results out (``feed``, ``tick``, ``finish``).

capture → **packet → tcp → protocol → exchange → diagnosis** → report. The engine reads no files and no clock: time
is what the frames say, or what ``tick`` is told. A failure that is final is held back for a moment of capture time,
since the client's answer or a retry that made it good often comes right behind it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from wire502.diagnosis.failures import to_exchange, to_failure, to_open
from wire502.diagnosis.judge import judge
from wire502.exchange.attempts import build
from wire502.exchange.legs import Legs
from wire502.exchange.retries import made_good, other_family
from wire502.exchange.silences import Silences
from wire502.exchange.summing import Counts, summary
from wire502.exchange.tracker_cy import Tracker
from wire502.exchange.unanswered import Unanswered
from wire502.model.attempt import Attempt
from wire502.model.capture_info import Interface, RareFrame
from wire502.model.context import Context
from wire502.model.finding import Verdict
from wire502.model.flow_cy import Connection, Decoder, Exchange, Observer
from wire502.model.frames_cy import Batch
from wire502.model.verdict import QUIET_KINDS, Result, Summary
from wire502.packet import PacketStage
from wire502.protocol.http1_cy import Http1
from wire502.tcp.connections_cy import Connections
from wire502.tcp.reassembly_cy import release


@dataclass(slots=True)
class Held:
    """A failure that waits for the end of its hold."""

    release_ns: int
    conn: Connection
    exchange: Exchange | None
    attempt: Attempt
    verdict: Verdict


class Engine:
    """One analysis. ``interfaces`` is the list that the source fills."""

    def __init__(self, context: Context, interfaces: list[Interface]) -> None:
        self._context = context
        self._interfaces = interfaces
        self._packets = PacketStage()
        self._tracker = Tracker(context, self, self._decoder)
        self._connections = Connections(self._tracker, context)
        self._legs = Legs(context)
        self._silences = Silences()
        self._unanswered = Unanswered(context)
        self._held: deque[Held] = deque()
        self._results: list[Result] = []
        self._counts = Counts()
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._failed = 0

    # -- the three calls ------------------------------------------------------------------------------------------

    def feed(self, batch: Batch) -> list[Result]:
        """Take the next frames; return what became final, in the order in which it did."""
        self._connections.interfaces(self._interfaces)
        self._see_times(batch)
        for segments in self._packets.segments(batch):
            self._connections.feed(segments)
        return self._taken()

    def tick(self, now_ns: int) -> list[Result]:
        """Let capture time pass without a frame (live only)."""
        if now_ns >= self._tracker.next_due:
            self._tracker.fire(now_ns)
        return self._taken()

    def finish(self) -> list[Result]:
        """Judge what the capture left open; the summary comes last."""
        now = self._last_ns if self._last_ns is not None else 0
        self._tracker.finish(self._connections.remaining(), now)
        for attempt in self._unanswered.finish(now):
            self._judge_unanswered(attempt)
        self._release(None)
        self._results.append(self._summary())
        return self._taken()

    def next_deadline(self) -> int:
        """Return the capture time at which ``tick`` will have something to do."""
        return self._tracker.next_due

    def _taken(self) -> list[Result]:
        taken, self._results = self._results, []
        return taken

    def _see_times(self, batch: Batch) -> None:
        if batch.count:
            if self._first_ns is None:
                self._first_ns = int(batch.ts_ns[0])
            self._last_ns = max(self._last_ns or 0, int(batch.ts_ns[batch.count - 1]), self._connections.now)

    def _decoder(self, conn: Connection, observer: Observer) -> Decoder:
        return Http1(conn, observer, self._context.max_head, self._context.max_pipelined)

    # -- the desk (exchange.tracker_cy.Desk) ----------------------------------------------------------------------

    def began(self, conn: Connection, exchange: Exchange) -> None:
        """Learn about legs from the first request of a connection."""
        self._legs.began(conn, exchange)

    def resolve(self, conn: Connection, now_ns: int) -> None:
        """Close the holes of a connection that their receivers have acknowledged."""
        release(conn, 0, now_ns, False)
        release(conn, 1, now_ns, False)

    def rare(self, record: RareFrame) -> None:
        """Follow address resolution; ICMP errors have reached their connection already."""
        if record.asked is not None:
            file = self._interfaces[record.interface].file
            if due := self._unanswered.heard(record, file, self._tracker.upstreams):
                self._tracker.wake(due)

    def due(self, now_ns: int) -> None:
        """Release what has been held long enough."""
        for attempt in self._unanswered.due(now_ns):
            self._judge_unanswered(attempt)
        self._release(now_ns)

    def settle(self, conn: Connection, now_ns: int, ended: bool) -> bool:
        """Judge all that is open on a connection; return whether it needs no further look."""
        release(conn, 0, now_ns, True)
        release(conn, 1, now_ns, True)
        self._legs.opened(conn)
        final = True
        for exchange, secondary in _outstanding(conn):
            attempt = self._attempt(conn, exchange, now_ns, ended, secondary)
            verdict = judge(attempt, self._context)
            final &= self._take(conn, exchange, attempt, verdict, now_ns, ended)
        if final:
            _close(conn)
        return final

    def finished(self, conn: Connection, exchange: Exchange, now_ns: int) -> None:
        """Look at a complete exchange: a 5xx of the upstream, or any if all are asked for."""
        client = self._legs.is_client(conn)
        if client and exchange.status == 502:
            self._counts.client_502 += 1
        if exchange.status < 500 and exchange.oddities is None and not self._context.keep_exchanges:
            return
        attempt = self._attempt(conn, exchange, now_ns, False, False)
        if not client:
            verdict = judge(attempt, self._context)
            if verdict.outcome == "failure":
                self._hold(conn, exchange, attempt, verdict, now_ns)
                return
            self._counts.odd(verdict.oddities)
        if self._context.keep_exchanges:
            self._results.append(to_exchange(attempt, "client" if client else "upstream"))

    # -- verdicts -------------------------------------------------------------------------------------------------

    def _attempt(
        self, conn: Connection, exchange: Exchange | None, now_ns: int, ended: bool, secondary: bool
    ) -> Attempt:
        attempt = build(
            conn,
            exchange,
            now_ns=now_ns,
            ended=ended,
            secondary=secondary,
            client_leg_seen=self._legs.client_legs_seen,
            steps=tuple(self._connections.steps),
        )
        attempt.similar_silence = self._silences.similar(attempt)
        if conn.ipv6 and conn.refused_frame:
            attempt.later_success = other_family(conn, self._tracker.upstreams)
        return attempt

    def _hold(
        self, conn: Connection, exchange: Exchange | None, attempt: Attempt, verdict: Verdict, now_ns: int
    ) -> None:
        """Keep a failure back until its hold is over."""
        self._silences.learn(attempt)
        self._held.append(Held(now_ns + self._context.hold_ns, conn, exchange, attempt, verdict))
        self._tracker.wake(now_ns + self._context.hold_ns)

    def _take(
        self,
        conn: Connection,
        exchange: Exchange | None,
        attempt: Attempt,
        verdict: Verdict,
        now_ns: int,
        ended: bool,
    ) -> bool:
        """File a verdict; return whether it is the last word."""
        if verdict.outcome == "failure":
            self._hold(conn, exchange, attempt, verdict, now_ns)
            return True
        self._counts.odd(verdict.oddities)
        if verdict.outcome == "healthy":
            if self._context.keep_exchanges and attempt.request is not None:
                client = self._legs.is_client(conn)
                self._results.append(to_exchange(attempt, "client" if client else "upstream"))
            return True
        if ended or conn.superseded or conn.evicted:
            if not self._legs.is_client(conn):
                self._counts.open += 1
                self._results.append(to_open(attempt, verdict.why_unknown))
            return True
        return False

    def _release(self, now_ns: int | None) -> None:
        while self._held and (now_ns is None or self._held[0].release_ns <= now_ns):
            held = self._held.popleft()
            if self._legs.is_client(held.conn):
                continue
            self._failed += 1
            failure = to_failure(held.attempt, held.verdict, f"f{self._failed}")
            failure.masked = held.verdict.masked or made_good(
                held.conn, held.exchange, held.attempt, self._tracker.history, failure.caveats
            )
            self._counts.failure(failure, quiet=failure.kind in QUIET_KINDS)
            upstream = held.conn.upstream
            if upstream is not None and failure.kind not in QUIET_KINDS:
                upstream.failures += 1
            self._results.append(failure)

    def _judge_unanswered(self, attempt: Attempt) -> None:
        verdict = judge(attempt, self._context)
        if verdict.outcome == "failure":
            self._failed += 1
            failure = to_failure(attempt, verdict, f"f{self._failed}")
            self._counts.failure(failure, quiet=False)
            self._results.append(failure)

    def _summary(self) -> Summary:
        packets, connections = self._packets, self._connections
        return summary(
            self._counts,
            frames=packets.frames,
            octets=packets.octets,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            connections=connections.streams,
            exchanges=self._tracker.exchanges,
            upstreams=[
                upstream
                for upstream in self._tracker.upstreams.values()
                if not self._legs.is_front(upstream.high, upstream.low, upstream.port)
            ],
            odd=connections.oddities,
            duplicates=connections.duplicates,
            evicted=connections.evicted,
            unsupported=packets.unsupported,
            steps=len(connections.steps),
        )


def _outstanding(conn: Connection) -> list[tuple[Exchange | None, bool]]:
    """Return the exchanges of a connection that may still fail, the first one first; None: the connection itself."""
    decoder = conn.decoder
    found: list[tuple[Exchange | None, bool]] = [(exchange, False) for exchange in conn.pending or ()]
    if decoder is not None and decoder.current is not None:
        found.append((decoder.current, False))
        found += [(exchange, True) for exchange in decoder.queue]
    elif not found and (decoder is None or decoder.exchanges == 0):
        found.append((None, False))
    return found


def _close(conn: Connection) -> None:
    conn.pending = None
    if conn.decoder is not None and (conn.dead or conn.a.fin_off >= 0 or conn.b.fin_off >= 0):
        conn.decoder.current = None
        conn.decoder.queue = []
