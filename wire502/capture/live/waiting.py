"""Sources that block (pipes, files that grow, other people's sockets), read by a thread and waited for with patience.

The thread reads one batch and hands it over; it reads the next one, into the same memory, when the first was used up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch

PATIENCE_S = 0.1
# tcpdump hands frames on a second after they came, at worst; a file that is followed is looked at five times a second.
LAG_NS = 1_500_000_000


class Blocking(Protocol):
    """What is waited for: ``capture.Source``, or a source of ours."""

    path: str
    interfaces: list[Interface]
    damage: InputDamage | None

    @property
    def drops(self) -> Sequence[DropReport]:
        """Packets that the capture says it lost."""

    @property
    def bytes_read(self) -> int:
        """Octets read so far."""

    @property
    def size(self) -> int | None:
        """Octets of the whole."""

    def read_batch(self) -> Batch | None:
        """Return the next frames, however long it takes."""

    def close(self) -> None:
        """Give back what is open."""


class WaitingSource:
    """Batches of *source*, with an empty one after ``PATIENCE_S`` without any."""

    def __init__(self, source: Blocking, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._source = source
        self._clock = clock
        self._empty = Batch(1)
        self._batch: Batch | None = None
        self._error: BaseException | None = None
        self._there = threading.Semaphore(0)  # a batch was read
        self._wanted = threading.Semaphore(0)  # the next one may be
        self._asked = False
        self._ended = False
        self._seen_at = 0
        self._last_ns: int | None = None
        self.step = None  # of a clock elsewhere nothing is known
        self._thread = threading.Thread(target=self._run, name="input", daemon=True)

    @property
    def path(self) -> str:
        """What the input is called."""
        return self._source.path

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces that frames are numbered by."""
        return self._source.interfaces

    @property
    def damage(self) -> InputDamage | None:
        """What is wrong with the input, once it has ended."""
        return self._source.damage

    @property
    def drops(self) -> Sequence[DropReport]:
        """Packets that the capture says it lost."""
        return self._source.drops

    @property
    def bytes_read(self) -> int:
        """Octets read so far."""
        return self._source.bytes_read

    @property
    def size(self) -> int | None:
        """Octets of the whole; None for a pipe."""
        return self._source.size

    def read_batch(self) -> Batch | None:
        """Return the next frames, none of them after a while in which none came; None at the end."""
        if self._ended:
            return None
        if not self._asked:
            if not self._thread.is_alive():
                self._thread.start()
            self._asked = True
            self._wanted.release()
        if not self._there.acquire(timeout=PATIENCE_S):
            return self._empty
        self._asked = False
        if self._error is not None:
            raise self._error
        batch = self._batch
        if batch is None:
            self._ended = True
        elif batch.count:
            self._seen_at = self._clock()
            self._last_ns = int(batch.ts_ns[batch.count - 1])
        return batch

    def quiet_until(self) -> int | None:
        """Return the time of the capture up to which all frames were handed over, if it goes on at the pace of ours."""
        passed = self._clock() - self._seen_at - LAG_NS
        return None if self._last_ns is None or passed <= 0 else self._last_ns + passed

    def close(self) -> None:
        """End; a thread that still waits for its input is left to it, since nothing can wake it."""
        self._ended = True
        if not self._asked:
            self._source.close()

    def _run(self) -> None:
        while True:
            self._wanted.acquire()
            try:
                self._batch = self._source.read_batch()
            except Exception as error:
                self._error = error
            self._there.release()
            if self._batch is None or self._error is not None:
                return
