"""What is mutated: conversations of every kind, each link type and tunnel, sample captures, captures with truth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from scripts._fuzz.packets import Frame
from tests.wire import Wire
from wire502.capture import open_source
from wire502.errors import CaptureError

ROOT = Path(__file__).resolve().parent.parent.parent
GET = b"GET /cart HTTP/1.1\r\nHost: app.example\r\nX-Request-Id: 7\r\n\r\n"
POST = b"POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyes\r\n0\r\nA: b\r\n\r\n"
MOST_FRAMES = 24
MOST_OCTETS = 6_000


def conversations() -> Iterator[tuple[str, Wire]]:
    """Yield short captures of connections, by what they show."""
    for name, answer in _ANSWERS.items():
        wire, c = _begun()
        c.client.send(GET)
        c.server.send(answer, 40 if len(answer) > 80 else 20)
        c.client.ack()
        c.server.fin()
        c.client.fin()
        yield name, wire
    for name, play in _PLAYS.items():
        wire, c = _begun(name)
        play(wire, c)
        yield name, wire


def _begun(name: str = ""):  # type: ignore[no-untyped-def]
    wire = Wire()
    ends = ("[2001:db8::1]:41000", "[2001:db8::2]:8080") if "6" in name else ("10.0.0.1:41000", "10.0.0.2:8080")
    options = {"client_isn": 2**32 - 20, "server_isn": 2**32 - 30} if "wrap" in name else {}
    c = wire.connection(*ends, **options)
    if "mid" in name:
        c.established()
    elif "syn" not in name:
        c.handshake()
    return wire, c


def _pipelined(wire, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    c.client.send(GET * 4)
    c.server.send(OK * 3 + CHUNKED, 33)
    c.client.ack()
    c.server.reset()


def _reordered(wire, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    c.client.send(GET)
    numbers = c.server.send(OK * 3, 11)
    c.server.retransmit(numbers[2])
    c.client.keep_alive()
    c.server.ack()
    c.client.send(GET, drop=True)
    c.server.send(CHUNKED)
    c.client.ack()
    c.client.reset(bare=True)


def _silent(wire, c):  # type: ignore[no-untyped-def]
    c.client.send(POST)
    wire.sleep(61)
    c.server.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    c.client.send(b"0123456789", window=0)
    wire.sleep(61)
    c.client.fin()
    c.server.ack()


def _refused(wire, c):  # type: ignore[no-untyped-def]
    syn = c.client.syn()
    wire.icmp_unreachable("10.0.0.9" if c.client.address.version == 4 else "2001:db8::9", syn)
    c.client.syn()
    c.server.reset()


def _asked(wire, c):  # type: ignore[no-untyped-def]
    c.client.send(GET)
    c.server.send(OK)
    for _ in range(3):
        wire.arp_request("10.0.0.1", "10.0.0.2")
        wire.neighbour_solicitation("2001:db8::1", "2001:db8::2")
        wire.sleep(1)
    wire.arp_reply("10.0.0.2", "10.0.0.1")
    wire.sleep(5)
    c.client.reset()


def _copied(wire, c):  # type: ignore[no-untyped-def]
    request = c.client.send(GET)
    wire.duplicate(request, hops=1)
    wire.icmp_too_big("10.0.0.9", request, 1400)
    answer = c.server.send(OK)
    wire.duplicate(answer, interface=1)
    c.server.segment("SA")
    c.server.fin()


def _upgraded(wire, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    c.client.send(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    c.server.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello")
    c.client.send(b"\x81\x85abcdhello")
    c.server.reset()


def _two(wire, c):  # type: ignore[no-untyped-def]
    back = wire.connection("10.0.0.2:50000", "10.0.0.3:9000", vlan=(5,))
    c.client.send(GET)
    back.handshake()
    back.client.send(GET)
    back.server.fin()
    c.server.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


def _opaque(wire, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    c.client.send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
    c.server.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    c.client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    c.server.reset()


def _prefaced(wire, c):  # type: ignore[no-untyped-def]  # noqa: ARG001
    c.client.send(b"PROXY TCP4 10.0.0.9 10.0.0.1 5000 80\r\n" + GET)
    c.server.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    c.client.send(b"HEAD / HTTP/1.0\r\n\r\n")
    c.server.send(b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n")
    c.client.send(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n")
    c.server.send(b"HTTP/1.1 200 OK\r\n\r\nxyz")


_ANSWERS = {
    "length": OK,
    "chunked": CHUNKED,
    "close": b"HTTP/1.0 200 OK\r\nServer: a\r\n\r\nuntil the end",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello",
    "bad status": b"HTTP/2 200 OK\r\n\r\nhello",
    "bad header": b"HTTP/1.1 200 OK\r\nA\x00: b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhe",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK,
    "error": b"HTTP/1.1 503 Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
}
_PLAYS = {
    "pipelined": _pipelined, "pipelined 6": _pipelined, "pipelined wrap": _pipelined, "reordered": _reordered,
    "reordered wrap": _reordered, "reordered mid": _reordered, "silent": _silent, "silent 6": _silent,
    "refused syn": _refused, "refused syn 6": _refused, "asked": _asked, "copied": _copied, "upgraded": _upgraded,
    "two legs": _two, "two legs mid": _two, "opaque": _opaque, "opaque mid": _opaque, "prefaced": _prefaced,
}  # fmt: skip


def tunnels() -> Iterator[tuple[str, list[Frame]]]:
    """Yield one frame of every encapsulation that the tests know; nothing without scapy."""
    try:
        from tests.packet.crafted import EVERY
    except ModuleNotFoundError:
        return
    for name, captured in EVERY.items():
        yield name, [Frame(1_700_000_000 * 10**9, captured.octets, None, 0, captured.linktype)]


def frames_of(path: Path) -> list[Frame]:
    """Return the first frames of a capture file, as far as it can be read."""
    found: list[Frame] = []
    octets = 0
    try:
        source = open_source(path)
    except CaptureError:
        return found
    with source:
        while (batch := source.read_batch()) is not None:
            for row in range(batch.count):
                start = batch.start[row]
                data = bytes(batch.data[start : start + batch.captured[row]])
                link = source.interfaces[batch.interface[row]].linktype
                octets += len(data)
                if len(found) >= MOST_FRAMES or octets > MOST_OCTETS:
                    return found
                found.append(Frame(batch.ts_ns[row], data, batch.length[row], 0, link))
    return found


def _files() -> Iterator[Path]:
    folders = [ROOT / "captures", ROOT / "tests" / "fuzz" / "found"]
    if truth := os.environ.get("WIRE502_TRUTH"):
        folders.append(Path(truth))
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if ".pcap" in path.name and path.suffix != ".json")


def everything() -> list[list[Frame]]:
    """Return all seeds as frames, in an order that does not change."""
    seeds: list[list[Frame]] = []
    for _, wire in conversations():
        seeds.append(frames_on_ethernet(wire))
    seeds += [frames for _, frames in tunnels()]
    seeds += [frames for path in _files() if (frames := frames_of(path))]
    return seeds


def frames_on_ethernet(wire: Wire) -> list[Frame]:
    """Return the frames of a conversation on Ethernet."""
    return [
        Frame(
            frame.time_ns,
            frame.target + frame.source
            + b"".join(b"\x81\0" + tag.to_bytes(2, "big") for tag in frame.vlan)
            + frame.ethertype.to_bytes(2, "big") + frame.network,
            interface=frame.interface,
        )
        for frame in wire.frames
    ]  # fmt: skip
