"""Addresses that nobody answered for: ARP and neighbour solicitations without a reply (RFC 826, RFC 4861).

Hosts ask for neighbours for many reasons. Asking proves an attempt for an address that is known as an upstream of
this capture; for any other one only together with a client of the asking gateway that got an error meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice

from wire502.model.attempt import Attempt, Handshake, Point, Step, Unreachable
from wire502.model.capture_info import RareFrame
from wire502.model.context import Context
from wire502.model.endpoints import address_text, endpoint_text

WAIT_NS = 1_500_000_000  # three requests a second apart are the rule; so long after the last one it is over
MAX_ASKED = 1024
MAX_STRANGE = 256
MAX_POINTS = 16
LEAST = 2

Address = tuple[int, int]
Key = tuple[Address, Address]  # who asks, for whom


class Unanswered:
    """Questions without an answer yet, by asking and asked address."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked: dict[Key, tuple[list[Point], int]] = {}
        self._askers: dict[Address, set[Key]] = {}  # by asked address
        self._strange: dict[Address, dict[Address, list[Point]]] = {}  # no upstreams so far, with who asked for them
        self._told: set[Point] = set()  # last questions that stand behind a client's error
        self._waiting: deque[tuple[int, Key]] = deque()  # the last question of a key, when it was asked
        self._ports: dict[Address, int] = {}  # of the upstreams' addresses, as far as they were looked at
        self._known = 0

    def heard(self, record: RareFrame, file: int, upstreams: Mapping[tuple[int, int, int], object]) -> int | None:
        """Take one frame; return when to look again. *upstreams* only ever grows."""
        asked = record.asked
        if asked is None:
            return None
        if record.kind == "address_reply":
            for key in list(self._askers.get(asked, ())):
                self._forget(key)
            self._strange.pop(asked, None)
            return None
        if self._known < len(upstreams):
            for high, low, port in islice(upstreams, self._known, None):
                self._ports.setdefault((high, low), port)
            self._known = len(upstreams)
        known = self._ports.get(asked)
        if record.kind != "address_request" or asked == record.sender:
            return None
        if known is None:
            self._wonder(record, asked, file)
            return None
        key = (record.sender, asked)
        if key not in self._asked:
            if len(self._asked) >= MAX_ASKED:
                self._forget(next(iter(self._asked)))
            self._asked[key] = ([], known)
            self._askers.setdefault(asked, set()).add(key)
        points = self._asked[key][0]
        if len(points) >= MAX_POINTS:
            return None
        points.append(Point(record.frame, file, record.ts_ns))
        self._waiting.append((record.ts_ns, key))
        return record.ts_ns + WAIT_NS

    def due(self, now_ns: int) -> list[Attempt]:
        """Return the attempts that are over by *now_ns*."""
        over = []
        while self._waiting and now_ns - self._waiting[0][0] >= WAIT_NS:
            asked_ns, key = self._waiting.popleft()
            points = self._asked[key][0] if key in self._asked else []
            if len(points) >= LEAST and points[-1].time_ns == asked_ns:
                told = points[-1] in self._told
                self._told.discard(points[-1])
                self._forget(key)
                if not told:
                    over.append(_attempt(key, self._ports[key[1]], points, now_ns))
        return over

    def meanwhile(self, asks: Callable[[Address], bool], since_ns: int, until_ns: int) -> Attempt | None:
        """Return the attempt that got no further than its questions in a time, if there is just one that can be meant.

        *asks* tells the addresses of the gateway that it may have asked from.
        """
        strange = (((sender, asked), points) for asked, by in self._strange.items() for sender, points in by.items())
        known = ((key, points) for key, (points, _) in self._asked.items())
        found = [
            (key, points)
            for key, points in (*known, *strange)
            if len(points) >= LEAST
            and points[0].time_ns <= until_ns
            and points[-1].time_ns >= since_ns
            and asks(key[0])
        ]
        if len(found) != 1:
            return None
        key, points = found[0]
        points = [point for point in points if since_ns <= point.time_ns <= until_ns]
        if len(points) < LEAST:
            return None
        if key in self._asked:
            self._told.add(points[-1])
        return _attempt(key, self._ports.get(key[1], 0), points, until_ns)

    def _wonder(self, record: RareFrame, asked: Address, file: int) -> None:
        """Keep a question for an address that is no upstream, as far as is known."""
        if asked not in self._strange and len(self._strange) >= MAX_STRANGE:
            del self._strange[next(iter(self._strange))]
        by = self._strange.setdefault(asked, {})
        if record.sender in by or len(by) < MAX_POINTS:
            points = by.setdefault(record.sender, [])
            points.append(Point(record.frame, file, record.ts_ns))
            del points[:-MAX_POINTS]

    def _forget(self, key: Key) -> tuple[list[Point], int]:
        askers = self._askers[key[1]]
        askers.discard(key)
        if not askers:
            del self._askers[key[1]]
        return self._asked.pop(key)

    def finish(self, now_ns: int) -> list[Attempt]:
        """Return what is over at the end of the capture."""
        return self.due(now_ns)


def _attempt(key: Key, port: int, points: list[Point], now_ns: int) -> Attempt:
    """Return the attempt of which only the questions for its upstream's address were seen; *port* 0: not known."""
    sender, asked = key
    attempt = Attempt(
        stream=-1,
        gateway=address_text(*sender),
        upstream=endpoint_text(*asked, port) if port else address_text(*asked),
        first_frame=points[0].frame,
        first_file=points[0].file,
        exchange=0,
        reused=False,
        opener_known=True,
        handshake=Handshake(
            unreachable=Unreachable(points[-1], False, "no reply to the address request", address_text(*sender))
        ),
        judged_at_ns=now_ns,
        capture_ended=False,
    )
    attempt.ladder = tuple(Step(point, True, "address_request") for point in points)
    return attempt
