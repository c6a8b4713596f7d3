"""The order of the stages, and nothing else: batches in, results out (``feed``, ``tick``, ``finish``).

capture → **packet → tcp → protocol → exchange → diagnosis** → report. The engine reads no files and no clock: time
is what the frames say, or what ``tick`` is told. A failure that is final is held back until its client's answer was
seen, or for a moment of capture time, since that or a retry that made it good often comes right behind it.

This module is long because it is the one place where all stages meet: each of them costs some lines of joining here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Literal

from wire502.exchange.bursts import ONLY_COUNTED, Bursts
from wire502.exchange.casebook import Address, Casebook
from wire502.exchange.clocks import ClockSample, compare
from wire502.exchange.legs_cy import Legs
from wire502.exchange.lines_cy import Lines, Records
from wire502.exchange.linking import Joined, Linker
from wire502.exchange.outcomes import Outcomes
from wire502.exchange.retries import other_family
from wire502.exchange.silences import Silences
from wire502.exchange.summing import Counts, row, summary, unread
from wire502.exchange.surroundings import Recorder
from wire502.exchange.tracker_cy import Tracker
from wire502.exchange.unanswered import Unanswered
from wire502.exchange.upstream_cy import Upstream
from wire502.exchange.waiting_cy import waiting_line
from wire502.exchange.waits import Over, Waits
from wire502.model.attempt import Attempt
from wire502.model.capture_info import Clocks, DropReport, Interface, RareFrame
from wire502.model.context import Context
from wire502.model.finding import Verdict
from wire502.model.flow_cy import RST_IGNORED, RST_NONE, Connection, Decoder, Exchange, Observer
from wire502.model.frames_cy import Batch
from wire502.model.healthy_cy import Pen
from wire502.model.verdict import Cleared, Failure, Incident, Pending, Result, Summary, Time, UpstreamSummary
from wire502.packet import PacketStage
from wire502.packet.linktypes import linktype_name
from wire502.protocol.http1_cy import Http1
from wire502.tcp.connections_cy import JUMP_NS, Connections
from wire502.tcp.reassembly_cy import release

if TYPE_CHECKING:
    from wire502.diagnosis.recognition import Recognised

MOST_STEPS = 256  # of the clock; of more nothing is known
MOST_SUMMED = 1024  # upstreams in one histogram


class Engine:
    """One analysis. ``interfaces`` is the list that the source fills; *pen* takes down healthy exchanges, if asked for.

    Without a pen of its own they are ``ExchangeLine``.
    """

    def __init__(self, context: Context, interfaces: list[Interface], pen: Pen | None = None) -> None:
        self._context = context
        self._interfaces = interfaces
        self._packets = PacketStage()
        self._legs = Legs(context)
        self._tracker = Tracker(context, self, self._decoder, self._legs)
        self._tracker.pattern = self._decoder(Connection(), self._tracker)
        self._connections = Connections(self._tracker, context)
        self._outcomes = Outcomes(self._tracker.history)
        self._linker = Linker(self._tracker.history, self._legs, self._outcomes)
        self._silences = Silences()
        self._recorder = Recorder(self._tracker)
        self._unanswered = Unanswered(context)
        self._waits = Waits(self._tracker.wake)
        self._bursts = Bursts() if context.live else None
        self._drops: Sequence[DropReport] = ()
        self._compared: set[int] = set()
        self._clocks: Sequence[str] = ()
        self._results: list[Result] = []
        self._pen = Records() if pen is None else pen
        self._pen.results = self._results  # type: ignore[assignment]  # what a pen of another kind appends is its caller's
        if context.keep_exchanges:
            self._tracker.lines = Lines(self._pen)
        self._counts = Counts()
        self._cases = Casebook(
            context,
            self._tracker,
            self._unanswered,
            self._legs,
            self._linker,
            self._outcomes,
            self._counts,
            _Diagnosis(context, self._recorder),
            self._tell,
        )
        self._patience = min(context.connect_deadline_ns, context.first_byte_deadline_ns, context.response_deadline_ns)
        self._first_ns: int | None = None
        self._final_ns = 0

    # -- the three calls ------------------------------------------------------------------------------------------

    def feed(self, batch: Batch) -> list[Result]:
        """Take the next frames; return what became final, in the order in which it did."""
        self._connections.interfaces(self._interfaces)
        several = len(self._interfaces) > 1 and not self._compared.issuperset(one.file for one in self._interfaces)
        several = several and len({one.file for one in self._interfaces}) > 1
        self._linker.skew.several = self._tracker.several_files = several
        self._see_times(batch)
        for segments in self._packets.segments(batch):
            self._connections.feed(segments)
        return self._taken()

    def compared(self, clocks: Clocks) -> None:
        """Hear how the times of the files were brought together (before the first batch)."""
        if len(clocks.together) == 1:
            self._compared = clocks.together[0]
        self._linker.skew.compare(clocks.together)
        self._clocks = clocks.said
        self._connections.see_far(clocks.way_ns)

    def tick(self, now_ns: int) -> list[Result]:
        """Let capture time pass without a frame (live only)."""
        if now_ns >= self._tracker.next_due:
            self._tracker.fire(now_ns)
        return self._taken()

    def finish(self) -> list[Result]:
        """Judge what the capture left open; the summary comes last."""
        now = self._end_ns()
        connections, legs = self._connections, self._legs
        known = connections.remaining()
        # Client legs first: what a client got is evidence for the attempt behind it.
        for client in (True, False):
            chosen = connections.those(known, legs.is_client, client)
            self._tracker.unveil(connections.up(chosen))
            self._tracker.finish(connections.awake(chosen), now)
        for attempt in self._unanswered.finish(now):
            self._judge_unanswered(attempt)
        self._cleared(self._waits.finish(now))
        self._cases.release(None)
        self._results.append(self._summary())
        return self._taken()

    def lost(self, drops: Sequence[DropReport]) -> None:
        """Hear of all packets that the capture says it lost so far: they lower every verdict that they overlap."""
        self._drops = drops

    def stepped(self, frame: int, before_ns: int, after_ns: int) -> None:
        """Hear that the clock was set between *frame*, which comes next, and the one before: no silence lies there."""
        if len(self._connections.steps) < MOST_STEPS:
            self._connections.steps.append((frame, before_ns, after_ns))

    def next_deadline(self) -> int:
        """Return the capture time at which ``tick`` will have something to do."""
        return self._tracker.next_due

    def gauges(self) -> dict[str, int]:
        """Return how much is being followed and how much was let go, by name.

        | name | counts |
        |---|---|
        | frames, octets | since the start, octets as on the wire |
        | connections | followed now |
        | connections_seen, exchanges | since the start |
        | evicted, unfollowed | connections let go to stay within a limit; attempts counted only, in a flood |
        | buffered | octets that wait for missing segments |
        | upstreams, duplicates, fragments_pending | now, since the start, now |
        | gaps_capture, gaps_wire, gaps_unknown | holes of the connections that ended |
        """
        connections, tracker = self._connections, self._tracker
        capture, wire, unknown = connections.lost
        return {
            "frames": self._packets.frames,
            "octets": self._packets.octets,
            "connections": connections.live,
            "connections_seen": connections.streams,
            "exchanges": tracker.exchanges,
            "evicted": connections.evicted,
            "unfollowed": tracker.unfollowed,
            "buffered": connections.buffered,
            "upstreams": sum(1 for _ in tracker.endpoints()),
            "duplicates": connections.duplicates,
            "fragments_pending": self._packets.fragments_pending,
            "gaps_capture": capture,
            "gaps_wire": wire,
            "gaps_unknown": unknown,
        }

    def first_bytes(self) -> list[tuple[float, int]]:
        """Return how long upstreams took to their first octet: upper edges of buckets in seconds, with their counts."""
        sums: Counter[float] = Counter()
        for upstream in islice(self._tracker.endpoints(), MOST_SUMMED):
            for edge, count in upstream.first_byte.tally():
                sums[edge] += count
        return sorted(sums.items())

    def worst(self, most: int) -> list[UpstreamSummary]:
        """Return the figures of the upstreams with most failures, then attempts, as they are now."""
        chosen = nlargest(most, self._endpoints(), key=lambda one: (one.failures, one.attempts))
        return [row(one) for one in chosen]

    def _endpoints(self) -> Iterator[Upstream]:
        for upstream in self._tracker.endpoints():
            if not self._legs.is_front(upstream.high, upstream.low, upstream.port):
                yield upstream

    def _tell(self, result: Result) -> None:
        self._results.append(result)

    def _taken(self) -> list[Result]:
        self._pen.settle()
        taken = self._results[:]
        self._results.clear()
        return taken

    def _see_times(self, batch: Batch) -> None:
        if batch.count:
            if self._first_ns is None:
                self._first_ns = int(batch.ts_ns[0])
            self._final_ns = int(batch.ts_ns[batch.count - 1])

    def _end_ns(self) -> int:
        """Return when the capture ends: frames beside TCP prove silence, a leap of the last one does not."""
        now, final = self._connections.now, self._final_ns
        return final if now == 0 or 0 < final - now < JUMP_NS else now

    def _decoder(self, conn: Connection, observer: Observer) -> Decoder:
        chosen = self._context
        return Http1(conn, observer, chosen.max_head, chosen.max_pipelined, chosen.keep_exchanges)

    # -- the desk (exchange.tracker_cy.Desk) ----------------------------------------------------------------------

    def began(self, conn: Connection, exchange: Exchange) -> None:
        """Learn about the clocks of several files from the first request of a connection."""
        self._linker.began(conn, exchange)

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
        self._cleared(self._waits.over(now_ns))
        self._cases.release(now_ns)

    def overdue(self, conn: Connection, now_ns: int) -> int:
        """Tell of a wait that would be a stall if it ended now; return when to look again."""
        exchange = conn.decoder.current if conn.decoder is not None else None
        if exchange is None or self._legs.is_client(conn) or self._waits.knows(conn, exchange.number):
            return 0
        attempt, _ = self._attempt(conn, exchange, now_ns, True, False)
        verdict = _judged(attempt, self._context)
        finding = verdict.finding
        if finding is None or finding.until is None or finding.until.until is not None:
            return _next_look(attempt, self._context, now_ns)
        pending = _to_pending(attempt, verdict, self._cases.next_id())
        self._results.append(pending)
        self._waits.told(pending.id, conn, exchange.number, finding.until.since, now_ns)
        return 0

    def settle(self, conn: Connection, now_ns: int, ended: bool) -> bool:
        """Judge all that is open on a connection; return whether it needs no further look."""
        release(conn, 0, now_ns, True)
        release(conn, 1, now_ns, True)
        self._legs.opened(conn)
        if self._legs.is_client(conn):
            return self._settle_client(conn, now_ns, ended)
        if (ended or conn.superseded) and self._settle_waiting(conn, now_ns):
            return True
        if self._bursts is not None and not (ended or conn.established or conn.superseded):
            when = self._bursts.when(conn.stream, now_ns)
            if when == ONLY_COUNTED:
                self._tracker.unfollowed += 1
                return True
            if when:
                self._tracker.look(conn, when)
                return False
        final = True
        waiting: list[Exchange] = []
        pending = len(conn.pending or ())  # these come first
        patient = not (ended or conn.superseded or self._legs.client_legs_hinted or _is_closing(conn))
        for place, (exchange, secondary) in enumerate(_outstanding(conn)):
            if exchange is not None and exchange.judged:
                continue
            if not self._judge(conn, exchange, now_ns, ended, secondary):
                final = False
                if place < pending and exchange is not None:
                    waiting.append(exchange)
                elif patient:
                    break  # those behind it wait for it, and nothing else has happened to them
        conn.pending = waiting or None  # what has had its last word is not looked at with each request that follows
        if final:
            _close(conn)
        return final

    def _settle_waiting(self, conn: Connection, now_ns: int) -> bool:
        """Tell of a connection of one packet, of which there may be hundreds of thousands; False: it must be judged."""
        if self._legs.client_legs_hinted or self._connections.steps:
            return False
        line = waiting_line(conn, now_ns, self._patience)
        if line is None:
            return False
        self._counts.waits(conn.established, conn.upstream)
        self._results.append(line)
        return True

    def finished(self, conn: Connection, exchange: Exchange, now_ns: int) -> None:
        """Look at a complete exchange: a 5xx, or any if all are asked for."""
        client = self._legs.is_client(conn)
        judged = exchange.judged
        if client and exchange.status >= 500:
            self._cases.client_error(conn, exchange, now_ns)
        if exchange.status < 500 and exchange.oddities is None and not self._context.keep_exchanges:
            return
        if (client and not self._context.keep_exchanges) or judged:
            return
        attempt, joined = self._attempt(conn, exchange, now_ns, False, False)
        if not client:
            verdict = _judged(attempt, self._context)
            if verdict.outcome == "failure":
                exchange.judged = True
                self._hold(conn, exchange, attempt, joined, verdict, now_ns)
                return
            self._counts.odd(verdict.oddities)
        if self._context.keep_exchanges:
            self._results.append(_to_exchange(attempt, "client" if client else "upstream"))

    # -- verdicts -------------------------------------------------------------------------------------------------

    def _attempt(
        self, conn: Connection, exchange: Exchange | None, now_ns: int, ended: bool, secondary: bool
    ) -> tuple[Attempt, Joined]:
        from wire502.exchange.attempts_cy import build  # a healthy capture needs no attempt

        attempt = build(
            conn,
            exchange,
            now_ns=now_ns,
            ended=ended,
            secondary=secondary,
            steps=tuple(self._connections.steps),
        )
        if self._drops:
            from wire502.exchange.asides import dropped

            attempt.dropped_nearby, attempt.dropped_sometime = dropped(self._drops, conn, attempt)
        attempt.similar_silence = self._silences.similar(attempt)
        if conn.ipv6 and conn.refused_frame:
            attempt.later_success = other_family(conn, self._tracker.upstreams)
        head = exchange.req_head if exchange is not None else b""
        joined = self._linker.join(conn, head, attempt)
        attempt.client = self._linker.view(joined, conn)
        attempt.client_leg_seen = self._legs.client_legs_seen
        attempt.client_candidates = 0 if joined.row else joined.candidates
        return attempt, joined

    def _judge(self, conn: Connection, exchange: Exchange | None, now_ns: int, ended: bool, secondary: bool) -> bool:
        """Judge one attempt; return whether the verdict is the last word."""
        attempt, joined = self._attempt(conn, exchange, now_ns, ended, secondary)
        verdict = _judged(attempt, self._context)
        if verdict.outcome == "failure":
            self._hold(conn, exchange, attempt, joined, verdict, now_ns)
            if exchange is not None:
                exchange.judged = True
            return True
        if verdict.outcome == "healthy":
            self._counts.odd(verdict.oddities)
            if self._context.keep_exchanges and attempt.request is not None:
                self._results.append(_to_exchange(attempt, "upstream"))
            return True
        if ended or conn.superseded or conn.evicted:
            self._counts.odd(verdict.oddities)
            self._counts.open += 1
            self._counts.ended(attempt, conn.upstream)
            self._results.append(_to_open(attempt, verdict.why_unknown))
            return True
        return False

    def _hold(
        self,
        conn: Connection | None,
        exchange: Exchange | None,
        attempt: Attempt,
        joined: Joined,
        verdict: Verdict,
        now_ns: int,
    ) -> None:
        self._silences.learn(attempt)
        if conn is not None and verdict.finding is not None:
            self._recorder.failed(conn, attempt, verdict.finding, verdict.at_fault)
        ident = None if conn is None or exchange is None else self._waits.failed(conn, exchange.number)
        self._cases.hold(conn, exchange, attempt, joined, verdict, now_ns, ident)

    def _cleared(self, waits: Iterable[Over]) -> None:
        for over in waits:
            point = over.point
            end = over.now_ns if point is None else point.time_ns
            seconds = round(max(0, end - over.since.time_ns) / 1e9, 6)
            frame, file = (None, None) if point is None else (point.frame, point.file)
            self._results.append(Cleared(over.ident, over.why, frame, file, Time(end), seconds))

    def _judge_unanswered(self, attempt: Attempt) -> None:
        verdict = _judged(attempt, self._context)
        if verdict.outcome == "failure":
            self._hold(None, None, attempt, Joined(), verdict, attempt.judged_at_ns)

    # -- client legs ----------------------------------------------------------------------------------------------

    def _settle_client(self, conn: Connection, now_ns: int, ended: bool) -> bool:
        """See what the clients of unfinished exchanges got."""
        for exchange, _ in _outstanding(conn):
            if exchange is None or exchange.ghost:
                continue
            outcome = self._outcomes.settled(conn, exchange)
            if outcome.failed:
                self._cases.client_error(conn, exchange, now_ns)
            elif outcome.outcome == "pending" and not ended:
                return False
        _close(conn)
        return True

    # -- the end --------------------------------------------------------------------------------------------------

    def _summary(self) -> Summary:
        packets, connections = self._packets, self._connections
        return summary(
            self._counts,
            frames=packets.frames,
            octets=packets.octets,
            first_ns=self._first_ns,
            last_ns=packets.latest_ns,
            connections=connections.streams,
            exchanges=self._tracker.exchanges,
            upstreams=self._endpoints(),
            odd=Counter(connections.oddities) + Counter(self._tracker.tolerated),
            duplicates=connections.duplicates,
            translated=self._tracker.translated,
            overlapping=connections.overlapping,
            evicted=connections.evicted,
            unfollowed=self._tracker.unfollowed,
            holes=connections.holes(),
            unread=unread(
                {linktype_name(number): count for number, count in packets.unsupported.items()},
                malformed=packets.malformed,
                cut=packets.cut,
                incomplete=packets.fragments_pending,
            ),
            steps=[after - before for _, before, after in connections.steps],
            clocks=[*self._clocks, *self._linker.skew.caveats()],
        )


def preload() -> None:
    """Load all that is otherwise loaded when first needed: kinds, causes, gateways, IPv6 text, rare frames."""
    import ipaddress  # noqa: F401

    from wire502.diagnosis import dialect, failures, incidents, judge, recognition  # noqa: F401
    from wire502.diagnosis.causes import all_causes
    from wire502.exchange import attempts_cy  # noqa: F401
    from wire502.gateways import load, names, signs
    from wire502.kinds import all_kinds
    from wire502.packet import icmp, neighbours  # noqa: F401

    all_kinds()
    all_causes()
    signs()
    for name in names():
        load(name)


def compare_clocks(files: Iterable[Iterable[Batch]]) -> Clocks:
    """Return how far the clocks of *files*, of each the first batches, are apart."""
    samples = []
    for batches in files:
        stage, sample = PacketStage(), ClockSample()
        for batch in batches:
            for segments in stage.segments(batch):
                sample.add(segments)
            if sample.full:
                break
        samples.append(sample)
    return compare(samples)


# Most captures are healthy: what judges is loaded with the first attempt that needs it.


def _judged(attempt: Attempt, context: Context) -> Verdict:
    from wire502.diagnosis.judge import judge

    return judge(attempt, context)


def _to_exchange(attempt: Attempt, leg: Literal["upstream", "client"]) -> Result:
    from wire502.diagnosis.failures import to_exchange

    return to_exchange(attempt, leg)


def _to_pending(attempt: Attempt, verdict: Verdict, ident: str) -> Pending:
    from wire502.diagnosis.failures import to_pending

    return to_pending(attempt, verdict, ident)


def _to_open(attempt: Attempt, why: str) -> Result:
    from wire502.diagnosis.failures import to_open

    return to_open(attempt, why)


class _Diagnosis:
    """What the casebook asks of ``diagnosis``."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder
        self._made: Recognised | None = None

    def _recognised(self) -> Recognised:
        if self._made is None:
            from wire502.diagnosis.recognition import Recognised

            self._made = Recognised(self._context.gateway)
        return self._made

    def verdict(self, attempt: Attempt) -> Verdict:
        return _judged(attempt, self._context)

    def failure(
        self, conn: Connection | None, attempt: Attempt, verdict: Verdict, ident: str, gateway: Address | None
    ) -> Failure:
        from wire502.diagnosis.causes import explain
        from wire502.diagnosis.failures import to_failure

        failure = to_failure(attempt, verdict, ident)
        failure.gateways = self._recognised().views(failure, failure.client, gateway)
        if verdict.finding is not None:
            explain(failure, attempt, verdict.finding, self._recorder.around(conn, attempt))
        return failure

    def page(self, gateway: Address, exchange: Exchange, relayed: bool) -> None:
        head, page = exchange.resp_head or b"", exchange.resp_page or b""
        self._recognised().see(gateway, exchange.status, head, page, relayed)

    def incident(
        self, ident: str, attempt: Attempt, failures: Sequence[Failure], tried: int, alike: Counter[str]
    ) -> Incident:
        from wire502.diagnosis.incidents import to_incident

        return to_incident(ident, attempt, failures, tried, alike)


def _next_look(attempt: Attempt, context: Context, now_ns: int) -> int:
    """Return when a wait that is none yet is past a deadline: its last progress may be later than its request.

    A stream or an upload that is past all of them is asked again when it has waited on.
    """
    request, response = attempt.request, attempt.response
    points = [attempt.upstream_acked_point, *(message.last for message in (request, response) if message is not None)]
    latest = max((point.time_ns for point in points if point is not None), default=now_ns)
    deadlines = (context.first_byte_deadline_ns, context.response_deadline_ns)
    ahead = [latest + deadline + 1 for deadline in deadlines if latest + deadline >= now_ns]
    return min(ahead, default=now_ns + context.response_deadline_ns)


def _outstanding(conn: Connection) -> list[tuple[Exchange | None, bool]]:
    """Return the exchanges of a connection that may still fail, the first one first; None: the connection itself."""
    decoder = conn.decoder
    found: list[tuple[Exchange | None, bool]] = [(exchange, False) for exchange in conn.pending or ()]
    if decoder is not None and decoder.current is not None:
        found.append((decoder.current, False))
        found += [(exchange, True) for exchange in decoder.queue or ()]
    elif not found and (decoder is None or decoder.exchanges == 0):
        found.append((None, False))
    return found


def _is_closing(conn: Connection) -> bool:
    """Whether something has ended, or may have ended, what is open on a connection."""
    a, b = conn.a, conn.b
    ended = a.fin_off >= 0 or b.fin_off >= 0 or conn.unreachable is not None or conn.refused_frame != 0
    return ended or not {a.rst_state, b.rst_state} <= {RST_NONE, RST_IGNORED}


def _close(conn: Connection) -> None:
    conn.pending = None
    if conn.decoder is not None and (conn.dead or conn.a.fin_off >= 0 or conn.b.fin_off >= 0):
        conn.decoder.current = None
        conn.decoder.queue = None
