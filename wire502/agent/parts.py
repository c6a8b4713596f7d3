"""What the loop is made of: the parts that see frames and results, and the feed that shows them the frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wire502.api import Feed, Result
from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch

CALM_S = 2.0


class Part:
    """One ability of the agent. Every call has to return at once: behind it, frames wait in a ring of fixed size."""

    def start(self) -> None:
        """Begin, once all rights were given up: files are open by now, threads start here."""

    def frames(self, batch: Batch) -> None:
        """See frames before they are analysed. The batch is valid during the call only, and is not to be changed."""

    def results(self, results: Sequence[Result]) -> None:
        """See what became final, in order."""

    def beat(self, now: float) -> None:
        """Do what is done now and then; called about ten times a second with the seconds of a clock never set."""

    def counts(self) -> dict[str, int]:
        """Return what it counted so far, under names of fields of ``counters.State``."""
        return {}

    def reopen(self) -> None:
        """Open files anew under their names: they were moved away. Raises ``OSError`` where that is refused."""

    def ending(self) -> None:
        """Hear that nothing more comes: threads may finish while other parts are closed."""

    def close(self) -> None:
        """Write what is left and end, within a second of ``ending``."""


class Trouble:
    """Says once that something cannot be done, and once that it can again: when it has worked for a while."""

    def __init__(self, say: Callable[[str], object], calm_s: float = CALM_S) -> None:
        self._say = say
        self._calm_s = calm_s
        self._now = self._at = 0.0
        self._works = False
        self.on = False

    def failed(self, text: str) -> None:
        """Say *text*, if it is news."""
        self._works, self._at = False, self._now
        if not self.on:
            self.on = True
            self._say(text)

    def worked(self) -> None:
        """Note that it worked."""
        self._works = True

    def beat(self, now: float, text: str) -> bool:
        """Say *text*, and return True, when it is over; to be called now and then with seconds of a steady clock."""
        self._now = now
        if not self.on or not self._works or now - self._at < self._calm_s:
            return False
        self.on = False
        self._say(text)
        return True


class Shown:
    """A feed whose frames *parts* see first; ends after *most* frames (None: never)."""

    def __init__(self, feed: Feed, parts: Sequence[Part], most: int | None = None) -> None:
        self._feed = feed
        self._parts = parts
        self._left = most

    @property
    def path(self) -> str:
        """What the input is called."""
        return self._feed.path

    @property
    def damage(self) -> InputDamage | None:
        """What is wrong with the input."""
        return self._feed.damage

    @property
    def bytes_read(self) -> int:
        """Octets read so far."""
        return self._feed.bytes_read

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces that frames are numbered by."""
        return self._feed.interfaces

    @property
    def drops(self) -> Sequence[DropReport]:
        """Packets that the capture lost, so far."""
        return self._feed.drops

    @property
    def step(self) -> tuple[int, int, int] | None:
        """A step of the clock in the batch that was returned last."""
        return self._feed.step

    @property
    def size(self) -> int | None:
        """Octets of the whole."""
        return self._feed.size

    def read_batch(self) -> Batch | None:
        """Return the next frames, having shown them to the parts."""
        if self._left is not None and self._left <= 0:
            return None
        batch = self._feed.read_batch()
        if batch is not None and batch.count:
            if self._left is not None:
                batch.count = min(batch.count, self._left)
                self._left -= batch.count
            for part in self._parts:
                part.frames(batch)
        return batch

    def quiet_until(self) -> int | None:
        """Return up to when nothing will come any more."""
        return self._feed.quiet_until()

    def close(self) -> None:
        """Give back what is open."""
        self._feed.close()
