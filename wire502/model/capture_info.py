"""What a capture says about itself, and the few frames beside TCP that decide something."""

from __future__ import annotations

from wire502.model.records import field, record

# Where several files are read as one, frame numbers bear the stamp of their file: (index + 1) * STAMP is added to them.
# So a number says which file it is of, wherever it is kept; with one file they are plain.
STAMP = 1 << 40


def place_of(frame: int, file: int) -> tuple[int, int]:
    """Return number and file of *frame*; *file* is that of a frame without a stamp."""
    return (frame % STAMP, frame // STAMP - 1) if frame >= STAMP else (frame, file)


@record()
class Interface:
    """One interface of one input file; a classic pcap has exactly one."""

    index: int  # position in Batch.interfaces, over all inputs
    file: int  # position of the input in summary.inputs
    linktype: int  # LINKTYPE_ value
    name: str | None = None
    snaplen: int = 0  # 0: unlimited or not said
    nanoseconds: bool = False  # finer than microseconds


@record()
class DropReport:
    """Packets that the capture itself says it lost (pcapng ISB, PACKET_STATISTICS)."""

    file: int
    interface: int | None
    from_ns: int | None  # None: since the start
    to_ns: int
    count: int


@record()
class Clocks:
    """How the clocks of several inputs were brought together, before they were read.

    ``shifts`` are added to the times of each input; ``together`` are the inputs whose times can be compared then;
    ``way_ns`` is the time between two places that show the same segments; ``said`` tells it.
    """

    shifts: list[int]
    together: list[set[int]] = field(default_factory=list)
    way_ns: int = 0
    said: list[str] = field(default_factory=list)


@record()
class InputDamage:
    """Where and how an input is damaged; everything before it was read."""

    path: str
    offset: int
    reason: str
    way_out: str


@record()
class RareFrame:
    """A frame beside TCP that can prove a failure: an ICMP error, an ARP or ND message.

    ``kind`` is one of ``unreachable``, ``time_exceeded``, ``packet_too_big``, ``address_request``,
    ``address_reply``. Addresses are the pair (high, low) of ``Segments``.
    """

    kind: str
    row: int  # number of segments of the batch that precede it
    frame: int
    ts_ns: int
    interface: int
    sender: tuple[int, int]  # who sent it: router or host; the asking host for ARP/ND
    receiver: tuple[int, int]
    icmp_type: int = 0
    icmp_code: int = 0
    icmp_version: int = 4
    mtu: int = 0  # packet_too_big: next-hop MTU, 0 when not said
    quoted_source: tuple[int, int] | None = None  # of the quoted TCP segment; None: no TCP quoted
    quoted_target: tuple[int, int] | None = None
    quoted_ports: int = 0  # as Segments.ports
    quoted_seq: int = 0
    asked: tuple[int, int] | None = None  # ARP/ND: the address asked for (or answered)
