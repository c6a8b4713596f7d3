"""Frames of a packet ring (TPACKET_V3 of Linux), found in its blocks and read where they lie. Hot.

The kernel fills a block of the ring, hands it over, and does not touch it until it gets it back; so a ``Batch`` can
point into the ring and nothing is copied. Two things that the kernel keeps beside a frame are put back in front of it,
into the gap that the kernel leaves there: the VLAN tag that hardware took out, and, where an interface has no header
of its own or several are captured as one, the cooked header (LINKTYPE_LINUX_SLL2) that capture files have.

Layout, in octets, numbers in the host's order (linux/if_packet.h):

| of | what stands where |
|---|---|
| a block | 12 frames in it, 16 offset of the first |
| a frame's header | 0 offset of the next, 4 seconds, 8 nanoseconds, 12 captured, 16 length, 20 status, 24 offset of the
link header, 32 VLAN tag, 36 its protocol |
| its address, 48 on | 2 protocol (network order), 4 interface, 8 hardware, 10 packet type, 11 length, 12 address |
"""

from __future__ import annotations

import sys
from struct import Struct

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.wire502.model.frames_cy import Batch
else:
    from wire502.model.frames_cy import Batch

_HEADER = Struct("=6IH")
_COUNT_AND_FIRST = Struct("=II")

# Typed twins of the layout: a module constant is a Python object to the compiler.
HEADER = cython.declare(cython.Py_ssize_t, 48)
BLOCK_HEADER = cython.declare(cython.Py_ssize_t, 48)
ADDRESSED = cython.declare(cython.Py_ssize_t, 68)  # header and address: nothing may be written before its end
COOKED = cython.declare(cython.Py_ssize_t, 20)
TAG = cython.declare(cython.Py_ssize_t, 4)
VLAN_VALID = cython.declare(cython.uint, 0x10)
VLAN_PROTOCOL_VALID = cython.declare(cython.uint, 0x40)
OUTGOING = cython.declare(cython.int, 4)
OTHER_HOST = cython.declare(cython.int, 3)
# Position of the octets of a number, the highest first, in the host's order.
FLIP_4 = cython.declare(cython.Py_ssize_t, 3 if sys.byteorder == "little" else 0)
FLIP_2 = cython.declare(cython.Py_ssize_t, 1 if sys.byteorder == "little" else 0)


@cython.cclass
class BlockScanner:
    """Fills batches from the blocks of one ring, whose octets are the ``data`` of the batches.

    *cooked*: frames come without link header, and get one; *interface*: the index that every frame gets. ``begin``
    a block, then ``scan`` until ``left`` is 0. ``torn`` counts frames that reach out of their block: never, unless the
    kernel's layout is another one.
    """

    frame: int
    last_ns: int
    left: int
    torn: int
    at: int
    end: int
    cooked: bool
    interface: int

    def __init__(self, cooked: bool, interface: int) -> None:
        self.frame = 0
        self.last_ns = 0
        self.left = 0
        self.torn = 0
        self.at = self.end = 0
        self.cooked = cooked
        self.interface = interface

    def begin(self, data: memoryview, block: cython.Py_ssize_t, size: cython.Py_ssize_t) -> None:
        """Take the block of *size* octets at *block*, which the kernel has handed over."""
        count, first = _COUNT_AND_FIRST.unpack_from(data, block + 12)
        self.at = block + first
        self.end = block + size
        self.left = count if first >= BLOCK_HEADER else 0

    def scan(self, batch: Batch) -> None:
        """Append the frames that are left in the block, as far as *batch* has room."""
        data: cython.uchar[::1] = batch.data
        frames: cython.longlong[::1] = batch.frame
        times: cython.longlong[::1] = batch.ts_ns
        starts: cython.longlong[::1] = batch.start
        captureds: cython.int[::1] = batch.captured
        lengths: cython.int[::1] = batch.length
        interfaces: cython.int[::1] = batch.interface
        directions: cython.uchar[::1] = batch.direction
        row: cython.Py_ssize_t = batch.count
        capacity: cython.Py_ssize_t = batch.capacity
        at: cython.Py_ssize_t = self.at
        end: cython.Py_ssize_t = self.end
        left: cython.Py_ssize_t = self.left
        frame: cython.longlong = self.frame
        time: cython.longlong = self.last_ns
        interface: cython.int = self.interface
        cooked: cython.bint = self.cooked
        start: cython.Py_ssize_t
        added: cython.Py_ssize_t
        step: cython.uint
        seconds: cython.uint
        fraction: cython.uint
        captured: cython.uint
        length: cython.uint
        status: cython.uint
        mac: cython.uint
        kind: cython.int

        if end > len(data):
            raise IndexError("a block beyond the ring")
        while left > 0 and row < capacity:
            if at < 0 or at + ADDRESSED > end:
                self.torn += left
                left = 0
                break
            if cython.compiled:
                p: cython.p_const_uchar = cython.address(data[at])
                numbers: cython.p_uint = cython.cast(cython.p_uint, p)
                step = numbers[0]
                seconds = numbers[1]
                fraction = numbers[2]
                captured = numbers[3]
                length = numbers[4]
                status = numbers[5]
                mac = cython.cast(cython.p_ushort, p)[12]
            else:
                step, seconds, fraction, captured, length, status, mac = _HEADER.unpack_from(data, at)
            start = at + mac
            if mac < ADDRESSED or start + captured > end:
                self.torn += 1
            else:
                added = 0
                if status & VLAN_VALID and (cooked or captured >= 12):
                    added = self._tag(data, at, start)
                if cooked:
                    added += self._cook(data, at, start - added)
                time = seconds
                time = time * 1_000_000_000 + fraction
                kind = data[at + 58]
                frame += 1
                frames[row] = frame
                times[row] = time
                starts[row] = start - added
                captureds[row] = captured + added
                lengths[row] = length + added
                interfaces[row] = interface
                directions[row] = 2 if kind == OUTGOING else 0 if kind == OTHER_HOST else 1
                row += 1
            left -= 1
            at += step
            if step < ADDRESSED:  # 0 in the last frame of a block
                self.torn += left
                left = 0
        self.at = at
        self.left = left
        self.frame = frame
        self.last_ns = time
        batch.count = row

    @cython.cfunc
    def _tag(self, data: cython.uchar[::1], header: cython.Py_ssize_t, start: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Put the VLAN tag back that was taken out of a frame; return the octets added: 0 where there is no room."""
        i: cython.Py_ssize_t
        room: cython.Py_ssize_t = COOKED + TAG if self.cooked else TAG
        if start - room < header + ADDRESSED:
            return 0
        tag: cython.Py_ssize_t = header + 34 - 2 * FLIP_2  # the low half of a 32-bit number
        high: cython.int = 0x81
        low: cython.int = 0
        if data[header + 20] & VLAN_PROTOCOL_VALID and (data[header + 36] or data[header + 37]):
            high, low = data[header + 36 + FLIP_2], data[header + 37 - FLIP_2]
        if self.cooked:  # the tag's own protocol goes into the cooked header
            data[start - 4] = data[tag + FLIP_2]
            data[start - 3] = data[tag + 1 - FLIP_2]
            data[start - 2] = data[header + 50]
            data[start - 1] = data[header + 51]
            data[header + 50] = high
            data[header + 51] = low
            return 4
        for i in range(start, start + 12):
            data[i - 4] = data[i]
        data[start + 8] = high
        data[start + 9] = low
        data[start + 10] = data[tag + FLIP_2]
        data[start + 11] = data[tag + 1 - FLIP_2]
        return 4

    @cython.cfunc
    def _cook(self, data: cython.uchar[::1], header: cython.Py_ssize_t, start: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Write a cooked header in front of a frame from what the kernel says of it; return its length."""
        i: cython.Py_ssize_t
        to: cython.Py_ssize_t = start - COOKED
        address: cython.Py_ssize_t = header + HEADER
        if to < header + ADDRESSED:
            raise IndexError("no room for a cooked header")  # the ring was set up to leave it
        data[to] = data[address + 2]
        data[to + 1] = data[address + 3]
        data[to + 2] = 0
        data[to + 3] = 0
        for i in range(4):
            data[to + 4 + i] = data[address + 4 + (i ^ FLIP_4)]
        data[to + 8] = data[address + 8 + FLIP_2]
        data[to + 9] = data[address + 9 - FLIP_2]
        data[to + 10] = data[address + 10]
        length: cython.Py_ssize_t = min(data[address + 11], 8)
        data[to + 11] = length
        for i in range(8):
            data[to + 12 + i] = data[address + 12 + i] if i < length else 0
        return 20


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
