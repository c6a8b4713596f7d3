"""What waits to be written, in the order of time: failures until their client's answer, client errors until the
failures behind them. And what was written, for as long as it may still be found to be otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeVar

from wire502.exchange.history_cy import Row
from wire502.exchange.linking import Joined
from wire502.exchange.outcomes import Key
from wire502.model.attempt import Attempt
from wire502.model.finding import Verdict
from wire502.model.flow_cy import Connection
from wire502.model.records import record
from wire502.model.verdict import Failure, Incident

WATCHED = 4096  # failures and incidents that may still be corrected
ERRORS = 65_536  # client errors that wait for what stands behind them
KINDS = 65_536  # attempts whose kind of failure is remembered
CONNECTS = 1024  # failures without a request that wait for a client
MOST_WAITING = 4096  # beyond it the oldest waits no longer: each is a few kilobytes
REST_NS = 120_000_000_000  # for which what was written is kept at hand: longer than two usual time limits of gateways
RESTS = 5  # times that it is kept on for a client that still waits


@record(eq=False)
class Held:
    """A failure that waits, or was written and may still change.

    ``own`` is its exchange, ``key`` the client's exchange that it belongs to, as far as is known; ``row`` its own row
    in the history, 0 for none; ``looks`` counts the times that it was looked at again after it was written, ``rests``
    those that it was kept for a client that waits.
    """

    when_ns: int
    conn: Connection | None
    head: bytes
    attempt: Attempt
    joined: Joined
    verdict: Verdict
    own: Key | None
    key: Key | None
    row: int = 0
    failure: Failure | None = None
    dropped: bool = False
    looks: int = 0
    rests: int = 0
    ident: str | None = None  # it was told as pending under this id


@record()
class ClientError:
    """A client's request that ended in an error."""

    when_ns: int
    row: Row
    head: bytes = b""  # of the error, and the beginning of its page
    page: bytes = b""


@record()
class Told:
    """An incident that was written, and what it was made of."""

    incident: Incident
    row: Row


Item = Held | ClientError
Anything = TypeVar("Anything")


class Docket:
    """Everything that waits; memory is bounded everywhere, the oldest is let go."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Held]] = []
        self._errors: list[tuple[int, int, ClientError]] = []
        self._sequence = 0
        self._by_key: dict[Key, list[Held]] = {}
        self._by_own: dict[Key, Held] = {}
        self._connects: deque[Held] = deque(maxlen=CONNECTS)
        self._kinds: dict[Key, str] = {}
        self._announced: dict[Key, bool] = {}
        self._told: dict[Key, Told] = {}
        self._resting: deque[tuple[int, Held | Key]] = deque()
        self._numbers = [0, 0]

    def hold(self, held: Held) -> None:
        """Keep a failure until ``when_ns``."""
        self.push(held)
        if held.key is not None:
            self.belongs(held.key, held)
        elif held.own is None:
            self._connects.append(held)
        if held.own is not None:
            self._by_own[held.own] = held
            _let_go(self._by_own, WATCHED)
            if held.verdict.finding is not None:
                self._kinds[held.own] = held.verdict.finding.kind
                _let_go(self._kinds, KINDS)

    def push(self, item: Item) -> None:
        """Have an item back at its ``when_ns``."""
        self._sequence += 1
        if isinstance(item, Held):
            heappush(self._waiting, (item.when_ns, self._sequence, item))
        else:
            heappush(self._errors, (item.when_ns, self._sequence, item))

    def due(self, now_ns: int | None) -> Iterator[Item]:
        """Yield what has waited long enough (None: everything), oldest first, and what is added meanwhile.

        Of too many the oldest wait no longer.
        """
        if now_ns is not None:
            self._put_away(now_ns)
        while True:
            if self.full:
                yield heappop(self._waiting)[2]
                continue
            if len(self._errors) > ERRORS:
                yield heappop(self._errors)[2]
                continue
            waiting = self._waiting[0][:2] if self._waiting else None
            error = self._errors[0][:2] if self._errors else None
            first = waiting if error is None or (waiting is not None and waiting < error) else error
            if first is None or (now_ns is not None and first[0] > now_ns):
                return
            yield heappop(self._waiting)[2] if first is waiting else heappop(self._errors)[2]

    def rest(self, held: Held, now_ns: int) -> None:
        """Keep a failure that was written for as long as its client may still be heard of, and no longer."""
        self._resting.append((now_ns + REST_NS, held))

    def _put_away(self, now_ns: int) -> None:
        """Forget what has rested, so that memory does not grow with the length of a capture."""
        resting = self._resting
        while resting and resting[0][0] <= now_ns:
            _, item = resting.popleft()
            if not isinstance(item, Held):
                self._told.pop(item, None)
                continue
            client = item.attempt.client
            if client is not None and client.outcome == "pending" and not item.dropped and item.rests < RESTS:
                item.rests += 1
                self.rest(item, now_ns)  # its client still waits, as far as is known
                continue
            if item.own is not None and self._by_own.get(item.own) is item:
                del self._by_own[item.own]
            if item.key is not None and item in (behind := self._by_key.get(item.key, [])):
                behind.remove(item)
                if not behind:
                    del self._by_key[item.key]
        connects = self._connects
        while connects and connects[0].when_ns + REST_NS <= now_ns:
            connects.popleft()

    @property
    def full(self) -> bool:
        """Whether more failures wait than should."""
        return len(self._waiting) > MOST_WAITING

    @property
    def crowded(self) -> bool:
        """Whether so many wait that nothing should that need not."""
        return len(self._waiting) > MOST_WAITING // 2

    def belongs(self, key: Key, held: Held) -> None:
        """Remember that a failure stands behind a client's request."""
        behind = self._by_key.setdefault(key, [])
        if held not in behind:
            behind.append(held)
        _let_go(self._by_key, WATCHED)

    def behind(self, key: Key) -> list[Held]:
        """Return the failures known to stand behind a client's request, in the order in which they began."""
        return sorted(self._by_key.get(key, ()), key=lambda held: began(held.attempt))

    def of_exchange(self, own: Key) -> Held | None:
        """Return the failure of an exchange of an upstream leg."""
        return self._by_own.get(own)

    def kind_of(self, own: Key) -> str | None:
        """Return how an exchange of an upstream leg failed, None if it is not known to have."""
        return self._kinds.get(own)

    def connects_between(self, since_ns: int, until_ns: int, most: int = 64) -> list[Held]:
        """Return the newest failures without a request that began in a time and have no client."""
        found = []
        for held in reversed(self._connects):
            if held.key is None and since_ns <= began(held.attempt) <= until_ns:
                found.append(held)
                if len(found) == most:
                    break
        return found[::-1]

    def announce(self, key: Key) -> bool:
        """Take note that a client's request ended in an error; return whether that is news."""
        if key in self._announced:
            return False
        self._announced[key] = True
        _let_go(self._announced, KINDS)
        return True

    def told(self, key: Key) -> Told | None:
        """Return the incident that was written for a client's request."""
        return self._told.get(key)

    def tell(self, key: Key, told: Told, now_ns: int) -> None:
        """Remember the incident of a client's request."""
        self._told[key] = told
        self._resting.append((now_ns + REST_NS, key))
        _let_go(self._told, WATCHED)

    def next_failure(self) -> str:
        """Return the next id of a failure."""
        self._numbers[0] += 1
        return f"f{self._numbers[0]}"

    def next_incident(self) -> str:
        """Return the next id of an incident."""
        self._numbers[1] += 1
        return f"i{self._numbers[1]}"


def began(attempt: Attempt) -> int:
    """Return when an attempt began, in nanoseconds: its request, else its first SYN."""
    if attempt.request is not None:
        return attempt.request.first.time_ns
    shake = attempt.handshake
    if shake.syns:
        return shake.syns[0].time_ns
    return attempt.ladder[0].point.time_ns if attempt.ladder else attempt.judged_at_ns


def _let_go(known: dict[Key, Anything], most: int) -> None:
    if len(known) > most:
        del known[next(iter(known))]
