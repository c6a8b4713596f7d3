"""The packet stage: batches in, segments out. Hides that fragments take another way than all other frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from wire502.model.capture_info import Interface, RareFrame
from wire502.model.frames_cy import LANE_SHIFT, Batch, Segments
from wire502.packet.decode_cy import Decoder
from wire502.packet.fragments_cy import Reassembler

_ROWS = 4096
_RAW_IP = 101  # LINKTYPE_RAW: what a datagram looks like that was put together
_MOST_NESTING = 4  # tunnels whose outer and inner packets are both fragmented, and so on


class PacketStage:
    """Turns batches into segments; what it counts covers all batches that it saw.

    | counter | meaning |
    |---|---|
    | frames, octets | all frames, and their octets on the wire |
    | latest_ns | the latest time stamp |
    | decoded, rare | segments and rare frames that came out, datagrams included |
    | fragments | frames that are a fragment |
    | fragments_dropped, fragments_overlapping | see ``Reassembler`` |
    | fragments_pending | datagrams that still wait for a fragment |
    | unsupported | {link type: frames} of link types that are not read |
    | malformed, cut, non_tcp | see ``Decoder``; a datagram that was put together counts like a frame |
    """

    def __init__(self, rows: int = _ROWS) -> None:
        self._decoder = Decoder(rows)
        self._segments = Segments(rows)
        self._reassembler = self._decoder.reassembler = Reassembler()
        # A reassembled datagram is a capture of one frame, read by a decoder of its own so that no frame counts twice.
        self._datagrams = Decoder(1)
        self._single = Segments(1)
        self._whole = Batch(1)
        self._whole.interfaces = [Interface(0, 0, _RAW_IP)]

    def segments(self, batch: Batch) -> Iterator[Segments]:
        """Yield the segments of *batch* in capture order, in portions with at least one segment or rare frame each.

        A portion is overwritten by the next one: consume it first. A segment that came in fragments stands in a
        portion of its own and has frame number, time and interface of the fragment that completed it.
        """
        decoder, segments = self._decoder, self._segments
        row = 0
        while row < batch.count:
            row = decoder.decode(batch, row, segments)
            if segments.count or segments.rare:
                yield segments
            if decoder.fragment is not None:
                yield from self._put_together(batch, row)
                row += 1

    def _put_together(self, batch: Batch, row: int) -> Iterator[Segments]:
        """Yield what the datagram holds that the fragment at *row* completed."""
        decoder: Decoder = self._decoder
        frame, ts_ns, interface = batch.frame[row], batch.ts_ns[row], batch.interface[row]
        whole, single = self._whole, self._single
        datagram = decoder.datagram
        for _ in range(_MOST_NESTING):
            lane = decoder.fragment_lane
            if datagram is None:
                return
            whole.count = 1
            whole.data = memoryview(bytearray(datagram.octets))
            whole.frame[0], whole.ts_ns[0] = frame, ts_ns
            whole.captured[0], whole.length[0] = len(datagram.octets), datagram.length
            whole.direction[0] = decoder.fragment_direction
            decoder = self._datagrams
            decoder.decode(whole, 0, single)
            if single.count or single.rare:
                single.interface[0] = interface  # that of the fragments, not of the capture of one frame
                if single.count and not single.flags[0] >> LANE_SHIFT:
                    single.flags[0] |= lane
                for record in single.rare:
                    cast(RareFrame, record).interface = interface
                yield single
            packet = decoder.fragment
            if packet is None:
                return
            datagram = self._reassembler.add(
                packet,
                decoder.fragment_header,
                decoder.fragment_length,
                ts_ns,
                interface | decoder.fragment_lane << 14,
            )

    @property
    def frames(self) -> int:
        """Frames seen."""
        return self._decoder.frames

    @property
    def octets(self) -> int:
        """Octets that these frames had on the wire."""
        return self._decoder.octets

    @property
    def latest_ns(self) -> int | None:
        """The latest time stamp of all frames seen, wherever in the capture it stands; None before the first."""
        return self._decoder.latest_ns if self._decoder.frames else None

    @property
    def decoded(self) -> int:
        """Segments that came out."""
        return self._decoder.segments + self._datagrams.segments

    @property
    def rare(self) -> int:
        """Rare frames that came out."""
        return self._decoder.rare + self._datagrams.rare

    @property
    def fragments(self) -> int:
        """Frames that are a fragment."""
        return self._decoder.fragments

    @property
    def fragments_dropped(self) -> int:
        """Fragments that will be in no datagram."""
        return self._reassembler.dropped

    @property
    def fragments_overlapping(self) -> int:
        """Fragments that repeat octets already there, other than as an exact copy."""
        return self._reassembler.overlapping

    @property
    def fragments_pending(self) -> int:
        """Datagrams that wait for a fragment; at the end of a capture they were never completed."""
        return self._reassembler.pending

    @property
    def unsupported(self) -> dict[int, int]:
        """Frames of each link type that is not read; ``linktypes.linktype_name`` has the names."""
        return self._decoder.unsupported

    @property
    def malformed(self) -> int:
        """Frames that contradict themselves."""
        return self._decoder.malformed + self._datagrams.malformed

    @property
    def cut(self) -> int:
        """Frames that the capture cut before their TCP header was there."""
        return self._decoder.cut + self._datagrams.cut

    @property
    def non_tcp(self) -> int:
        """Frames without TCP, as far as they were read."""
        return self._decoder.non_tcp + self._datagrams.non_tcp
