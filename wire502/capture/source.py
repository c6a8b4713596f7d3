"""One capture as a stream of batches, whatever its format: the buffer between the octets and the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wire502.capture import formats
from wire502.capture.octets import BrokenOctets, Octets
from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch
from wire502.model.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from wire502.capture.pcapng import Comment, Secrets

BUFFER_SIZE = 384 * 1024
BATCH_ROWS = 4096
# What is read of a file before it is known whether it is read on: enough for its headers and some frames.
HEAD_SIZE = 16 * 1024
_PEEK_ROWS = 64


@record()
class Head:
    """The begin of an input: the first *filled* octets of *buffer* are what *octets* gave first."""

    octets: Octets
    path: str
    buffer: bytearray
    filled: int


class Scanner(Protocol):
    """What a kernel offers: ``pcap_cy.PcapScanner`` and ``pcapng_cy.PcapngScanner``."""

    frame: int
    needed: int
    fault: str

    def scan(self, batch: Batch, position: int, end: int) -> int:
        """Append the complete records of ``batch.data[position:end]``; return the position behind the last."""


class Source:
    """Batches of one capture, made by ``open_source``.

    ``read_batch()`` until it returns None; then ``damage`` says whether the end was a clean one. ``drops``,
    ``comments`` and ``secrets`` fill while reading. ``format`` is ``pcap``, ``pcapng``, or ``pcap (gzip)`` and so
    on. ``bytes_read`` and ``size`` (None: not known) count octets of the file itself, for a progress bar.
    """

    def __init__(
        self,
        head: Head,
        form: str,
        scanner: Scanner,
        *,
        position: int,
        interfaces: list[Interface],
        follow: bool,
        buffer_size: int,
        file: int = 0,
    ) -> None:
        self.path = head.path
        self.file = file
        self.format = form
        self.interfaces = interfaces
        self.damage: InputDamage | None = None
        self.drops: Sequence[DropReport] = ()
        self.foreseen: Callable[[], list[DropReport]] = list
        self.comments: Sequence[Comment] = ()
        self.secrets: Sequence[Secrets] = ()
        self._octets = head.octets
        self._scanner = scanner
        self._follow = follow
        self._buffer_size = max(buffer_size, HEAD_SIZE)
        self._data = memoryview(head.buffer)
        self._position = position  # of the first octet that was not scanned
        self._end = head.filled
        self._base = 0  # offset in the capture of the first octet of the buffer
        self._batch: Batch | None = None
        self._pending: Batch | None = None
        self._ended = False
        self._broken: BrokenOctets | None = None

    @property
    def bytes_read(self) -> int:
        """Octets of the file read so far; compressed ones of a compressed file."""
        return self._octets.bytes_read

    @property
    def size(self) -> int | None:
        """Octets of the whole file; None when it has no known end."""
        return self._octets.size

    @property
    def losses(self) -> Sequence[DropReport]:
        """``drops``, and what the end of a pcapng file says was lost before it is reached."""
        return [*self.drops, *ahead] if (ahead := self.foreseen()) else self.drops

    @property
    def frames(self) -> int:
        """The number of the last frame read."""
        return self._scanner.frame

    def number_from(self, frame: int) -> None:
        """Number the frames as if *frame* others had come before them; to be called before the first batch."""
        self._scanner.frame += frame

    def first_ns(self) -> int | None:
        """Return the time of the first frame, None when there is none; reads as little as possible."""
        if self._pending is None and self._batch is None:
            self._pending = self._next(_PEEK_ROWS)
            self._batch = None  # the small one is used once
        return int(self._pending.ts_ns[0]) if self._pending is not None else None

    def read_batch(self) -> Batch | None:
        """Return the next frames, at least one; None at the end. The batch is valid until the next call.

        Waits for a pipe only while not one whole frame is there.
        """
        if self._pending is not None:
            pending, self._pending = self._pending, None
            return pending
        return self._next(BATCH_ROWS)

    def close(self) -> None:
        """Give back the file and the buffer; what was found stays readable."""
        self._octets.close()
        self._ended = True
        self._position = self._end = 0
        self._batch = self._pending = None
        self._data = memoryview(bytearray(1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, length: int) -> str:
        """Scan the first *length* octets, which hold no frame; return what is wrong with them, "" if nothing."""
        while self._end < length:
            self._scanner.needed = length
            if not self._fill():
                return str(self._broken or "is cut short inside its section header")
        first = Batch(1)
        first.data = self._data
        self._position = self._scanner.scan(first, 0, length)
        return self._scanner.fault

    def _fill(self) -> bool:
        """Read more octets behind those that are there; return False at the end."""
        if self._ended:
            return False
        data, position = self._data, self._position
        size, needed, rest = len(data), self._scanner.needed, self._end - position
        if needed > size and not self._can_hold(needed - rest):
            self._ended = True
            return False
        if rest == size or size < self._buffer_size:
            data = self._widen(rest, needed)
        elif position and rest:
            data[:rest] = data[position : self._end]
        self._base += position
        self._position = 0
        try:
            count = self._octets.readinto(data[rest:])
        except BrokenOctets as broken:
            self._broken = broken
            count = 0
        self._end = rest + count
        self._ended = count == 0
        return count > 0

    def _next(self, rows: int) -> Batch | None:
        scanner = self._scanner
        while self.damage is None:
            if self._end - self._position >= scanner.needed:  # else the scan before this one has seen all that is there
                batch = self._batch
                if batch is None:
                    batch = self._batch = Batch(rows)
                    batch.interfaces = self.interfaces  # type: ignore[assignment]  # a list of what it says it lists
                    batch.data = self._data
                batch.count = 0
                self._position = scanner.scan(batch, self._position, self._end)
                if batch.count:
                    return batch
                if scanner.fault:
                    self._set_damage(self._position, scanner.fault)
                    break
            if not self._fill():
                self._judge_end()
                break
        return None

    def _judge_end(self) -> None:
        rest = self._end - self._position
        if self._broken is not None:
            self._set_damage(self._end, str(self._broken), self._broken.way_out)
        elif rest and not self._follow:
            what = "block" if self.format.startswith("pcapng") else f"record {self._scanner.frame + 1}"
            reason = f"cut short: of its last {what} only {rest} of at least {self._scanner.needed} octets are there"
            self._set_damage(self._position, reason)

    def _set_damage(self, position: int, reason: str, way_out: str = "") -> None:
        compression = self.format.partition(" (")[2].rstrip(")")
        if compression:
            reason += f" (octets counted as decompressed from {compression})"
        if not self._scanner.frame:
            way_out = "no frame could be read before it; capture again"
        elif not way_out:
            way_out = (
                f"all frames before it were read; they can be saved with: {formats.to_save(self.path, compression)}"
            )
        self.damage = InputDamage(self.path, self._base + position, reason, way_out)

    def _can_hold(self, missing: int) -> bool:
        """Return whether the file can still hold *missing* octets, so that a lie about a length costs no memory."""
        remaining = getattr(self._octets, "remaining", None)
        left = remaining() if remaining is not None else None
        return left is None or left >= missing

    def _widen(self, rest: int, needed: int) -> memoryview:
        """Move what was not scanned to the front of a larger buffer; it is the usual one, or this was too small."""
        size = self._buffer_size
        if rest >= size:  # a record larger than the buffer: grow as its octets come, not as it promises
            size = min(2 * rest, max(needed, rest + 1))
        larger = memoryview(bytearray(size))
        larger[:rest] = self._data[self._position : self._end]
        self._data = larger
        if self._batch is not None:
            self._batch.data = larger
        return larger
