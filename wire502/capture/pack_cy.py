"""Frames of a batch as they stand in a file, in the host's order. Hot: a copy for each.

Records of classic pcap with nanoseconds, or enhanced packet blocks of pcapng, which hold the direction of a frame too.
"""

from __future__ import annotations

from struct import Struct

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.wire502.model.frames_cy import Batch
else:
    from wire502.model.frames_cy import Batch

_RECORD = Struct("=IIII")
_BLOCK = Struct("=7I")
_FLAGS = Struct("=HHII")  # option epb_flags, and the end of options
_LENGTH = Struct("=I")
HEADER = cython.declare(cython.Py_ssize_t, 16)
BLOCK_HEADER = cython.declare(cython.Py_ssize_t, 28)
OPTIONS = cython.declare(cython.Py_ssize_t, 12)
ENHANCED_PACKET = cython.declare(cython.uint, 6)
FLAGS_OPTION = cython.declare(cython.ushort, 2)


@cython.cclass
class Packer:
    """Copies frames out of batches. ``row`` is the next row of the batch, ``size`` the octets that all rows take.

    With *blocks* as blocks of pcapng, of its first interface, whose clock counts nanoseconds; else as records of pcap.
    """

    row: int
    size: int
    _blocks: bool

    def __init__(self, blocks: bool = False) -> None:
        self.row = self.size = 0
        self._blocks = blocks

    def begin(self, batch: Batch) -> cython.Py_ssize_t:
        """Take a batch from its first row; return how many octets its records take."""
        captured: cython.int[::1] = batch.captured
        directions: cython.uchar[::1] = batch.direction
        row: cython.Py_ssize_t
        size: cython.Py_ssize_t = 0
        for row in range(batch.count):
            size += captured[row] + self._more(captured[row], directions[row])
        self.row = 0
        self.size = size
        return size

    @cython.cfunc
    def _more(self, captured: cython.int, direction: cython.int) -> cython.Py_ssize_t:
        """Return how many octets a frame takes beyond its own."""
        if not self._blocks:
            return HEADER
        return BLOCK_HEADER + (-captured & 3) + (OPTIONS if direction else 0) + 4

    @cython.ccall
    def pack(self, batch: Batch, target: cython.uchar[::1]) -> cython.Py_ssize_t:
        """Write frames from ``row`` on as far as *target* has room for whole ones; return how many octets were used.

        ``row`` is ``batch.count`` behind the last. Times are unsigned seconds of 32 bits in records of pcap.
        """
        data: cython.uchar[::1] = batch.data
        times: cython.longlong[::1] = batch.ts_ns
        starts: cython.longlong[::1] = batch.start
        captureds: cython.int[::1] = batch.captured
        lengths: cython.int[::1] = batch.length
        directions: cython.uchar[::1] = batch.direction
        room: cython.Py_ssize_t = len(target)
        row: cython.Py_ssize_t = self.row
        count: cython.Py_ssize_t = batch.count
        at: cython.Py_ssize_t = 0
        start: cython.Py_ssize_t
        captured: cython.Py_ssize_t
        seconds: cython.longlong
        fraction: cython.longlong
        moment: cython.ulonglong
        whole: cython.Py_ssize_t
        body: cython.Py_ssize_t
        end: cython.Py_ssize_t
        place: cython.Py_ssize_t
        while row < count:
            start = starts[row]
            captured = captureds[row]
            if captured < 0 or start < 0 or start + captured > len(data):
                raise IndexError("a frame beyond its data")
            whole = captured + self._more(cython.cast(cython.int, captured), directions[row])
            if at + whole > room:
                break
            body = at + (BLOCK_HEADER if self._blocks else HEADER)
            if self._blocks:
                moment = cython.cast(cython.ulonglong, times[row])
                if cython.compiled:
                    numbers: cython.p_uint = cython.cast(cython.p_uint, cython.address(target[at]))
                    numbers[0] = ENHANCED_PACKET
                    numbers[1] = cython.cast(cython.uint, whole)
                    numbers[2] = 0
                    numbers[3] = cython.cast(cython.uint, moment >> 32)
                    numbers[4] = cython.cast(cython.uint, moment & 0xFFFFFFFF)
                    numbers[5] = cython.cast(cython.uint, captured)
                    numbers[6] = cython.cast(cython.uint, lengths[row])
                else:
                    moment &= 0xFFFFFFFFFFFFFFFF
                    _BLOCK.pack_into(target, at, 6, whole, 0, moment >> 32, moment & 0xFFFFFFFF, captured, lengths[row])
                for place in range(body + captured, body + captured + (-captured & 3)):
                    target[place] = 0
                end = at + whole - 4
                if cython.compiled:
                    if directions[row]:
                        halves: cython.p_ushort = cython.cast(cython.p_ushort, cython.address(target[end - OPTIONS]))
                        halves[0] = FLAGS_OPTION
                        halves[1] = 4
                        numbers = cython.cast(cython.p_uint, cython.address(target[end - OPTIONS + 4]))
                        numbers[0] = directions[row]
                        numbers[1] = 0
                    numbers = cython.cast(cython.p_uint, cython.address(target[end]))
                    numbers[0] = cython.cast(cython.uint, whole)
                else:
                    if directions[row]:
                        _FLAGS.pack_into(target, end - OPTIONS, FLAGS_OPTION, 4, directions[row], 0)
                    _LENGTH.pack_into(target, end, whole)
            else:
                seconds = times[row] // 1_000_000_000
                fraction = times[row] - seconds * 1_000_000_000
                if cython.compiled:
                    numbers = cython.cast(cython.p_uint, cython.address(target[at]))
                    numbers[0] = cython.cast(cython.uint, seconds)
                    numbers[1] = cython.cast(cython.uint, fraction)
                    numbers[2] = cython.cast(cython.uint, captured)
                    numbers[3] = cython.cast(cython.uint, lengths[row])
                else:
                    _RECORD.pack_into(target, at, seconds & 0xFFFFFFFF, fraction, captured, lengths[row])
            if captured:
                if cython.compiled:
                    memcpy(cython.address(target[body]), cython.address(data[start]), captured)
                else:
                    target[body : body + captured] = data[start : start + captured]
            at += whole
            row += 1
        self.row = row
        return at


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
