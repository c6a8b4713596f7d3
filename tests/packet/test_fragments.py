"""IP fragments: put together in any order, within bounds, the first octets win."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import CookedLinux
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from tests.packet.batches import Captured, accounted, decode, one
from tests.packet.crafted import EVERY, ether, octets, tcp
from wire502.packet.fragments_cy import Datagram, Reassembler

CONTENT = random.Random(1).randbytes(3000)
PACKET4 = IP(src="10.1.2.3", dst="10.4.5.6", ttl=61, id=4711) / tcp() / Raw(CONTENT)
PACKET6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61) / IPv6ExtHdrFragment(id=9) / tcp() / Raw(CONTENT)


def pieces4(size: int = 1000) -> list[bytes]:
    """Return the frames of ``PACKET4`` in fragments of *size* octets."""
    return [octets(ether() / piece) for piece in fragment(PACKET4, fragsize=size)]


def pieces6(size: int = 1000) -> list[bytes]:
    """Return the frames of ``PACKET6`` in fragments for an MTU of *size* octets."""
    return [octets(ether() / piece) for piece in fragment6(PACKET6, size)]


def same_but(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return *row* without the columns that say where it was."""
    return {name: value for name, value in row.items() if name not in ("frame", "ts_ns", "start", *names)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("family", [4, 6])
def test_fragments_in_any_order_give_the_segment(family: int, seed: int) -> None:
    """Fragments in any order give the row of the whole packet, with the frame that completed it."""
    pieces = pieces4() if family == 4 else pieces6()
    random.Random(seed).shuffle(pieces)
    decoded = decode(pieces)
    (row,) = decoded.rows
    whole = PACKET4 if family == 4 else IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61) / tcp() / Raw(CONTENT)
    assert same_but(row) == same_but(one(octets(ether() / whole)))
    assert (row["frame"], row["ts_ns"]) == (len(pieces), 1_000_000_000 + (len(pieces) - 1) * 1000)
    assert decoded.stage.fragments == decoded.stage.frames == len(pieces)
    assert decoded.stage.fragments_pending == 0
    assert (decoded.stage.fragments_dropped, decoded.stage.fragments_overlapping) == (0, 0)


def test_order_of_the_capture_is_kept() -> None:
    """Segments before, between and after the fragments come out in the order of their frames."""
    plain = EVERY["ethernet"].octets
    first, *middle, last = pieces4()
    decoded = decode([plain, first, plain, *middle, plain, last, plain])
    assert [row["frame"] for row in decoded.rows] == [1, 3, 4 + len(middle), 5 + len(middle), 6 + len(middle)]
    assert accounted(decoded.stage) == decoded.stage.frames


def test_interface_and_direction_are_those_of_the_fragments() -> None:
    """A reassembled segment stands on the interface of its fragments and keeps what the cooked header said."""
    cooked = [Captured(octets(CookedLinux(pkttype=4) / piece), 113) for piece in fragment(PACKET4, fragsize=1000)]
    decoded = decode([EVERY["ethernet"], *cooked])
    assert [row["interface"] for row in decoded.rows] == [0, 1]
    assert decoded.rows[1]["flags"] & 0x30000 == 0x20000


def test_fragmented_tunnel_is_read() -> None:
    """An outer packet in fragments that carries an inner packet in fragments gives the inner segment."""
    inner = fragment(PACKET4, fragsize=1600)
    frames = []
    for number, piece in enumerate(inner):
        outside = (
            IP(src="192.0.2.1", dst="192.0.2.2", id=number)
            / UDP(sport=1, dport=4789)
            / VXLAN(flags=8)
            / ether()
            / piece
        )
        frames += [octets(ether() / part) for part in fragment(outside, fragsize=800)]
    decoded = decode(frames)
    (row,) = decoded.rows
    assert (row["payload"], row["frame"]) == (CONTENT, len(frames))


def test_extension_headers_before_the_fragment_header_are_done_with() -> None:
    """IPv6 headers in front of the fragment header do not hide the segment."""
    packet = octets(IPv6(src="2001:db8::1", dst="2001:db8::2") / tcp() / Raw(b"x" * 100))[40:]
    head = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrDestOpt()
    frames = [
        octets(ether() / head / IPv6ExtHdrFragment(offset=0, m=1, id=1, nh=6) / Raw(packet[:64])),
        octets(ether() / head / IPv6ExtHdrFragment(offset=8, m=0, id=1, nh=6) / Raw(packet[64:])),
    ]
    (row,) = decode(frames).rows
    assert (row["payload"], row["ports"]) == (b"x" * 100, 40000 << 16 | 8080)


def test_lost_fragment_gives_nothing() -> None:
    """A datagram with a piece missing gives no row and stays pending."""
    decoded = decode(pieces4()[:-1])
    assert (decoded.rows, decoded.stage.fragments_pending) == ([], 1)


def test_cut_fragments_say_what_is_known() -> None:
    """Where the snaplen cut the fragments, the segment has its full length and the octets up to the first cut."""
    frames = [Captured(piece[:134], length=len(piece)) for piece in pieces4()]
    (row,) = decode(frames).rows
    assert row["length"] == len(CONTENT)
    assert row["payload"] == CONTENT[: 134 - 34 - 32]


def test_copies_are_no_overlap() -> None:
    """Each fragment seen twice gives the segment once and counts no overlap."""
    doubled = [piece for piece in pieces4() for _ in range(2)]
    decoded = decode(doubled)
    assert len(decoded.rows) == 1
    assert (decoded.stage.fragments_overlapping, decoded.stage.fragments_pending) == (0, 1)


def ipv4(offset: int, more: bool, content: bytes, identification: int = 1, length: int | None = None) -> bytes:
    """Return an IPv4 fragment from its header on; *offset* in octets."""
    place = offset // 8 | (0x2000 if more else 0)
    total = 20 + (len(content) if length is None else length)
    return struct.pack(">BBHHHBBHII", 0x45, 0, total, identification, place, 64, 6, 0, 1, 2) + content


def feed(reassembler: Reassembler, packet: bytes, ts_ns: int = 0, interface: int = 0) -> Datagram | None:
    """Add an IPv4 fragment that was captured whole."""
    return reassembler.add(packet, 0, len(packet), ts_ns, interface)


def test_first_octets_win() -> None:
    """Where fragments contradict each other the first one stands, and the overlap is counted."""
    reassembler = Reassembler()
    assert feed(reassembler, ipv4(8, True, b"B" * 8)) is None
    assert feed(reassembler, ipv4(0, True, b"A" * 24)) is None
    assert feed(reassembler, ipv4(16, False, b"C" * 16)) == Datagram(
        ipv4(0, False, b"A" * 8 + b"B" * 8 + b"A" * 8 + b"C" * 8), 52
    )
    assert reassembler.overlapping == 2


def test_end_of_the_datagram_holds() -> None:
    """A fragment beyond the end that another has named is dropped, and so is an end before octets that are there."""
    reassembler = Reassembler()
    feed(reassembler, ipv4(8, False, b"B" * 8))
    feed(reassembler, ipv4(16, True, b"X" * 8))
    feed(reassembler, ipv4(8, False, b"B" * 4))
    assert reassembler.dropped == 2
    assert feed(reassembler, ipv4(0, True, b"A" * 8)) == Datagram(ipv4(0, False, b"A" * 8 + b"B" * 8), 36)
    feed(reassembler, ipv4(8, True, b"A" * 8, 2))
    feed(reassembler, ipv4(0, False, b"A" * 4, 2))
    assert reassembler.dropped == 3


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(0, True, b"123"),  # not the last and no multiple of 8
        ipv4(65528, False, b"x" * 20),  # beyond the largest datagram
        ipv4(8, True, b""),
        ipv4(0, True, b"")[:12],
    ],
)
def test_impossible_fragments_are_dropped(packet: bytes) -> None:
    """A fragment that no datagram can hold is dropped and counted."""
    reassembler = Reassembler()
    assert feed(reassembler, packet) is None
    assert (reassembler.dropped, reassembler.pending, reassembler.octets) == (1, 0, 0)


def test_patience_ends() -> None:
    """After 30 seconds of capture time, forwards or backwards, a datagram begins anew."""
    for late, done in ((30 * 10**9, True), (30 * 10**9 + 1, False), (-30 * 10**9 - 1, False)):
        reassembler = Reassembler()
        feed(reassembler, ipv4(0, True, b"A" * 8))
        assert (feed(reassembler, ipv4(8, False, b"B"), late) is not None) == done
        assert reassembler.dropped == (0 if done else 1)


def test_interfaces_are_kept_apart() -> None:
    """Copies of a datagram on two interfaces come out as two."""
    reassembler = Reassembler()
    found = [
        feed(reassembler, packet, interface=interface) is not None
        for packet in (ipv4(0, True, b"A" * 8), ipv4(8, False, b"B"))
        for interface in (0, 1)
    ]
    assert found == [False, False, True, True]


def test_memory_is_bounded() -> None:
    """A flood of fragments that never complete keeps datagrams and octets under their limits, oldest out first."""
    reassembler = Reassembler(most_datagrams=10, most_octets=1000)
    for number in range(500):
        feed(reassembler, ipv4(0, True, b"x" * (8 * (number % 40 + 1)), number))
        assert reassembler.pending <= 10
        assert reassembler.octets <= 1000
    assert reassembler.dropped == 500 - reassembler.pending
    largest = Reassembler(most_octets=70_000)
    for number in range(50):
        feed(largest, ipv4(0, True, b"x" * 8, number))
        feed(largest, ipv4(65504, True, b"x" * 8, number))
    assert (largest.pending, largest.octets) == (1, 65512)
    assert feed(reassembler, ipv4(160, False, b"x", 499)) is not None


def test_ends_without_a_beginning_take_no_more_than_themselves() -> None:
    """Of datagrams of which only the end came their octets are kept, and nothing for what came before."""
    reassembler = Reassembler()
    for number in range(1000):
        feed(reassembler, ipv4(65504, False, b"x" * 8, number))
    assert (reassembler.pending, reassembler.octets) == (1000, 8000)


def test_pieces_from_the_last_to_the_first() -> None:
    """A datagram whose pieces come backwards is put together, and at no time twice its size is kept."""
    reassembler = Reassembler()
    pieces = [ipv4(8 * at, at < 4000, at.to_bytes(8, "big")) for at in range(4001)]
    for kept, piece in enumerate(reversed(pieces[1:]), 1):
        assert feed(reassembler, piece) is None
        assert reassembler.octets <= 16 * kept
    whole = feed(reassembler, pieces[0])
    assert whole is not None
    assert whole.octets[20:] == b"".join(piece[20:] for piece in pieces)
    assert reassembler.octets == 0


def test_bookkeeping_ends_at_zero() -> None:
    """When all datagrams are complete nothing is kept."""
    reassembler = Reassembler()
    for number in range(20):
        feed(reassembler, ipv4(0, True, b"x" * 800, number))
    for number in range(20):
        assert feed(reassembler, ipv4(800, False, b"x", number)) is not None
    assert (reassembler.pending, reassembler.octets, reassembler.dropped) == (0, 0, 0)


PIECE = st.tuples(st.integers(0, 15), st.integers(1, 6), st.integers(0, 255))


@given(st.lists(PIECE, max_size=30))
def test_any_overlaps_agree_with_a_map_of_octets(given_: list[tuple[int, int, int]]) -> None:
    """Whatever the overlaps, the result is that of writing each octet where none is yet."""
    reassembler = Reassembler()
    octet_map: dict[int, int] = {}
    size = 8 * 22 + 1
    assert feed(reassembler, ipv4(size - 1, False, b"Z")) is None
    for at, blocks, value in given_:
        content = bytes((value + index) % 256 for index in range(8 * blocks))
        for index, octet in enumerate(content):
            octet_map.setdefault(8 * at + index, octet)
        assert feed(reassembler, ipv4(8 * at, True, content)) is None or len(octet_map) == size - 1
        if len(octet_map) == size - 1:
            return
    for index in range(size - 1):
        octet_map.setdefault(index, 0)
    whole = feed(reassembler, ipv4(0, True, bytes(size - 1)))
    assert whole is not None
    assert whole.octets[20:] == bytes(octet_map[index] for index in range(size - 1)) + b"Z"


def test_tiny_overlapping_fragments_cost_no_square() -> None:
    """Eight thousand tiny fragments with holes between them, then the holes, give one datagram."""
    reassembler = Reassembler()
    blocks = 8000
    for at in [*range(0, blocks, 2), *range(1, blocks, 2)]:
        assert feed(reassembler, ipv4(8 * at, True, at.to_bytes(8, "big"))) is None
    whole = feed(reassembler, ipv4(8 * blocks, False, b"x"))
    assert whole is not None
    assert whole.octets[20:] == b"".join(at.to_bytes(8, "big") for at in range(blocks)) + b"x"
