"""What one read of a capture holds, before and after the headers are decoded: numbers over one block of octets.

``Batch`` has a column for each number, ``Segments`` a C struct for each row. Both are filled and read by compiled
loops, and cross Python's border once for thousands of frames. ``count`` says how many rows are valid; rows keep
capture order.
"""

from __future__ import annotations

from array import array
from operator import attrgetter
from struct import calcsize
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

# Bits of Segments.flags: the nine TCP flags as on the wire (RFC 9293 section 3.1, RFC 3540), then our own.
FIN = 0x001
SYN = 0x002
RST = 0x004
PSH = 0x008
ACK = 0x010
IPV6 = 0x1000
DONT_FRAGMENT = 0x2000
HAS_TIMESTAMP = 0x4000
HAS_SACK = 0x8000
INBOUND = 0x10000  # the capture says that the frame came in to the host (cooked header, pcapng flags)
OUTBOUND = 0x20000  # ... or was sent by it
LANE_SHIFT = 18  # the bits from here up: the lane, which VLAN or virtual network the frame was on; 0 said by nothing


# The columns of a row of Segments, those of one C type together: as the struct Row in the .pxd has them.
_LAYOUT = (
    ("q", "frame ts_ns start"),
    ("Q", "source_high source_low target_high target_low"),
    ("I", "ports seq ack flags ts_value"),
    ("i", "interface length captured ip_id"),
    ("H", "window mss"),
    ("b", "scale"),
    ("B", "ttl"),
)
COLUMNS = {name: code for code, names in _LAYOUT for name in names.split()}
_ROW = calcsize("".join(COLUMNS.values()) + "0q")  # octets, with what fills up the last of them


@cython.cclass
class Batch:
    """Frames as captured: ``data`` and, for each frame, where it stands in it.

    | column | unit |
    |---|---|
    | frame | number of the record in its own file, from 1, as Wireshark shows it |
    | ts_ns | nanoseconds since 1970 UTC |
    | start | index into ``data`` of the first octet of the link-layer header |
    | captured, length | octets in ``data``; octets that were on the wire |
    | interface | index into ``interfaces`` (``model.capture_info.Interface``) |
    | direction | 0 not said, 1 inbound, 2 outbound (pcapng epb_flags; cooked headers are packet's business) |

    ``data`` is reused by its source: a batch is valid until the source is asked for the next one.
    """

    capacity: int
    count: int
    interfaces: list[object]
    data: memoryview
    frame: memoryview
    ts_ns: memoryview
    start: memoryview
    captured: memoryview
    length: memoryview
    interface: memoryview
    direction: memoryview

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.interfaces = []
        self.data = memoryview(bytearray(1))
        self.frame = memoryview(array("q", bytes(8 * capacity)))
        self.ts_ns = memoryview(array("q", bytes(8 * capacity)))
        self.start = memoryview(array("q", bytes(8 * capacity)))
        self.captured = memoryview(array("i", bytes(4 * capacity)))
        self.length = memoryview(array("i", bytes(4 * capacity)))
        self.interface = memoryview(array("i", bytes(4 * capacity)))
        self.direction = memoryview(bytearray(capacity))

    @cython.ccall
    def check(self) -> cython.int:
        """Raise IndexError where a column is shorter than is said: a kernel looks once, not at each row."""
        least: cython.Py_ssize_t = min(len(self.frame), len(self.ts_ns), len(self.start))
        least = min(least, len(self.captured), len(self.length), len(self.interface))
        if max(self.count, self.capacity) > min(least, len(self.direction)):
            raise IndexError("a batch with a column of fewer rows than it says")
        return 0


class PlainRow:
    """A row of ``Segments`` uncompiled, where compiled code has a pointer to a C struct: both read ``row.seq``."""

    __slots__ = tuple(COLUMNS)
    frame: int
    ts_ns: int
    start: int
    source_high: int
    source_low: int
    target_high: int
    target_low: int
    ports: int
    seq: int
    ack: int
    flags: int
    ts_value: int
    interface: int
    length: int
    captured: int
    ip_id: int
    window: int
    mss: int
    scale: int
    ttl: int

    def __init__(self) -> None:
        for name in COLUMNS:
            setattr(self, name, 0)


if not cython.compiled:
    RowAt = PlainRow


class _PlainColumn:
    """One column of plain rows, which is what a strided memoryview is of compiled ones."""

    def __init__(self, rows: list[PlainRow], name: str) -> None:
        self._rows = rows
        self._name = name

    def __getitem__(self, row: int) -> int:
        return int(getattr(self._rows[row], self._name))

    def __setitem__(self, row: int, value: int) -> None:
        setattr(self._rows[row], self._name, value)

    def tolist(self) -> list[int]:
        """Return the values of all rows."""
        return list(map(attrgetter(self._name), self._rows))


@cython.cclass
class Segments:
    """TCP segments of one batch, headers decoded; ``rare`` holds the other frames that matter, in order.

    | column | unit |
    |---|---|
    | frame, ts_ns, interface | as in ``Batch`` |
    | source_*, target_* | 128-bit address in two halves; IPv4 as the mapped ::ffff:a.b.c.d |
    | ports | source port << 16 | destination port |
    | seq, ack, window | as on the wire (window unscaled) |
    | flags | TCP flags and the bits named in this module; above them the lane |
    | start | index into ``data`` of the first payload octet |
    | length, captured | payload octets by the IP header; of these, octets that ``data`` holds |
    | ttl | TTL or hop limit |
    | ip_id | IPv4 identification, -1 for IPv6 |
    | ts_value | TSval of the timestamp option, 0 without HAS_TIMESTAMP |
    | mss, scale | options of a SYN: maximum segment size (0 none) and window scale (-1 none) |

    Kernels read ``rows[i].seq``: what one segment says stands together, in two lines of a processor's cache. All others
    read ``segments.seq[i]``. ``rare`` holds ``model.capture_info.RareFrame`` records; its ``row`` is the number of
    segments that precede it.
    """

    capacity: int
    count: int
    rare: list[object]
    data: memoryview
    rows: list[PlainRow]
    _memory: memoryview
    _allocated: int

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.rare = []
        self.data = memoryview(bytearray(1))
        if cython.compiled:
            self._memory = memoryview(bytearray(_ROW * max(capacity, 1)))
            octets: cython.uchar[::1] = self._memory
            self.rows = cython.cast(RowAt, cython.address(octets[0]))
        else:
            self.rows = [PlainRow() for _ in range(capacity)]
        self._allocated = capacity

    def __getattr__(self, name: str) -> Any:
        """Return the column *name*, to be read and written by row; ``tolist()`` gives it as a whole."""
        code = COLUMNS.get(name)
        if code is None:
            raise AttributeError(f"segments have no column {name!r}")
        if not cython.compiled:
            return _PlainColumn(self.rows, name)
        wide = calcsize(code)
        before = list(COLUMNS.values())[: list(COLUMNS).index(name)]
        return self._memory.cast(code)[calcsize("".join(before)) // wide :: _ROW // wide]

    def at(self, row: cython.Py_ssize_t) -> PlainRow:
        """Return what one segment says, compiled as a copy: quicker than column by column."""
        if not 0 <= row < self._allocated:
            raise IndexError(f"there is no row {row}")
        if not cython.compiled:
            plain: PlainRow = self.rows[row]
            return plain
        it: RowAt = cython.address(self.rows[row])
        one = PlainRow.__new__(PlainRow)
        one.frame, one.ts_ns, one.start = it.frame, it.ts_ns, it.start
        one.source_high, one.source_low = it.source_high, it.source_low
        one.target_high, one.target_low = it.target_high, it.target_low
        one.ports, one.seq, one.ack, one.flags, one.ts_value = it.ports, it.seq, it.ack, it.flags, it.ts_value
        one.interface, one.length, one.captured, one.ip_id = it.interface, it.length, it.captured, it.ip_id
        one.window, one.mss, one.scale, one.ttl = it.window, it.mss, it.scale, it.ttl
        return one

    def ends(self, row: cython.Py_ssize_t) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return sender and receiver of a segment: upper and lower half of the address, and the port, of each."""
        if not 0 <= row < self._allocated:
            raise IndexError(f"there is no row {row}")
        it: RowAt = cython.address(self.rows[row]) if cython.compiled else self.rows[row]
        return (
            (it.source_high, it.source_low, it.ports >> 16),
            (it.target_high, it.target_low, it.ports & 0xFFFF),
        )

    @cython.ccall
    def check(self) -> cython.int:
        """Raise IndexError where there are fewer rows than are said to be: a kernel looks once, not at each row."""
        if max(self.count, self.capacity) > self._allocated:
            raise IndexError("segments of fewer rows than they say")
        return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
