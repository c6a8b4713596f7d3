"""``-w``: the captured packets to files, with tcpdump's rotation (``-C -W -G``). Frame numbers are those of the file
where there is one; of several, they run on.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from wire502.agent.parts import Part, Trouble
from wire502.agent.privileges import User, hand_over
from wire502.capture.pack_cy import Packer
from wire502.capture.write import PcapngWriter, PcapWriter
from wire502.errors import CaptureError
from wire502.model.capture_info import Interface
from wire502.model.frames_cy import Batch
from wire502.model.records import record

PCAPNG = ".pcapng"
_BUFFER = 1 << 19
_MEGA = 1_000_000


def _header(interface: Interface, pcapng: bool) -> bytes:
    """Return how a file of frames of *interface* begins, in this host's order, with nanoseconds."""
    out, big = io.BytesIO(), sys.byteorder == "big"
    snaplen = interface.snaplen or 262_144
    if pcapng:
        PcapngWriter(out, big=big).interface(interface.linktype, name=interface.name, snaplen=snaplen)
    else:
        PcapWriter(out, linktype=interface.linktype, nanoseconds=True, snaplen=snaplen, big=big)
    return out.getvalue()


@record(frozen=True)
class Rotation:
    """When a file is full: after *megabytes* (``-C``), *seconds* (``-G``); and how many files there are (``-W``)."""

    megabytes: int | None = None
    seconds: int | None = None
    files: int | None = None


def name_of(pattern: str, rotation: Rotation, number: int, since: float) -> str:
    """Return the name of the file *number* (from 0), begun at *since* seconds since 1970, as tcpdump would call it."""
    name = time.strftime(pattern, time.localtime(since)) if rotation.seconds else pattern
    if rotation.megabytes is None:
        return name
    if rotation.files and not rotation.seconds:
        return f"{name}{number % rotation.files:0{len(str(rotation.files - 1))}d}"
    return f"{name}{number}" if number else name


class Recording(Part):
    """Writes every frame, as pcapng where *pattern* ends so, else as pcap. *full* is called when as many files were
    written as ``-W`` with ``-G`` allows.

    The first file is opened when this is made, and belongs to *owner*. A disk that is full is told by *say* once; the
    octets of the frames that do not reach the file are counted in ``lost``, and recording goes on when it can again.
    """

    def __init__(
        self,
        pattern: str,
        rotation: Rotation,
        interface: Interface,
        *,
        owner: User | None,
        say: Callable[[str], object],
        full: Callable[[], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pattern = pattern
        self._rotation = rotation
        self._interface = interface
        self._full = full
        self._clock = clock
        self._packer = Packer(blocks=pattern.endswith(PCAPNG))
        self._header = _header(interface, pattern.endswith(PCAPNG))
        self._buffer = memoryview(bytearray(_BUFFER))
        self._used = 0
        self._written = 0
        self._number = self._files = 0
        self._trouble = Trouble(say)
        self.lost = 0
        self._since = clock()
        self._descriptor = -1
        try:
            self._open(owner)
        except OSError as error:
            raise CaptureError(self.name, 0, f"cannot be written: {error.strerror}", "see -w") from error

    @property
    def name(self) -> str:
        """The name of the file that is written."""
        return name_of(self._pattern, self._rotation, self._number, self._since)

    def check(self) -> None:
        """Raise ``CaptureError`` where the next file could not be opened: rights were given up since the first one."""
        rotates = self._rotation.megabytes or self._rotation.seconds
        folder = os.path.dirname(os.path.abspath(self._pattern))  # noqa: PTH100, PTH120 - no path object needed
        if rotates and not os.access(folder, os.W_OK | os.X_OK):
            raise CaptureError(
                folder, 0, "may not be written by the user that captures", "-Z chooses one; or chown the folder"
            )

    def frames(self, batch: Batch) -> None:
        """Copy the frames of a batch; write the copy when it is large."""
        packer = self._packer
        packer.begin(batch)
        while True:
            room, left = len(self._buffer) - self._used, self._left()
            self._used += packer.pack(batch, self._buffer[self._used : self._used + min(room, left)])
            if packer.row == batch.count:
                return
            if self._used:
                self._flush()
            elif left < room:
                self._number += 1
                self._turn()
            else:  # a frame larger than the buffer
                self._buffer = memoryview(bytearray(2 * len(self._buffer)))

    def beat(self, now: float) -> None:
        """Write what is there; begin the next file when it is time."""
        self._flush()
        self._trouble.beat(now, f"{self.name} is written again; {self.lost:,} octets of packets are missing so far")
        seconds = self._rotation.seconds
        if seconds and self._clock() - self._since >= seconds:
            self._files += 1
            if self._rotation.files and self._files >= self._rotation.files and not self._rotation.megabytes:
                self._full()
                return
            self._number = 0
            self._since = self._clock()
            self._turn()

    def counts(self) -> dict[str, int]:
        """Return how many octets were not recorded."""
        return {"unrecorded": self.lost}

    def reopen(self) -> None:
        """Begin the file anew if it was moved away; one that stands where it stood goes on. Numbers go on."""
        self._flush()
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self.name), os.fstat(self._descriptor)):  # noqa: PTH116
                return
        self._open(None)

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _left(self) -> int:
        """Return how many octets may still go into this file."""
        limit = self._rotation.megabytes
        if limit is None or self._written + self._used <= len(self._header):  # one frame has to fit, whatever its size
            return len(self._buffer)
        return max(0, limit * _MEGA - self._written - self._used)

    def _turn(self) -> None:
        try:
            self._open(None)
        except OSError as error:
            self._fail(error, 0)
            # As if it had been: the old file goes on, no file at all would help nobody.
            self._written = len(self._header)

    def _open(self, owner: User | None) -> None:
        descriptor = os.open(self.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        hand_over(descriptor, owner)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        os.write(descriptor, self._header)
        self._written = len(self._header)

    def _flush(self) -> None:
        view = self._buffer[: self._used]
        self._used = 0
        if not view:
            return
        size, begun = len(view), self._written
        while view:
            try:
                done = os.write(self._descriptor, view)
            except OSError as error:
                self._fail(error, size)
                self._back_to(begun)
                return
            self._written += done
            view = view[done:]
        self._trouble.worked()

    def _back_to(self, size: int) -> None:
        """Cut off what was written in part: behind half a record the rest of a file cannot be read."""
        with suppress(OSError):  # a pipe cannot be cut
            os.ftruncate(self._descriptor, size)
            os.lseek(self._descriptor, size, os.SEEK_SET)
            self._written = size

    def _fail(self, error: OSError, octets: int) -> None:
        self.lost += octets
        self._trouble.failed(f"cannot write {self.name}: {error.strerror}; packets are not recorded until I can")
