"""An engine and a source that play back what a test gives them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from tests.report import samples
from wire502.errors import CaptureError
from wire502.model.capture_info import InputDamage, Interface
from wire502.model.verdict import Result


class FakeSource:
    """Gives as many batches as the engine has groups of results."""

    def __init__(self, path: str, batches: int) -> None:
        self.path = path
        self.left = batches
        self.damage: InputDamage | None = None
        self.drops: list[Any] = []
        self.losses: list[Any] = []
        self.bytes_read = 0
        self.size = 1000
        self.closed = False

    def read_batch(self) -> Any:
        if not self.left:
            return None
        self.left -= 1
        self.bytes_read += 100
        return SimpleNamespace(count=1, ts_ns=[samples.START])

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    def __init__(self, groups: Sequence[list[Result]], last: list[Result]) -> None:
        self.groups = list(groups)
        self.last = last

    def feed(self, _batch: Any) -> list[Result]:
        return self.groups.pop(0)

    def finish(self) -> list[Result]:
        return self.last


class Stage:
    """What the fakes play, and what they were asked."""

    def __init__(self) -> None:
        self.groups: list[list[Result]] = []
        self.last: list[Result] = [samples.summary()]
        self.nanoseconds = False
        self.damage: InputDamage | None = None
        self.sources: list[FakeSource] = []
        self.context: Any = None
        self.missing: set[str] = set()

    def play(self, *results: Result) -> None:
        """Give each of *results* in a batch of its own."""
        self.groups = [[result] for result in results]

    def source(self, path: Any, file: int, interfaces: list[Interface], _follow: bool, _stop: Any) -> FakeSource:
        if path in self.missing:
            raise CaptureError(str(path), 0, "does not exist", "check the name")
        interfaces.append(Interface(len(interfaces), file, 1, nanoseconds=self.nanoseconds))
        made = FakeSource(str(path), len(self.groups))
        made.damage = self.damage
        self.sources.append(made)
        return made

    def engine(self, context: Any, _interfaces: Any, _pen: Any) -> FakeEngine:
        self.context = context
        return FakeEngine(self.groups, self.last)
