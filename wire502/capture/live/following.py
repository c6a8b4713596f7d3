"""Capture files that still grow, and rotated sets of them (``tcpdump -C`` or ``-G``), read as one capture without end.

A set is named by a pattern (``ring*.pcap``). Its files are read in the order in which they were last written; the next
one is begun when the one at hand has grown no more since the next one was there. Frame numbers run on.
"""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from wire502.capture.opening import open_source
from wire502.capture.source import Source
from wire502.errors import CaptureError
from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch

_WAIT_S = 0.2


class FollowedFiles:
    """A ``Blocking`` source of the files that match *pattern*, which may be one name.

    Raises ``CaptureError`` when there is none, or the first one is no capture. A later one that is damaged is read as
    far as it goes; ``damaged`` counts them.
    """

    size: int | None = None

    def __init__(
        self,
        pattern: str,
        *,
        interfaces: list[Interface] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.path = pattern
        self.interfaces = [] if interfaces is None else interfaces
        self.damage: InputDamage | None = None
        self.damaged = 0
        self._sleep = sleep
        self._closed = False
        self._before = 0  # octets of the files that were read
        self._lost: list[DropReport] = []
        self._at = 0  # when the file at hand was written last, in ns
        self._seen = False  # the next file was there when the one at hand was looked at last
        found = self._files()
        if not found and not glob.has_magic(pattern):
            found = [(0, pattern)]  # opening it says why not
        if not found:
            raise CaptureError(pattern, 0, "matches no file", "check the pattern, and quote it")
        self._name = found[0][1]
        self._source = self._opened(self._name, [])
        self._share()

    @property
    def bytes_read(self) -> int:
        """Octets read of all files."""
        return self._before + self._source.bytes_read

    @property
    def drops(self) -> Sequence[DropReport]:
        """Packets that the files say were lost."""
        return [*self._lost, *self._source.drops] if self._lost else self._source.drops

    def read_batch(self) -> Batch | None:
        """Return the next frames, however long it takes; None once closed."""
        while not self._closed:
            batch = self._source.read_batch()
            if batch is not None:
                self._share()
                return batch
            if not self._next():
                self._sleep(_WAIT_S)
        return None

    def close(self) -> None:
        """Close the file at hand."""
        self._closed = True
        self._source.close()

    def _files(self) -> list[tuple[int, str]]:
        """Return the files of the set by the time of their last change."""
        found = []
        for name in glob.glob(self.path) if glob.has_magic(self.path) else [self.path]:  # noqa: PTH207 - names as given
            with suppress(OSError):
                about = os.stat(name)  # noqa: PTH116 - no path object needed
                if about.st_size:
                    found.append((about.st_mtime_ns, name))
        return sorted(found)

    def _newer(self) -> str | None:
        """Return the first file that was written after the one at hand."""
        found = self._files()
        at = next((changed for changed, name in found if name == self._name), self._at)
        self._at = at
        return next((name for changed, name in found if changed > at and name != self._name), None)

    def _done(self) -> bool:
        """Whether the file at hand will grow no more; asked at its end, again and again."""
        if self._closed:
            return True
        seen, self._seen = self._seen, self._newer() is not None
        return seen and self._seen  # it was read to its end once more since

    def _next(self) -> bool:
        """Go on with the next file, if there is one."""
        name = self._newer()
        if name is None and self._rewritten():
            name = self._name
        if name is None:
            return False
        before = self._source
        interfaces: list[Interface] = []
        try:
            fresh = self._opened(name, interfaces)
        except CaptureError:
            return False  # its header is not there yet
        if before.damage is not None:
            self.damaged += 1
        self._lost += before.drops
        self._lost = self._lost[-256:]
        self._before += before.bytes_read
        fresh.number_from(before.frames)
        before.close()
        self._source, self._name, self._seen = fresh, name, False
        self._share()
        return True

    def _rewritten(self) -> bool:
        """Whether the file at hand was begun anew under its name, as a ring of one does."""
        with suppress(OSError):
            return 0 < os.stat(self._name).st_size < self._source.bytes_read  # noqa: PTH116
        return False

    def _opened(self, name: str, interfaces: list[Interface]) -> Source:
        return open_source(name, interfaces=interfaces, follow=True, sleep=self._sleep, stop=self._done, alone=False)

    def _share(self) -> None:
        """Make the interfaces of the file at hand known; those of the next file are taken for the same ones."""
        for interface in self._source.interfaces[len(self.interfaces) :]:
            self.interfaces.append(interface)
