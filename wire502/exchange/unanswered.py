"""Addresses that nobody answered for: ARP and neighbour solicitations without a reply (RFC 826, RFC 4861).

Asking proves an attempt only for an address that is known as an upstream of this capture: hosts ask for neighbours
for many reasons.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import islice

from wire502.model.attempt import Attempt, Handshake, Point, Step, Unreachable
from wire502.model.capture_info import RareFrame
from wire502.model.context import Context
from wire502.model.endpoints import address_text, endpoint_text

WAIT_NS = 1_500_000_000  # three requests a second apart are the rule; so long after the last one it is over
MAX_ASKED = 1024
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
            return None
        if self._known < len(upstreams):
            for high, low, port in islice(upstreams, self._known, None):
                self._ports.setdefault((high, low), port)
            self._known = len(upstreams)
        known = self._ports.get(asked)
        if record.kind != "address_request" or known is None or asked == record.sender:
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
                over.append(self._attempt(key, now_ns, False))
        return over

    def _forget(self, key: Key) -> tuple[list[Point], int]:
        askers = self._askers[key[1]]
        askers.discard(key)
        if not askers:
            del self._askers[key[1]]
        return self._asked.pop(key)

    def finish(self, now_ns: int) -> list[Attempt]:
        """Return what is over at the end of the capture."""
        return self.due(now_ns)

    def _attempt(self, key: Key, now_ns: int, ended: bool) -> Attempt:
        points, port = self._forget(key)
        sender, asked = key
        attempt = Attempt(
            stream=-1,
            gateway=address_text(*sender),
            upstream=endpoint_text(*asked, port),
            first_frame=points[0].frame,
            exchange=0,
            reused=False,
            opener_known=True,
            handshake=Handshake(
                unreachable=Unreachable(
                    points[-1], False, "no reply to the address request", address_text(*sender), True
                )
            ),
            judged_at_ns=now_ns,
            capture_ended=ended,
        )
        attempt.ladder = tuple(Step(point, True, "address_request") for point in points)
        return attempt
