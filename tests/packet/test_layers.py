"""Link types, tags and tunnels: whatever stands before it, the same segment comes out."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

from tests.packet.batches import Captured, accounted, decode, one
from tests.packet.crafted import EVERY, FOUR, MAPPED, PAYLOAD, SIX, TSVAL, ether, in_udp, inner4, octets
from wire502.model import frames_cy as model
from wire502.packet.linktypes import SUPPORTED, linktype_name

INBOUND, OUTBOUND = 0x10000, 0x20000


@pytest.mark.parametrize("name", FOUR)
def test_ipv4_segment_comes_out_of(name: str) -> None:
    """Every encapsulation of the same IPv4 segment gives the same row."""
    row = one(FOUR[name])
    assert (row["source_high"], row["source_low"]) == (0, MAPPED | 0x0A010203)
    assert (row["target_high"], row["target_low"]) == (0, MAPPED | 0x0A040506)
    assert row["ports"] == 40000 << 16 | 8080
    assert (row["seq"], row["ack"], row["window"]) == (0xFFFFFFF0, 77, 502)
    assert row["flags"] & ~(INBOUND | OUTBOUND) == (model.PSH | model.ACK | model.DONT_FRAGMENT | model.HAS_TIMESTAMP)
    assert row["ts_value"] == TSVAL
    assert (row["mss"], row["scale"]) == (0, -1)
    assert (row["ttl"], row["ip_id"]) == (61, 4711)
    payload = b"" if name == "padded" else PAYLOAD
    assert (row["payload"], row["length"]) == (payload, len(payload))


def vlans(*tags: int) -> int:
    """Return the lane of a frame with these tags, the outermost first, that reaches the segment."""
    frame = inner4()
    for tag in reversed(tags):
        frame = Dot1Q(vlan=tag, prio=5) / frame
    return int(one(octets(ether() / frame))["lane"])


def test_the_lane_of_a_vlan_is_its_number() -> None:
    """A frame on one VLAN has its number as lane; one without a tag, or with a mere priority, has none."""
    assert [vlans(), vlans(0), vlans(1), vlans(4095), vlans(0, 7), vlans(7, 0)] == [0, 0, 1, 4095, 7, 7]


def test_the_lane_of_stacked_tags() -> None:
    """Of stacked tags all count, and so does their order; such a lane is never that of a single tag."""
    lanes = [vlans(5, 6), vlans(6, 5), vlans(5, 7), vlans(5, 6, 7)]
    assert len(set(lanes)) == 4
    assert min(lanes) > 4095


def test_the_lane_of_a_datagram_is_that_of_its_fragments() -> None:
    """A segment that came in fragments has the lane that they came on, and fragments of two VLANs are not mixed."""
    packet = inner4()
    packet.flags = 0
    first, second = fragment(packet, 16)[:2], fragment(packet, 16)[2:]
    given = [octets(ether() / Dot1Q(vlan=vlan) / piece) for piece in first + second for vlan in (5, 6)]
    assert [row["lane"] for row in decode(given).rows] == [5, 6]
    assert not decode([octets(ether() / Dot1Q(vlan=5 + (piece in second)) / piece) for piece in first + second]).rows


@pytest.mark.parametrize("name", SIX)
def test_ipv6_segment_comes_out_of(name: str) -> None:
    """Every encapsulation of the same IPv6 segment gives the same row."""
    row = one(SIX[name])
    assert (row["source_high"], row["source_low"]) == (0x20010DB8_00000000, 1)
    assert (row["target_high"], row["target_low"]) == (0x20010DB8_00000000, 2)
    assert row["ports"] == 40000 << 16 | 8080
    assert row["flags"] & ~(INBOUND | OUTBOUND) == model.PSH | model.ACK | model.IPV6 | model.HAS_TIMESTAMP
    assert (row["ttl"], row["ip_id"], row["ts_value"]) == (61, -1, TSVAL)
    assert (row["payload"], row["length"]) == (PAYLOAD, len(PAYLOAD))


@pytest.mark.parametrize(
    ("name", "direction", "bits"),
    [
        ("sll", 0, INBOUND),
        ("sll vlan", 0, OUTBOUND),
        ("sll2", 0, OUTBOUND),
        ("pppd", 0, OUTBOUND),
        ("ethernet", 0, 0),
        ("ethernet", 1, INBOUND),
        ("vxlan", 2, OUTBOUND),
        ("6in4", 2, OUTBOUND),
    ],
)
def test_direction_reaches_the_segment(name: str, direction: int, bits: int) -> None:
    """What a cooked header or the capture says about the direction is in the flags, through any tunnel."""
    given = EVERY[name]
    row = one(Captured(given.octets, given.linktype, direction=direction))
    assert row["flags"] & (INBOUND | OUTBOUND) == bits


@pytest.mark.parametrize(
    "content",
    [
        bytes(8) + octets(ether() / inner4()),  # no flag says that the identifier is valid
        bytes.fromhex("0800000000000501") + octets(ether() / inner4()),  # reserved octet set
        bytes.fromhex("0800000000000500") + bytes(64),  # no Ethernet frame
        b"\x08",
        b"",
    ],
)
@pytest.mark.parametrize("port", [4789, 8472, 6081, 2152])
def test_port_alone_makes_no_tunnel(port: int, content: bytes) -> None:
    """A datagram to the port of a tunnel without the header of one is UDP like any other."""
    decoded = decode([in_udp(port, content)])
    assert (decoded.rows, decoded.stage.non_tcp) == ([], 1)


def test_other_udp_is_no_tunnel() -> None:
    """A VXLAN header in a datagram to another port means nothing."""
    decoded = decode([in_udp(4790, bytes.fromhex("0800000000000500") + octets(ether() / inner4()))])
    assert (decoded.rows, decoded.stage.non_tcp) == ([], 1)


def test_nesting_is_bounded() -> None:
    """Eight IP headers around each other are read, nine are malformed."""
    packet = inner4()
    for _ in range(7):
        packet = IP(src="192.0.2.1") / packet
    assert len(decode([octets(ether() / packet)]).rows) == 1
    decoded = decode([octets(ether() / IP(src="192.0.2.1") / packet)])
    assert (decoded.rows, decoded.stage.malformed) == ([], 1)


def test_tags_are_bounded() -> None:
    """A thousand VLAN tags are malformed and cost no thousand steps."""
    frame = octets(ether(type=0x8100)) + b"\x00\x05\x81\x00" * 1000 + octets(Dot1Q(vlan=1) / inner4())
    decoded = decode([frame])
    assert (decoded.rows, decoded.stage.malformed) == ([], 1)


def test_unsupported_link_type_is_counted_by_number() -> None:
    """Frames of a link type that is not read are counted for it, and it has a name."""
    decoded = decode([Captured(bytes(60), 105), Captured(bytes(60), 105), Captured(bytes(60), 70000), FOUR["raw"]])
    assert decoded.stage.unsupported == {105: 2, 65535: 1}
    assert len(decoded.rows) == 1
    assert linktype_name(105) == "IEEE802_11 (105)"
    assert linktype_name(65000) == "65000"


@pytest.mark.parametrize("number", sorted(SUPPORTED))
def test_supported_link_types_are_those_of_the_kernel(number: int) -> None:
    """No link type of the table is refused by the kernel."""
    decoded = decode([Captured(bytes(64), number)])
    assert decoded.stage.unsupported == {}
    assert accounted(decoded.stage) == 1


def test_every_other_link_type_is_refused() -> None:
    """A link type that the table does not hold is never decoded."""
    numbers = [number for number in range(400) if number not in SUPPORTED]
    decoded = decode([Captured(FOUR["ethernet"].octets, number) for number in numbers])
    assert decoded.rows == []
    assert decoded.stage.unsupported == dict.fromkeys(numbers, 1)


def test_plain_udp_is_not_tcp() -> None:
    """Frames of other protocols are counted and give nothing."""
    decoded = decode(
        [octets(ether() / IP() / UDP(sport=1, dport=53) / Raw(b"x")), octets(ether(type=0x88CC)) + bytes(50)]
    )
    assert (decoded.rows, decoded.stage.non_tcp, decoded.stage.frames) == ([], 2, 2)
