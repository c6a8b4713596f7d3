"""Sends the frames of a capture on an interface, at a rate or at the capture's own pace: a process of its own.

`python sending.py INTERFACE CAPTURE…` maps the captures (classic pcap, little-endian, Ethernet), answers `ready`, then
takes one JSON object a line and answers each with another:

- `{"rate": 200000, "first": 0, "frames": 100000}`: so many frames a second, evenly; rate 0: as fast as it goes
- `{"pace": 1.0}`: by the capture's time stamps, 2.0 twice as fast

The answer: `sent` frames, `seconds` it took, `late` the longest that a frame was sent behind its time, seconds. Frames
are never copied: `sendmmsg` reads them where they are mapped. It imports the standard library alone.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import struct
import sys
import time
from array import array
from collections.abc import Sequence

_MESSAGE = struct.Struct("=QIxxxxQQQQIxxxxIxxxx")  # struct mmsghdr of a 64-bit system
_VECTOR = struct.Struct("=QQ")
_RECORD = struct.Struct("<IIII")
_NANOSECONDS = 0xA1B23C4D
_MICROSECONDS = 0xA1B2C3D4
_MOST = 64  # frames of a call
_PACKET, _QDISC_BYPASS = 263, 20
_NAP_S = 0.0005


class Frames:
    """The frames of a capture, as the kernel takes them; `times` in nanoseconds from the first."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:  # noqa: PTH123 - no path object needed
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        octets = (ctypes.c_char * len(self._map)).from_buffer(self._map)
        base = ctypes.addressof(octets)
        magic = struct.unpack_from("<I", self._map)[0]
        if magic not in (_NANOSECONDS, _MICROSECONDS):
            raise SystemExit(f"{path} is no classic pcap file of a little-endian machine")
        unit = 1 if magic == _NANOSECONDS else 1000
        vectors, times, sizes = bytearray(), array("q"), 0
        at, end = 24, len(self._map)
        while at + 16 <= end:
            seconds, fraction, captured, _ = _RECORD.unpack_from(self._map, at)
            at += 16
            vectors += _VECTOR.pack(base + at, captured)
            times.append(seconds * 1_000_000_000 + fraction * unit)
            sizes += captured
            at += captured
        self.count, self.octets = len(times), sizes
        self._vectors = (ctypes.c_char * len(vectors)).from_buffer(vectors)
        start = ctypes.addressof(self._vectors)
        messages = bytearray()
        for row in range(self.count):
            messages += _MESSAGE.pack(0, 0, start + row * _VECTOR.size, 1, 0, 0, 0, 0)
        self._messages = (ctypes.c_char * len(messages)).from_buffer(messages)
        self.start = ctypes.addressof(self._messages)
        self.times = array("q", [one - times[0] for one in times])


class Sender:
    """A packet socket that sends on `interface`, past its queue."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(_PACKET, _QDISC_BYPASS, 1)
        self._socket.bind((interface, 0))
        self._call = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        self._number = self._socket.fileno()

    def send(self, frames: Frames, first: int, count: int) -> None:
        """Send `count` frames from `first` on."""
        while count:
            done = self._call(self._number, frames.start + first * _MESSAGE.size, min(count, _MOST), 0)
            if done < 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
            first += done
            count -= done

    def at_rate(self, frames: Frames, first: int, count: int, rate: float) -> float:
        """Send at `rate` frames a second (0: at once); return the longest delay in seconds."""
        if not rate:
            self.send(frames, first, count)
            return 0.0
        began, sent, late = time.perf_counter(), 0, 0.0
        while sent < count:
            passed = time.perf_counter() - began
            due = min(count, int(passed * rate) + 1)
            if due > sent:
                late = max(late, passed - sent / rate)
                due = min(due, sent + 16 * _MOST)
                self.send(frames, first + sent, due - sent)
                sent = due
            else:
                time.sleep(min(_NAP_S, 1 / rate))
        return late

    def at_pace(self, frames: Frames, pace: float) -> float:
        """Send by the frames' own times, `pace` times as fast; return the longest delay in seconds."""
        began, sent, late, times, count = time.perf_counter(), 0, 0.0, frames.times, frames.count
        while sent < count:
            passed = int((time.perf_counter() - began) * pace * 1e9)
            to = sent
            while to < count and times[to] <= passed and to - sent < _MOST:
                to += 1
            if to > sent:
                late = max(late, (passed - times[sent]) / pace / 1e9)
                self.send(frames, sent, to - sent)
                sent = to
            else:
                time.sleep(min(_NAP_S, (times[sent] - passed) / pace / 1e9))
        return late


def main(words: Sequence[str]) -> int:
    """Serve until the input ends."""
    interface, *paths = words
    sender = Sender(interface)
    loaded = {path: Frames(path) for path in paths}
    print(json.dumps({"ready": {path: [one.count, one.octets] for path, one in loaded.items()}}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        frames = loaded[order.get("capture", paths[0])]
        first = order.get("first", 0)
        count = min(order.get("frames", frames.count), frames.count - first)
        began = time.perf_counter()
        if "pace" in order:
            first, count = 0, frames.count
            late = sender.at_pace(frames, order["pace"])
        else:
            late = sender.at_rate(frames, first, count, order.get("rate", 0))
        seconds = time.perf_counter() - began
        print(json.dumps({"sent": count, "seconds": round(seconds, 4), "late": round(late, 4)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
