"""What a conversation of a pair promises, and what wire502 says of it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from tests.engine.gateway import last_words
from tests.wire import Wire
from wire502 import read
from wire502.model.verdict import Cause


@dataclass(frozen=True)
class Scene:
    """A conversation with its failure *at* a frame (0: without one) that *cites* frames for the cause it shows.

    A near miss names the causes that are true of it *instead*, if any.
    """

    wire: Wire
    at: int
    cites: tuple[int, ...] = ()
    instead: tuple[str, ...] = ()

    def said(self) -> dict[int, list[Cause]]:
        """Return the causes of each failure, by its frame."""
        failures, _, _ = last_words(list(read(io.BytesIO(self.wire.octets()))))
        return {one.frame: one.causes for one in failures}


@dataclass(frozen=True)
class Given(Scene):
    """A failure that was put together by hand: no kind finds it on the wire yet."""

    causes: tuple[Cause, ...] = ()

    def said(self) -> dict[int, list[Cause]]:
        """Return the given causes."""
        return {self.at: list(self.causes)}
