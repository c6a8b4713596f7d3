"""What waits to be written: failures until their client's answer, client errors until the failures behind them."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from wire502.exchange.history_cy import Row
from wire502.exchange.linking import Joined, Key
from wire502.model.attempt import Attempt
from wire502.model.finding import Verdict
from wire502.model.flow_cy import Connection
from wire502.model.verdict import Failure

REMEMBERED = 65_536
MOST_WAITING = 4096  # beyond it the oldest waits no longer: each is a few kilobytes


@dataclass(slots=True)
class Held:
    """A failure that waits; ``key`` is the client's exchange that it belongs to, as far as is known."""

    when_ns: int
    conn: Connection
    head: bytes
    attempt: Attempt
    joined: Joined
    verdict: Verdict
    key: Key | None
    row: int = 0  # of the history: its own exchange
    written: bool = False


@dataclass(slots=True)
class ClientError:
    """A client's request that ended in an error."""

    when_ns: int
    row: Row


class Docket:
    """In the order of time: failures and client errors, each until its own moment."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Held | ClientError]] = []
        self._sequence = 0
        self._held: dict[Key, list[Held]] = {}
        self._failures: dict[Key, list[Failure]] = {}
        self._numbers = [0, 0]

    def hold(self, held: Held) -> None:
        """Keep a failure until ``when_ns``."""
        self._push(held)
        if held.key is not None:
            self._held.setdefault(held.key, []).append(held)

    def client_error(self, error: ClientError) -> None:
        """Keep a client's error until ``when_ns``."""
        self._push(error)

    def due(self, now_ns: int | None) -> list[Held | ClientError]:
        """Return what has waited long enough (None: everything), oldest first; of one moment failures first."""
        found = []
        while self._waiting and (now_ns is None or self._waiting[0][0] <= now_ns or len(self._waiting) > MOST_WAITING):
            item = heappop(self._waiting)[2]
            found.append(item)
            if isinstance(item, Held) and item.key is not None and not item.written:
                self._forget(item.key, item)
        return found

    @property
    def full(self) -> bool:
        """Whether more wait than should."""
        return len(self._waiting) > MOST_WAITING

    def held_for(self, key: Key) -> list[Held]:
        """Return the failures that wait for the answer to one client request, and wait no longer."""
        return self._held.pop(key, [])

    def joined(self, key: Key, failure: Failure) -> None:
        """Remember a written failure as one behind a client's request."""
        self._failures.setdefault(key, []).append(failure)
        if len(self._failures) > REMEMBERED:
            del self._failures[next(iter(self._failures))]

    def failures_of(self, key: Key) -> list[Failure]:
        """Return the written failures behind a client's request, in the order in which they began."""
        found = self._failures.pop(key, [])
        return sorted(found, key=lambda one: one.request.time if one.request is not None else one.time)

    def next_failure(self) -> str:
        """Return the next id of a failure."""
        self._numbers[0] += 1
        return f"f{self._numbers[0]}"

    def next_incident(self) -> str:
        """Return the next id of an incident."""
        self._numbers[1] += 1
        return f"i{self._numbers[1]}"

    def _push(self, item: Held | ClientError) -> None:
        self._sequence += 1
        heappush(self._waiting, (item.when_ns, self._sequence, item))

    def _forget(self, key: Key, held: Held) -> None:
        rest = [one for one in self._held.get(key, ()) if one is not held]
        if rest:
            self._held[key] = rest
        else:
            self._held.pop(key, None)
