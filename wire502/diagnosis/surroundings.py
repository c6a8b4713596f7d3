"""What else happened in the capture, as far as a verdict on one attempt may ask."""

from __future__ import annotations

from typing import Protocol

from wire502.model.attempt import Attempt


class Surroundings(Protocol):
    """The only view that ``diagnosis`` has of other connections."""

    def similar_silence(self, seconds: float, exclude_stream: int) -> bool:
        """Whether an attempt on another connection was ended by its gateway after the same silence, within 2 %."""

    def scanning(self, attempt: Attempt) -> bool:
        """Whether the opener of this connection tries port after port, so that a refusal is the expected answer."""


class NoSurroundings:
    """Nothing else was seen."""

    def similar_silence(self, seconds: float, exclude_stream: int) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def scanning(self, attempt: Attempt) -> bool:  # noqa: ARG002
        """Return False."""
        return False
