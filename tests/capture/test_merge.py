"""Several captures as one: in order of time, frames of each in their own order and with their own numbers."""

from __future__ import annotations

import heapq
import io
import os
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tests.capture.octets import Frame, Row, numbered, pcap, pcapng, rows
from wire502.capture import MergedSource, Source, merge_sources, open_source

if TYPE_CHECKING:
    from wire502.model.capture_info import Interface


def merged(*captures: bytes, buffer_size: int = 16_384) -> MergedSource:
    interfaces: list[Interface] = []
    return merge_sources(
        open_source(io.BytesIO(octets), file=file, interfaces=interfaces, buffer_size=buffer_size)
        for file, octets in enumerate(captures)
    )


def plainly(*captures: list[Frame]) -> list[Row]:
    """Return what the merge of *captures* must give: the standard library's merge, by time and then by file."""

    def of(file: int, frames: list[Frame]) -> list[tuple[int, int, Row]]:
        return [
            (frame.ts_ns, file, Row(number, frame.ts_ns, frame.octets, frame.length, file))
            for number, frame in enumerate(frames, start=1)
        ]

    streams = [of(file, frames) for file, frames in enumerate(captures)]
    return [row for _, _, row in heapq.merge(*streams, key=lambda entry: entry[:2])]


captures = st.lists(
    st.lists(
        st.builds(lambda ts, octets: Frame(ts, octets, len(octets)), st.integers(0, 40), st.binary(max_size=6)),
        max_size=25,
    ),
    min_size=1,
    max_size=5,
)


@given(captures, st.booleans())
def test_merge(frames: list[list[Frame]], in_order: bool) -> None:
    """Merged captures are what the standard library's merge makes of them, clocks that run backwards included."""
    if in_order:
        frames = [sorted(part, key=lambda frame: frame.ts_ns) for part in frames]
    with merged(*(pcap(part) for part in frames)) as source:
        assert rows(source) == plainly(*frames)
        assert source.damage is None


def test_rotated_set_is_not_copied() -> None:
    """Captures that follow one another are handed on batch by batch as they are, in the order of their times."""
    parts = [numbered(700, start_ns=start * 10**9) for start in (5, 1, 3)]
    source = merged(*(pcap(part) for part in parts))
    owners = []
    found = []
    while (batch := source.read_batch()) is not None:
        owners.append(any(batch is one._batch or batch is one._pending for one in source.sources))
        found += [(batch.interface[row], batch.frame[row]) for row in range(batch.count)]
    assert found == [(file, number) for file in (1, 2, 0) for number in range(1, 701)]
    assert source._merger is None or source._merger.out.data is not None
    assert source._merger is not None
    assert len(source._merger.out.data) == 1  # no block was ever made to copy to
    assert any(owners)


def test_overlap_of_many_batches() -> None:
    """Long captures whose frames alternate are merged whole, whatever the sizes of batches and buffers."""
    parts = [numbered(20_000, size=64, start_ns=10**9 + offset, step_ns=3) for offset in (0, 1, 2)]
    with merged(*(pcap(part) for part in parts)) as source:
        found = rows(source)
    assert [row.ts_ns for row in found] == list(range(10**9, 10**9 + 60_000))
    assert [row.interface for row in found] == [0, 1, 2] * 20_000
    assert found[-1].octets == parts[2][-1].octets


def test_one_inside_the_other() -> None:
    """A short capture inside the time of a long one lands where it belongs."""
    long, short = numbered(9_000, step_ns=10), numbered(3, start_ns=1_700_000_000 * 10**9 + 45_005, step_ns=10)
    with merged(pcap(long), pcapng(short)) as source:
        found = rows(source)
    assert [row.interface for row in found[4501:4507]] == [1, 0, 1, 0, 1, 0]
    assert len(found) == 9_003


def test_large_frame_in_an_overlap() -> None:
    """A frame larger than the block that overlaps are copied to makes it grow."""
    large = Frame(5, bytes(700_000), 700_000)
    usb = [pcap([Frame(1, b"a", 1), large, Frame(9, b"b", 1)], linktype=189)]
    with merged(*usb, pcap([Frame(2, b"c", 1), Frame(6, b"d", 1), Frame(7, b"e", 1)])) as source:
        assert [(row.ts_ns, len(row.octets)) for row in rows(source)] == [
            (1, 1),
            (2, 1),
            (5, 700_000),
            (6, 1),
            (7, 1),
            (9, 1),
        ]


def test_damage_of_one() -> None:
    """The damage of one capture ends that one only, and each keeps its own."""
    first, second = numbered(10), numbered(10)
    source = merged(pcap(first)[:-1], pcap(second))
    assert len(rows(source)) == 19
    assert source.damage is not None
    assert source.damage is source.sources[0].damage
    assert source.sources[1].damage is None
    assert source.read_batch() is None


def test_counts() -> None:
    """Octets, sizes and drops of all sources are told together."""
    octets = pcap(numbered(2))
    source = merged(octets, octets)
    assert rows(source)
    assert source.bytes_read == 2 * len(octets)
    assert source.size is None
    assert source.drops == []
    assert len(source.interfaces) == 2


def test_nothing_to_merge() -> None:
    """Captures without frames, and no captures, merge to nothing."""
    assert rows(merged(pcap([]), pcapng([]))) == []
    assert rows(merge_sources([])) == []
    assert merge_sources([]).interfaces == []


def test_sizes_of_files(tmp_path: Any) -> None:
    """The sizes of files add up, and many files stay small while they wait for their turn."""
    opened: list[Source] = []
    for number in range(20):
        path = tmp_path / f"cap.pcap{number}"
        path.write_bytes(pcap(numbered(500, start_ns=number * 10**9)))
        opened.append(open_source(path))
    with merge_sources(reversed(opened)) as source:
        assert source.size == sum(one.size or 0 for one in opened)
        assert all(len(one._data) <= 16_384 for one in opened)
        found = rows(source)
        assert [row.ts_ns for row in found] == sorted(row.ts_ns for row in found)
        assert len(found) == 10_000


def test_merged_pipes_are_prompt() -> None:
    """Of two open pipes, what is certain to come first is delivered before more is waited for."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as inlet, os.fdopen(writer, "wb", buffering=0) as outlet:
        outlet.write(pcap([Frame(1, b"a", 1), Frame(5, b"b", 1)]))
        piped = open_source(cast("io.BytesIO", inlet))
        other = open_source(io.BytesIO(pcap([Frame(3, b"c", 1), Frame(9, b"d", 1)])))
        source = merge_sources([piped, other])
        batch = source.read_batch()
        assert batch is not None
        assert [batch.ts_ns[row] for row in range(batch.count)] == [1, 3, 5]
