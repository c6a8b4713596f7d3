"""Failed connects in a burst (a flood, an upstream that died under load): judged at a bounded rate, live only.

Whoever captures has to keep up while he judges. The SYNs of a flood reach their deadline together; judged at once they
would take seconds, in which the packets of everybody else are lost.
"""

from __future__ import annotations

ONLY_COUNTED = -1
STEP_NS = 500_000  # one for each such span of capture time
AT_ONCE = 1024
MOST = 16_384  # that wait for their turn


class Bursts:
    """Tells when a connection that was never established may be judged."""

    def __init__(self) -> None:
        self._free_ns = 0  # when all that was let through or waits will have had its span
        self._waiting: set[int] = set()

    def when(self, stream: int, now_ns: int) -> int:
        """Return 0: now; a later time: ask again then; or ``ONLY_COUNTED``, since too many wait."""
        if stream in self._waiting:
            self._waiting.discard(stream)
            return 0
        if self._free_ns <= now_ns:  # whoever waited had his turn, or came to another end
            self._free_ns = now_ns
            self._waiting.clear()
        ahead = (self._free_ns - now_ns) // STEP_NS
        if ahead >= MOST:
            return ONLY_COUNTED
        self._free_ns += STEP_NS
        if ahead < AT_ONCE:
            return 0
        self._waiting.add(stream)
        return self._free_ns
