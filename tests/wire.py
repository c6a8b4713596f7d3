r"""Conversations for tests: TCP connections as real frames, without a network.

    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    c.handshake()
    request = c.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    c.server.ack()
    reset = c.server.reset()
    wire.write(tmp_path / "reset.pcap")
    assert failure.frame == reset

Every call returns the number of the frame that it made, so that a test can name the one that it means. Sequence and
acknowledgement numbers, IP identification and time follow by themselves; every call can override them (see
``Side.segment``). Two ways for a frame to be missing: ``drop`` (it was on the wire, the capture missed it: the
receiver has it, there is no frame, the call returns 0) and ``lost`` (the capture has it, the receiver has not).

The capture is made at the opener's host: its frames follow each other closely, the peer's answer takes ``rtt``.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests import wire_headers as headers
from tests.wire_headers import Address
from tests.wire_tcp import CLOSE_NS, Connection, Side

START_NS = 1_700_000_000 * 10**9


@dataclass(slots=True)
class Frame:
    """One captured frame, still without a link layer."""

    identity: int  # number in the Wire that made it; kept by copies of the Wire
    time_ns: int
    ethertype: int
    network: bytes
    source: bytes
    target: bytes
    outgoing: bool
    vlan: tuple[int, ...] = ()
    interface: int = 0
    comment: str = ""
    sent: tuple[Side, int, int, bytes] | None = None  # for retransmit: sender, unwrapped seq, flags, payload


class Wire:
    """A clock and the frames seen so far, in capture order; frame numbers count from 1."""

    def __init__(self, *, start_ns: int = START_NS) -> None:
        self.start_ns = start_ns
        self.clock_ns = start_ns
        self.frames: list[Frame] = []
        self.connections: list[Connection] = []
        self._ip_ids: dict[Address, int] = {}

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass in silence."""
        self.clock_ns += round(seconds * 1e9)

    def connection(self, client: str, server: str, **options: Any) -> Connection:
        """Return a connection from *client* to *server* (``10.0.0.1:41000``, ``[2001:db8::1]:41000``).

        The *options* are the keyword arguments of ``Connection``. Makes no frame yet.
        """
        self.connections.append(Connection(self, _endpoint(client), _endpoint(server), **options))
        return self.connections[-1]

    def add(self, frame: Frame, *, at: float | None = None) -> int:
        """Append *frame* at the present time, or *at* seconds after the start, and return its number.

        An *at* in the past dates this frame alone; one in the future takes the clock along.
        """
        frame.time_ns = self.pass_until(at)
        self.frames.append(frame)
        frame.identity = len(self.frames)
        return frame.identity

    def pass_until(self, at: float | None) -> int:
        """Return *at* (seconds after the start; None: the present) in nanoseconds; the clock is not behind it after."""
        moment = self.clock_ns if at is None else self.start_ns + round(at * 1e9)
        self.clock_ns = max(self.clock_ns, moment)
        return moment

    def packet(
        self,
        network: bytes,
        source: Address,
        target: Address,
        *,
        at: float | None = None,
        outgoing: bool = True,
        **of: Any,
    ) -> int:
        """Add any IP packet; *of* sets further fields of its ``Frame``."""
        kind = headers.ETHERTYPE_IPV4 if source.version == 4 else headers.ETHERTYPE_IPV6
        macs = headers.hardware(source), headers.hardware(target)
        return self.add(Frame(0, 0, kind, network, *macs, outgoing, **of), at=at)

    def next_ip_id(self, address: Address) -> int:
        """Return the identification of the next packet of *address*; each host counts its own."""
        self._ip_ids[address] = self._ip_ids.get(address, int.from_bytes(address.packed[-2:], "big")) + 1
        return self._ip_ids[address] & 0xFFFF

    # Frames beside TCP

    def icmp_unreachable(self, from_: str, quoting: int, code: int = 1, **options: Any) -> int:
        """Add a destination unreachable that quotes frame *quoting* (ICMP type 3, ICMPv6 type 1)."""
        return self.icmp(from_, quoting, 3, 1, code, **options)

    def icmp_time_exceeded(self, from_: str, quoting: int, code: int = 0, **options: Any) -> int:
        """Add a time exceeded that quotes frame *quoting* (ICMP type 11, ICMPv6 type 3)."""
        return self.icmp(from_, quoting, 11, 3, code, **options)

    def icmp_too_big(self, from_: str, quoting: int, mtu: int, **options: Any) -> int:
        """Add a fragmentation needed (ICMP type 3 code 4) or packet too big (ICMPv6 type 2) with its *mtu*."""
        version = self.frames[quoting - 1].network[0] >> 4
        return self.icmp(from_, quoting, 3, 2, 4 if version == 4 else 0, rest=mtu, **options)

    def icmp(
        self,
        from_: str,
        quoting: int,
        kind4: int,
        kind6: int,
        code: int,
        *,
        rest: int = 0,
        quote: int = 8,
        at: float | None = None,
    ) -> int:
        """Add an ICMP error about frame *quoting*, back to its sender; *quote* octets of TCP are quoted."""
        self.clock_ns += CLOSE_NS
        quoted = self.frames[quoting - 1]
        router = ipaddress.ip_address(from_)
        if router.version == 4:
            sender, size, kind = ipaddress.ip_address(quoted.network[12:16]), 20, kind4
        else:
            sender, size, kind = ipaddress.ip_address(quoted.network[8:24]), 40, kind6
        packet = headers.icmp(router, sender, kind, code, rest, quoted.network[: size + quote])
        return self.packet(packet, router, sender, at=at, outgoing=not quoted.outgoing, vlan=quoted.vlan)

    def arp_request(self, asking: str, asked: str, *, at: float | None = None) -> int:
        """Add "who has *asked*? tell *asking*"."""
        return self._arp(1, asking, asked, at, outgoing=True)

    def arp_reply(self, answering: str, asking: str, *, at: float | None = None) -> int:
        """Add "*answering* is at ..." to *asking*."""
        return self._arp(2, answering, asking, at, outgoing=False)

    def _arp(self, operation: int, sender: str, target: str, at: float | None, *, outgoing: bool) -> int:
        self.clock_ns += CLOSE_NS
        from_, to = ipaddress.ip_address(sender), ipaddress.ip_address(target)
        mac = headers.hardware(from_)
        known = headers.hardware(to) if operation == 2 else bytes(6)
        frame_target = known if operation == 2 else headers.BROADCAST
        message = headers.arp(operation, from_, mac, to, known)
        return self.add(Frame(0, 0, headers.ETHERTYPE_ARP, message, mac, frame_target, outgoing), at=at)

    def neighbour_solicitation(self, asking: str, asked: str, *, at: float | None = None) -> int:
        """Add the IPv6 form of an ARP request (RFC 4861 section 4.3)."""
        self.clock_ns += CLOSE_NS
        from_, about = ipaddress.ip_address(asking), ipaddress.ip_address(asked)
        group = ipaddress.ip_address(bytes.fromhex("ff0200000000000000000001ff") + about.packed[-3:])
        body = about.packed + b"\1\1" + headers.hardware(from_)
        packet = headers.icmp(from_, group, 135, 0, 0, body)
        frame = Frame(
            0, 0, headers.ETHERTYPE_IPV6, packet, headers.hardware(from_), b"\x33\x33" + group.packed[-4:], True
        )
        return self.add(frame, at=at)

    # What may happen to captured frames

    def duplicate(self, number: int, *, hops: int = 0, interface: int = 0, at: float | None = None) -> int:
        """Add the same packet once more, as a capture on two interfaces shows it; *hops* lowers its TTL."""
        self.clock_ns += CLOSE_NS
        frame = self.frames[number - 1]
        network = frame.network
        if hops:
            network = headers.with_ttl(network, network[8 if network[0] >> 4 == 4 else 7] - hops)
        return self.add(replace(frame, network=network, interface=interface), at=at)

    def without(self, numbers: set[int] | list[int]) -> Wire:
        """Return a copy that lacks these frames; ``identity`` of a number there is its number here."""
        gone = set(numbers)
        return self._copy([replace(frame) for number, frame in enumerate(self.frames, 1) if number not in gone])

    def reorder(self, number: int, place: int) -> Wire:
        """Return a copy in which frame *number* has become the one at *place*; time stamps stay where they were."""
        frames = [replace(frame) for frame in self.frames]
        frames.insert(place - 1, frames.pop(number - 1))
        for frame, was in zip(frames, self.frames, strict=True):
            frame.time_ns = was.time_ns
        return self._copy(frames)

    def shifted(self, nanoseconds: int) -> Wire:
        """Return a copy in which everything happens *nanoseconds* later."""
        return self._copy([replace(frame, time_ns=frame.time_ns + nanoseconds) for frame in self.frames])

    def _copy(self, frames: list[Frame]) -> Wire:
        twin = Wire(start_ns=self.start_ns)
        twin.clock_ns = self.clock_ns
        twin.frames = frames
        return twin

    def identity(self, number: int) -> int:
        """Return the number that frame *number* had in the Wire that made it."""
        return self.frames[number - 1].identity

    def number(self, identity: int) -> int | None:
        """Return the present number of the frame that was made as *identity*, None when it was removed."""
        return next((n for n, frame in enumerate(self.frames, 1) if frame.identity == identity), None)

    # Files

    def octets(
        self,
        format: str = "pcap",  # noqa: A002  (reads best at the call)
        *,
        nanoseconds: bool = False,
        link: str = "ethernet",
        snaplen: int | None = None,
        big_endian: bool = False,
        padding: bool = False,
    ) -> bytes:
        """Return a capture file: *format* is pcap or pcapng, *link* one of ``wire_headers.LINKTYPES``.

        With *padding*, received Ethernet frames are filled up to 60 octets as network cards do.
        """
        records = []
        for frame in self.frames:
            head = headers.link_header(
                link, frame.ethertype, frame.source, frame.target, outgoing=frame.outgoing, vlan=frame.vlan
            )
            data = head + frame.network
            if padding and link == "ethernet" and not frame.outgoing:
                data = data.ljust(60, b"\0")
            records.append((frame.time_ns, data, frame.interface, frame.comment))
        order = ">" if big_endian else "<"
        limit = 262_144 if snaplen is None else snaplen
        number = headers.LINKTYPES[link]
        if format == "pcap":
            plain = [record[:2] for record in records]
            return headers.pcap(number, plain, snaplen=limit, nanoseconds=nanoseconds, order=order)
        if format == "pcapng":
            return headers.pcapng(number, records, snaplen=limit, nanoseconds=nanoseconds, order=order)
        raise ValueError(f"unknown format {format!r}: pcap or pcapng")

    def write(self, path: str | Path, **options: Any) -> Path:
        """Write ``octets(**options)`` to *path* and return it."""
        Path(path).write_bytes(self.octets(**options))
        return Path(path)


def _endpoint(text: str) -> tuple[Address, int]:
    host, _, port = text.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")), int(port)
