"""What was on the wire around a failure point: segments for a plot, and the octets next to the point."""

from __future__ import annotations

from typing import NamedTuple

from wire502.model.records import field, record

# Bits of TracePoint.flags
OPENS = 1  # SYN
CLOSES = 2  # FIN
RESETS = 4  # RST
AGAIN = 8  # octets that were seen before, or that fill a hole late
WINDOW_ZERO = 16
AHEAD = 32  # begins behind octets that were not seen yet
PROBE = 64  # keep-alive probe


class TracePoint(NamedTuple):
    """One segment. Offsets count octets of the stream from behind the SYN, or from the first one that was seen.

    ``ack`` is an offset of the other direction, -1 without an acknowledgement; ``window`` is in octets, -1 when the
    scale is not known.
    """

    frame: int
    time_ns: int
    from_gateway: bool
    offset: int
    length: int
    ack: int
    window: int
    flags: int


@record()
class Octets:
    """Octets of one direction next to the failure point.

    ``pieces`` are (offset, octets), in order, what is not between them was not captured; ``mark`` is the offset of the
    octet that is to blame, or of the first one that never came.
    """

    from_gateway: bool
    mark: int
    at_fault: bool  # the marked octet is there and is to blame
    pieces: list[tuple[int, bytes]] = field(default_factory=list)


@record()
class Trace:
    """The segments of an attempt in the order of the capture; *omitted* of them are left out before ``points[cut]``.

    ``holes`` are (from the gateway, first offset, offset behind) that stayed empty in what was looked at.
    """

    points: list[TracePoint] = field(default_factory=list)
    cut: int = 0
    omitted: int = 0
    holes: list[tuple[bool, int, int]] = field(default_factory=list)
    octets: Octets | None = None
