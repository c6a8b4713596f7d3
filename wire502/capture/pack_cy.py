"""Frames of a batch as records of a classic pcap file with nanoseconds, in the host's order. Hot: a copy for each."""

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
HEADER = cython.declare(cython.Py_ssize_t, 16)


@cython.cclass
class Packer:
    """Copies frames out of batches. ``row`` is the next row of the batch, ``size`` the octets that all rows take."""

    row: int
    size: int

    def __init__(self) -> None:
        self.row = self.size = 0

    def begin(self, batch: Batch) -> cython.Py_ssize_t:
        """Take a batch from its first row; return how many octets its records take."""
        captured: cython.int[::1] = batch.captured
        row: cython.Py_ssize_t
        size: cython.Py_ssize_t = 0
        for row in range(batch.count):
            size += HEADER + captured[row]
        self.row = 0
        self.size = size
        return size

    @cython.ccall
    def pack(self, batch: Batch, target: cython.uchar[::1]) -> cython.Py_ssize_t:
        """Write records from ``row`` on as far as *target* has room for whole ones; return how many octets were used.

        ``row`` is ``batch.count`` behind the last. Times are unsigned seconds of 32 bits in the file.
        """
        data: cython.uchar[::1] = batch.data
        times: cython.longlong[::1] = batch.ts_ns
        starts: cython.longlong[::1] = batch.start
        captureds: cython.int[::1] = batch.captured
        lengths: cython.int[::1] = batch.length
        room: cython.Py_ssize_t = len(target)
        row: cython.Py_ssize_t = self.row
        count: cython.Py_ssize_t = batch.count
        at: cython.Py_ssize_t = 0
        start: cython.Py_ssize_t
        captured: cython.Py_ssize_t
        seconds: cython.longlong
        fraction: cython.longlong
        while row < count:
            start = starts[row]
            captured = captureds[row]
            if captured < 0 or start < 0 or start + captured > len(data):
                raise IndexError("a frame beyond its data")
            if at + HEADER + captured > room:
                break
            seconds = times[row] // 1_000_000_000
            fraction = times[row] - seconds * 1_000_000_000
            if cython.compiled:
                numbers: cython.p_uint = cython.cast(cython.p_uint, cython.address(target[at]))
                numbers[0] = cython.cast(cython.uint, seconds)
                numbers[1] = cython.cast(cython.uint, fraction)
                numbers[2] = cython.cast(cython.uint, captured)
                numbers[3] = cython.cast(cython.uint, lengths[row])
                if captured:
                    memcpy(cython.address(target[at + HEADER]), cython.address(data[start]), captured)
            else:
                _RECORD.pack_into(target, at, seconds & 0xFFFFFFFF, fraction, captured, lengths[row])
                target[at + HEADER : at + HEADER + captured] = data[start : start + captured]
            at += HEADER + captured
            row += 1
        self.row = row
        return at


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
