"""The header of a classic pcap file, and how long a record may be before it is not believed."""

from __future__ import annotations

from struct import unpack_from

from wire502.capture.pcap_cy import SWAP_ALWAYS, SWAP_IF_CROSSED, SWAP_NEVER
from wire502.model.records import record

FILE_HEADER = 24

# Magic number of the file, as its writer's processor would hold it: nanoseconds in a tick, octets in a record header.
_MAGICS = {
    0xA1B2C3D4: (1000, 16),
    0xA1B23C4D: (1, 16),
    0xA1B2CD34: (1000, 24),  # "modified": interface index, protocol and packet type follow the usual fields
}

# libpcap's MAXIMUM_SNAPLEN; no tool writes more for anything that carries IP. A larger length is a damaged header.
_USUAL_LIMIT = 262_144
_LARGE_LIMIT = 128 << 20
# USB (three forms), D-Bus and EBHSCR do have larger records.
_LARGE_LINKTYPES = frozenset((189, 220, 249, 231, 279))


@record(frozen=True)
class PcapHeader:
    """What the first 24 octets of a pcap file say.

    ``scale``: nanoseconds in a tick of the fraction; ``record_header``: octets; ``swap``: whether the two lengths of
    a record are the wrong way round, as ``pcap_cy`` counts it.
    """

    big: bool
    scale: int
    record_header: int
    version: tuple[int, int]
    snaplen: int
    linktype: int
    swap: int


def is_pcap(head: bytes) -> bool:
    """Return whether *head* begins with a magic number of pcap, in either byte order."""
    return len(head) >= 4 and (
        int.from_bytes(head[:4], "little") in _MAGICS or int.from_bytes(head[:4], "big") in _MAGICS
    )


def read_header(head: bytes) -> PcapHeader:
    """Return the header at the start of *head*, which is 24 octets long and ``is_pcap``.

    Raises ``ValueError``, with the reason, for a version that nobody defined.
    """
    big = int.from_bytes(head[:4], "big") in _MAGICS
    order = ">" if big else "<"
    magic, major, minor, _zone, _accuracy, snaplen, network = unpack_from(order + "IHHiIII", head)
    if major != 2:
        raise ValueError(f"is a pcap file of version {major}.{minor}; only version 2 is defined")
    scale, record_header = _MAGICS[magic]
    # libpcap before 2.3 wrote the lengths the other way round; 2.3 exists in both forms.
    swap = SWAP_ALWAYS if minor < 3 else SWAP_IF_CROSSED if minor == 3 else SWAP_NEVER
    # The upper half holds the length of the frame check sequence, which the network layer's own length leaves out.
    return PcapHeader(big, scale, record_header, (major, minor), snaplen, network & 0xFFFF, swap)


def record_limit(linktype: int, snaplen: int) -> int:
    """Return the longest captured length, in octets, that is believed of a frame of *linktype*.

    A larger *snaplen* is taken at its word when it is one that could have been meant.
    """
    if linktype in _LARGE_LINKTYPES:
        return _LARGE_LIMIT
    return snaplen if _USUAL_LIMIT < snaplen <= _LARGE_LIMIT else _USUAL_LIMIT
