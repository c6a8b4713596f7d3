"""What else happened in the capture, as far as a verdict on one attempt may ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wire502.model.around import Ending, Endpoint, Failed, FirstBytes, Refusals
from wire502.model.attempt import Attempt


class Surroundings(Protocol):
    """The only view that ``diagnosis`` has of other connections. All of it is as it stood when it was asked."""

    def similar_silence(self, seconds: float, exclude_stream: int) -> bool:
        """Whether an attempt on another connection was ended by its gateway after the same silence, within 2 %."""

    def scanning(self, attempt: Attempt) -> bool:
        """Whether the opener of this connection tries port after port, so that a refusal is the expected answer."""

    def endings(
        self, since_ns: int, until_ns: int, *, busy: bool | None = None, waited_ns: tuple[int, int] | None = None
    ) -> list[Ending]:
        """Return the other connections that the same endpoint ended between two moments, oldest first.

        *busy* chooses those over something open, or the idle ones, *waited_ns* those that had waited for a time between
        these two. At most the last 256 ends are known.
        """

    def endpoint(self) -> Endpoint:
        """Return the upstream endpoint of the attempt."""

    def refusals(self) -> Refusals | None:
        """Return the latest refusals of the endpoint: what ``endpoint`` says, without all the rest of it."""

    def slow_answer_ms(self) -> float | None:
        """Return the time to the first octet that one answer of the endpoint in a hundred exceeds; None: unknown."""

    def neighbours(self) -> list[Endpoint]:
        """Return the other endpoints on the same host."""

    def busiest(self) -> Endpoint | None:
        """Return the endpoint of the capture to which most connections were made; None: nobody was asked at all."""

    def first_bytes(self) -> list[FirstBytes]:
        """Return the endpoint's first-byte times second by second, oldest first (at most 64 seconds)."""

    def failures(self) -> Sequence[Failed]:
        """Return the latest failed attempts of the capture on other connections, oldest first (at most 256)."""


class NoSurroundings:
    """Nothing else was seen."""

    def similar_silence(self, seconds: float, exclude_stream: int) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def scanning(self, attempt: Attempt) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def endings(
        self,
        since_ns: int,  # noqa: ARG002
        until_ns: int,  # noqa: ARG002
        *,
        busy: bool | None = None,  # noqa: ARG002
        waited_ns: tuple[int, int] | None = None,  # noqa: ARG002
    ) -> list[Ending]:
        """Return nothing."""
        return []

    def endpoint(self) -> Endpoint:
        """Return an endpoint of which nothing is known."""
        return Endpoint("")

    def refusals(self) -> Refusals | None:
        """Return those of the endpoint, of which nothing is known."""
        return self.endpoint().refusals

    def slow_answer_ms(self) -> float | None:
        """Return nothing."""
        return None

    def neighbours(self) -> list[Endpoint]:
        """Return nothing."""
        return []

    def busiest(self) -> Endpoint | None:
        """Return nothing."""
        return None

    def first_bytes(self) -> list[FirstBytes]:
        """Return nothing."""
        return []

    def failures(self) -> Sequence[Failed]:
        """Return nothing."""
        return ()
