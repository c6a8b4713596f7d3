"""Lines out, to standard output or a file, by a thread of its own: a reader that stands still stops no capture."""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from collections.abc import Callable, Sequence

from wire502.agent.parts import Trouble
from wire502.agent.privileges import User, hand_over
from wire502.agent.threaded import Threaded
from wire502.api import Result
from wire502.errors import CaptureError

_LINE_END = ord("\n")
MOST_WAITING = 16 << 20  # characters that wait for a reader
CLOSING_S = 1.0
_SAY_S = 60.0


class Lines(Threaded):
    """Writes what *write* makes of each result. *path* None is standard output.

    Beyond ``MOST_WAITING`` lines are lost, ``lost`` counts them. *unread* is called, in the thread, when nobody reads
    any more; a file that cannot be written is told by *say*, once until it can again.
    """

    def __init__(
        self,
        write: Callable[[Result], str],
        path: str | None,
        owner: User | None,
        say: Callable[[str], object],
        unread: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__("output", CLOSING_S)
        self._write = write
        self._path = path
        self._say = say
        self._unread = unread
        try:
            self._descriptor = sys.stdout.fileno() if path is None else _opened(path, owner)
        except OSError as error:
            raise CaptureError(str(path), 0, f"cannot be written: {error.strerror}", "see -o") from error
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._trouble = Trouble(say)
        self._rest = b""  # of a line whose beginning is in the file
        self.lost = self._told_lost = 0
        self._tell_at = 0.0

    def can_reopen(self) -> bool:
        """Whether the file could be opened anew now, after it was moved away."""
        folder = None if self._path is None else os.path.dirname(os.path.abspath(self._path))  # noqa: PTH100, PTH120
        return folder is None or not stat.S_ISREG(os.fstat(self._descriptor).st_mode) or os.access(folder, os.W_OK)

    def results(self, results: Sequence[Result]) -> None:
        """Hand the lines of results to the thread."""
        text = "".join(map(self._write, results))
        if text:
            self.put(text)

    def put(self, text: str) -> None:
        """Hand text to the thread."""
        octets = text.encode(errors="backslashreplace")
        with self._turn:
            if self._size + len(octets) > MOST_WAITING:
                self.lost += text.count("\n")
                return
            self._waiting.append(octets)
            self._size += len(octets)
            self._turn.notify()

    def beat(self, now: float) -> None:
        """Say that lines were lost, at most once a minute."""
        if self._trouble.beat(now, f"{self._name} is written again; {self.lost:,} lines are missing so far"):
            self._told_lost = self.lost
        if self.lost > self._told_lost and now >= self._tell_at and not self._trouble.on:
            self._say(f"{self.lost - self._told_lost:,} lines were lost: nobody reads them as fast as they come")
            self._told_lost, self._tell_at = self.lost, now + _SAY_S

    def counts(self) -> dict[str, int]:
        """Return how many lines were lost."""
        return {"lost_lines": self.lost}

    def reopen(self) -> None:
        """Open the file anew; standard output stays."""
        if self._path is None:
            return
        fresh = _opened(self._path, None)
        with self._turn:
            os.dup2(fresh, self._descriptor)
            self.lost += bool(self._rest)  # its beginning went away with the old file
            self._rest = b""
        os.close(fresh)

    def _run(self) -> None:
        while True:
            with self._turn:
                while not self._waiting and not self._ending:
                    self._turn.wait()
                if not self._waiting:
                    return
                octets = b"".join(self._waiting)
                self._waiting.clear()
                self._size = 0
            self._put_out(self._rest + octets)

    def _put_out(self, octets: bytes) -> None:
        at, torn = 0, bool(self._rest)
        self._rest = b""
        while at < len(octets):
            try:
                at += os.write(self._descriptor, memoryview(octets)[at:])
            except BrokenPipeError:
                self._unread()
                return
            except OSError as error:
                torn = octets[at - 1] != _LINE_END if at else torn
                end = octets.find(b"\n", at) + 1 if torn else at  # half a line would spoil the next one: it is kept
                self._rest = octets[at:end]
                with self._turn:
                    self.lost += octets.count(b"\n", end)
                self._trouble.failed(f"cannot write {self._name}: {error.strerror}; lines are lost until I can")
                return
        self._trouble.worked()

    @property
    def _name(self) -> str:
        return self._path or "the output"


def _opened(path: str, owner: User | None) -> int:
    """Open a file to append to; a new one belongs to *owner*, who will have to open it again."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    if os.fstat(descriptor).st_size == 0:
        hand_over(descriptor, owner)
    return descriptor
