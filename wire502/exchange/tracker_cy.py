"""Which connections deserve a look, and when: healthy exchanges are only counted, the rest is laid on the desk.

Nothing is judged at the frame that alarms: a verdict needs what arrives within a moment of it (frames captured in
another order, the answer to a RST). So an alarm puts its connection on a list with a due time, in capture time, and
the connection is laid before the ``desk`` when that has come, or at the end of the capture.

This module is long because one observer hears of everything, and all its queues share one clock (``next_due``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import chain, islice
from typing import Any, Protocol

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.exchange.history_cy import History
    from cython.cimports.wire502.exchange.legs_cy import Legs
    from cython.cimports.wire502.exchange.lines_cy import Lines
    from cython.cimports.wire502.exchange.pace_cy import Pace
    from cython.cimports.wire502.exchange.translation_cy import Translations
    from cython.cimports.wire502.exchange.upstream_cy import Upstream
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Exchange, Half, Observer
else:
    from wire502.exchange.history_cy import History
    from wire502.exchange.legs_cy import Legs
    from wire502.exchange.lines_cy import Lines
    from wire502.exchange.pace_cy import Pace
    from wire502.exchange.translation_cy import Translations
    from wire502.exchange.upstream_cy import Upstream
    from wire502.model.flow_cy import Connection, Decoder, Exchange, Half, Observer

from wire502.exchange.patience import Patience
from wire502.model.capture_info import RareFrame
from wire502.model.context import Context
from wire502.model.flow_cy import NEVER, RST_IGNORED, RST_NONE

MAX_UPSTREAMS = cython.declare(cython.longlong, 4096)
MAX_PACED = cython.declare(cython.longlong, 256)  # endpoints whose exchanges are counted by time: 25 KB each
MAX_CONNECTING = cython.declare(cython.longlong, 65_536)  # unanswered SYNs with a deadline each
MAX_UNFINISHED = cython.declare(cython.longlong, 32_768)  # judged before they ended
MAX_UNFINISHED_LIVE = cython.declare(cython.longlong, 2048)  # of them in a second
HALF_CLOSE_NS = cython.declare(cython.longlong, 1_500_000_000)
HOLE_NS = cython.declare(cython.longlong, 200_000_000)
FRESH_NS = cython.declare(cython.longlong, 1_000_000_000)
LARGE_HEAD = cython.declare(cython.longlong, 4096)
MAX_WAITING = cython.declare(cython.longlong, 65_536)  # connections whose waits are watched, live
FEW_WAITING = cython.declare(cython.longlong, 4096)  # of which nobody asks whether they still wait
SPREAD = cython.declare(cython.ulonglong, 0x9E3779B1)  # an odd number, so that neighbours do not share a place
MAX_LEFT = cython.declare(cython.Py_ssize_t, 16)  # decoders of connections that were forgotten, for the next ones
_NEVER = cython.declare(cython.longlong, NEVER)
_RST_NONE = cython.declare(cython.int, RST_NONE)
_RST_IGNORED = cython.declare(cython.int, RST_IGNORED)
MAX_DOUBTS = 1024  # connections of which octets are missing, the latest ones


_OVERDUE = 2  # in the place of "this is a hole"


class Desk(Protocol):
    """Who looks at what the tracker lays before it."""

    def settle(self, conn: Connection, now_ns: int, ended: bool) -> bool:
        """Judge what is open on a connection; return whether nothing is left to wait for."""

    def finished(self, conn: Connection, exchange: Exchange, now_ns: int) -> None:
        """Hear of a complete exchange that is worth a record (an error, a violation, or all are asked for)."""

    def resolve(self, conn: Connection, now_ns: int) -> None:
        """Close holes whose octets their receiver has acknowledged long ago."""

    def rare(self, record: RareFrame) -> None:
        """Hear of a frame beside TCP."""

    def due(self, now_ns: int) -> None:
        """Do what the desk itself wanted done by now."""

    def overdue(self, conn: Connection, now_ns: int) -> int:
        """Look at a wait that may be past its deadline (live only); return when to look again, 0 for never."""

    def began(self, conn: Connection, exchange: Exchange) -> None:
        """Hear of the first request of a connection, where the capture consists of several files."""


@cython.final
@cython.cclass
class Tracker(Observer):
    """The observer of a capture; ``fire`` is called before each frame whose time has reached ``next_due``."""

    context: Context
    desk: Desk
    upstreams: dict[tuple[int, int, int], Upstream]
    hosts: dict[tuple[int, int], list[Upstream]]
    _tenants: list[Upstream]
    others: Upstream
    history: History
    exchanges: int
    now: int
    pattern: Decoder | None  # made once, so that no call of Python is needed for each connection
    _make_decoder: Callable[[Connection, Observer], Decoder]
    _left: list[Decoder]  # of connections that were forgotten, for the next ones
    _recent: list[Upstream | None]
    _due: list[tuple[int, int, Connection | None, int]]
    _sequence: int
    _translations: Translations
    _connecting: list[Connection | None]
    unfollowed: int
    _unfinished: int
    _paced: int
    several_files: bool
    _legs: Legs
    lines: Lines | None  # who tells healthy exchanges, if they are asked for
    _deadline: int
    _doubts: deque[tuple[int, Connection | None]]
    _keep: bool
    _settle: int
    _live: bool
    _refilled: int
    _patience: int
    _waiting: deque[tuple[int, Connection]]
    _crowded: int
    _watched: dict[int, None]
    _patient: Patience
    _vain: dict[int, Any]  # the connections that it remembers: hardly ever one
    tolerated: dict[str, int]  # oddities of exchanges that were put up with, as the next request showed

    def __init__(
        self,
        context: Context,
        desk: Desk,
        make_decoder: Callable[[Connection, Observer], Decoder],
        legs: Legs | None = None,
    ) -> None:
        super().__init__()
        self.context = context
        self.desk = desk
        self.upstreams = {}
        self.hosts = {}
        self._tenants = []
        self.others = Upstream(0, 0, 0)
        self.history = History(context.history_rows)
        self.exchanges = 0
        self.now = 0
        self._make_decoder = make_decoder
        self.pattern = None
        self._left = []
        self._recent = [None] * 64
        self.several_files = False
        self._legs = legs if legs is not None else Legs(context)
        self.lines = None
        self._deadline = context.connect_deadline_ns
        self._due = []
        self._sequence = 0
        self._translations = Translations()
        self._connecting = []  # by their beginning, from the place `_first` on
        self._first = 0
        self.unfollowed = 0
        self._unfinished = 0
        self._paced = 0
        self._doubts = deque(maxlen=MAX_DOUBTS)
        self._keep = context.keep_exchanges
        self._settle = context.settle_ns
        self._live = context.live
        self._refilled = 0
        self._patience = min(context.first_byte_deadline_ns, context.response_deadline_ns)
        self._waiting = deque()
        self._crowded = FEW_WAITING
        self._watched = {}
        self._patient = Patience(context.settle_ns)
        self._vain = self._patient.vain
        self.tolerated = {}

    @property
    def translated(self) -> int:
        """Connections that were seen on both sides of an address translation."""
        return self._translations.found

    # -- the observer ---------------------------------------------------------------------------------------------

    @cython.ccall
    def new_decoder(self, conn: Connection) -> Decoder:
        """Return the decoder that the engine chose."""
        decoder: Decoder
        if self.pattern is not None:
            if self._left:
                decoder = self._left.pop()
                if decoder.renew(conn):
                    return decoder
            decoder = self.pattern.another(conn)
            return decoder
        decoder = self._make_decoder(conn, self)
        return decoder

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def opened(self, conn: Connection) -> cython.int:
        """Count a connection for its upstream; a SYN starts the connect deadline."""
        upstream: Upstream = self._upstream(conn.b)
        if conn.beside or upstream.tenants is not None:
            upstream = self._tenant(upstream, conn.b)
        upstream.connections += 1
        conn.upstream = upstream
        if conn.established:
            upstream.sights.opened(conn)
        if conn.mid:
            self._doubts.append((conn.first_ts, conn))
        if conn.sign:
            self._translations.opened(conn)
        if not conn.mid and conn.a.frames == 0:
            while self._first < len(self._connecting) and _answered(self._connecting[self._first]):
                self._pass_by()  # else it would be remembered until something is due
            if len(self._connecting) - self._first >= MAX_CONNECTING:
                self._thin_out()
            self._connecting.append(conn)
            if conn.first_ts + self._deadline < self.next_due:
                self.next_due = conn.first_ts + self._deadline
        return 0

    @cython.cfunc
    def _upstream(self, half: Half) -> Upstream:
        """Return the counters of an endpoint; most are found where they were found last time."""
        upstream: Upstream | None
        place: cython.Py_ssize_t = ((half.low ^ half.port) * SPREAD) >> 24 & 63
        upstream = self._recent[place]
        if upstream is not None and upstream.low == half.low:
            if upstream.port == half.port and upstream.high == half.high:
                return upstream
        key = (half.high, half.low, half.port)
        upstream = self.upstreams.get(key)
        if upstream is None:
            if len(self.upstreams) >= MAX_UPSTREAMS:
                return self.others
            upstream = Upstream(half.high, half.low, half.port)
            upstream.lane = half.lane
            self.upstreams[key] = upstream
            self.hosts.setdefault(key[:2], []).append(upstream)
        self._recent[place] = upstream
        return upstream

    @cython.cfunc
    def _tenant(self, first: Upstream, half: Half) -> Upstream:
        """Return the counters of an endpoint on the VLAN of *half*: others have its address and port on theirs."""
        if first is self.others:
            return first
        if first.tenants is None:
            first.tenants = {first.lane: first}
        found: Upstream | None = first.tenants.get(half.lane)
        if found is None:
            if len(self._tenants) >= MAX_UPSTREAMS:
                return self.others
            found = Upstream(half.high, half.low, half.port)
            found.lane = half.lane
            found.tenants = first.tenants
            first.tenants[half.lane] = found
            self._tenants.append(found)
        return found

    def endpoints(self) -> Iterator[Upstream]:
        """Return the counters of all endpoints, those of every tenant of an address apart."""
        return chain(self.upstreams.values(), self._tenants)

    def _thin_out(self) -> None:
        """Wait no longer for connects that were answered, nor, in a flood, for the oldest that were not."""
        waiting = [conn for conn in self._connecting if conn is not None and _unanswered(conn)]
        surplus = max(0, len(waiting) - MAX_CONNECTING // 2)
        for conn in waiting[:surplus]:
            conn.settled = True
        self.unfollowed += surplus
        self._connecting = [*waiting[surplus:]]
        self._first = 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def established(self, conn: Connection, frame: cython.longlong, ts: cython.longlong) -> cython.int:
        """Measure the connect time."""
        upstream: Upstream
        if conn.upstream is None:
            return 0
        upstream = cython.cast(Upstream, conn.upstream)
        upstream.sights.answered(conn, frame, ts)
        if frame:
            upstream.answered_frame = frame
            upstream.answered_ts = ts
            upstream.answered_file = conn.file
            if conn.syn_frame:
                upstream.connect.add(ts - conn.syn_last_ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _open_attempt(self, conn: Connection) -> cython.bint:
        """Whether anything on the connection can still fail."""
        decoder: Decoder | None = conn.decoder
        if conn.settled or decoder is None or conn.shadowed:
            return False
        if decoder.current is not None or conn.pending is not None:
            return True
        if not conn.established:
            return True
        if decoder.tunnel:
            return False
        if decoder.exchanges == 0 and decoder.http is False:
            # nothing, or no HTTP, was said: transport facts only
            return conn.a.top > 0 or (conn.b.rst_frame > 0 and conn.b.rst_ts - conn.ack_ts <= FRESH_NS)
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def closing(self, conn: Connection, side: cython.int, ts: cython.longlong) -> cython.int:
        """Look again shortly when something was open; measure an idle close when nothing was."""
        upstream: Upstream
        wait: cython.longlong = self._settle
        busy: cython.bint = self._open_attempt(conn)
        if conn.upstream is not None:
            upstream = cython.cast(Upstream, conn.upstream)
            upstream.sights.ended(conn, side, ts, busy)
        if conn.shadowed and side == 1:
            self.schedule(conn, ts + wait)  # does the other view show the same end?
        if busy:
            if side == 0 and conn.established and conn.a.rst_state == 0 and conn.b.fin_off < 0:
                wait = HALF_CLOSE_NS
            self.schedule(conn, ts + wait)
        elif (
            side == 1
            and conn.upstream is not None
            and conn.decoder is not None
            and conn.decoder.exchanges > 0
            and conn.a.fin_off < 0
            and conn.a.rst_state == 0
        ):
            upstream = cython.cast(Upstream, conn.upstream)
            upstream.idle.add(ts - conn.b.progress_ts)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def request_started(self, conn: Connection, exchange: Exchange) -> cython.int:
        """A request on a connection that is closing is in danger from its first octet."""
        upstream: Upstream
        conn.settled = False
        if not conn.shadowed:
            self.history.begin(conn, exchange)
        if conn.upstream is not None:
            upstream = cython.cast(Upstream, conn.upstream)
            upstream.sights.requested(conn, exchange)
        if self._live and conn.stream not in self._watched:
            self._watch(conn, exchange.req_ts)
        if conn.decoder is not None and conn.decoder.exchanges == 1:
            self._legs.began(conn, exchange)
            if self.several_files:
                self.desk.began(conn, exchange)
        if conn.pending is not None:
            self._went_on(conn, exchange)
        if conn.b.fin_off >= 0 or conn.b.rst_state or conn.a.fin_off >= 0 or conn.a.rst_state:
            conn.settled = False
            self.schedule(conn, exchange.req_ts + self._settle)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _went_on(self, conn: Connection, exchange: Exchange) -> cython.int:
        """The gateway went on with *exchange*: judge what is pending, but for what that shows to be no failure."""
        done: Exchange
        kept: list[Exchange] | None = None
        for done in conn.pending or ():
            done.next_frame = exchange.req_frame
            done.next_ts = exchange.req_ts
            if self._is_tolerated(conn, done):
                self._count_oddities(conn, done)
            else:
                if kept is None:
                    kept = []
                kept.append(done)
        conn.pending = kept
        if kept is not None:
            self.schedule(conn, exchange.req_ts)
        return 0

    @cython.cfunc
    def _is_tolerated(self, conn: Connection, done: Exchange) -> cython.bint:
        """Whether judging a complete exchange that was followed by a request can only find oddities.

        A short cut, since a segment can hold dozens: all of a verdict that needs no more than a few numbers. What a
        client got outweighs what the gateway did, so it is not taken where clients may be in the capture.
        """
        if self._keep or self._legs.client_legs_hinted or not done.resp_done or done.resp_cut or done.judged:
            return False
        if not 200 <= done.status < 500 or conn.refused_frame or conn.evicted or done.ghost:
            return False
        if conn.a.rst_state != _RST_NONE or (conn.b.rst_state != _RST_NONE and conn.b.rst_state != _RST_IGNORED):
            return False
        if conn.a.fin_off >= 0 or conn.b.fin_off >= 0 or (conn.decoder is not None and conn.decoder.tunnel):
            return False
        if done.violation is not None:
            seen: cython.longlong = done.violation[3]
            return done.next_ts > seen
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _count_oddities(self, conn: Connection, done: Exchange) -> cython.int:
        names: list[str] = list(done.oddities or ())
        if done.violation is not None:
            names.append("invalid_" + done.violation[0])
        if conn.b.rst_state == _RST_IGNORED:
            names.append("ignored_reset")
        for name in set(names):
            self.tolerated[name] = self.tolerated.get(name, 0) + 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def exchange_done(self, conn: Connection, exchange: Exchange) -> cython.int:
        """Count; and keep what is worth a record."""
        upstream: Upstream
        if conn.shadowed:
            return 0
        self.exchanges += 1
        self.history.end(exchange)
        if conn.upstream is not None:
            upstream = cython.cast(Upstream, conn.upstream)
            if upstream.pace is None and self._paced < MAX_PACED:
                upstream.pace = Pace()
                self._paced += 1
            if upstream.finished(exchange):
                upstream.sights.responded(conn, exchange)
        if exchange.violation is not None or exchange.head_bytes >= LARGE_HEAD:
            # Complete as the upstream sent it; whether the gateway took it will show.
            if conn.pending is None:
                conn.pending = []
            conn.pending.append(exchange)
            self.schedule(conn, exchange.resp_last_ts + self.context.hold_ns)
            if conn.a.fin_off >= 0 or conn.a.rst_state or conn.b.fin_off >= 0 or conn.b.rst_state:
                self.schedule(conn, exchange.resp_last_ts + self._settle)
        elif self.lines is not None and self.lines.tell(conn, exchange, self._legs.is_client(conn)):
            self.spare(exchange)
        elif exchange.status >= 500 or self._keep or exchange.oddities is not None:
            self.desk.finished(conn, exchange, exchange.resp_last_ts)
        elif exchange.resp_done and not exchange.judged:
            self.spare(exchange)  # nobody has heard of it
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def violated(self, conn: Connection, exchange: Exchange) -> cython.int:
        """An illegal octet: look again when the gateway has had time to react."""
        if conn.a.fin_off >= 0 or conn.a.rst_state or conn.b.fin_off >= 0 or conn.b.rst_state:
            self.schedule(conn, conn.last_ts + self._settle)  # ``now`` is when something was last due
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def hole(self, conn: Connection, ts: cython.longlong) -> cython.int:
        """Give frames that were captured late a moment before the hole is called a loss."""
        self._doubts.append((ts, conn))
        self._push(ts + HOLE_NS, conn, True)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def unseen(self, conn: Connection | None, ts: cython.longlong) -> cython.int:
        """Remember which connections lack octets: what was asked there, nobody knows."""
        self._doubts.append((ts, conn))
        return 0

    def doubtful(self, since: int, until: int) -> list[tuple[int, Connection | None]]:
        """Return when octets were missing in a time, and on which connection; None: one that was not captured."""
        return [doubt for doubt in self._doubts if since <= doubt[0] <= until]

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def retired(self, conn: Connection) -> cython.int:
        """A connection is forgotten: judge what it had open, with what is known."""
        upstream: Upstream
        if conn.upstream is not None:
            upstream = cython.cast(Upstream, conn.upstream)
            upstream.retransmissions += conn.a.rexmits + conn.b.rexmits
            upstream.sights.forgotten(conn)
        if self._open_attempt(conn) and (not conn.evicted or self._is_followed()):
            self.desk.settle(conn, conn.last_ts, False)
        if self._vain:
            self._patient.forget(conn)
        conn.settled = True
        conn.view = None
        if conn.decoder is not None and len(self._left) < MAX_LEFT:
            self._left.append(conn.decoder)
        conn.decoder = None
        conn.pending = None
        return 0

    def rare(self, record: RareFrame) -> None:
        """Pass on a frame beside TCP."""
        self.desk.rare(record)

    # -- waits past their deadline ----------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _watch(self, conn: Connection, ts: cython.longlong) -> cython.int:
        """Have the wait that begins on a connection looked at when it is over its deadline: one entry for each."""
        when: cython.longlong = ts + self._patience + 1
        if len(self._waiting) >= self._crowded:  # those that were answered need not be remembered, and so can rest
            kept = [entry for entry in self._waiting if _waits(entry[1])][-(MAX_WAITING // 2) :]
            self._crowded = max(FEW_WAITING, 2 * len(kept))
            self._waiting = deque(kept)
            self._watched = dict.fromkeys([entry[1].stream for entry in kept])
        self._watched[conn.stream] = None
        self._waiting.append((when, conn))
        if when < self.next_due:
            self.next_due = when
        return 0

    def _overdue(self, conn: Connection, when: int) -> None:
        """See how long the wait of a connection lasts, and have it told if that is too long."""
        self._watched.pop(conn.stream, None)
        current = conn.decoder.current if conn.decoder is not None else None
        if conn.superseded or current is None or not self._open_attempt(conn):
            return
        since = max(conn.b.progress_ts, current.req_ts)
        if when - since <= self._patience:
            again = since + self._patience + 1
        else:
            again = self.desk.overdue(conn, when)
        if again > when:
            self._watched[conn.stream] = None
            self._sequence += 1
            heappush(self._due, (again, self._sequence, conn, _OVERDUE))

    # -- due times ------------------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def schedule(self, conn: Connection, when: cython.longlong) -> cython.int:
        """Have a connection judged at *when*, or earlier if that was asked before."""
        if when < conn.settle_at:
            conn.settle_at = when
            self._push(when, conn, False)
        return 0

    def _push(self, when: int, conn: Connection | None, hole: bool) -> None:
        self._sequence += 1
        heappush(self._due, (when, self._sequence, conn, hole))
        if when < self.next_due:
            self.next_due = when

    def wake(self, when: int) -> None:
        """Have ``Desk.due`` called at *when*."""
        self._push(when, None, False)

    def look(self, conn: Connection, when: int) -> None:
        """Have a connection judged at *when*."""
        self.schedule(conn, when)

    def connecting_between(self, since: int, until: int) -> list[Connection]:
        """Return the newest connections that began in a time and have had no answer (at most 256 are looked at)."""
        found = []
        for conn in islice(reversed(self._connecting), 256):
            if conn is None or conn.first_ts < since:
                break
            if conn.first_ts <= until and not (conn.established or conn.settled or conn.shadowed):
                found.append(conn)
        return found

    def look_at_connecting(self, since: int, when: int) -> None:
        """Have the connections judged that began at *since* or later and have had no answer by now."""
        for conn in self.connecting_between(since, when):
            self.schedule(conn, when)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _set_next(self) -> cython.int:
        connect: cython.longlong
        self.next_due = _NEVER
        if self._due:
            self.next_due = self._due[0][0]
        connect = self._first_connect()
        if connect < self.next_due:
            self.next_due = connect
        if self._waiting and self._waiting[0][0] < self.next_due:
            self.next_due = self._waiting[0][0]
        return 0

    @cython.cfunc
    def _first_connect(self) -> cython.longlong:
        """Return when the wait for the oldest connect is over; those that were answered wait no longer."""
        conn: Connection | None
        while self._first < len(self._connecting):
            conn = self._connecting[self._first]
            assert conn is not None
            if not conn.established:
                return conn.first_ts + self._deadline
            self._pass_by()
        return _NEVER

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _pass_by(self) -> cython.int:
        """Let go of the connection that has waited longest for an answer."""
        self._connecting[self._first] = None
        self._first += 1
        if self._first > 1024 and 2 * self._first > len(self._connecting):
            del self._connecting[: self._first]
            self._first = 0
        return 0

    @cython.ccall
    def fire(self, now_ns: cython.longlong) -> cython.int:
        """Do all that is due by *now_ns*, in the order of the due times."""
        conn: Connection | None
        first: cython.longlong
        connect: cython.longlong
        when: cython.longlong
        wait: cython.longlong
        while True:
            first = wait = _NEVER
            if self._due:
                first = self._due[0][0]
            if self._waiting:
                wait = self._waiting[0][0]
            connect = self._first_connect()
            when = connect if connect < first else first
            if wait < when:
                when = wait
            if when > now_ns or when == _NEVER:
                break
            self.now = when
            if wait < first and wait < connect:
                self._overdue(self._waiting.popleft()[1], when)
                continue
            if connect < first:
                conn = self._connecting[self._first]
                assert conn is not None
                self._pass_by()
                if _unanswered(conn):
                    conn.settled = self.desk.settle(conn, when, False)
                continue
            _, _, conn, hole = heappop(self._due)
            if conn is None:
                self.desk.due(when)
            elif hole == _OVERDUE:
                self._overdue(conn, when)
            elif hole:
                if not conn.superseded:
                    self.desk.resolve(conn, when)
            elif conn.settle_at == when:
                conn.settle_at = NEVER
                self._look(conn, when)
        self.now = now_ns
        self._set_next()
        return 0

    def _look(self, conn: Connection, when: int) -> None:
        if conn.shadowed and not self._translations.unveil(conn):
            return
        if conn.superseded or not self._open_attempt(conn):
            return
        half_closed = conn.a.fin_off >= 0 and conn.a.rst_state == 0 and conn.b.fin_off < 0 and conn.b.rst_state == 0
        if half_closed and conn.established and conn.pending is None and conn.b.progress_ts > conn.a.fin_ts:
            if when - conn.b.progress_ts < HALF_CLOSE_NS:
                self.schedule(conn, conn.b.progress_ts + HALF_CLOSE_NS)
                return
        later, asked = self._patient.not_before(conn, when)
        if later:
            conn.settle_at = later
            if not asked:
                self._push(later, conn, False)
            return
        conn.settled = self.desk.settle(conn, when, False)
        self._patient.looked(conn, when, conn.settled)

    def unveil(self, connections: Iterable[Connection]) -> None:
        """Judge by itself, when the capture ends, a view of a connection that shows what its other one does not."""
        for conn in connections:
            if conn.shadowed:
                self._translations.unveil(conn)

    def finish(self, connections: Iterable[Connection], now_ns: int) -> None:
        """Judge what is left when the capture ends, connection by connection."""
        for conn in connections:
            if not conn.superseded and not conn.shadowed:
                upstream: Upstream | None = conn.upstream
                if upstream is not None:
                    upstream.retransmissions += conn.a.rexmits + conn.b.rexmits
                if not conn.settled and _at_rest(conn):
                    conn.settled = True
                elif self._open_attempt(conn) or (not conn.settled and conn.decoder is not None and conn.a.top > 0):
                    if self._is_followed():
                        self.desk.settle(conn, now_ns, True)
                    conn.settled = True

    def is_quiet(self, conn: Connection) -> bool:
        """See ``Observer``: what ``finish`` would do."""
        if conn.a.rexmits or conn.b.rexmits:
            return False
        if conn.settled or _at_rest(conn):
            return not self._open_attempt(conn)
        return not self._open_attempt(conn) and conn.a.top == 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def is_over(self, conn: Connection) -> cython.bint:
        """See ``Observer``: nothing is to be judged, and its decoder knows of no preface that names a client."""
        decoder: Decoder | None = conn.decoder
        if decoder is None or decoder.proxied is not None or conn.settle_at != _NEVER or conn.pending is not None:
            return False
        return conn.settled or _at_rest(conn)

    def _is_followed(self) -> bool:
        """Whether one more unfinished attempt is judged; beyond the limit they are only counted."""
        self._unfinished += 1
        if self._live:  # for months: so many a second, and no more of them when it has to end soon
            if self.now - self._refilled > FRESH_NS or self.now < self._refilled:
                self._refilled = self.now
                self._unfinished = 1
            if self._unfinished <= MAX_UNFINISHED_LIVE:
                return True
        elif self._unfinished <= MAX_UNFINISHED:
            return True
        self.unfollowed += 1
        return False


def _waits(conn: Connection) -> bool:
    return not conn.superseded and conn.decoder is not None and conn.decoder.current is not None


@cython.cfunc
def _at_rest(conn: Connection) -> cython.bint:
    """Whether nothing is open on a connection that had exchanges, and no hole that could be closed hides anything."""
    decoder: Decoder | None = conn.decoder
    if decoder is None or decoder.current is not None or conn.pending is not None or decoder.exchanges == 0:
        return False
    if conn.a.pieces is not None or conn.b.pieces is not None:
        return False
    return conn.established and conn.a.fin_off <= conn.a.off and conn.b.fin_off <= conn.b.off


@cython.cfunc
@cython.inline
def _answered(conn: Connection | None) -> cython.bint:
    return conn is None or conn.established


def _unanswered(conn: Connection) -> bool:
    return not (conn.established or conn.settled or conn.superseded or conn.shadowed or conn.refused_frame)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
