"""The conversation builder speaks real TCP/IP: judged by dpkt, by tshark and by arithmetic of its own."""

from __future__ import annotations

import io
import ipaddress
import subprocess

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import wire_headers as headers
from tests.wire import Wire

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def conversation(client: str = "10.0.0.1:41000", server: str = "10.0.0.2:8080", **options: object) -> Wire:
    """A healthy exchange and an orderly close: eleven frames."""
    wire = Wire()
    c = wire.connection(client, server, **options)
    c.handshake()
    c.client.send(REQUEST)
    c.server.ack()
    c.server.send(RESPONSE, mss=20)
    c.client.ack()
    c.server.fin()
    c.client.fin()
    return wire


def segments(wire: Wire) -> list[dpkt.tcp.TCP]:
    reader = dpkt.pcap.Reader(io.BytesIO(wire.octets(link="raw")))
    return [dpkt.ip.IP(data).data if data[0] >> 4 == 4 else dpkt.ip6.IP6(data).data for _, data in reader]


def slow_checksum(data: bytes) -> int:
    """RFC 1071 word by word."""
    total = 0
    for index in range(0, len(data), 2):
        total += int.from_bytes(data[index : index + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(st.binary(max_size=64))
def test_checksum(data: bytes) -> None:
    """The checksum is that of RFC 1071, added word by word."""
    assert headers.checksum(data) == slow_checksum(data)


@pytest.mark.parametrize("ends", [("10.0.0.1:41000", "10.0.0.2:8080"), ("[2001:db8::1]:41000", "[2001:db8::2]:8080")])
@pytest.mark.parametrize("timestamps", [False, True])
def test_checksums_of_frames(ends: tuple[str, str], timestamps: bool) -> None:
    """Every frame's IP and TCP checksums add up to zero, over IPv4 and IPv6, with and without timestamps."""
    for frame in conversation(*ends, timestamps=timestamps).frames:
        if frame.network[0] >> 4 == 4:
            assert slow_checksum(frame.network[:20]) == 0
            ip = dpkt.ip.IP(frame.network)
            addresses, body = ip.src + ip.dst, frame.network[20:]
            pseudo = addresses + b"\0\x06" + len(body).to_bytes(2, "big")
        else:
            ip6 = dpkt.ip6.IP6(frame.network)
            body = frame.network[40:]
            assert ip6.plen == len(body)
            pseudo = ip6.src + ip6.dst + len(body).to_bytes(4, "big") + b"\0\0\0\x06"
        assert slow_checksum(pseudo + body) == 0


def test_bad_checksum() -> None:
    """A segment sent with a bad checksum has a bad checksum and nothing else wrong."""
    twins = []
    for bad in (False, True):
        wire = Wire()
        wire.connection("10.0.0.1:41000", "10.0.0.2:8080").client.syn(bad_checksum=bad)
        twins.append(wire.frames[0].network)
    assert twins[0][:36] + twins[0][38:] == twins[1][:36] + twins[1][38:]
    assert twins[0][36:38] != twins[1][36:38]


def test_numbers_follow() -> None:
    """Sequence and acknowledgement numbers follow from what was sent."""
    wire = conversation(client_isn=100, server_isn=5000)
    syn, syn_ack, ack, request, _, first, second, *_, client_ack, server_fin, client_fin = segments(wire)
    assert (syn.seq, syn.ack, syn.flags) == (100, 0, dpkt.tcp.TH_SYN)
    assert (syn_ack.seq, syn_ack.ack) == (5000, 101)
    assert (ack.seq, ack.ack) == (101, 5001)
    assert (request.seq, request.data) == (101, REQUEST)
    assert (first.seq, second.seq, first.ack) == (5001, 5021, 101 + len(REQUEST))
    assert client_ack.ack == server_fin.seq == 5001 + len(RESPONSE)
    assert client_fin.ack == server_fin.seq + 1


def test_frame_numbers() -> None:
    """Every call returns the number of the frame that it made, counted from 1; a dropped frame has none."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    assert c.handshake() == [1, 2, 3]
    assert c.client.send(REQUEST) == 4
    assert c.server.ack(drop=True) == 0
    assert c.server.send(RESPONSE, mss=30) == [5, 6]
    assert c.server.reset() == 7
    assert len(wire.frames) == 7


def test_wrap() -> None:
    """Sequence numbers wrap at 2**32 and the peer's acknowledgements wrap with them."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=2**32 - 3)
    c.handshake()
    c.client.send(b"abcdef")
    c.client.send(b"gh")
    c.server.ack()
    found = segments(wire)
    assert [s.seq for s in found[3:5]] == [2**32 - 2, 4]
    assert found[5].ack == 6


def test_dropped_and_lost() -> None:
    """What the capture dropped is acknowledged; what was lost is not, until it is sent again."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=0).established()
    c.client.send(b"abc", drop=True)
    c.server.ack()
    lost = c.client.send(b"defg", lost=True)
    c.client.send(b"hi")
    c.server.ack()
    c.client.retransmit(lost)
    c.server.ack()
    found = segments(wire)
    assert [s.ack for s in found if s.sport == 8080] == [4, 4, 10]
    assert found[1].data == found[4].data == b"defg"
    assert found[1].seq == found[4].seq == 4
    assert (5, b"".join(n.to_bytes(4, "big") for n in (8, 10))) in dpkt.tcp.parse_opts(found[3].opts)


def test_refusal() -> None:
    """A reset from a side that never opened refuses the SYN: sequence number 0, acknowledging ISN + 1."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=77)
    c.client.syn()
    c.client.syn(at=1.0)
    c.server.reset()
    again, reset = segments(wire)[1:]
    assert again.seq == 77
    assert (reset.seq, reset.ack, reset.flags) == (0, 78, dpkt.tcp.TH_RST | dpkt.tcp.TH_ACK)


def test_overrides() -> None:
    """A call can set every header field; numbers that it sets do not move the connection's own."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=0).established()
    c.client.segment("FPU", b"x", seq=9, ack=8, window=7, ttl=6, ip_id=5, at=4.25)
    c.client.send(b"y")
    first, second = (dpkt.ip.IP(frame.network) for frame in wire.frames)
    assert (first.data.seq, first.data.win, first.ttl, first.id) == (9, 7, 6, 5)
    assert first.data.flags == dpkt.tcp.TH_FIN | dpkt.tcp.TH_PUSH | dpkt.tcp.TH_URG
    assert wire.frames[0].time_ns == wire.start_ns + 4_250_000_000 < wire.frames[1].time_ns
    assert second.data.seq == 1


def test_keep_alive() -> None:
    """A keep-alive repeats the octet before the next one and advances nothing."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=10).established()
    c.client.keep_alive()
    c.client.send(b"x")
    assert [s.seq for s in segments(wire)] == [10, 11]


@given(st.permutations(range(6)))
def test_any_order_is_acknowledged_in_the_end(order: list[int]) -> None:
    """Whatever the order of arrival, the acknowledgement covers exactly what has come without a hole."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=0).established()
    come: set[int] = set()
    for piece in order:
        c.client.send(b"0123456789", seq=1 + 10 * piece)
        come.add(piece)
        whole = next(n for n in range(7) if n not in come)
        assert c.server.expected == 1 + 10 * whole


def test_icmp_quotes() -> None:
    """An ICMP error goes back to the sender of the frame that it quotes, with its header and eight octets."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=7)
    syn = c.client.syn()
    unreachable = wire.icmp_unreachable("10.0.0.254", quoting=syn, code=13)
    packet = dpkt.ip.IP(wire.frames[unreachable - 1].network)
    assert (packet.dst, packet.data.type, packet.data.code) == (ipaddress.ip_address("10.0.0.1").packed, 3, 13)
    assert slow_checksum(bytes(packet.data)) == 0
    assert wire.frames[unreachable - 1].network[28:] == wire.frames[0].network[:28]


def test_link_types_carry_the_same_packets() -> None:
    """Each link type holds the same network octets behind its own header."""
    wire = conversation(vlan=(5, 7))
    sizes = {"ethernet": 14 + 8, "sll": 16 + 8, "sll2": 20 + 8, "raw": 0, "null": 4}
    assert sizes.keys() == headers.LINKTYPES.keys()
    for link, size in sizes.items():
        reader = dpkt.pcap.Reader(io.BytesIO(wire.octets(link=link)))
        assert reader.datalink() == headers.LINKTYPES[link]
        assert [data[size:] for _, data in reader] == [frame.network for frame in wire.frames]


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_files(kind: str, nanoseconds: bool, big_endian: bool) -> None:
    """Both formats, in both resolutions and byte orders, hold the frames in order at their times, cut at snaplen."""
    wire = conversation()
    wire.frames[2].time_ns += 123_456_789
    octets = wire.octets(kind, nanoseconds=nanoseconds, big_endian=big_endian, snaplen=60)
    reader = (dpkt.pcapng if kind == "pcapng" else dpkt.pcap).Reader(io.BytesIO(octets))
    records = list(reader)
    assert [data[14:] for _, data in records] == [frame.network[:46] for frame in wire.frames]
    unit = 1e-9 if nanoseconds else 1e-6
    for (time, _), frame in zip(records, wire.frames, strict=True):
        assert abs(float(time) - frame.time_ns / 1e9) <= unit + 4e-7  # a float has no more digits


def test_copies_keep_identities() -> None:
    """A copy without some frames, or in another order, still knows what each frame was in the original."""
    wire = conversation()
    times = [frame.time_ns for frame in wire.frames]
    fewer = wire.without([2, 5])
    assert [fewer.identity(n) for n in range(1, len(fewer.frames) + 1)] == [
        n for n in range(1, len(wire.frames) + 1) if n not in (2, 5)
    ]
    assert (fewer.number(4), fewer.number(5)) == (3, None)
    other = wire.reorder(6, 4)
    assert [other.identity(n) for n in (3, 4, 5, 6, 7)] == [3, 6, 4, 5, 7]
    assert [frame.time_ns for frame in other.frames] == times == [frame.time_ns for frame in wire.frames]


def test_duplicate() -> None:
    """A duplicate is the same packet; one hop further its TTL is less by one and its checksum right again."""
    wire = conversation()
    same, routed = wire.duplicate(4), wire.duplicate(4, hops=1, interface=1)
    original = wire.frames[3].network
    assert wire.frames[same - 1].network == original
    packet = wire.frames[routed - 1].network
    assert packet[8] == original[8] - 1
    assert slow_checksum(packet[:20]) == 0
    assert packet[12:] == original[12:]


@pytest.mark.parametrize("link", list(headers.LINKTYPES))
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_tshark_finds_nothing_wrong(tmp_path, tshark: str, kind: str, link: str) -> None:
    """Wireshark's dissectors see no malformed packet and no bad checksum, and join the frames to their streams."""
    wire = conversation(vlan=() if link in ("raw", "null") else (5,), scale=7)
    second = wire.connection("[2001:db8::1]:41000", "[2001:db8::2]:80", timestamps=True)
    syn6 = second.client.syn()
    wire.icmp_unreachable("2001:db8::fe", quoting=syn6)
    wire.icmp_too_big("2001:db8::fe", quoting=syn6, mtu=1280)
    wire.icmp_time_exceeded("10.0.0.254", quoting=1)
    wire.neighbour_solicitation("2001:db8::1", "2001:db8::2")
    if link not in ("raw", "null"):
        wire.arp_request("10.0.0.1", "10.0.0.2")
        wire.arp_reply("10.0.0.2", "10.0.0.1")
    path = wire.write(tmp_path / "capture", format=kind, link=link, nanoseconds=True)
    fields = ["frame.number", "_ws.malformed", "_ws.expert.message", "tcp.stream", "ip.checksum.status"]
    checks = ["ip.check_checksum", "tcp.check_checksum"]
    command = [tshark, "-r", path, "-T", "fields", *(word for name in fields for word in ("-e", name))]
    command += [word for name in checks for word in ("-o", f"{name}:TRUE")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(wire.frames)
    assert not [row for row in rows if row[1] or "checksum" in row[2].lower() or "malformed" in row[2].lower()]
    assert {row[3] for row in rows if row[3]} >= {"0", "1"}
