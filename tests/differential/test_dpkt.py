"""Header columns of every TCP frame against dpkt, over the samples and (with WIRE502_TRUTH) public captures.

Nothing of wire502 stands on dpkt's side: the records of a file come from a few lines of this module, and dpkt reads
the headers from the link layer on, through every tunnel that it knows. Where the two differ for a reason,
``EXPLAINED`` holds it; a row of it that is no longer true fails.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dpkt
import pytest

from tests.packet.batches import one, rows_of
from tests.packet.crafted import EVERY
from tests.property.sources import name, samples
from wire502.capture import Source, open_source
from wire502.errors import CaptureError
from wire502.packet import PacketStage

CLASSIC = {b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">", b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}
SECTION, INTERFACE, OBSOLETE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
LINKS = {
    0: dpkt.loopback.Loopback,
    108: dpkt.loopback.Loopback,
    1: dpkt.ethernet.Ethernet,
    9: dpkt.ppp.PPP,
    101: dpkt.ip.IP,
    113: dpkt.sll.SLL,
    228: dpkt.ip.IP,
    276: dpkt.sll2.SLL2,
}

# Capture: how many frames differ, who alone reads them, and why.
EXPLAINED: dict[str, tuple[int, str, str]] = {
    "malformed/ntop-nDPI__fuzz-2006-09-29-28586.pcap": (
        *(3, "dpkt alone"),
        "TCP headers that are longer than their packet (27, 80) and an IP header of version 2 (91): no segments",
    ),
    "seladb-PcapPlusPlus/frag_http_req.pcap": (1, "wire502 alone", "dpkt puts no fragments together"),
    "zeek-zeek/nflog-http.pcap": (13, "wire502 alone", "dpkt knows no NFLOG"),
}

# Encapsulations that dpkt does not read as far as the segment. Their columns are tested in tests/packet/test_layers.py.
UNKNOWN_TO_DPKT = {
    *("erspan 1", "erspan 2", "erspan 3", "erspan 3 with subheader", "etherip", "mpls in ip"),  # no decoder
    *("vxlan", "vxlan of linux", "vlan in vxlan in gre", "geneve", "geneve with options", "geneve of ip"),
    *("gtp", "gtp with extension header"),
    *("ppp hdlc", "cisco hdlc", "cisco hdlc as ppp hdlc", "ppp ether", "pppd"),  # no such link type
    *("nflog little", "nflog big", "pflog", "pktap"),
    "ppp compressed",  # it asks for the address and control octets
    "sll vlan",  # it reads no tag behind a cooked header
}


class Record(NamedTuple):
    """A frame of a file: its number there, its link type, its octets, and how many it had on the wire."""

    number: int
    link: int
    octets: bytes
    length: int


class Columns(NamedTuple):
    """What both have to say of a frame with TCP; addresses are (high, low) halves, IPv4 mapped into IPv6."""

    source: tuple[int, int]
    target: tuple[int, int]
    ports: tuple[int, int]
    flags: int
    seq: int
    ack: int
    window: int
    length: int
    ip_id: int
    ttl: int


def records(data: bytes) -> Iterator[Record]:
    """Yield the frames of a pcap or pcapng as far as it is sound."""
    if data[:4] in CLASSIC:
        order = CLASSIC[data[:4]]
        link, at, number = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF, 24, 0
        while at + 16 <= len(data):
            kept, length = struct.unpack_from(order + "II", data, at + 8)
            if kept > len(data) - at - 16 or length >= 2**31:
                return
            number += 1
            yield Record(number, link, data[at + 16 : at + 16 + kept], length)
            at += 16 + kept
        return
    at = number = 0
    order, links, limits = "<", [], []
    while at + 12 <= len(data):
        if data[at : at + 4] == SECTION.to_bytes(4, "big"):
            order, links, limits = ">" if data[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d" else "<", [], []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or at + size > len(data):
            return
        if kind == INTERFACE:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
            limits.append(struct.unpack_from(order + "I", data, at + 12)[0])
        elif kind in (ENHANCED, OBSOLETE, SIMPLE):
            number += 1
            if kind == SIMPLE:
                interface, start, length = 0, at + 12, struct.unpack_from(order + "I", data, at + 8)[0]
                kept = min(length, limits[0] or length)
            else:
                form = "I" if kind == ENHANCED else "H"
                (interface,) = struct.unpack_from(order + form, data, at + 8)
                kept, length = struct.unpack_from(order + "II", data, at + 20)
                start = at + 28
            yield Record(number, links[interface], data[start : start + kept], length)
        at += size + 3 & ~3


def halves(address: bytes) -> tuple[int, int]:
    """Return an address of either family as the pair of ``Segments``."""
    if len(address) == 4:
        return 0, 0xFFFF << 32 | int.from_bytes(address, "big")
    return int.from_bytes(address[:8], "big"), int.from_bytes(address[8:], "big")


def by_dpkt(record: Record) -> Columns | None:
    """Return what dpkt says of the innermost TCP header that it finds; None without one, or in a fragment."""
    try:
        if record.link in (101, 228, 229, 12, 14):
            packet = (dpkt.ip6.IP6 if record.octets[0] >> 4 == 6 else dpkt.ip.IP)(record.octets)
        else:
            packet = LINKS[record.link](record.octets)
    except (KeyError, IndexError, dpkt.UnpackError):
        return None
    network, between = None, 0
    while isinstance(packet, dpkt.Packet) and not isinstance(packet, dpkt.tcp.TCP):
        if isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
            network, between = packet, 0
        elif isinstance(packet, dpkt.icmp.ICMP | dpkt.icmp6.ICMP6):
            return None  # what an error quotes was not sent again
        elif isinstance(packet, dpkt.ah.AH):
            between = 4 * (packet.len + 2)
        packet = packet.data
    if not isinstance(packet, dpkt.tcp.TCP) or network is None or _is_fragment(network):
        return None
    headers = 4 * packet.off + between
    if isinstance(network, dpkt.ip.IP):
        length = network.len - 4 * network.hl - headers
        ip_id, ttl = network.id, network.ttl
    else:
        length = network.plen - sum(header.length for header in network.all_extension_headers) - headers
        ip_id, ttl = -1, network.hlim
    return Columns(
        halves(network.src),
        halves(network.dst),
        (packet.sport, packet.dport),
        packet.flags & 0x1FF,  # the reserved bits are no flags
        packet.seq,
        packet.ack,
        packet.win,
        length,
        ip_id,
        ttl,
    )


def _is_fragment(network: Any) -> bool:
    if isinstance(network, dpkt.ip.IP):
        return bool(network.mf or network.offset)
    return any(
        isinstance(header, dpkt.ip6.IP6FragmentHeader) and (header.frag_off or header.m_flag)
        for header in network.all_extension_headers
    )


def columns_of(row: dict[str, Any]) -> Columns:
    """Return the columns of a row of ``Segments``."""
    return Columns(
        (row["source_high"], row["source_low"]),
        (row["target_high"], row["target_low"]),
        (row["ports"] >> 16, row["ports"] & 0xFFFF),
        row["flags"] & 0x1FF,
        row["seq"],
        row["ack"],
        row["window"],
        row["length"],
        row["ip_id"],
        row["ttl"],
    )


def by_wire502(source: Source) -> dict[int, Columns]:
    """Return the columns of every segment of *source* by frame number."""
    stage = PacketStage()
    found = {}
    while (batch := source.read_batch()) is not None:
        for segments in stage.segments(batch):
            found.update((row["frame"], columns_of(row)) for row in rows_of(segments))
    return found


def differences(path: Path) -> tuple[int, dict[int, str]]:
    """Return how many frames the two agree about, and what differs in the others."""
    with open_source(path) as source:
        mine = by_wire502(source)
    data = path.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    theirs = {record.number: columns for record in records(data) if (columns := by_dpkt(record))}
    different = {}
    for frame in sorted(mine.keys() | theirs.keys()):
        one, other = mine.get(frame), theirs.get(frame)
        if one is None or other is None:
            different[frame] = "dpkt alone" if one is None else "wire502 alone"
        elif one != other:
            different[frame] = ", ".join(
                f"{field} {a} not {b}" for field, a, b in zip(Columns._fields, one, other, strict=True) if a != b
            )
    return len((mine.keys() | theirs.keys()) - different.keys()), different


@pytest.mark.parametrize("path", [pytest.param(path, id=name(path)) for path in samples()])
def test_samples(path: Path) -> None:
    """Of every TCP frame of a sample, all header columns are what dpkt says, and no frame is missing."""
    agreed, different = differences(path)
    assert different == {}
    assert agreed


def test_public_captures(truth: Path) -> None:
    """Of every TCP frame of every public capture, all header columns are what dpkt says, or it is explained."""
    seen = 0
    different = {}
    for path in sorted(truth.glob("c*/**/*.pcap*")):  # corpus and captures-groundtruth
        if not path.is_file():
            continue
        try:
            agreed, found = differences(path)
        except CaptureError:
            continue  # no capture at all: tests/capture/test_corpus.py says which
        seen += agreed
        if found:
            different[path.relative_to(truth / path.relative_to(truth).parts[0]).as_posix()] = found
    assert seen > 40_000
    counted = {key: (len(found), set(found.values())) for key, found in different.items()}
    assert counted == {key: (count, {who}) for key, (count, who, _) in EXPLAINED.items()}, different


@pytest.mark.parametrize("encapsulation", EVERY)
def test_encapsulations(encapsulation: str) -> None:
    """Of a segment in any encapsulation, dpkt says the same header columns, if it reads that encapsulation at all."""
    frame = EVERY[encapsulation]
    theirs = by_dpkt(Record(1, frame.linktype, frame.octets, len(frame.octets)))
    assert theirs == (None if encapsulation in UNKNOWN_TO_DPKT else columns_of(one(frame)))
