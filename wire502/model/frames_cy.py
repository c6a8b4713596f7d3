"""Columns: what one read of a capture holds, before and after the headers are decoded.

Both records are parallel arrays over one block of octets. They are filled and read by compiled loops, and cross
Python's border once for thousands of frames. ``count`` says how many rows are valid; rows keep capture order.
"""

from __future__ import annotations

from array import array
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


def _column(code: str, rows: int) -> Any:
    """Return a column of zeros for C numbers of the type *code*: a memoryview, uncompiled a list.

    Only C can read an array without an object for each number; a list is what the interpreter reads fastest.
    """
    return memoryview(array(code, [0]) * rows) if cython.compiled else [0] * rows


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
        """Raise IndexError where a column is shorter than ``count``: a kernel looks once, not at each row."""
        least: cython.Py_ssize_t = min(len(self.frame), len(self.ts_ns), len(self.start))
        least = min(least, len(self.captured), len(self.length), len(self.interface))
        if self.count > min(least, len(self.direction)):
            raise IndexError("a batch with a column of fewer rows than it counts")
        return 0


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

    ``rare`` holds ``model.capture_info.RareFrame`` records; its ``row`` is the number of segments that precede it.
    """

    capacity: int
    count: int
    rare: list[object]
    data: memoryview
    frame: memoryview
    ts_ns: memoryview
    interface: memoryview
    source_high: memoryview
    source_low: memoryview
    target_high: memoryview
    target_low: memoryview
    ports: memoryview
    seq: memoryview
    ack: memoryview
    flags: memoryview
    window: memoryview
    start: memoryview
    length: memoryview
    captured: memoryview
    ttl: memoryview
    ip_id: memoryview
    ts_value: memoryview
    mss: memoryview
    scale: memoryview

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.rare = []
        self.data = memoryview(bytearray(1))
        self.frame = _column("q", capacity)
        self.ts_ns = _column("q", capacity)
        self.interface = _column("i", capacity)
        self.source_high = _column("Q", capacity)
        self.source_low = _column("Q", capacity)
        self.target_high = _column("Q", capacity)
        self.target_low = _column("Q", capacity)
        self.ports = _column("I", capacity)
        self.seq = _column("I", capacity)
        self.ack = _column("I", capacity)
        self.flags = _column("I", capacity)
        self.window = _column("i", capacity)
        self.start = _column("q", capacity)
        self.length = _column("i", capacity)
        self.captured = _column("i", capacity)
        self.ttl = _column("B", capacity)
        self.ip_id = _column("i", capacity)
        self.ts_value = _column("I", capacity)
        self.mss = _column("i", capacity)
        self.scale = _column("i", capacity)

    @cython.ccall
    def check(self) -> cython.int:
        """Raise IndexError where a column is shorter than ``capacity``: a kernel looks once, not at each row."""
        least: cython.Py_ssize_t = min(len(self.frame), len(self.ts_ns), len(self.interface))
        least = min(least, len(self.source_high), len(self.source_low), len(self.target_high))
        least = min(least, len(self.target_low), len(self.ports), len(self.seq), len(self.ack))
        least = min(least, len(self.flags), len(self.window), len(self.start), len(self.length))
        least = min(least, len(self.captured), len(self.ttl), len(self.ip_id), len(self.ts_value))
        if max(self.count, self.capacity) > min(least, len(self.mss), len(self.scale)):
            raise IndexError("segments with a column of fewer rows than they say")
        return 0


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
