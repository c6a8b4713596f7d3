"""The loop of the agent: frames to the engine, results to the parts, and signals in between.

It owns no clock of the capture (the frames have one) and no thread. Whatever goes wrong in a part is the part's to
say; what goes wrong in the source ends the loop with the summary of what was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from wire502.agent.counters import Counting, State
from wire502.agent.parts import Part
from wire502.agent.signals import Signals
from wire502.api import Feed, Reading
from wire502.capture.live import LiveSource

BEAT_S = 0.1
LOOK_S = 0.5  # losses and evictions are looked for no more often
SAY_S = 60.0  # and told no more often


class Loop:
    """Runs *reading*, whose frames come from *feed*, until it ends or is told to stop.

    *parts* see every group of results; *say* takes a line for the operator (standard error, the journal).
    """

    def __init__(
        self,
        reading: Reading,
        feed: Feed,
        parts: Sequence[Part],
        counting: Counting,
        *,
        say: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reading = reading
        self._feed = feed
        self._parts = [counting, *parts]
        self._counting = counting
        self._say = say
        self._clock = clock
        self._troubles = _Troubles(say, clock)
        self._next_beat = self._next_look = 0.0

    def run(self) -> None:
        """Run to the end: every verdict is written, every part is closed."""
        with Signals(self._reading.stop) as signals:
            try:
                for group in self._reading.batches():
                    if group:
                        for part in self._parts:
                            part.results(group)
                    now = self._clock()
                    if now >= self._next_beat:
                        self._next_beat = now + BEAT_S
                        self._beat(now, signals)
            finally:
                for part in self._parts:
                    part.ending()
                for part in self._parts:
                    part.close()

    def state(self) -> State:
        """Return all counters as they stand."""
        return self._counting.state(self._reading, self._feed)

    def _beat(self, now: float, signals: Signals) -> None:
        for part in self._parts:
            part.beat(now)
        if signals.counters:
            signals.counters = False
            self._say(self.state().text())
        if signals.reopen:
            signals.reopen = False
            for part in self._parts:
                try:
                    part.reopen()
                except OSError as error:
                    self._say(
                        f"cannot reopen {error.filename or 'a file'}: {error.strerror}; going on with the old one"
                    )
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._troubles.look(self._feed, self._reading.gauges())


class _Troubles:
    """Says what gets lost: at once when it begins, then at most once a minute."""

    def __init__(self, say: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._say = say
        self._clock = clock
        self._told: dict[str, int] = {}
        self._at: dict[str, float] = {}
        self._absent: list[str] = []

    def look(self, feed: Feed, gauges: dict[str, int]) -> None:
        """Compare with what was said before."""
        self._more("evicted", gauges["evicted"], "{} let go to stay within max_connections", "connection")
        self._more("unfollowed", gauges["unfollowed"], "{} only counted: too many at once", "attempt")
        if not isinstance(feed, LiveSource):
            return
        totals = feed.totals
        self._more("dropped", totals.drops, "{} lost by the kernel: the ring was full (see --buffer-size)", "packet")
        self._more("interface", totals.interface, "{} lost by the interface", "packet")
        if feed.absent != self._absent:
            gone = [name for name in feed.absent if name not in self._absent]
            back = [name for name in self._absent if name not in feed.absent]
            self._absent = list(feed.absent)
            for name in gone:
                self._say(f"{name} is down or gone; waiting for it")
            for name in back:
                self._say(f"{name} is back")

    def _more(self, name: str, count: int, text: str, what: str) -> None:
        told, now = self._told.get(name, 0), self._clock()
        if count > told and now - self._at.get(name, -SAY_S) >= SAY_S:
            more = count - told
            self._say(text.format(f"{more:,} {what}{' was' if more == 1 else 's were'}"))
            self._told[name], self._at[name] = count, now
