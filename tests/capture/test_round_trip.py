"""What is written is what is read, in every format and however the octets arrive."""

from __future__ import annotations

import io
from typing import cast

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.octets import (
    SECOND,
    Frame,
    Pieces,
    expected,
    frames_of_any_kind,
    numbered,
    pcap,
    pcapng,
    read,
    rows,
)
from wire502.capture import PcapngWriter, open_source
from wire502.capture.source import BATCH_ROWS


@given(frames_of_any_kind, st.booleans(), st.booleans())
def test_pcap(frames: list[Frame], nanoseconds: bool, big: bool) -> None:
    """A pcap file gives back its frames, to the microsecond or nanosecond, in either byte order."""
    found, damage = read(pcap(frames, nanoseconds=nanoseconds, big=big))
    assert found == expected(frames, 1 if nanoseconds else 1000)
    assert damage is None


@given(frames_of_any_kind, st.booleans())
def test_twins(frames: list[Frame], big: bool) -> None:
    """The same frames give the same rows as pcap and as pcapng."""
    assert read(pcapng(frames, big=big)) == read(pcap(frames))


@given(
    st.lists(st.integers(0, 2**34 * SECOND), max_size=20),
    st.sampled_from([*range(13), *range(0x80, 0x80 + 41)]),
    st.sampled_from([0, 1, -3600, 1_700_000_000]),
    st.booleans(),
)
def test_resolution(times: list[int], resolution: int, offset_s: int, big: bool) -> None:
    """A time stamp in any resolution, with any offset, is the last nanosecond not behind the tick it was written as."""
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    frames = [Frame(max(offset_s, 0) * SECOND + ns, b"x", 1) for ns in times]
    # The exponent decides how many ticks 64 bits can hold.
    frames = [frame for frame in frames if (frame.ts_ns - offset_s * SECOND) * units // SECOND < 2**64 - 1]
    found, damage = read(pcapng(frames, big=big, resolution=resolution, offset_s=offset_s))
    assert damage is None
    for frame, row in zip(frames, found, strict=True):
        want = min(frame.ts_ns, 1 << 62)  # the end of time, see pcapng_cy.FAR_NS
        if units >= SECOND:
            assert row.ts_ns == want
        else:
            assert row.ts_ns <= want < row.ts_ns + -(-SECOND // units) + 1


@given(frames_of_any_kind, st.lists(st.integers(1, 200), min_size=1, max_size=20), st.booleans())
def test_pieces(frames: list[Frame], sizes: list[int], as_pcapng: bool) -> None:
    """However a stream cuts its octets, the frames are the same."""
    octets = pcapng(frames) if as_pcapng else pcap(frames)
    with open_source(cast("io.BytesIO", Pieces(octets, sizes))) as source:
        assert rows(source) == expected(frames)
        assert source.damage is None


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_large_records(make: object) -> None:
    """Records larger than the buffer are read, whatever stands around them."""
    sizes = (60, 200_000, 0, 16_368, 16_384, 262_144, 4, 100_000)
    frames = [Frame(index, bytes([index]) * size, size) for index, size in enumerate(sizes)]
    octets = make(frames)  # type: ignore[operator]
    for pieces in ([10_000], [len(octets)], [70_001, 1]):
        with open_source(cast("io.BytesIO", Pieces(octets, pieces)), buffer_size=16_384) as source:
            assert rows(source) == expected(frames)


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_more_frames_than_a_batch_holds(make: object) -> None:
    """Frames beyond the capacity of a batch come in the next one, none lost and none twice."""
    frames = numbered(3 * BATCH_ROWS + 7, size=4)
    assert read(make(frames)) == (expected(frames), None)  # type: ignore[operator]


def test_interfaces() -> None:
    """Each interface keeps its link type, name, snap length and clock, and each frame its interface and direction."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream, comments=["whole"], application="test")
    writer.interface(1, name="eth0", snaplen=96, resolution=6)
    writer.interface(276, name="any", comment="all of them")
    writer.write(1, 5, b"abc", direction=2, comments=["first", "second"])
    writer.write(0, 7000, b"defgh", 90, direction=1)
    writer.write(0, 8000, b"")
    with open_source(io.BytesIO(stream.getvalue()), file=4, interfaces=[]) as source:
        found = rows(source)
        assert [tuple(row) for row in found] == [
            (1, 5, b"abc", 3, 1, 2),
            (2, 7000, b"defgh", 90, 0, 1),
            (3, 8000, b"", 0, 0, 0),
        ]
        first, second = source.interfaces
        assert (first.index, first.file, first.linktype, first.name, first.snaplen) == (0, 4, 1, "eth0", 96)
        assert (first.nanoseconds, second.nanoseconds) == (False, True)
        assert (second.index, second.linktype, second.name, second.snaplen) == (1, 276, "any", 0)
        assert [tuple(comment) for comment in source.comments] == [
            ("section", 0, "whole"),
            ("interface", 1, "all of them"),
            ("frame", 1, "first"),
            ("frame", 1, "second"),
        ]


def test_shared_interfaces() -> None:
    """Sources that share a list of interfaces number them through."""
    shared: list[object] = []
    first = open_source(io.BytesIO(pcap(numbered(1))), file=0, interfaces=shared)  # type: ignore[arg-type]
    second = open_source(io.BytesIO(pcap(numbered(1), linktype=113)), file=1, interfaces=shared)  # type: ignore[arg-type]
    assert [row.interface for row in rows(first) + rows(second)] == [0, 1]
    assert [(one.index, one.file, one.linktype) for one in second.interfaces] == [(0, 0, 1), (1, 1, 113)]


@given(frames_of_any_kind, st.booleans())
def test_dpkt_reads_what_is_written(frames: list[Frame], big: bool) -> None:
    """Another reader finds the same frames in what the writers write."""
    plain = [(frame.ts_ns // 1000, frame.octets) for frame in frames]
    written = dpkt.pcap.Reader(io.BytesIO(pcap(frames, nanoseconds=False, big=big)))
    assert [(round(ts * 1_000_000), octets) for ts, octets in written] == plain
    sections = dpkt.pcapng.Reader(io.BytesIO(pcapng(frames, resolution=6, big=big)))
    # dpkt computes in floating point
    assert all(
        abs(ts - want / 1_000_000) < 1e-5 and octets == held
        for (ts, octets), (want, held) in zip(sections, plain, strict=True)
    )
