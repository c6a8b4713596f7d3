"""Where octets come from: a file, a pipe, a stream object, a file that still grows.

Every source of octets has ``readinto(view)``, which blocks until at least one octet is there and returns how many
it wrote, 0 at the end. A stream that turns out to be broken raises ``BrokenOctets``.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from wire502.capture.formats import STANDARD_INPUT, STREAM
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.2
_ROTATED = "all frames before it were read; a set of files that rotates is read with: wire502 live --follow 'PATTERN*'"
_PIPE_SIZE = 1 << 20
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux; the fcntl module names it only from Python 3.10 on some systems


class BrokenOctets(Exception):
    """The octets end here for a bad reason, which is the message; all octets before it were delivered.

    ``way_out`` is what to do about it, "" where the format of the file decides that.
    """

    def __init__(self, message: str, way_out: str = "") -> None:
        super().__init__(message)
        self.way_out = way_out


class Octets(Protocol):
    """What a reader of captures needs of any source of octets."""

    size: int | None  # of the file itself, when it has one

    @property
    def bytes_read(self) -> int:
        """Octets of the file itself read so far: compressed ones of a compressed file."""

    def readinto(self, view: memoryview) -> int:
        """Fill *view* from the front, as far as possible without waiting for more; return how many, 0 at the end."""

    def close(self) -> None:
        """Give back what is open."""


class FileOctets:
    """The octets of a file, pipe or stream object, as they are.

    With *follow*, the end of a file is not the end: *sleep* is called with ``POLL_SECONDS`` until more is there or
    *stop* returns True. With *name* too, it ends when another file has this name and this one has grown no more.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        owned: bool,
        follow: bool = False,
        sleep: Callable[[float], object] | None = None,
        stop: Callable[[], bool] | None = None,
        name: str = "",
    ) -> None:
        self._name = name
        self._replaced = False
        self._stream = stream
        self._owned = owned
        self._sleep = sleep if follow else None
        self._stop = stop
        self._descriptor = _descriptor(stream)
        # A buffered stream waits until all of the view is full, unless asked by the other name.
        reader = getattr(stream, "readinto1", None) or getattr(stream, "readinto", None)
        self._readinto = cast("Callable[[memoryview], int | None]", reader or self._read_and_copy)
        self.bytes_read = 0
        self.size: int | None = None
        self.regular = False
        if self._descriptor is not None:
            about = os.fstat(self._descriptor)
            self.regular = stat.S_ISREG(about.st_mode)
            if self.regular:
                self.size = about.st_size
            elif stat.S_ISFIFO(about.st_mode):
                _widen(self._descriptor)

    def readinto(self, view: memoryview) -> int:
        """Fill *view* with what is there; wait only while nothing is there."""
        while True:
            try:
                count = self._readinto(view)
            except (OSError, ValueError) as error:  # ValueError: closed by another thread
                raise BrokenOctets(f"cannot be read any further: {_words(error)}") from error
            if count is None:  # a descriptor that does not block
                if self._descriptor is not None:
                    from select import select

                    select([self._descriptor], [], [])
                continue
            if count:
                self.bytes_read += count
                return count
            if self._sleep is None or (self._stop is not None and self._stop()):
                return 0
            self._check_growing()
            self._sleep(POLL_SECONDS)

    def remaining(self) -> int | None:
        """Return how many octets the file still holds; None for a pipe or a growing file, which cannot be known."""
        if self.size is None or self._sleep is not None:
            return None
        return max(0, self.size - self.bytes_read)

    def tail(self, most: int) -> bytes:
        """Return the last octets of a file, *most* at most; none of what cannot be read at any place or still grows."""
        if self.size is None or self._descriptor is None or self._sleep is not None:
            return b""
        try:
            return os.pread(self._descriptor, most, max(0, self.size - most))
        except OSError:
            return b""

    def close(self) -> None:
        """Close what was opened here; a stream object given by the caller stays open."""
        if self._owned:
            self._stream.close()

    def _check_growing(self) -> None:
        if self._descriptor is not None and self.regular:
            now = os.fstat(self._descriptor).st_size
            if now < self.bytes_read:
                raise BrokenOctets("became shorter while it was followed", _ROTATED)
            self.size = now
            if self._replaced and now == self.bytes_read:
                raise BrokenOctets("was replaced by another file while it was followed", _ROTATED)
            self._replaced = self._has_other_name()

    def _has_other_name(self) -> bool:
        """Whether the name belongs to another file by now; its writer may still be about to write the last octets."""
        if not self._name or self._descriptor is None:
            return False
        try:
            return not os.path.samestat(os.stat(self._name), os.fstat(self._descriptor))  # noqa: PTH116 - name as given
        except OSError:
            return False  # renamed or deleted, and nothing in its place yet

    def _read_and_copy(self, view: memoryview) -> int | None:
        octets = self._stream.read(len(view))
        if octets is None:  # raw streams say so, whatever the annotation of BinaryIO promises
            return None
        view[: len(octets)] = octets
        return len(octets)


def open_octets(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    follow: bool = False,
    sleep: Callable[[float], object] | None = None,
    stop: Callable[[], bool] | None = None,
    alone: bool = True,
) -> tuple[FileOctets, str]:
    """Open *path* (``-``: standard input; or a binary stream) and return its octets and the name to call it by.

    A followed file that is *alone* ends where another one takes its name.

    Raises ``CaptureError`` for whatever cannot be opened.
    """
    if not isinstance(path, str | os.PathLike):
        name = getattr(path, "name", None)
        return FileOctets(path, owned=False, follow=follow, sleep=sleep, stop=stop), (
            name if isinstance(name, str) else STREAM
        )
    name = os.fspath(path)
    if name == "-":
        # Without its buffer: Python cannot end while a thread waits in it, and live reads in a thread.
        stream = cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
        if stream.isatty():
            raise CaptureError(STANDARD_INPUT, 0, "is a terminal", "pipe a capture into it, or name a file")
        return FileOctets(stream, owned=False, follow=False), STANDARD_INPUT
    try:
        raw = cast("BinaryIO", open(name, "rb", buffering=0))  # noqa: PTH123, SIM115 - pathlib takes 3 ms to load
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CaptureError(name, 0, *_why_not(error)) from error
    return FileOctets(raw, owned=True, follow=follow, sleep=sleep, stop=stop, name=name if alone else ""), name


def _why_not(error: OSError | ValueError) -> tuple[str, str]:
    """Return (reason, way out) for a file that could not be opened."""
    if isinstance(error, FileNotFoundError):
        return "does not exist", "check the name"
    if isinstance(error, IsADirectoryError):
        return "is a directory", "name the capture files in it"
    if isinstance(error, PermissionError):
        return "may not be read by this user", "captures made by root often need: sudo chmod a+r FILE"
    return f"cannot be opened: {_words(error)}", ""


def _words(error: OSError | ValueError) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _descriptor(stream: BinaryIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, AttributeError, ValueError):  # io.UnsupportedOperation is an OSError
        return None


def _widen(descriptor: int) -> None:
    """Let the pipe hold more, for fewer switches between its writer and us; a refusal does no harm."""
    with suppress(ImportError, OSError):
        from fcntl import fcntl

        fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_SIZE)
