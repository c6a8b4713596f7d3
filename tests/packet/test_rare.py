"""Rare frames: ICMP errors that quote a segment, ARP, neighbour discovery."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPerror, TCPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, CookedLinux
from scapy.packet import Raw

from tests.packet.batches import Captured, decode
from tests.packet.crafted import EVERY, MAPPED, ether, octets, outer, tcp
from wire502.model.capture_info import RareFrame
from wire502.packet.icmp import read_icmp
from wire502.packet.neighbours import read_arp

ROUTER, GATEWAY, UPSTREAM = (0, MAPPED | 0x0A000001), (0, MAPPED | 0x0A000002), (0, MAPPED | 0x0A000003)
PREFIX = 0x20010DB8_00000000


def quoted(**fields: Any) -> bytes:
    """Return the SYN that an error quotes, from its IPv4 header on."""
    return octets(IP(src="10.0.0.2", dst="10.0.0.3", **fields) / tcp(flags="S", seq=0xDEADBEEF))


def error4(kind: int, code: int, quote: bytes, mtu: int = 0) -> bytes:
    """Return an ICMP error from the router to the gateway."""
    return octets(
        ether() / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=kind, code=code, nexthopmtu=mtu) / Raw(quote)
    )


def quoted6() -> Any:
    """Return the SYN that an ICMPv6 error quotes."""
    return IPv6(src="2001:db8::2", dst="2001:db8::3") / tcp(flags="S", seq=0xDEADBEEF)


def error6(message: Any, quote: Any) -> bytes:
    """Return an ICMPv6 error from the router to the gateway."""
    return octets(ether() / IPv6(src="2001:db8::1", dst="2001:db8::2") / message / Raw(octets(quote)))


def only(frame: bytes | Captured) -> RareFrame:
    """Return the only thing that *frame* gives: a rare frame."""
    decoded = decode([frame])
    assert decoded.rows == []
    (record,) = decoded.rare
    return record


@pytest.mark.parametrize(
    ("kind", "code", "name", "mtu"),
    [
        (3, 0, "unreachable", 0),
        (3, 1, "unreachable", 0),
        (3, 13, "unreachable", 0),
        (3, 4, "packet_too_big", 1400),
        (11, 0, "time_exceeded", 0),
    ],
)
def test_icmp_error_names_the_segment(kind: int, code: int, name: str, mtu: int) -> None:
    """An ICMP error says who sent it and which segment it is about."""
    record = only(error4(kind, code, quoted(), mtu))
    assert (record.kind, record.icmp_version, record.icmp_type, record.icmp_code) == (name, 4, kind, code)
    assert (record.sender, record.receiver, record.mtu) == (ROUTER, GATEWAY, mtu)
    assert (record.quoted_source, record.quoted_target) == (GATEWAY, UPSTREAM)
    assert (record.quoted_ports, record.quoted_seq) == (40000 << 16 | 8080, 0xDEADBEEF)
    assert (record.row, record.frame, record.ts_ns, record.interface) == (0, 1, 1_000_000_000, 0)


def test_eight_octets_of_the_segment_are_enough() -> None:
    """Routers may quote no more than ports and sequence number; one octet less says nothing."""
    assert only(error4(3, 1, quoted()[:28])).quoted_seq == 0xDEADBEEF
    decoded = decode([error4(3, 1, quoted()[:27])])
    assert (decoded.rare, decoded.stage.non_tcp) == ([], 1)


def test_quoted_options_are_stepped_over() -> None:
    """IP options in the quoted header do not hide the ports."""
    assert only(error4(3, 1, quoted(options=b"\x94\x04\x00\x00"))).quoted_ports == 40000 << 16 | 8080


@pytest.mark.parametrize(
    ("message", "name", "icmp_type", "code", "mtu"),
    [
        (ICMPv6DestUnreach(code=4), "unreachable", 1, 4, 0),
        (ICMPv6PacketTooBig(mtu=1280), "packet_too_big", 2, 0, 1280),
        (ICMPv6TimeExceeded(), "time_exceeded", 3, 0, 0),
    ],
)
def test_icmpv6_error_names_the_segment(message: Any, name: str, icmp_type: int, code: int, mtu: int) -> None:
    """An ICMPv6 error says the same, behind extension headers too."""
    extended = IPv6(src="2001:db8::2", dst="2001:db8::3") / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(m=1)
    for quote in (quoted6(), extended / tcp(flags="S", seq=0xDEADBEEF)):
        record = only(error6(message, quote))
        assert (record.kind, record.icmp_version, record.icmp_type, record.icmp_code) == (name, 6, icmp_type, code)
        assert (record.sender, record.receiver, record.mtu) == ((PREFIX, 1), (PREFIX, 2), mtu)
        assert (record.quoted_source, record.quoted_target) == ((PREFIX, 2), (PREFIX, 3))
        assert (record.quoted_ports, record.quoted_seq) == (40000 << 16 | 8080, 0xDEADBEEF)


@pytest.mark.parametrize(
    "frame",
    [
        error4(3, 3, octets(IP() / UDP())),  # about UDP
        error4(3, 1, quoted(frag=5)),  # about a later fragment
        error4(5, 1, quoted()),  # a redirect
        error4(8, 0, quoted()),  # an echo
        octets(ether() / IPv6() / ICMPv6EchoRequest()),
        error6(ICMPv6DestUnreach(), IPv6() / IPv6ExtHdrFragment(offset=3) / tcp()),
        error6(ICMPv6DestUnreach(), IPv6() / UDP()),
        octets(ether() / ARP(op=3)),
        octets(ether() / ARP(hwtype=6)),
        octets(ether() / ARP())[:40],
        octets(ether() / IPv6(hlim=64) / ICMPv6ND_NS(tgt="fe80::1")),  # came over a router
    ],
)
def test_other_messages_are_no_rare_frames(frame: bytes) -> None:
    """Messages that say nothing of a TCP segment or a neighbour are counted and dropped."""
    decoded = decode([frame])
    assert (decoded.rows, decoded.rare, decoded.stage.non_tcp) == ([], [], 1)


@pytest.mark.parametrize("cooked", [False, True])
def test_arp_says_who_asks_for_whom(cooked: bool) -> None:
    """An ARP request and its reply name the address that is asked for, in Ethernet and cooked captures."""
    request, reply = ARP(op=1, psrc="10.0.0.2", pdst="10.0.0.3"), ARP(op=2, psrc="10.0.0.3", pdst="10.0.0.2")
    frames = [
        Captured(octets((CookedLinux(proto=0x0806) if cooked else ether()) / packet), 113 if cooked else 1)
        for packet in (request, reply)
    ]
    first, second = decode(frames).rare
    assert (first.kind, first.sender, first.receiver, first.asked) == ("address_request", GATEWAY, UPSTREAM, UPSTREAM)
    assert (second.kind, second.sender, second.receiver, second.asked) == (
        "address_reply",
        UPSTREAM,
        GATEWAY,
        UPSTREAM,
    )


def test_announcement_is_an_answer() -> None:
    """A gratuitous request asks nothing: its sender tells that it is there (RFC 5227 section 3)."""
    record = only(octets(ether() / ARP(op=1, psrc="10.0.0.3", pdst="10.0.0.3")))
    assert (record.kind, record.asked) == ("address_reply", UPSTREAM)


def test_neighbour_discovery_says_the_same() -> None:
    """Neighbour solicitation and advertisement name the address that is asked for."""
    frames = [
        octets(ether() / IPv6(src="2001:db8::2", dst="ff02::1:ff00:3", hlim=255) / ICMPv6ND_NS(tgt="2001:db8::3")),
        octets(ether() / IPv6(src="2001:db8::3", dst="2001:db8::2", hlim=255) / ICMPv6ND_NA(tgt="2001:db8::3")),
    ]
    first, second = decode(frames).rare
    assert (first.kind, first.sender, first.asked) == ("address_request", (PREFIX, 2), (PREFIX, 3))
    assert (second.kind, second.sender, second.asked) == ("address_reply", (PREFIX, 3), (PREFIX, 3))


def test_row_counts_the_segments_before() -> None:
    """A rare frame knows how many segments of its portion precede it, and portions keep the order."""
    plain, rare = EVERY["ethernet"].octets, error4(3, 1, quoted())
    decoded = decode([rare, plain, plain, rare, plain, rare])
    assert [(record.row, record.frame) for record in decoded.rare] == [(0, 1), (2, 4), (3, 6)]
    decoded = decode([rare, plain, plain, rare, plain, rare], rows=2)
    assert [(record.row, record.frame) for record in decoded.rare] == [(0, 1), (0, 4), (1, 6)]
    assert decoded.stage.rare == 3


def test_rare_frame_in_a_tunnel_counts() -> None:
    """An ICMP error inside a tunnel is read like any other, with the inner addresses."""
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=3, code=1) / IPerror(quoted()[:20]) / TCPerror(quoted()[20:])
    assert only(octets(outer() / inner)).sender == ROUTER


def test_fragmented_error_is_read() -> None:
    """An ICMP error that came in fragments carries frame and interface of the last one."""
    from scapy.layers.inet import fragment

    packet = IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=3, code=1) / Raw(quoted() + bytes(100))
    pieces = [octets(ether() / piece) for piece in fragment(packet, fragsize=80)]
    decoded = decode([Captured(bytes(60), 105), *pieces])
    (record,) = decoded.rare
    assert (record.frame, record.interface, record.quoted_seq) == (1 + len(pieces), 1, 0xDEADBEEF)


def test_cut_messages_never_raise() -> None:
    """Every prefix of every message is read or refused, never an error."""
    message4, message6 = error4(3, 1, quoted())[34:], error6(ICMPv6DestUnreach(), quoted6())[54:]
    for size in range(len(message4)):
        assert (read_icmp(message4[:size], 4, 64, ROUTER, GATEWAY) is not None) == (size >= 8 + 28)
    for size in range(len(message6)):
        assert (read_icmp(message6[:size], 6, 64, ROUTER, GATEWAY) is not None) == (size >= 8 + 48)
    arp = octets(ARP())
    for size in range(len(arp)):
        assert read_arp(arp[:size]) is None
