"""A capture file from many connections at once: records, the order of time, frame numbers for the truth.

Each connection is a generator that adds frames to `Capture.pending` and yields the time at which it goes on. Whatever
is older than the earliest of these times is sorted and written, so memory is bounded by what the live connections have
said since, not by the length of the capture.
"""

from __future__ import annotations

import bisect
import heapq
import random
import struct
from collections.abc import Callable, Iterator
from typing import IO, Any

from .profiles import Profile
from .wire import octet_sum

START_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
_BATCH = 4096  # frames that are sorted and written together
_POOL_LIMIT = 16 << 20  # octets of body text; more than zstd's window remembers, so that captures compress as real ones

# what the truth is told about a frame once its number is known: (record, keys)
Mark = tuple[dict[str, Any], tuple[str, ...]]
Talk = Iterator[int]


class Capture:
    """A capture being made: the random numbers, the body text, the clockwork and the file."""

    def __init__(
        self, out: IO[bytes], profile: Profile, frames: int, seed: int,
        *, nanos: bool = False, pcapng: bool = False, snaplen: int = 262144, mss: int = 1448,
    ) -> None:  # fmt: skip
        self.out = out
        self.profile = profile
        self.frames = frames
        self.rng = random.Random(f"{profile.name}/{seed}")
        self.mss = mss
        self.pending: list[tuple[int, int, bytes, Mark | None]] = []
        self.written = 0
        self.octets = 0
        self.serial = 0
        self.live = 0
        self.started = 0
        self.finished = 0
        self.failures: list[dict[str, Any]] = []
        self.counts = {"exchanges": 0, "data_segments": 0, "lost": 0, "reordered": 0, "look_alikes": 0}
        self.until_impaired = 100
        self.record = _pcapng_record(nanos, snaplen) if pcapng else _pcap_record(nanos, snaplen)
        out.write(_pcapng_header(nanos, snaplen) if pcapng else _pcap_header(nanos, snaplen))
        size = max(1 << 20, min(_POOL_LIMIT, frames * 16)) // mss * mss + mss
        text = self.rng.randbytes(size // 2 + 1).hex().encode()
        self.pieces = [(text[at : at + mss], octet_sum(text[at : at + mss])) for at in range(0, size - mss, mss)]

    def add(self, now_ns: int, frame: bytes, mark: Mark | None) -> None:
        """Put a frame where its time stamp says; `mark` learns its number."""
        self.serial += 1
        self.pending.append((now_ns, self.serial, self.record(now_ns, frame), mark))

    def run(self, start: Callable[[Capture, int, int], Talk]) -> None:
        """Start connections with `start(self, ordinal, time)` until there are enough frames; finish all of them."""
        heap: list[tuple[int, int, Talk]] = []
        spread = self.profile.spread_ns
        now = START_NS
        while self._wanted():
            self._begin(heap, start, START_NS + self.rng.randrange(spread))
        while heap:
            now, ordinal, talk = heap[0]
            later = next(talk, None)
            if later is None:
                heapq.heappop(heap)
                self.finished += 1
            else:
                heapq.heapreplace(heap, (later, ordinal, talk))
            while self._wanted():
                self._begin(heap, start, now + self.rng.randrange(2_000_000))
            if len(self.pending) >= _BATCH and heap:
                self._flush(heap[0][0])
        self._flush(None)

    def park(self) -> None:
        """A connection ended, or only waits from here on: another one may take its place."""
        self.live -= 1

    def _wanted(self) -> bool:
        if self.live >= self.profile.concurrency or self.started >= self.profile.most:
            return False
        if self.profile.leave_open:
            return True
        so_far = self.written + len(self.pending)
        each = so_far / (self.finished + 1) if self.finished > self.profile.concurrency else self.profile.frames_each
        return so_far + each * self.live * 0.5 < self.frames

    def _begin(self, heap: list[tuple[int, int, Talk]], start: Callable[[Capture, int, int], Talk], at: int) -> None:
        self.live += 1
        self.started += 1
        heapq.heappush(heap, (at, self.started, start(self, self.started - 1, at)))

    def _flush(self, before: int | None) -> None:
        pending = self.pending
        pending.sort()  # time, then serial: no two are equal, so the octets are never compared
        cut = len(pending) if before is None else bisect.bisect_left(pending, before, key=_time)
        ready = pending[:cut]
        del pending[:cut]
        for number, item in enumerate(ready, self.written + 1):
            if item[3] is not None:
                for key in item[3][1]:
                    item[3][0][key] = number
        self.written += len(ready)
        octets = b"".join([item[2] for item in ready])
        self.octets += len(octets)
        self.out.write(octets)


def _time(item: tuple[int, int, bytes, Mark | None]) -> int:
    return item[0]


def _pcap_header(nanos: bool, snaplen: int) -> bytes:
    return struct.pack("<IHHiIII", 0xA1B23C4D if nanos else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1)


def _pcap_record(nanos: bool, snaplen: int) -> Callable[[int, bytes], bytes]:
    pack = struct.Struct("<IIII").pack
    unit = 1 if nanos else 1000

    def record(now_ns: int, frame: bytes) -> bytes:
        seconds, rest = divmod(now_ns, 1_000_000_000)
        size = len(frame)
        if size > snaplen:
            return pack(seconds, rest // unit, snaplen, size) + frame[:snaplen]
        return pack(seconds, rest // unit, size, size) + frame

    return record


def _pcapng_header(nanos: bool, snaplen: int) -> bytes:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    options = struct.pack("<HHB3xHH", 9, 1, 9 if nanos else 6, 0, 0)
    size = 20 + len(options)
    return section + struct.pack("<IIHHI", 1, size, 1, 0, snaplen) + options + struct.pack("<I", size)


def _pcapng_record(nanos: bool, snaplen: int) -> Callable[[int, bytes], bytes]:
    pack = struct.Struct("<IIIIIII").pack
    unit = 1 if nanos else 1000

    def record(now_ns: int, frame: bytes) -> bytes:
        stamp = now_ns // unit
        kept = frame[:snaplen]
        padding = -len(kept) % 4
        size = 32 + len(kept) + padding
        head = pack(6, size, 0, stamp >> 32, stamp & 0xFFFFFFFF, len(kept), len(frame))
        return head + kept + bytes(padding) + size.to_bytes(4, "little")

    return record
