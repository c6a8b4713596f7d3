"""A packet that a capture holds both in a tunnel (or with tags) and without is one packet, of its innermost ends."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import GRE, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet
from scapy.packet import Raw as Octets

from tests.property.transform import Raw, load, pcapng
from tests.wire import Wire
from wire502.api import Failure, Summary, read

GATEWAY = bytes([10, 0, 0, 1])


def outer(frame: bytes, **fields: int) -> Packet:
    """Return outer headers that go the way of *frame*."""
    ends = ("192.0.2.1", "192.0.2.2") if frame[26:30] == GATEWAY else ("192.0.2.2", "192.0.2.1")
    return Ether(src="02:00:00:00:00:11", dst="02:00:00:00:00:12") / IP(src=ends[0], dst=ends[1], **fields)


def erspan(frame: bytes, kind: int, header: bytes) -> bytes:
    """Return *frame* mirrored."""
    return bytes(outer(frame, proto=47) / Octets(struct.pack(">HHI", 0x1000, kind, 0) + header + frame))


AROUND: dict[str, Callable[[bytes], bytes]] = {
    "vlan": lambda frame: frame[:12] + b"\x81\0\0\5" + frame[12:],
    "qinq": lambda frame: frame[:12] + b"\x88\xa8\0\7\x81\0\0\5" + frame[12:],
    "mpls": lambda frame: frame[:12] + b"\x88\x47\0\0\x31\x40" + frame[14:],
    "pppoe": lambda frame: bytes(
        Ether(frame[:12] + b"\x88\x64") / PPPoE(sessionid=1) / PPP(proto=0x21) / IP(frame[14:])
    ),
    "ip in ip": lambda frame: bytes(outer(frame) / IP(frame[14:])),
    "gre": lambda frame: bytes(outer(frame) / GRE(proto=0x800) / IP(frame[14:])),
    "vxlan": lambda frame: bytes(outer(frame) / UDP(sport=1, dport=4789) / VXLAN(flags=8, vni=5) / Ether(frame)),
    "geneve": lambda frame: bytes(outer(frame) / UDP(sport=1, dport=6081) / GENEVE(proto=0x6558) / Ether(frame)),
    "gtp": lambda frame: bytes(outer(frame) / UDP(sport=1, dport=2152) / GTP_U_Header(teid=9) / IP(frame[14:])),
    "erspan 2": lambda frame: erspan(frame, 0x88BE, struct.pack(">HHI", 0x1005, 1, 0)),
    "erspan 3": lambda frame: erspan(frame, 0x22EB, struct.pack(">HHIHH", 0x2005, 0, 1, 0, 0)),
    "vxlan in gre": lambda frame: bytes(
        outer(frame)
        / GRE(proto=0x800)
        / IP(src="192.0.3.1", dst="192.0.3.2")
        / UDP(sport=1, dport=4789)
        / VXLAN(flags=8, vni=5)
        / Ether(frame)
    ),
}


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Raw], int]:
    """Three exchanges, the second one reset in its body; and the number of that reset."""
    wire = Wire()
    reset = 0
    for number in range(3):
        c = wire.connection(f"10.0.0.1:{41000 + number}", "10.0.0.2:8080")
        c.handshake()
        c.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        c.server.ack()
        c.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 900, 400)
        c.client.ack()
        if number == 1:
            reset = c.server.reset()
        else:
            c.server.send(b"x" * 1100)
        wire.sleep(1)
    path = tmp_path_factory.mktemp("tunnels") / "plain.pcap"
    wire.write(path)
    return load(path), reset


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize(("tunnel_first", "interfaces"), [(True, 1), (True, 2), (False, 1), (False, 2)])
def test_inner_and_outer_copy_count_once(
    name: str, tunnel_first: bool, interfaces: int, frames: tuple[list[Raw], int]
) -> None:
    """Every packet in both forms, on one interface or two, whichever comes first: the same connections and verdict."""
    plain, reset = frames
    both = []
    for frame in plain:
        around = AROUND[name](frame.octets)
        forms = [(around, 0), (frame.octets, interfaces - 1)]
        for number, (octets, interface) in enumerate(forms if tunnel_first else reversed(forms)):
            time = frame.time_ns + number * (10_000 if interfaces == 1 else 300_000)
            both.append(Raw(0, time, octets, len(octets), 1, interface))
    both.sort(key=lambda frame: frame.time_ns)
    assert all(len(frame.octets) > 50 for frame in both)

    *results, summary = read(io.BytesIO(pcapng(both)))
    (failure,) = [result for result in results if isinstance(result, Failure)]
    assert (failure.kind, failure.connection.upstream) == ("rst_mid_body", "10.0.0.2:8080")
    first_copy = next(at for at, frame in enumerate(both, 1) if frame.time_ns == plain[reset - 1].time_ns)
    assert failure.frame == first_copy
    assert isinstance(summary, Summary)
    assert (summary.connections, summary.exchanges, summary.duplicates) == (3, 3, len(plain))
    assert summary.caveats == []
