"""Blocks of a pcapng file, found in a block of octets. Hot: one turn of the loop for each frame.

Packet blocks become rows here; every other block is handed, whole, to the plain Python object that knows it
(``pcapng.Blocks``).
"""

from __future__ import annotations

from struct import Struct
from typing import Protocol

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.wire502.capture.pcap_cy import load32
    from cython.cimports.wire502.model.frames_cy import Batch
else:
    from wire502.model.frames_cy import Batch

SECTION_HEADER = 0x0A0D0D0A  # the same in either byte order
INTERFACE = 1
PACKET = 2  # obsolete
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6

OPTION_COMMENT, OPTION_FLAGS, OPTION_DROPS = 1, 2, 4

# A time stamp never lies further from 1970 than this (the year 2116), so that differences of two fit 64 bits.
FAR_NS = 1 << 62

_TWO = (Struct("<II"), Struct(">II"))
_FIVE = (Struct("<IIIII"), Struct(">IIIII"))
_ONE = (Struct("<I"), Struct(">I"))
_CODE_LENGTH = (Struct("<HH"), Struct(">HH"))


class DamagedBlock(Exception):
    """A block that contradicts itself; the message says how."""


class BlockReader(Protocol):
    """What the scanner needs of the object that knows the rarer blocks. Each raises ``DamagedBlock``."""

    def section(self, body: bytes, big: bool) -> None:
        """Begin a section; *body* is the block without its type and lengths."""

    def block(self, kind: int, body: bytes) -> Clock | None:
        """Take any other block; return the clock of an interface description."""

    def packet_option(self, code: int, value: bytes, frame: int, interface: int, time: int) -> None:
        """Take a comment or a drop counter of packet *frame*."""

    def counts_as_frame(self, kind: int) -> bool:
        """Return whether Wireshark gives blocks of this *kind* a frame number."""


@cython.cclass
class Clock:
    """How one interface of a section counts time, and how long its frames may be.

    *units* a second; *offset_s* seconds are added to every time stamp; *interface* is its index in ``interfaces``.
    """

    interface: int
    snaplen: int
    limit: int
    scale: int
    offset_ns: int
    most: int
    units: int
    offset: int

    def __init__(self, interface: int, snaplen: int, limit: int, units: int, offset_s: int) -> None:
        self.interface = interface
        self.snaplen = snaplen
        self.limit = limit
        self.units = units
        self.offset = offset_s
        # The quick conversion must stay in 63 bits: up to the stamp "most". With scale 0, none is possible.
        offset_ns = offset_s * 1_000_000_000
        simple = 1_000_000_000 % units == 0 and abs(offset_ns) < FAR_NS
        self.offset_ns = offset_ns if simple else 0
        self.scale = 1_000_000_000 // units if simple else 0
        self.most = (FAR_NS - max(0, offset_ns)) // self.scale if simple else 0

    def nanoseconds(self, ticks: int) -> int:
        """Return the nanoseconds since 1970 of a time stamp of *ticks* units, exactly, kept within ``FAR_NS``."""
        exact = ticks * 1_000_000_000 // self.units + self.offset * 1_000_000_000
        return max(-FAR_NS, min(FAR_NS, exact))


@cython.cclass
class PcapngScanner:
    """Reads blocks and fills the columns of a ``Batch``; *limit* is the longest block that is believed, in octets.

    ``needed`` and ``fault`` are as in ``PcapScanner``. ``clocks`` holds one ``Clock`` for each interface of the
    section at hand.
    """

    frame: int
    last_ns: int
    needed: int
    fault: str
    big: bool
    clocks: list[Clock]
    blocks: BlockReader
    limit: int
    direction: int

    def __init__(self, blocks: BlockReader, limit: int) -> None:
        self.frame = 0
        self.last_ns = 0
        self.needed = 12
        self.fault = ""
        self.big = False
        self.clocks = []
        self.blocks = blocks
        self.limit = limit
        self.direction = 0

    def scan(self, batch: Batch, position: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append the packets of the complete blocks of ``batch.data[position:end]`` to *batch*, as far as it has room.

        Returns the position behind the last block that was taken.
        """
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
        # As locals they are C numbers: comparing with a global of the module would make Python objects.
        section_header: cython.uint = SECTION_HEADER
        packet: cython.uint = PACKET
        simple: cython.uint = SIMPLE_PACKET
        enhanced: cython.uint = ENHANCED_PACKET
        clock: Clock
        big: cython.bint
        kind: cython.uint
        total: cython.uint
        trailer: cython.uint
        identity: cython.uint
        high: cython.uint
        low: cython.uint
        captured: cython.uint
        length: cython.uint
        drops: cython.uint
        ticks: cython.ulonglong
        time: cython.longlong
        padded: cython.Py_ssize_t
        start: cython.Py_ssize_t
        options: cython.Py_ssize_t
        room: cython.Py_ssize_t

        big = self.big
        limit: cython.Py_ssize_t = self.limit
        needed: cython.Py_ssize_t = 12
        if position < 0 or end > len(data):
            raise IndexError("scan beyond the data")
        while row < capacity and end - position >= 12:
            if cython.compiled:
                at: cython.p_const_uchar = cython.address(data[position])
                kind = load32(at, big)
            else:
                kind, total = _TWO[big].unpack_from(data, position)
            if kind == section_header:
                mark = (data[position + 8], data[position + 9], data[position + 10], data[position + 11])
                if mark == (0x1A, 0x2B, 0x3C, 0x4D):
                    big = True
                elif mark == (0x4D, 0x3C, 0x2B, 0x1A):
                    big = False
                else:
                    self.fault = "the section header's byte-order mark is wrong"
                    break
                if not cython.compiled:
                    total = _TWO[big].unpack_from(data, position)[1]
            if cython.compiled:
                total = load32(at + 4, big)
            if total < 12:
                self.fault = f"a block of type {kind:#x} says it is {total} octets long, fewer than any block has"
                break
            if total > limit:
                self.fault = f"a block of type {kind:#x} says it is {total} octets long, more than any should be"
                break
            padded = total
            padded = (padded + 3) & ~3  # so Wireshark takes odd ones
            if end - position < padded:
                needed = padded
                break
            if cython.compiled:
                trailer = load32(at + padded - 4, big)
            else:
                trailer = _ONE[big].unpack_from(data, position + padded - 4)[0]
            if trailer != total:
                self.fault = f"the two lengths of a block of type {kind:#x} differ: {total} and {trailer}"
                break

            if kind == enhanced or kind == packet:
                if padded < 32:
                    self.fault = f"a packet block of {total} octets is too short for its own fields"
                    break
                if cython.compiled:
                    identity = load32(at + 8, big)
                    high = load32(at + 12, big)
                    low = load32(at + 16, big)
                    captured = load32(at + 20, big)
                    length = load32(at + 24, big)
                else:
                    identity, high, low, captured, length = _FIVE[big].unpack_from(data, position + 8)
                drops = 0
                if kind == packet:  # two 16-bit numbers: the interface, the drops before this packet
                    drops = identity & 0xFFFF if big else identity >> 16
                    identity = identity >> 16 if big else identity & 0xFFFF
                room = padded - 32
                start = position + 28
            elif kind == simple:
                if padded < 16:
                    self.fault = f"a packet block of {total} octets is too short for its own fields"
                    break
                if cython.compiled:
                    length = load32(at + 8, big)
                else:
                    length = _ONE[big].unpack_from(data, position + 8)[0]
                identity = high = low = drops = 0
                room = padded - 16
                start = position + 12
                captured = length
            else:
                try:
                    self._rare(kind, bytes(data[position + 8 : position + padded - 4]), big)
                except DamagedBlock as damaged:
                    self.fault = str(damaged)
                    break
                position += padded
                continue

            if identity >= len(self.clocks):
                self.fault = (
                    f"packet {self.frame + 1} names interface {identity}, but its section describes only"
                    f" {len(self.clocks)}"
                )
                break
            clock = self.clocks[identity]
            if kind == simple:  # its captured length is not written down
                if clock.snaplen and captured > clock.snaplen:
                    captured = clock.snaplen
                if captured > room:
                    captured = room
                time = self.last_ns  # it has no time of its own: that of the packet before it misleads least
            else:
                ticks = high  # typed locals instead of casts, which cost the interpreter a call
                ticks = (ticks << 32) | low
                if clock.scale and ticks <= clock.most:
                    time = ticks
                    time = time * clock.scale + clock.offset_ns
                else:
                    time = clock.nanoseconds(ticks)
            if captured > clock.limit or captured > room:
                why = "more than any frame can" if captured > clock.limit else f"but its block has room for {room}"
                self.fault = f"packet {self.frame + 1} says it holds {captured} octets, {why}"
                break
            self.direction = 0
            if drops and drops != 0xFFFF:  # all ones: not known
                value = int(drops).to_bytes(8, "big" if big else "little")
                self.blocks.packet_option(OPTION_DROPS, value, self.frame + 1, clock.interface, time)
            options = captured
            options = start + ((options + 3) & ~3)
            if kind != simple and position + padded - 4 - options >= 4:
                try:
                    self.options(data, options, position + padded - 4, big, clock, time)
                except DamagedBlock as damaged:
                    self.fault = str(damaged)
                    break
            self.frame += 1
            self.last_ns = time
            frames[row] = self.frame
            times[row] = time
            starts[row] = start
            captureds[row] = captured
            lengths[row] = length if length < 0x7FFFFFFF else 0x7FFFFFFF
            interfaces[row] = clock.interface
            directions[row] = self.direction
            row += 1
            position += padded
        batch.count = row
        self.needed = needed
        return position

    def _rare(self, kind: int, body: bytes, big: bool) -> None:
        """Let ``blocks`` take a block that is no packet."""
        if kind == SECTION_HEADER:
            self.blocks.section(body, big)
            self.big = big
            self.clocks = []
            return
        clock = self.blocks.block(kind, body)
        if clock is not None:
            self.clocks.append(clock)
        elif self.blocks.counts_as_frame(kind):
            self.frame += 1

    @cython.cfunc
    def options(
        self,
        data: cython.uchar[::1],
        position: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        big: cython.bint,
        clock: Clock,
        time: cython.longlong,
    ) -> cython.int:
        """Read the options of the packet that comes next; sets ``direction``, hands on comments and drops."""
        comment: cython.uint = OPTION_COMMENT  # locals: see scan
        flags: cython.uint = OPTION_FLAGS
        drops: cython.uint = OPTION_DROPS
        code: cython.uint
        length: cython.uint
        while end - position >= 4:
            if cython.compiled:
                if big:
                    code = (data[position] << 8) | data[position + 1]
                    length = (data[position + 2] << 8) | data[position + 3]
                else:
                    code = (data[position + 1] << 8) | data[position]
                    length = (data[position + 3] << 8) | data[position + 2]
            else:
                code, length = _CODE_LENGTH[big].unpack_from(data, position)
            if code == 0:
                break
            position += 4
            if length > end - position:
                raise DamagedBlock(f"option {code} of packet {self.frame + 1} is {length} octets, beyond its block")
            if code == flags and length == 4:
                self.direction = data[position + 3 if big else position] & 3
                if self.direction == 3:
                    self.direction = 0
            elif code == comment or (code == drops and length == 8):
                self.blocks.packet_option(
                    code, bytes(data[position : position + length]), self.frame + 1, clock.interface, time
                )
            position += (length + 3) // 4 * 4
        return 0


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
