"""What else happened around an attempt: the answers to what ``diagnosis`` may ask (its ``Surroundings``).

Nothing is kept here but the last failures; the rest was written by the compiled ``sights`` as connections came and
went. A view is made for one attempt, and reads only when it is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from wire502.exchange.tracker_cy import Tracker
from wire502.exchange.upstream_cy import Upstream
from wire502.model.around import Ending, Endpoint, Failed, FirstBytes, Refusals
from wire502.model.attempt import Attempt, Point
from wire502.model.endpoints import endpoint_text
from wire502.model.finding import Finding
from wire502.model.flow_cy import Connection
from wire502.model.verdict import QUIET_KINDS, AtFault

REMEMBERED = 256
MOST_NEIGHBOURS = 64  # ports of one host that are described


class Recorder:
    """The failures of the capture, and how to see the rest of it from one of them."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._failed: deque[Failed] = deque(maxlen=REMEMBERED)

    def failed(self, conn: Connection, attempt: Attempt, finding: Finding, at_fault: AtFault) -> None:
        """Remember an attempt that failed."""
        upstream, opened = conn.upstream, 0
        if isinstance(upstream, Upstream):
            opened = upstream.sights.open_now
            if finding.kind not in QUIET_KINDS and at_fault not in ("gateway", "client"):
                upstream.sights.failed(finding.point)
        self._failed.append(
            Failed(
                finding.kind,
                attempt.gateway.rpartition(":")[0],
                attempt.upstream,
                attempt.stream,
                finding.point,
                _waited(attempt, finding),
                opened,
                _tenant(upstream),
            )
        )

    def around(self, conn: Connection | None, attempt: Attempt) -> Around:
        """Return the surroundings of *attempt* (None: it has no connection)."""
        upstream = None if conn is None else conn.upstream
        known = upstream if isinstance(upstream, Upstream) and upstream is not self._tracker.others else None
        return Around(self._tracker, known, conn, self._failed, attempt)


class Around:
    """The surroundings of one attempt."""

    def __init__(
        self,
        tracker: Tracker,
        upstream: Upstream | None,
        conn: Connection | None,
        failed: Sequence[Failed],
        attempt: Attempt,
    ) -> None:
        self._tracker = tracker
        self._upstream = upstream
        self._conn = conn
        self._failed = failed
        self._stream = attempt.stream
        self._known: Endpoint | None = None

    def similar_silence(self, seconds: float, exclude_stream: int) -> bool:  # noqa: ARG002
        """Return False: the attempt says so itself (``Attempt.similar_silence``)."""
        return False

    def scanning(self, attempt: Attempt) -> bool:  # noqa: ARG002
        """Return False: not looked for."""
        return False

    def endings(
        self, since_ns: int, until_ns: int, *, busy: bool | None = None, waited_ns: tuple[int, int] | None = None
    ) -> list[Ending]:
        """Return the other connections that the endpoint ended between two moments, oldest first."""
        if self._upstream is None:
            return []
        wanted = -1 if busy is None else int(busy)
        if waited_ns is None:
            return self._upstream.sights.endings(since_ns, until_ns, wanted, but=self._stream)
        least, most = waited_ns
        return self._upstream.sights.endings(since_ns, until_ns, wanted, least_ns=least, most_ns=most, but=self._stream)

    def endpoint(self) -> Endpoint:
        """Return the upstream endpoint of the attempt."""
        if self._known is None:
            self._known = Endpoint("") if self._upstream is None else _endpoint(self._upstream)
        return self._known

    def refusals(self) -> Refusals | None:
        """Return the latest refusals of the endpoint."""
        return None if self._upstream is None else _refusals(self._upstream)

    def slow_answer_ms(self) -> float | None:
        """Return the time to the first octet that one answer of the endpoint in a hundred exceeds."""
        return None if self._upstream is None else self._upstream.first_byte.percentile(0.99)

    def neighbours(self) -> list[Endpoint]:
        """Return the other endpoints of the same host."""
        upstream = self._upstream
        if upstream is None:
            return []
        others = self._tracker.hosts.get((upstream.high, upstream.low), ())
        return [_endpoint(other) for other in others[:MOST_NEIGHBOURS] if other.port != upstream.port]

    def busiest(self) -> Endpoint | None:
        """Return the endpoint of the capture to which most connections were made."""
        found = max(self._tracker.endpoints(), key=lambda one: one.connections, default=None)
        return None if found is None else _endpoint(found)

    def first_bytes(self) -> list[FirstBytes]:
        """Return the first-byte times of the endpoint, second by second, oldest first."""
        return [] if self._upstream is None else self._upstream.sights.first_bytes()

    def failures(self) -> Sequence[Failed]:
        """Return the latest failed attempts on other connections, oldest first."""
        mine, tenant = self._upstream, _tenant(self._upstream)
        name = "" if mine is None or tenant is None else endpoint_text(mine.high, mine.low, mine.port)
        return [
            one
            for one in self._failed
            if one.stream != self._stream and (one.upstream != name or one.tenant in (None, tenant))
        ]


def _tenant(upstream: object) -> int | None:
    """Return the lane of an endpoint whose address others have too, None where nobody else has it."""
    return upstream.lane if isinstance(upstream, Upstream) and upstream.tenants is not None else None


def _endpoint(upstream: Upstream) -> Endpoint:
    sights = upstream.sights
    return Endpoint(
        name=endpoint_text(upstream.high, upstream.low, upstream.port),
        connections=upstream.connections,
        answers=sights.answers,
        exchanges=upstream.attempts,
        first_answer=_point(sights.first_answer_frame, sights.first_answer_file, sights.first_answer_ts),
        last_answer=_point(upstream.answered_frame, upstream.answered_file, upstream.answered_ts),
        heard=_point(sights.heard_frame, sights.heard_file, sights.heard_ts),
        open_now=sights.open_now,
        open_most=sights.open_most,
        ttl=sights.ttl,
        dont_fragment=sights.dont_fragment,
        ip_id=sights.ip_id if sights.ttl else -1,
        reuse_ns=sights.reuse_longest,
        reuse=_point(sights.reuse_frame, sights.reuse_file, 0),
        kept_ns=sights.kept_longest,
        kept=_point(sights.kept_frame, sights.kept_file, 0),
        refusals=_refusals(upstream),
        largest_acked=sights.largest_acked,
        largest_got=sights.largest_got,
    )


def _refusals(upstream: Upstream) -> Refusals | None:
    sights = upstream.sights
    if sights.refusals == 0:
        return None
    file = sights.refused_file
    return Refusals(
        Point(sights.refused_since_frame, file, sights.refused_since_ts),
        Point(sights.refused_last_frame, file, sights.refused_last_ts),
        sights.refusals,
        _point(sights.well_frame, sights.well_file, sights.well_ts),
    )


def _point(frame: int, file: int, ts: int) -> Point | None:
    return Point(frame, file, ts) if frame else None


def _waited(attempt: Attempt, finding: Finding) -> int:
    request, syns = attempt.request, attempt.handshake.syns
    since = request.last if request is not None else syns[0] if syns else finding.point
    end = finding.point
    if finding.until is not None and finding.until.until is not None:
        end = finding.until.until
    return max(0, end.time_ns - since.time_ns)
