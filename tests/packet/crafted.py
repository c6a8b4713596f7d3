"""Frames of every encapsulation that is read, all around the same TCP segment, by scapy where it knows the header."""

from __future__ import annotations

import struct
from typing import Any

from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.l2 import GRE, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.packet.batches import Captured

TSVAL = 0x01020304
OPTIONS = [("NOP", None), ("NOP", None), ("Timestamp", (TSVAL, 5))]
PAYLOAD = b"GET / HTTP/1.1\r\n\r\n"
MAPPED = 0xFFFF << 32
MACS: dict[str, Any] = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


def octets(packet: Packet) -> bytes:
    """Return *packet* as on the wire."""
    return bytes(packet)


def tcp(**fields: Any) -> Packet:
    """Return the TCP segment that all encapsulations carry, without its payload."""
    values: dict[str, Any] = {
        "sport": 40000,
        "dport": 8080,
        "seq": 0xFFFFFFF0,
        "ack": 77,
        "flags": "PA",
        "window": 502,
        "options": OPTIONS,
        **fields,
    }
    return TCP(**values)


def inner4(**fields: Any) -> Packet:
    """Return the IPv4 packet that they carry."""
    return IP(src="10.1.2.3", dst="10.4.5.6", ttl=61, id=4711, flags="DF", **fields) / tcp() / Raw(PAYLOAD)


def inner6() -> Packet:
    """Return the IPv6 packet that they carry."""
    return IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61) / tcp() / Raw(PAYLOAD)


def ether(**fields: Any) -> Packet:
    """Return an Ethernet header with fixed addresses."""
    return Ether(**MACS, **fields)


def outer() -> Packet:
    """Return the outer Ethernet and IPv4 headers of a tunnel."""
    return ether() / IP(src="192.0.2.1", dst="192.0.2.2")


def bridged() -> Packet:
    """Return the Ethernet frame that the layer-2 tunnels carry."""
    return ether() / inner4()


def in_udp(port: int, content: bytes) -> bytes:
    """Return *content* in a UDP datagram to *port* in the outer headers."""
    return octets(outer() / UDP(sport=55555, dport=port) / Raw(content))


def _gre(flags: int, kind: int, rest: bytes, content: bytes) -> bytes:
    return octets(
        ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / Raw(struct.pack(">HH", flags, kind) + rest + content)
    )


def _nflog(order: str) -> bytes:
    packet = octets(inner4())
    items = ((1, struct.pack(">HBB", 0x0800, 3, 0)), (10, b"abc\0"), (9, packet))
    body = b""
    for kind, value in items:
        item = struct.pack(order + "HH", len(value) + 4, kind) + value
        body += item + bytes(-len(item) % 4)
    return b"\x02\x00\x00\x05" + body


def _ah(following: int, content: bytes) -> bytes:
    return struct.pack(">BBHII", following, 4, 0, 1, 2) + bytes(12) + content


def plain4() -> dict[str, Captured]:
    """Return frames around ``inner4`` by the name of what they show."""
    packet = octets(inner4())
    frame = octets(bridged())
    segment = octets(inner4())[20:]
    ip = {"src": "10.1.2.3", "dst": "10.4.5.6", "ttl": 61, "id": 4711, "flags": "DF"}
    erspan3 = struct.pack(">HHIHH", 0x2005, 0, 1, 0, 0)
    gtp = octets(GTP_U_Header(teid=9, gtp_type=255) / inner4())
    gtp_extended = struct.pack(">BBHI", 0x34, 255, len(packet) + 8, 9) + bytes.fromhex("00000085 01100900") + packet
    frames: dict[str, bytes] = {
        "ethernet": frame,
        "padded": octets(ether() / IP(**ip) / tcp()) + bytes(30),
        "ip options": octets(ether() / IP(**ip, options=b"\x94\x04\x00\x00\x01\x01\x00\x00") / tcp() / Raw(PAYLOAD)),
        "vlan": octets(ether() / Dot1Q(vlan=5) / inner4()),
        "qinq": octets(ether() / Dot1AD(vlan=5) / Dot1Q(vlan=6) / inner4()),
        "qinq 0x9100": octets(ether(type=0x9100)) + b"\x00\x05\x08\x00" + packet,
        "mpls": octets(ether(type=0x8847) / MPLS(label=3, s=0) / MPLS(label=4, s=1) / inner4()),
        "mpls pseudo-wire with control word": octets(ether(type=0x8847) / MPLS(label=3, s=1)) + bytes(4) + frame,
        "mpls pseudo-wire": octets(ether(type=0x8847) / MPLS(label=3, s=1)) + frame,
        "pppoe": octets(ether() / PPPoE(sessionid=1) / PPP(proto=0x21) / inner4()),
        "snap": octets(Ether(**MACS, type=len(packet) + 8))
        + octets(LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x800))
        + packet,
        "ip in ip": octets(outer() / inner4()),
        "gre": octets(outer() / GRE(proto=0x800) / inner4()),
        "gre with checksum, key, sequence": octets(
            outer() / GRE(proto=0x800, chksum_present=1, key_present=1, key=7, seqnum_present=1) / inner4()
        ),
        "nvgre": octets(outer() / GRE(proto=0x6558, key_present=1, key=0x123400) / bridged()),
        "pptp": _gre(0x3081, 0x880B, struct.pack(">HHII", len(packet) + 4, 1, 2, 3), b"\xff\x03\x00\x21" + packet),
        "erspan 1": _gre(0, 0x88BE, b"", frame),
        "erspan 2": _gre(0x1000, 0x88BE, bytes(4) + struct.pack(">HHI", 0x1005, 1, 0), frame),
        "erspan 3": _gre(0x1000, 0x22EB, bytes(4) + erspan3, frame),
        "erspan 3 with subheader": _gre(0x1000, 0x22EB, bytes(4) + erspan3[:-1] + b"\x01" + bytes(8), frame),
        "vxlan": octets(outer() / UDP(sport=1, dport=4789) / VXLAN(flags=8, vni=5) / bridged()),
        "vxlan of linux": in_udp(8472, octets(VXLAN(flags=8, vni=5) / bridged())),
        "geneve": in_udp(6081, octets(GENEVE(proto=0x6558, vni=5) / bridged())),
        "geneve with options": in_udp(6081, bytes.fromhex("0200655800000500 0001000100000000") + frame),
        "geneve of ip": in_udp(6081, bytes.fromhex("0000080000000500") + packet),
        "gtp": in_udp(2152, gtp),
        "gtp with extension header": in_udp(2152, gtp_extended),
        "etherip": octets(ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=97) / Raw(b"\x30\x00" + frame)),
        "mpls in ip": octets(ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=137) / MPLS(label=3, s=1) / inner4()),
        "authentication header": octets(ether() / IP(**ip, proto=51) / Raw(_ah(6, segment))),
        "vlan in vxlan in gre": octets(
            outer()
            / GRE(proto=0x800)
            / IP(src="192.0.2.3")
            / UDP(sport=1, dport=4789)
            / VXLAN(flags=8)
            / ether()
            / Dot1Q(vlan=2)
            / inner4()
        ),
    }
    other: dict[str, tuple[int, bytes]] = {
        "sll": (113, octets(CookedLinux(pkttype=0) / inner4())),
        "sll vlan": (113, octets(CookedLinux(pkttype=4) / Dot1Q(vlan=3) / inner4())),
        "sll2": (276, octets(CookedLinuxV2(pkttype=4) / inner4())),
        "null little": (0, b"\x02\0\0\0" + packet),
        "null big": (0, b"\0\0\0\x02" + packet),
        "loop": (108, b"\0\0\0\x02" + packet),
        "raw": (101, packet),
        "raw 12": (12, packet),
        "raw 14": (14, packet),
        "ipv4": (228, packet),
        "ppp": (9, b"\xff\x03\x00\x21" + packet),
        "ppp compressed": (9, b"\x21" + packet),
        "ppp hdlc": (50, b"\xff\x03\x00\x21" + packet),
        "cisco hdlc": (104, b"\x0f\x00\x08\x00" + packet),
        "cisco hdlc as ppp hdlc": (50, b"\x8f\x00\x08\x00" + packet),
        "ppp ether": (51, octets(PPPoE(sessionid=1) / PPP(proto=0x21) / inner4())),
        "pppd": (166, b"\x01\x03\x00\x21" + packet),
        "nflog little": (239, _nflog("<")),
        "nflog big": (239, _nflog(">")),
        "pflog": (117, b"\x3d\x02" + bytes(62) + packet),
        "pktap": (258, struct.pack("<III", 108, 1, 1) + bytes(96) + frame),
    }
    return {name: Captured(frame) for name, frame in frames.items()} | {
        name: Captured(frame, link) for name, (link, frame) in other.items()
    }


def plain6() -> dict[str, Captured]:
    """Return frames around ``inner6`` by the name of what they show."""
    packet = octets(inner6())
    segment = packet[40:]
    ip = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61)
    pad = [PadN(optdata=b"\0\0\0\0")]
    extended = ip / IPv6ExtHdrHopByHop(options=pad) / IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt(options=pad)
    frames = {
        "ipv6": octets(ether() / inner6()),
        "extension headers": octets(ether() / extended / tcp() / Raw(PAYLOAD)),
        "atomic fragment": octets(ether() / ip / IPv6ExtHdrFragment(offset=0, m=0, id=7) / tcp() / Raw(PAYLOAD)),
        "authentication header 6": octets(
            ether() / IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61, nh=51) / Raw(_ah(6, segment))
        ),
        "6in4": octets(outer() / inner6()),
        "6in6": octets(ether() / IPv6(src="2001:db8::8", dst="2001:db8::9") / inner6()),
        "gre 6": octets(outer() / GRE(proto=0x86DD) / inner6()),
        "pppoe 6": octets(ether() / PPPoE(sessionid=1) / PPP(proto=0x57) / inner6()),
    }
    other = {
        "null of darwin": (0, b"\x1e\0\0\0" + packet),
        "null of freebsd": (0, b"\x1c\0\0\0" + packet),
        "loop of openbsd": (108, b"\0\0\0\x18" + packet),
        "raw 6": (101, packet),
        "ipv6 only": (229, packet),
        "sll 6": (113, octets(CookedLinux(pkttype=0, proto=0x86DD) / inner6())),
    }
    return {name: Captured(frame) for name, frame in frames.items()} | {
        name: Captured(frame, link) for name, (link, frame) in other.items()
    }


FOUR = plain4()
SIX = plain6()
EVERY = FOUR | SIX
