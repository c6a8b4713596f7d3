"""``read -j N``: captures that have nothing to do with one another, each read by a process of its own.

Each capture is judged as if it were alone; what is told comes in the order in which the captures were given, under
numbers that go on from one to the next, with one summary at the end. What a process found waits in a file until it is
its turn, so that memory does not grow with it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any, Literal

from wire502.api import Failure, Filter, Incident, Reading, Result, Summary, Update, read, together
from wire502.errors import CaptureError

_NUMBERED = re.compile(r"[a-z]+(\d+)")


@dataclass(slots=True)
class _Done:
    """What a process says when it has read a capture; its results are in the file."""

    damage: list[Any]
    unreadable: list[CaptureError]
    failed: int
    precision: Literal[6, 9]


def _ignore_interrupts() -> None:
    """Ctrl-C reaches all processes of the terminal: the one that waits for the others decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(path: str, number: int, options: dict[str, Any], spool: str) -> _Done:
    with open(spool, "wb") as out:  # noqa: PTH123 - as everywhere in cli: pathlib is 3 ms of start-up
        try:
            reading = read(path, **options, first_file=number)
        except CaptureError as error:
            return _Done([], [error], 0, 6)
        for group in reading.batches():
            pickle.dump(group, out, pickle.HIGHEST_PROTOCOL)
    return _Done(reading.damage, reading.unreadable, reading.failed, reading.precision)


class SideBySide(Reading):
    """The results of several captures that are read by up to *jobs* processes at once; *options* as for ``read``.

    Raises ``CaptureError``, from ``batches()``, when none of them can be read.
    """

    def __init__(self, paths: Sequence[str], jobs: int, options: Mapping[str, Any]) -> None:
        self.inputs = list(paths)
        self.interfaces = []
        self.damage = []
        self.unreadable = []
        self.failed = 0
        self.stopped = False
        self.waiting = False
        self._given = dict(options)
        wanted: Filter = self._given.get("filter") or Filter()
        self._limit = wanted.limit
        self._given["filter"] = replace(wanted, limit=None)  # counted over all captures, here
        self._shown = 0
        self._left_out: set[str] = set()
        self._offsets: dict[str, int] = {}  # by the letter of an id: the highest number of the captures before
        self._highest: dict[str, int] = {}
        self._digits: Literal[6, 9] = 6
        self._jobs = min(jobs, len(paths))
        self._pool: ProcessPoolExecutor | None = None
        self._groups = self._side_by_side()
        self._pending = iter(())

    @property
    def precision(self) -> Literal[6, 9]:
        """Digits of a second in the times of the capture whose results come now."""
        return self._digits

    def close(self) -> None:
        """End the processes that still read."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            self._pool = None

    def _side_by_side(self) -> Iterator[list[Result]]:
        # Linux forks: the modules are loaded, and nothing here has threads yet.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
        summaries: list[Summary] = []
        with tempfile.TemporaryDirectory(prefix="wire502-") as folder:
            self._pool = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_ignore_interrupts)
            spools = [os.path.join(folder, str(number)) for number in range(len(self.inputs))]  # noqa: PTH118
            futures = [
                self._pool.submit(_read, path, number, self._given, spools[number])
                for number, path in enumerate(self.inputs)
            ]
            try:
                for path, spool, future in zip(self.inputs, spools, futures, strict=True):
                    done = self._wait(future, path)
                    if done is None:
                        break
                    self.damage += done.damage
                    self.unreadable += done.unreadable
                    self.failed += done.failed
                    self._digits = done.precision
                    for group in _groups(spool):
                        summaries += [result for result in group if isinstance(result, Summary)]
                        if told := [result for result in group if self._passes(result)]:
                            yield told
                    os.unlink(spool)  # noqa: PTH108
                    self._offsets = dict(self._highest)
            finally:
                self.close()
        if not summaries and self.unreadable:
            raise self.unreadable[0]
        yield [self._whole(summaries)]

    def _wait(self, future: Future[_Done], path: str) -> _Done | None:
        """Return what came of *path*, None after an interrupt."""
        self.waiting = True
        try:
            return future.result()
        except KeyboardInterrupt:
            if self.stopped:
                return None
            raise
        except BrokenProcessPool:
            return _Done([], [CaptureError(path, 0, "was not read: a process died", "read it without -j")], 0, 6)
        finally:
            self.waiting = False

    def _whole(self, summaries: list[Summary]) -> Summary:
        whole = together(summaries)
        whole.inputs = self.inputs
        whole.shown = self._shown
        whole.caveats += [str(error) for error in self.unreadable]
        if self.stopped:
            whole.caveats.append("stopped before the end")
        return whole

    def _passes(self, result: Result) -> bool:
        """Number *result* among all captures; return whether it is within the limit."""
        match result:
            case Failure():
                result.id = self._renumbered(result.id)
                if self._limit is not None and self._shown >= self._limit:
                    self._left_out.add(result.id)
                    return False
                self._shown += 1
            case Update():
                result.id = self._renumbered(result.id)
                if "attempts" in result.changes:
                    result.changes["attempts"] = [self._renumbered(one) for one in _texts(result.changes["attempts"])]
                if isinstance(verdict := result.changes.get("verdict"), str):
                    result.changes["verdict"] = self._renumbered(verdict)
                return result.id not in self._left_out
            case Incident():
                result.id = self._renumbered(result.id)
                result.attempts = [self._renumbered(one) for one in result.attempts]
                result.verdict = None if result.verdict is None else self._renumbered(result.verdict)
                left_out = bool(result.attempts) and self._left_out.issuperset(result.attempts)
                if left_out:
                    self._left_out.add(result.id)
                return not left_out
            case Summary():
                return False
        return True

    def _renumbered(self, ident: str) -> str:
        match = _NUMBERED.fullmatch(ident)
        if match is None:
            return ident
        letters = ident[: match.start(1)]
        number = int(match[1]) + self._offsets.get(letters, 0)
        self._highest[letters] = max(number, self._highest.get(letters, 0))
        return f"{letters}{number}"


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _groups(spool: str) -> Iterator[list[Result]]:
    with open(spool, "rb") as results:  # noqa: PTH123
        while True:
            try:
                yield pickle.load(results)  # noqa: S301 - written by our own process into a folder of our own
            except EOFError:
                return
