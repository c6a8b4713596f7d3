"""Decompression by a program, where no library is installed: ``zstd -dc`` or ``lz4 -dc`` as a child process."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from wire502.capture.octets import BrokenOctets, FileOctets

if TYPE_CHECKING:
    from typing import IO

_CHUNK = 1 << 16


def program(name: str) -> list[str] | None:
    """Return the command that decompresses *name* data from its input to its output; None when not installed."""
    found = shutil.which(name)
    return [found, "-dc"] if found else None


class ChildOctets:
    """The output of *command*, which is fed *head* and then all of *raw* by a thread."""

    def __init__(self, raw: FileOctets, head: bytes, name: str, command: list[str]) -> None:
        self._raw = raw
        self._name = name
        self._fed_badly: BrokenOctets | None = None
        self.size = raw.size
        # A program found on the PATH, run without a shell and without arguments of the user.
        self._child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._output = cast("IO[bytes]", self._child.stdout)
        self._feeder = threading.Thread(target=self._feed, args=(self._child.stdin, head), daemon=True)
        self._feeder.start()

    @property
    def bytes_read(self) -> int:
        """Compressed octets read so far."""
        return self._raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill *view* with what the program has written; at its end, find out whether it was content."""
        count = os.readv(self._output.fileno(), [view])
        if count:
            return count
        self._feeder.join()
        status = self._child.wait()
        if self._fed_badly is not None:
            raise self._fed_badly
        if status:
            raise BrokenOctets(f"the {self._name} data is corrupt or cut short")
        return 0

    def close(self) -> None:
        """End the program and close the file."""
        with suppress(OSError):
            self._child.kill()
        self._child.wait()
        self._output.close()
        self._feeder.join(timeout=1.0)  # it may be waiting for a pipe that never speaks again
        self._raw.close()

    def _feed(self, inlet: IO[bytes], head: bytes) -> None:
        chunk = memoryview(bytearray(_CHUNK))
        with suppress(OSError), inlet:  # the program may end before its input does
            try:
                inlet.write(head)
                while count := self._raw.readinto(chunk):
                    sent = 0
                    while sent < count:
                        sent += inlet.write(chunk[sent:count])
            except BrokenOctets as broken:
                self._fed_badly = broken
