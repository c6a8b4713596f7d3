"""Captures made by hand, streams that give their octets in odd pieces, and batches as plain tuples."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from wire502.capture import PcapngWriter, PcapWriter, open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wire502.capture import MergedSource, Source
    from wire502.model.capture_info import InputDamage

SECOND = 1_000_000_000


class Row(NamedTuple):
    """One row of a batch."""

    frame: int
    ts_ns: int
    octets: bytes
    length: int
    interface: int = 0
    direction: int = 0


@dataclass(frozen=True)
class Frame:
    """What a writer is given."""

    ts_ns: int
    octets: bytes
    length: int


frames_of_any_kind = st.lists(
    st.builds(
        lambda ts, octets, cut: Frame(ts, octets, len(octets) + cut),
        st.integers(0, 2**32 * SECOND - 1),
        st.binary(max_size=80),
        st.integers(0, 3000),
    ),
    max_size=30,
)


def rows(source: Source | MergedSource) -> list[Row]:
    """Read *source* to its end."""
    found = []
    while (batch := source.read_batch()) is not None:
        assert 0 < batch.count <= batch.capacity
        for row in range(batch.count):
            start, captured = batch.start[row], batch.captured[row]
            octets = bytes(batch.data[start : start + captured])
            assert len(octets) == captured
            found.append(
                Row(
                    batch.frame[row],
                    batch.ts_ns[row],
                    octets,
                    batch.length[row],
                    batch.interface[row],
                    batch.direction[row],
                )
            )
    return found


def read(octets: bytes) -> tuple[list[Row], InputDamage | None]:
    """Return the rows of the capture *octets* and its damage."""
    with open_source(io.BytesIO(octets)) as source:
        return rows(source), source.damage


def pcap(frames: Iterable[Frame], *, nanoseconds: bool = True, big: bool = False, linktype: int = 1) -> bytes:
    """Return a pcap file of *frames*."""
    stream = io.BytesIO()
    writer = PcapWriter(stream, nanoseconds=nanoseconds, big=big, linktype=linktype)
    for frame in frames:
        writer.write(frame.ts_ns, frame.octets, frame.length)
    return stream.getvalue()


def pcapng(frames: Iterable[Frame], *, big: bool = False, resolution: int = 9, offset_s: int = 0) -> bytes:
    """Return a pcapng file of *frames*."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream, big=big)
    writer.interface(resolution=resolution, offset_s=offset_s)
    for frame in frames:
        writer.write(0, frame.ts_ns, frame.octets, frame.length)
    return stream.getvalue()


def expected(frames: Sequence[Frame], tick: int = 1) -> list[Row]:
    """Return the rows that *frames* must be read as, time stamps being multiples of *tick* nanoseconds."""
    return [
        Row(number, frame.ts_ns // tick * tick, frame.octets, frame.length)
        for number, frame in enumerate(frames, start=1)
    ]


def numbered(count: int, *, size: int = 60, start_ns: int = 1_700_000_000 * SECOND, step_ns: int = 1000) -> list[Frame]:
    """Return *count* frames that can be told apart."""
    return [
        Frame(start_ns + index * step_ns, index.to_bytes(4, "big") + bytes(size - 4), size) for index in range(count)
    ]


class Pieces(io.RawIOBase):
    """A stream that gives *octets* in pieces of the given *sizes*, over and over."""

    def __init__(self, octets: bytes, sizes: Sequence[int]) -> None:
        super().__init__()
        self._octets = memoryview(octets)
        self._sizes = list(sizes)
        self._turn = 0

    def readable(self) -> bool:
        return True

    def readinto(self, view: object) -> int:
        target = memoryview(view)  # type: ignore[arg-type]
        size = min(self._sizes[self._turn % len(self._sizes)], len(target), len(self._octets))
        self._turn += 1
        target[:size] = self._octets[:size]
        self._octets = self._octets[size:]
        return size
