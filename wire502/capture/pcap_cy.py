"""Records of a classic pcap file, found in a block of octets. Hot: one turn of the loop for each frame."""

from __future__ import annotations

from array import array
from struct import Struct

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.wire502.model.frames_cy import Batch
else:
    from wire502.model.frames_cy import Batch

# What a pcap header's minor version says about the two lengths of a record.
SWAP_NEVER, SWAP_ALWAYS, SWAP_IF_CROSSED = 0, 1, 2


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def load32(at: cython.p_const_uchar, big: cython.bint) -> cython.uint:
    """Return the 32-bit number at *at*; compiled code only."""
    if big:
        return (
            (cython.cast(cython.uint, at[0]) << 24)
            | (cython.cast(cython.uint, at[1]) << 16)
            | (cython.cast(cython.uint, at[2]) << 8)
            | at[3]
        )
    return (
        (cython.cast(cython.uint, at[3]) << 24)
        | (cython.cast(cython.uint, at[2]) << 16)
        | (cython.cast(cython.uint, at[1]) << 8)
        | at[0]
    )


@cython.cfunc
def fill_constants(batch: Batch, first: cython.Py_ssize_t, end: cython.Py_ssize_t, interface: cython.int) -> cython.int:
    """Give the rows from *first* to *end* one *interface*, and no direction."""
    interfaces: cython.int[::1] = batch.interface
    directions: cython.uchar[::1] = batch.direction
    if cython.compiled:
        row: cython.Py_ssize_t
        for row in range(first, end):
            interfaces[row] = interface
            directions[row] = 0
    else:
        interfaces[first:end] = memoryview(array("i", (interface,)) * (end - first))
        directions[first:end] = bytes(end - first)
    return 0


@cython.cclass
class PcapScanner:
    """Reads record headers and fills the columns of a ``Batch``.

    *header* is the length of a record header in octets, *scale* the nanoseconds in the unit of its fraction, *limit*
    the longest record that is believed, *interface* the index that every frame gets. After ``scan``, *needed* is
    the length that the octets from the returned position on must have for the next record to be complete, and
    *fault* says why there can be no next record ("" otherwise).
    """

    frame: int
    last_ns: int
    needed: int
    fault: str
    big: bool
    header: int
    scale: int
    interface: int
    limit: int
    swap: int
    layout: Struct
    filled: Batch | None  # the batch whose first `constant` rows have this interface and no direction
    constant: int

    def __init__(self, big: bool, header: int, scale: int, interface: int, limit: int, swap: int) -> None:
        self.frame = 0
        self.last_ns = 0
        self.needed = header
        self.fault = ""
        self.big = big
        self.header = header
        self.scale = scale
        self.interface = interface
        self.limit = limit
        self.swap = swap
        self.layout = Struct(">IIII" if big else "<IIII")
        self.filled = None
        self.constant = 0

    @cython.boundscheck(False)  # the batch has shown at the start that its columns are as long as it says
    def scan(self, batch: Batch, position: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append the complete records of ``batch.data[position:end]`` to *batch*, as far as it has room.

        Returns the position behind the last one. A time stamp cannot leave the range of ``ts_ns``: seconds and
        fraction are 32 bits wide.
        """
        data: cython.uchar[::1] = batch.data
        numbers: cython.longlong[::1] = batch.frame
        times: cython.longlong[::1] = batch.ts_ns
        starts: cython.longlong[::1] = batch.start
        captureds: cython.int[::1] = batch.captured
        lengths: cython.int[::1] = batch.length
        row: cython.Py_ssize_t = batch.count
        capacity: cython.Py_ssize_t = batch.capacity
        before: cython.longlong = self.frame + 1 - row  # a row has this number and its index
        header: cython.Py_ssize_t = self.header
        last: cython.Py_ssize_t = end - header  # the last place where a record can begin
        scale: cython.longlong = self.scale
        time: cython.longlong = self.last_ns
        limit: cython.uint = self.limit
        big: cython.bint = self.big
        swap: cython.int = self.swap
        always: cython.int = SWAP_ALWAYS
        seconds: cython.uint
        fraction: cython.uint
        captured: cython.uint
        length: cython.uint

        batch.check()
        self.needed = header
        if position < 0 or end > len(data):
            raise IndexError("scan beyond the data")
        if cython.compiled:
            octets: cython.p_const_uchar = cython.address(data[0])
        else:
            unpack = self.layout.unpack_from
        while row < capacity and position <= last:
            if cython.compiled:
                at: cython.p_const_uchar = octets + position
                seconds = load32(at, big)
                fraction = load32(at + 4, big)
                captured = load32(at + 8, big)
                length = load32(at + 12, big)
            else:
                seconds, fraction, captured, length = unpack(data, position)
            if swap and (swap == always or captured > length):
                captured, length = length, captured
            if captured > limit:
                number = self.frame + row - batch.count + 1
                self.fault = f"record {number} says it holds {captured} octets: more than any frame can ({limit})"
                break
            if captured > last - position:
                self.needed = header + captured
                break
            time = seconds  # no cast: it would cost the interpreter a call
            time = time * 1_000_000_000 + fraction * scale
            if cython.compiled:
                numbers[row] = before + row
            times[row] = time
            starts[row] = position + header
            captureds[row] = captured
            lengths[row] = length if length < 0x7FFFFFFF else 0x7FFFFFFF
            row += 1
            position += header + captured
        if not cython.compiled:
            numbers[batch.count : row] = memoryview(array("q", range(before + batch.count, before + row)))
        if batch is not self.filled:
            self.filled = batch
            self.constant = 0
        if row > self.constant:
            fill_constants(batch, self.constant, row, self.interface)
            self.constant = row
        self.frame += row - batch.count
        batch.count = row
        self.last_ns = time
        return position


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
