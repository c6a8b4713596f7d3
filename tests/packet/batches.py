"""Batches by hand and rows by name: what the tests of the packet stage put in and look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wire502.model.capture_info import Interface, RareFrame
from wire502.model.frames_cy import LANE_SHIFT, Batch, Segments
from wire502.packet import PacketStage

ETHERNET = 1
COLUMNS = (
    *("frame", "ts_ns", "interface", "source_high", "source_low", "target_high", "target_low", "ports", "seq", "ack"),
    *("flags", "window", "start", "length", "captured", "ttl", "ip_id", "ts_value", "mss", "scale"),
)


@dataclass(frozen=True)
class Captured:
    """One frame as captured; ``length`` is what it was on the wire, by default all of it."""

    octets: bytes
    linktype: int = ETHERNET
    length: int | None = None
    direction: int = 0


def batch_of(frames: Sequence[Captured | bytes], slack: bytes = b"") -> Batch:
    """Return a batch of *frames*, each followed by *slack*, which no decoder may look at."""
    batch = Batch(max(1, len(frames)))
    links: dict[int, int] = {}
    block = bytearray(b"\xee" * 3)
    for row, given in enumerate(frames):
        frame = given if isinstance(given, Captured) else Captured(given)
        batch.frame[row] = row + 1
        batch.ts_ns[row] = 1_000_000_000 + row * 1000
        batch.start[row] = len(block)
        batch.captured[row] = len(frame.octets)
        batch.length[row] = len(frame.octets) if frame.length is None else frame.length
        batch.interface[row] = links.setdefault(frame.linktype, len(links))
        batch.direction[row] = frame.direction
        block += frame.octets + slack
    batch.interfaces = [Interface(index, 0, link) for link, index in links.items()]
    batch.data = memoryview(block)
    batch.count = len(frames)
    return batch


def rows_of(segments: Segments) -> list[dict[str, Any]]:
    """Return each row as {column: value}, with the captured payload as ``payload``, the lane apart from the flags."""
    rows = []
    data = bytes(segments.data)
    for row in range(segments.count):
        values: dict[str, Any] = {name: getattr(segments, name)[row] for name in COLUMNS}
        values["lane"] = values["flags"] >> LANE_SHIFT
        values["flags"] &= (1 << LANE_SHIFT) - 1
        values["payload"] = data[values["start"] : values["start"] + values["captured"]]
        rows.append(values)
    return rows


@dataclass
class Decoded:
    """What came out of the stage: rows, rare frames, and the stage for its counters."""

    rows: list[dict[str, Any]]
    rare: list[RareFrame]
    stage: PacketStage


def decode(
    frames: Sequence[Captured | bytes], slack: bytes = b"", rows: int = 4096, stage: PacketStage | None = None
) -> Decoded:
    """Return what the packet stage makes of *frames*."""
    stage = stage or PacketStage(rows)
    decoded = Decoded([], [], stage)
    for segments in stage.segments(batch_of(frames, slack)):
        assert segments.count <= rows
        assert segments.count or segments.rare, "an empty portion"
        for record in segments.rare:
            assert isinstance(record, RareFrame)
            decoded.rare.append(record)
        decoded.rows += rows_of(segments)
    return decoded


def one(frame: Captured | bytes) -> dict[str, Any]:
    """Return the only row that *frame* gives."""
    decoded = decode([frame])
    assert len(decoded.rows) == 1, vars(decoded.stage)
    assert not decoded.rare
    return decoded.rows[0]


def accounted(stage: PacketStage) -> int:
    """Return how many frames the counters of the first decoder account for."""
    first = stage._decoder
    return (
        first.segments
        + first.rare
        + first.fragments
        + first.non_tcp
        + first.malformed
        + first.cut
        + sum(first.unsupported.values())
    )
