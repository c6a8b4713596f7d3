"""Raw frames of any capture, what may be done to them without changing what happened, and the verdicts on them.

A frame keeps its ``identity`` (its number in the capture that it came from) through every change, so that verdicts
on two versions of a capture can be compared packet by packet. Headers are read here with a few lines of our own: a
second opinion, not the project's.
"""

from __future__ import annotations

import io
import itertools
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tests import wire_headers as headers
from wire502.api import read as read_capture
from wire502.capture import open_source
from wire502.capture.write import PcapngWriter, PcapWriter
from wire502.engine import Engine
from wire502.model.capture_info import Interface
from wire502.model.frames_cy import Batch
from wire502.model.verdict import QUIET_KINDS, Failure, Open, Result
from wire502.settings import context

ETHERNET, SLL, SLL2 = 1, 113, 276
LINK_NAMES = {number: name for name, number in headers.LINKTYPES.items()}


@dataclass(frozen=True, slots=True)
class Raw:
    """One captured frame; ``length`` is what it was on the wire."""

    identity: int
    time_ns: int
    octets: bytes
    length: int
    link: int = ETHERNET
    interface: int = 0


class Verdict(NamedTuple):
    """What was said of one attempt, by packet identity."""

    kind: str
    identity: int | None
    at_fault: str
    masked: bool
    secondary: bool
    confidence: str
    attempt: tuple[str, str, int | None]  # gateway, upstream, identity of the request's first frame

    @property
    def claim(self) -> tuple[str, int | None, str, bool, bool]:
        """What has to be the same however the capture was made."""
        return self[:5]


# Reading, writing, judging


def load(source: Path | bytes) -> list[Raw]:
    """Return the frames of a capture."""
    interfaces: list[Interface] = []
    opened = open_source(source if isinstance(source, Path) else io.BytesIO(source), file=0, interfaces=interfaces)
    frames: list[Raw] = []
    while (batch := opened.read_batch()) is not None:
        data = bytes(batch.data)
        for row in range(batch.count):
            start, number = batch.start[row], batch.interface[row]
            octets = data[start : start + batch.captured[row]]
            frames.append(
                Raw(batch.frame[row], batch.ts_ns[row], octets, batch.length[row], interfaces[number].linktype, number)
            )
    opened.close()
    return frames


def pcap(frames: Sequence[Raw], *, nanoseconds: bool = False, big: bool = False) -> bytes:
    """Return a classic capture of *frames*, which have one link type."""
    stream = io.BytesIO()
    writer = PcapWriter(stream, linktype=frames[0].link if frames else ETHERNET, nanoseconds=nanoseconds, big=big)
    for frame in frames:
        writer.write(frame.time_ns, frame.octets, frame.length)
    return stream.getvalue()


def pcapng(frames: Sequence[Raw], *, resolution: int = 9, big: bool = False) -> bytes:
    """Return a pcapng of *frames*; *resolution* as in ``if_tsresol``."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream, big=big)
    numbers: dict[tuple[int, int], int] = {}
    for frame in frames:
        key = frame.interface, frame.link
        if key not in numbers:
            numbers[key] = writer.interface(frame.link, resolution=resolution)
        writer.write(numbers[key], frame.time_ns, frame.octets, frame.length)
    return stream.getvalue()


def batches(frames: Sequence[Raw], sizes: Iterable[int]) -> Iterable[tuple[Batch, list[Interface]]]:
    """Yield *frames* in batches of these *sizes* (repeated), each with the list of interfaces."""
    links = {(frame.interface, frame.link): None for frame in frames}
    numbers = {key: number for number, key in enumerate(links)}
    interfaces = [Interface(number, 0, link) for number, (_, link) in enumerate(links)]
    size = itertools.cycle(sizes)
    first = 0
    while first < len(frames):
        part = frames[first : first + next(size)]
        batch = Batch(len(part))
        block = bytearray()
        for row, frame in enumerate(part):
            batch.frame[row] = first + row + 1
            batch.ts_ns[row] = frame.time_ns
            batch.start[row] = len(block)
            batch.captured[row] = len(frame.octets)
            batch.length[row] = frame.length
            batch.interface[row] = numbers[frame.interface, frame.link]
            block += frame.octets
        batch.interfaces = list(interfaces)
        batch.data = memoryview(block + b"\0")
        batch.count = len(part)
        first += len(part)
        yield batch, interfaces


def judge(
    frames: Sequence[Raw],
    sizes: Iterable[int] = (4096,),
    tick: Callable[[], float] | None = None,
) -> list[Result]:
    """Return the results of the engine; *tick* draws, from 0 to 1, where between two batches it is told the time."""
    engine: Engine | None = None
    results: list[Result] = []
    before = None
    for batch, interfaces in batches(frames, sizes):
        engine = engine or Engine(context(), interfaces)
        now = batch.ts_ns[0]
        if tick is not None and before is not None and now > before:
            for share in sorted((tick(), tick())):
                results += engine.tick(before + int(share * (now - before)))
        before = batch.ts_ns[batch.count - 1]
        results += engine.feed(batch)
    engine = engine or Engine(context(), [])
    return results + engine.finish()


def verdicts(results: Iterable[Result], frames: Sequence[Raw]) -> list[Verdict]:
    """Return the failures among *results* by the identities of *frames*."""
    return [_verdict(result, frames) for result in results if isinstance(result, Failure)]


def _verdict(failure: Failure, frames: Sequence[Raw]) -> Verdict:
    asked = frames[failure.request.frame - 1].identity if failure.request is not None else None
    attempt = failure.connection.gateway, failure.connection.upstream, asked
    identity = frames[failure.frame - 1].identity
    told = failure.kind, identity, failure.at_fault, failure.masked, failure.secondary, failure.confidence
    return Verdict(*told, attempt)


def claims(frames: Sequence[Raw], results: Iterable[Result] | None = None) -> Counter[tuple[object, ...]]:
    """Return the claims about *frames*, and how many attempts were left open."""
    found = judge(frames) if results is None else list(results)
    counted: Counter[tuple[object, ...]] = Counter(verdict.claim for verdict in verdicts(found, frames))
    counted["open",] = sum(isinstance(result, Open) for result in found)
    return counted


def claims_of_file(octets: bytes, frames: Sequence[Raw]) -> Counter[tuple[object, ...]]:
    """Return the same of a capture file that holds *frames*."""
    return claims(frames, read_capture(io.BytesIO(octets)))


def loud(found: Iterable[Verdict]) -> list[Verdict]:
    """Return those that accuse: not the lines "ended by the gateway or its client"."""
    return [verdict for verdict in found if verdict.kind not in QUIET_KINDS]


# Headers


class Packet(NamedTuple):
    """Where things are in a frame: the network header's offset, its ethertype, and TCP's offset, 0 without."""

    network: int
    ethertype: int
    vlan: tuple[int, ...]
    tcp: int
    source: bytes
    target: bytes


def parse(frame: Raw) -> Packet | None:
    """Return the places of the headers of *frame*; None for what is no IP or ARP."""
    octets, link = frame.octets, frame.link
    at = {ETHERNET: 14, SLL: 16, SLL2: 20, headers.LINKTYPES["raw"]: 0, headers.LINKTYPES["null"]: 4}[link]
    if len(octets) < at + 20:
        return None
    if link in (ETHERNET, SLL):
        ethertype = int.from_bytes(octets[at - 2 : at], "big")
    elif link == SLL2:
        ethertype = int.from_bytes(octets[:2], "big")
    else:
        ethertype = headers.ETHERTYPE_IPV4 if octets[at] >> 4 == 4 else headers.ETHERTYPE_IPV6
    tags = []
    while ethertype in (headers.ETHERTYPE_VLAN, 0x88A8):
        tags.append(int.from_bytes(octets[at : at + 2], "big") & 0xFFF)
        ethertype = int.from_bytes(octets[at + 2 : at + 4], "big")
        at += 4
    if ethertype == headers.ETHERTYPE_IPV4 and len(octets) >= at + 20:
        tcp = at + 4 * (octets[at] & 15) if octets[at + 9] == 6 and not _later_fragment(octets, at) else 0
        return Packet(at, ethertype, tuple(tags), tcp, octets[at + 12 : at + 16], octets[at + 16 : at + 20])
    if ethertype == headers.ETHERTYPE_IPV6 and len(octets) >= at + 40:
        tcp = at + 40 if octets[at + 6] == 6 else 0
        return Packet(at, ethertype, tuple(tags), tcp, octets[at + 8 : at + 24], octets[at + 24 : at + 40])
    return Packet(at, ethertype, tuple(tags), 0, b"", b"") if ethertype == headers.ETHERTYPE_ARP else None


def _later_fragment(octets: bytes, at: int) -> bool:
    return bool(int.from_bytes(octets[at + 6 : at + 8], "big") & 0x1FFF)


class Tcp(NamedTuple):
    """The TCP header of a frame: both ends and what decides whether two frames may change places."""

    ends: tuple[bytes, bytes]  # address and port of sender and receiver
    flags: int
    payload: int


def tcp_of(frame: Raw) -> Tcp | None:
    """Return the TCP header of *frame*, None without one."""
    packet = parse(frame)
    if packet is None or not packet.tcp or len(frame.octets) < packet.tcp + 20:
        return None
    at, octets = packet.tcp, frame.octets
    if packet.ethertype == headers.ETHERTYPE_IPV4:
        total = int.from_bytes(octets[packet.network + 2 : packet.network + 4], "big")
    else:
        total = 40 + int.from_bytes(octets[packet.network + 4 : packet.network + 6], "big")
    payload = packet.network + total - at - 4 * (octets[at + 12] >> 4)
    ends = packet.source + octets[at : at + 2], packet.target + octets[at + 2 : at + 4]
    return Tcp(ends, octets[at + 13], max(0, payload))


# What may happen to a capture


def later(frames: Sequence[Raw], nanoseconds: int) -> list[Raw]:
    """Return *frames*, everything *nanoseconds* later."""
    return [replace(frame, time_ns=frame.time_ns + nanoseconds) for frame in frames]


def relinked(frames: Sequence[Raw], link: str) -> list[Raw]:
    """Return *frames* with another link layer; the host at which a connection is opened is the capturing one."""
    local = _openers(frames)
    return [_relinked(frame, link, local) for frame in frames]


def _openers(frames: Sequence[Raw]) -> set[bytes]:
    found = set()
    for frame in frames:
        tcp = tcp_of(frame)
        if tcp is not None and tcp.flags & 0x12 == 0x02:
            found.add(tcp.ends[0][:-2])
    return found


def _relinked(frame: Raw, link: str, local: set[bytes]) -> Raw:
    packet = parse(frame)
    if packet is None:
        return frame
    if frame.link in (SLL, SLL2):
        kind = frame.octets[10] if frame.link == SLL2 else frame.octets[1]
        outgoing = kind == 4
    else:
        outgoing = packet.source in local
    mac, other = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
    head = headers.link_header(link, packet.ethertype, mac, other, outgoing=outgoing, vlan=packet.vlan)
    cut = frame.octets[packet.network :]
    length = frame.length - packet.network + len(head)
    return replace(frame, octets=head + cut, length=length, link=headers.LINKTYPES[link])


def renumbered(frames: Sequence[Raw], seed: int) -> list[Raw]:
    """Return *frames* with all sequence numbers moved, each direction of each connection by an amount of its own."""
    return [_renumbered(frame, seed) for frame in frames]


def _amount(seed: int, sender: bytes, receiver: bytes) -> int:
    return random.Random(f"{seed} {sender.hex()} {receiver.hex()}").getrandbits(32)


def _moved(octets: bytes, at: int, amount: int) -> bytes:
    value = (struct.unpack_from("!I", octets, at)[0] + amount) % 2**32
    return octets[:at] + value.to_bytes(4, "big") + octets[at + 4 :]


def _renumbered(frame: Raw, seed: int) -> Raw:
    packet = parse(frame)
    if packet is None:
        return frame
    if not packet.tcp:
        return _quote_renumbered(frame, packet, seed)
    octets, at = frame.octets, packet.tcp
    if len(octets) < at + 14:
        return frame
    sender, receiver = packet.source + octets[at : at + 2], packet.target + octets[at + 2 : at + 4]
    mine, theirs = _amount(seed, sender, receiver), _amount(seed, receiver, sender)
    flags = octets[at + 13]
    unopened = flags & 0x14 == 0x14 and octets[at + 4 : at + 8] == bytes(4)  # a closed port answers with number 0
    if not unopened:
        octets = _moved(octets, at + 4, mine)
    if flags & 0x10:
        octets = _moved(octets, at + 8, theirs)
    for place in _sack_edges(octets, at):
        octets = _moved(octets, place, theirs)
    return replace(frame, octets=octets)


def _sack_edges(octets: bytes, at: int) -> list[int]:
    """Return where the block edges of a SACK option stand."""
    end = min(len(octets), at + 4 * (octets[at + 12] >> 4))
    place, found = at + 20, []
    while place + 1 < end and octets[place]:
        if octets[place] == 1:
            place += 1
            continue
        size = max(2, octets[place + 1])
        if octets[place] == 5 and place + size <= end:
            found += range(place + 2, place + size, 4)
        place += size
    return found


def _quote_renumbered(frame: Raw, packet: Packet, seed: int) -> Raw:
    """An ICMP error quotes a segment: its sequence number moves with that of the segment."""
    octets = frame.octets
    if packet.ethertype == headers.ETHERTYPE_IPV4 and octets[packet.network + 9] == headers.PROTOCOL_ICMP:
        quoted = packet.network + 4 * (octets[packet.network] & 15) + 8
        if (
            octets[quoted - 8] not in (3, 4, 11, 12)
            or len(octets) < quoted + 28
            or octets[quoted + 9] != headers.PROTOCOL_TCP
        ):
            return frame
        at, ends = quoted + 4 * (octets[quoted] & 15), (12, 16, 20)
    elif packet.ethertype == headers.ETHERTYPE_IPV6 and octets[packet.network + 6] == headers.PROTOCOL_ICMPV6:
        quoted = packet.network + 48
        if octets[quoted - 8] >= 128 or len(octets) < quoted + 48 or octets[quoted + 6] != headers.PROTOCOL_TCP:
            return frame
        at, ends = quoted + 40, (8, 24, 40)
    else:
        return frame
    if len(octets) < at + 8:
        return frame
    sender = octets[quoted + ends[0] : quoted + ends[1]] + octets[at : at + 2]
    receiver = octets[quoted + ends[1] : quoted + ends[2]] + octets[at + 2 : at + 4]
    return replace(frame, octets=_moved(octets, at + 4, _amount(seed, sender, receiver)))


def mirrored(frames: Sequence[Raw], delay: Callable[[], int], *, interface: int = 0, hops: int = 0) -> list[Raw]:
    """Return *frames* and a copy of each, *delay* nanoseconds later, in order of time."""
    copies = [
        replace(_hopped(frame, hops), time_ns=frame.time_ns + delay(), interface=frame.interface + interface)
        for frame in frames
    ]
    return sorted([*frames, *copies], key=lambda frame: frame.time_ns)


def _hopped(frame: Raw, hops: int) -> Raw:
    packet = parse(frame)
    if not hops or packet is None or packet.ethertype == headers.ETHERTYPE_ARP:
        return frame
    octets, at = frame.octets, packet.network
    place = at + (8 if packet.ethertype == headers.ETHERTYPE_IPV4 else 7)
    return replace(frame, octets=octets[:place] + bytes([max(1, octets[place] - hops)]) + octets[place + 1 :])


def may_swap(first: Raw, second: Raw, within_ns: int = 1_000_000) -> bool:
    """Whether two neighbours may have been captured in the other order with nothing else having happened.

    Two frames of different connections, unless each ends its own; or of one direction, overtaking each other on the
    way; or data and a bare acknowledgement of the other direction, of which a capture at several queues does not know
    the order. Not data of both directions, nor across directions where a SYN, FIN or RST is one of them: who spoke
    first decides there.
    """
    if second.time_ns - first.time_ns > within_ns:
        return False
    one, other = tcp_of(first), tcp_of(second)
    if one is None or other is None:
        return False
    if set(one.ends) != set(other.ends):
        return not (one.flags & 0x05 and other.flags & 0x05)  # which leg ended first tells who left
    if one.flags & 0x06 or other.flags & 0x06:  # a SYN begins, a RST ends: nothing of a connection passes these
        return False
    if one.ends == other.ends:
        return True
    return not (one.flags | other.flags) & 0x01 and not (one.payload and other.payload)


def swapped(frames: Sequence[Raw], place: int) -> list[Raw]:
    """Return *frames* with those at *place* and after it exchanged; the time stamps stay where they are."""
    found = list(frames)
    one, other = found[place], found[place + 1]
    found[place] = replace(other, time_ns=one.time_ns)
    found[place + 1] = replace(one, time_ns=other.time_ns)
    return found
