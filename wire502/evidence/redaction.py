"""Overwrites the secrets in a slice, in place and at equal length.

What is secret is decided on the stream of each direction (``http_masks``), so that a secret is gone from every copy of
every segment that holds a piece of it. Frames that are no segment of TCP lose what may be payload. A checksum that was
right is right again; one that was not, or that cannot be checked since the frame is cut, stays as it was.

Memory: the octets of the longest direction, at most ``_MOST_STREAM``; what lies beyond is overwritten whole.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Iterator
from struct import pack
from typing import cast

from wire502.capture import open_source
from wire502.evidence.checksums import checksum, is_right, mend, pseudo
from wire502.evidence.http_masks import Masker, Values
from wire502.evidence.layers import SUPPORTED, layout
from wire502.evidence.secrets import Secrets
from wire502.evidence.selection import End
from wire502.evidence.slices import Slice
from wire502.model.capture_info import Interface, RareFrame
from wire502.model.frames_cy import ACK, IPV6, SYN, Batch, PlainRow, Segments
from wire502.model.records import field, record
from wire502.packet import PacketStage

_MOST_STREAM = 256 << 20
_FCS = 4  # octets that may follow a packet and say nothing
_IP_HEADER = 20  # what stays of a frame of a link type that is not known here

_LEAST_TCP = 20
_MASKED_OCTET = 0x78

Key = tuple[tuple[int, int, int], tuple[int, int, int]]  # sender, receiver


@record()
class Segment:
    """One segment of TCP: *rel* is the offset of its payload in the stream; places count octets of the slice."""

    rel: int
    start: int
    captured: int
    length: int
    row: int
    seq: int
    ipv6: bool


@record()
class Stream:
    """One direction of a connection; offset 0 is *base*, the sequence number behind the SYN."""

    base: int
    whole: bool
    sender: tuple[int, int, int]
    receiver: tuple[int, int, int]
    last: int = 0
    segments: list[Segment] = field(default_factory=list)
    asked: list[bytes] | None = None
    peer: Stream | None = None

    def offset(self, seq: int) -> int:
        """Return where *seq* stands in the stream, beyond 4 GiB too (RFC 9293 section 3.4)."""
        ahead = (seq - self.base - self.last + 0x80000000) % 0x100000000 - 0x80000000
        self.last += ahead
        return self.last


@record()
class Payload:
    """Octets *low* to *high* of frame *row* that are overwritten as they stand: payload outside of any stream."""

    row: int
    linktype: int
    low: int
    high: int


def redact(made: Slice, secrets: Secrets | None = None) -> None:
    """Overwrite the *secrets* (all that are known as such) of *made*."""
    secrets = secrets or Secrets()
    if not made.places:
        return
    made.stream.flush()
    streams, foreign = streams_of(made)
    values = Values()
    with mmap.mmap(made.stream.fileno(), 0) as octets:
        # requests first: what a response's framing means depends on what was asked
        for stream in sorted(streams, key=lambda stream: _begins_with(octets, stream, b"HTTP/")):
            _redact_stream(octets, made, stream, values, secrets)
        for place in foreign:
            _clear(octets, made, place)
        octets.flush()


def _clear(octets: mmap.mmap, made: Slice, place: Payload) -> None:
    """Overwrite payload; the checksums around it stay right."""
    start, size = made.starts[place.row], made.sizes[place.row]
    was = octets[start : start + size]
    now = bytearray(was)
    now[place.low : place.high] = bytes(max(place.high - place.low, 0))
    for one in reversed(layout(was, place.linktype, size).sums):
        mend(one, was, now)
    octets[start : start + size] = now


def streams_of(made: Slice) -> tuple[list[Stream], list[Payload]]:
    """Return the streams of *made*, each direction of each connection, and the payload that is in none."""
    return _Collector(made).run()


def _begins_with(octets: mmap.mmap, stream: Stream, prefix: bytes) -> bool:
    full = [one for one in stream.segments if one.captured]
    first = min(full, key=lambda one: one.rel, default=None)
    return first is not None and octets[first.start : first.start + len(prefix)] == prefix


class Joined:
    """The octets of one direction in order, each once; ``find`` leads from a stream offset into them."""

    def __init__(self, octets: mmap.mmap, stream: Stream) -> None:
        self.octets = bytearray()
        self.holes: list[tuple[int, int]] = []
        self.begins: list[int] = []
        self._offsets: list[int] = []  # stream offset of each piece
        pieces = sorted((one for one in stream.segments if one.captured), key=lambda one: one.rel)
        edge = 0 if stream.whole or not pieces else pieces[0].rel
        for one in pieces:
            skip = max(edge - one.rel, 0)
            if one.captured <= skip:
                continue
            if len(self.octets) + one.captured - skip > _MOST_STREAM:
                break
            at = one.rel + skip
            if at > edge:
                self.holes.append((len(self.octets), at - edge))
            self._offsets.append(at)
            self.begins.append(len(self.octets))
            self.octets += octets[one.start + skip : one.start + one.captured]
            edge = one.rel + one.captured
        self.whole = stream.whole and not (self.holes and self.holes[0][0] == 0)

    def spans(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Yield (stream offset, index into ``octets``, count) for what is known of stream offsets *low* to *high*."""
        for piece in range(max(bisect_right(self._offsets, low) - 1, 0), len(self._offsets)):
            offset, begin = self._offsets[piece], self.begins[piece]
            if offset >= high:
                return
            end = self.begins[piece + 1] if piece + 1 < len(self.begins) else len(self.octets)
            first, last = max(low, offset), min(high, offset + end - begin)
            if first < last:
                yield first, begin + first - offset, last - first


def _redact_stream(octets: mmap.mmap, made: Slice, stream: Stream, values: Values, secrets: Secrets) -> None:
    joined = Joined(octets, stream)
    known = stream.peer is not None and stream.peer.whole and stream.whole and stream.peer.asked is not None
    methods = stream.peer.asked if known and stream.peer is not None else None
    masker = Masker(
        bytes(joined.octets), joined.holes, joined.begins, values, whole=joined.whole, methods=methods, secrets=secrets
    )
    masked = masker.run()
    stream.asked = masker.asked if masker.sure else None
    overlay(octets, made, stream, joined, masked)


def overlay(octets: mmap.mmap, made: Slice, stream: Stream, joined: Joined, masked: bytearray) -> None:
    """Write *masked*, as long as *joined*, over every copy of every segment of *stream*."""
    for one in stream.segments:
        _clear_trailer(octets, made, one)
        if not one.captured:
            continue
        was = octets[one.start : one.start + one.captured]
        now = bytearray(b"x" * one.captured)  # beyond what was kept in memory
        for offset, index, count in joined.spans(one.rel, one.rel + one.captured):
            low = offset - one.rel
            if was[low : low + count] == joined.octets[index : index + count]:
                now[low : low + count] = masked[index : index + count]
                continue
            for step in range(count):  # a copy that says something else than the one before
                same = was[low + step] == joined.octets[index + step]
                now[low + step] = masked[index + step] if same else _MASKED_OCTET
        if now != was:
            _rewrite(octets, stream, one, bytes(now))


def _rewrite(octets: mmap.mmap, stream: Stream, one: Segment, now: bytes) -> None:
    """Put *now* in the place of a segment's payload, with the right checksum if it had it."""
    tcp = _tcp_header(octets, stream, one)
    right = False
    start = pseudo(stream.sender[:2], stream.receiver[:2], one.start - tcp + one.length, ipv6=one.ipv6)
    if tcp >= 0 and one.captured == one.length:
        right = is_right(octets[tcp : one.start + one.captured], start)
    octets[one.start : one.start + one.captured] = now
    if right:
        octets[tcp + 16 : tcp + 18] = b"\0\0"
        octets[tcp + 16 : tcp + 18] = checksum(octets[tcp : one.start + one.captured], start).to_bytes(2, "big")


def _tcp_header(octets: mmap.mmap, stream: Stream, one: Segment) -> int:
    """Return where the TCP header of a segment begins, -1 if it is not found (RFC 9293 section 3.1)."""
    head = pack(">HHI", stream.sender[2], stream.receiver[2], one.seq)
    for size in range(20, 64, 4):
        at = one.start - size
        if at >= 0 and octets[at : at + 8] == head and octets[at + 12] >> 4 == size // 4:
            return at
    return -1


def _clear_trailer(octets: mmap.mmap, made: Slice, one: Segment) -> None:
    """Overwrite what stands behind the packet in its frame: it may hold what was in the sender's memory."""
    low, high = one.start + one.captured, made.starts[one.row] + made.sizes[one.row]
    if high - low > _FCS and one.captured == one.length:
        octets[low:high] = bytes(high - low)


class _Collector:
    """Finds the streams of a slice, and what stands in frames that belong to none."""

    def __init__(self, made: Slice) -> None:
        self._slice = made
        self._current: dict[Key, Stream] = {}
        self._streams: list[Stream] = []
        self._foreign: list[Payload] = []
        self._others: list[tuple[int, int]] = []  # row and link type of what is no segment
        # row, link type, ports and sequence number that an ICMP error quotes
        self._quotes: list[tuple[int, int, bytes]] = []

    def run(self) -> tuple[list[Stream], list[Payload]]:
        made = self._slice
        made.stream.seek(0)
        interfaces: list[Interface] = []
        source = open_source(made.stream, interfaces=interfaces)
        stage = PacketStage()
        while (batch := source.read_batch()) is not None:
            rows = dict(zip(memoryview(batch.frame)[: batch.count].tolist(), range(batch.count), strict=True))
            seen: set[int] = set()
            before = memoryview(batch.data)
            for segments in stage.segments(batch):
                # a datagram that was put together has octets of its own: its frames are not understood
                if memoryview(segments.data).nbytes == before.nbytes:
                    seen.update(self._portion(batch, segments, rows, interfaces))
            for frame, row in rows.items():
                if frame not in seen:
                    self._others.append((frame - 1, interfaces[batch.interface[row]].linktype))
        source.close()
        others, self._others = self._others, []
        for row, linktype in others:
            self._other(row, linktype)
        for row, linktype, head in self._quotes:
            self._quoted(row, linktype, head)
        return self._streams, self._foreign

    def _portion(
        self, batch: Batch, segments: Segments, rows: dict[int, int], interfaces: list[Interface]
    ) -> Iterator[int]:
        starts = self._slice.starts
        for row in range(segments.count):
            one = segments.at(row)
            frame, flags, seq = one.frame, one.flags, one.seq
            place = starts[frame - 1] + one.start - batch.start[rows[frame]]
            stream = self._stream(segments.ends(row), one)
            rel = stream.offset((seq + (1 if flags & SYN else 0)) & 0xFFFFFFFF)
            captured, length = one.captured, one.length
            stream.segments.append(Segment(rel, place, captured, length, frame - 1, seq, bool(flags & IPV6)))
            yield frame
        for rare in cast("list[RareFrame]", segments.rare):
            self._rare(rare, interfaces[rare.interface].linktype)
            yield rare.frame

    def _stream(self, key: tuple[End, End], one: PlainRow) -> Stream:
        opens = bool(one.flags & SYN)
        seq = one.seq
        base = (seq + 1) & 0xFFFFFFFF if opens else seq
        stream = self._current.get(key)
        if stream is None or (opens and (stream.base != base or not stream.whole)):
            stream = Stream(base, opens, key[0], key[1])
            peer = self._current.get((key[1], key[0]))
            if opens and not one.flags & ACK:
                self._current.pop((key[1], key[0]), None)  # of an earlier connection between the same ends
            elif peer is not None and peer.peer is None:
                stream.peer, peer.peer = peer, stream
            self._current[key] = stream
            self._streams.append(stream)
        return stream

    def _rare(self, record: RareFrame, linktype: int) -> None:
        """Overwrite the payload that an ICMP error quotes."""
        if record.quoted_source is not None:
            self._quotes.append((record.frame - 1, linktype, pack(">II", record.quoted_ports, record.quoted_seq)))

    def _quoted(self, row: int, linktype: int, head: bytes) -> None:
        frame = self._frame(row)
        quote = frame.find(head)
        if quote >= 0 and quote + 12 < len(frame):
            low = quote + max((frame[quote + 12] >> 4) * 4, _LEAST_TCP)
            if low < len(frame):
                self._foreign.append(Payload(row, linktype, low, len(frame)))

    def _other(self, row: int, linktype: int) -> None:
        """Overwrite what follows the headers of a frame that is no segment, or only a fragment of one."""
        size = self._slice.sizes[row]
        keep = _IP_HEADER
        if linktype in SUPPORTED:
            keep = layout(self._frame(row), linktype, size).headers
        self._foreign.append(Payload(row, linktype, min(keep, size), size))

    def _frame(self, row: int) -> bytes:
        self._slice.stream.seek(self._slice.starts[row])
        return self._slice.stream.read(self._slice.sizes[row])
