"""Addresses that nobody answered for: ARP and neighbour solicitations without a reply (RFC 826, RFC 4861).

Asking proves an attempt only for an address that is known as an upstream of this capture: hosts ask for neighbours
for many reasons.
"""

from __future__ import annotations

from collections.abc import Mapping

from wire502.model.attempt import Attempt, Handshake, Point, Step, Unreachable
from wire502.model.capture_info import RareFrame
from wire502.model.context import Context
from wire502.model.endpoints import address_text, endpoint_text

WAIT_NS = 1_500_000_000  # three requests a second apart are the rule; so long after the last one it is over
MAX_ASKED = 1024
LEAST = 2


class Unanswered:
    """Questions without an answer yet, by asking and asked address."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked: dict[tuple[tuple[int, int], tuple[int, int]], tuple[list[Point], int]] = {}

    def heard(self, record: RareFrame, file: int, upstreams: Mapping[tuple[int, int, int], object]) -> int | None:
        """Take one frame; return when to look again."""
        asked = record.asked
        if asked is None:
            return None
        if record.kind == "address_reply":
            for key in [key for key in self._asked if key[1] == asked]:
                del self._asked[key]
            return None
        port = next((port for high, low, port in upstreams if (high, low) == asked), None)
        if record.kind != "address_request" or port is None or asked == record.sender:
            return None
        key = (record.sender, asked)
        points, _ = self._asked.get(key, ([], 0))
        if len(self._asked) >= MAX_ASKED and key not in self._asked:
            return None
        if len(points) < 16:
            points.append(Point(record.frame, file, record.ts_ns))
        self._asked[key] = (points, port)
        return record.ts_ns + WAIT_NS

    def due(self, now_ns: int) -> list[Attempt]:
        """Return the attempts that are over by *now_ns*."""
        over = [
            key
            for key, (points, _) in self._asked.items()
            if now_ns - points[-1].time_ns >= WAIT_NS and len(points) >= LEAST
        ]
        return [self._attempt(key, now_ns, False) for key in over]

    def finish(self, now_ns: int) -> list[Attempt]:
        """Return what is over at the end of the capture."""
        return self.due(now_ns)

    def _attempt(self, key: tuple[tuple[int, int], tuple[int, int]], now_ns: int, ended: bool) -> Attempt:
        points, port = self._asked.pop(key)
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
