"""A second opinion: generated frames read by dpkt, and real captures read by dpkt and tshark."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packet.batches import Captured, decode

MAPPED = 0xFFFF << 32
ORDERS = {b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">", b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}
OPTION = st.one_of(
    st.just(b"\x01"),
    st.binary(min_size=2, max_size=2).map(lambda value: b"\x02\x04" + value),
    st.integers(0, 14).map(lambda value: b"\x03\x03" + bytes([value])),
    st.just(b"\x04\x02"),
    st.binary(min_size=8, max_size=8).map(lambda value: b"\x08\x0a" + value),
    st.binary(min_size=8, max_size=8).map(lambda value: b"\x05\x0a" + value),
    st.binary(max_size=4).map(lambda value: bytes([254, len(value) + 2]) + value),
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Return an Ethernet frame with TCP, built by struct alone."""
    options = b""
    for option in draw(st.lists(OPTION, max_size=6)):
        if len(options) + len(option) <= 40:  # dpkt takes an option that is cut for one
            options += option
    options += bytes(-len(options) % 4)
    payload = draw(st.binary(max_size=40))
    ports, seq, ack = (draw(st.integers(0, 2**32 - 1)) for _ in range(3))
    flags = draw(st.integers(0, 0x1FF))
    header = struct.pack(
        ">IIIHHHH", ports, seq, ack, (20 + len(options)) << 10 | flags, draw(st.integers(0, 65535)), 0, 0
    )
    segment = header + options + payload
    ttl = draw(st.integers(0, 255))
    if draw(st.booleans()):
        addresses = draw(st.binary(min_size=32, max_size=32))
        packet = struct.pack(">IHBB", 0x60000000, len(segment), 6, ttl) + addresses + segment
        kind = 0x86DD
    else:
        ip_options = draw(st.sampled_from([b"", b"\x01" * 4, b"\x94\x04\0\0" * 10]))
        size = 20 + len(ip_options)
        fragment = draw(st.sampled_from([0, 0x4000]))
        fixed = (0x40 | size // 4, 0, size + len(segment), draw(st.integers(0, 65535)), fragment, ttl, 6, 0)
        packet = struct.pack(">BBHHHBBH", *fixed) + draw(st.binary(min_size=8, max_size=8)) + ip_options + segment
        kind = 0x0800
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in draw(st.lists(st.integers(0, 4095), max_size=2)))
    padding = bytes(draw(st.sampled_from([0, 0, 6])))
    return bytes(12) + tags + struct.pack(">H", kind) + packet + padding


def halves(address: bytes) -> tuple[int, int]:
    """Return an address of either family as the pair of ``Segments``."""
    if len(address) == 4:
        return 0, MAPPED | int.from_bytes(address, "big")
    return int.from_bytes(address[:8], "big"), int.from_bytes(address[8:], "big")


def opinion(packet: Any) -> dict[str, Any]:
    """Return the columns as dpkt reads them from an IP packet with TCP."""
    tcp = packet.data
    v6 = isinstance(packet, dpkt.ip6.IP6)
    flags = (0x1000 if v6 else 0) | (0x2000 if not v6 and packet.df else 0)
    ts_value = mss = 0
    scale = -1
    syn = tcp.flags & dpkt.tcp.TH_SYN
    for kind, value in dpkt.tcp.parse_opts(tcp.opts):
        if kind == dpkt.tcp.TCP_OPT_EOL:
            break
        if kind == dpkt.tcp.TCP_OPT_TIMESTAMP and len(value) == 8:
            flags |= 0x4000
            ts_value = int.from_bytes(value[:4], "big")
        elif kind == dpkt.tcp.TCP_OPT_SACK and value:
            flags |= 0x8000
        elif syn and kind == dpkt.tcp.TCP_OPT_MSS and len(value) == 2:
            mss = int.from_bytes(value, "big")
        elif syn and kind == dpkt.tcp.TCP_OPT_WSCALE and len(value) == 1:
            scale = min(value[0], 14)
    source, target = halves(packet.src), halves(packet.dst)
    return {
        "source_high": source[0],
        "source_low": source[1],
        "target_high": target[0],
        "target_low": target[1],
        "ports": tcp.sport << 16 | tcp.dport,
        "seq": tcp.seq,
        "ack": tcp.ack,
        "flags": flags | tcp.flags,
        "window": tcp.win,
        "ttl": packet.hlim if v6 else packet.ttl,
        "ip_id": -1 if v6 else packet.id,
        "ts_value": ts_value,
        "mss": mss,
        "scale": scale,
        "payload": tcp.data,
    }


@given(st.lists(frames(), min_size=1, max_size=8))
def test_generated_frames_read_as_dpkt_reads_them(given_: list[bytes]) -> None:
    """Every column of every generated frame is what dpkt says."""
    rows = decode(given_).rows
    assert len(rows) == len(given_)
    for frame, row in zip(given_, rows, strict=True):
        ethernet = dpkt.ethernet.Ethernet(frame)
        expected = opinion(ethernet.data)
        # dpkt gives the three reserved bits with the flags
        expected["flags"] &= ~0xE00
        assert {name: row[name] for name in expected} == expected
        assert row["length"] == len(expected["payload"])


def captures(truth: Path) -> list[Path]:
    """Return the classic pcap files of the truth folder; the other format is the capture stage's business."""
    found = [*truth.glob("captures-groundtruth/**/*"), *truth.glob("corpus/**/*")]
    return sorted(path for path in found if path.is_file() and path.read_bytes()[:4] in ORDERS)


def records(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Yield (link type, captured octets, length on the wire) of a classic pcap file."""
    data = path.read_bytes()
    order = ORDERS[data[:4]]
    (link,) = struct.unpack_from(order + "I", data, 20)
    at = 24
    while at + 16 <= len(data):
        kept, length = struct.unpack_from(order + "II", data, at + 8)
        if kept > len(data) - at - 16 or length > 2**31 - 1:
            return
        yield link & 0xFFFF, data[at + 16 : at + 16 + kept], length
        at += 16 + kept


TSHARK_FIELDS = ["frame.number", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw"]
TSHARK_FIELDS += ["tcp.window_size_value", "tcp.len"]


def tshark_rows(tshark: str, path: Path) -> dict[int, list[str]]:
    """Return tshark's reading of each frame with one whole TCP header, the innermost one where it shows several."""
    fields = [argument for field in TSHARK_FIELDS for argument in ("-e", field)]
    only = ["-Y", "tcp.len and not icmp and not icmpv6"]
    done = subprocess.run(
        [tshark, "-n", "-r", str(path), *only, "-T", "fields", "-E", "occurrence=l", *fields],
        capture_output=True,
        text=True,
        check=False,  # cut files end with an error after all frames that are whole
    )
    rows = (line.split("\t") for line in done.stdout.splitlines())
    return {int(row[0]): row[1:] for row in rows}


@pytest.mark.slow
def test_real_captures_read_as_tshark_reads_them(truth: Path, tshark: str) -> None:
    """In every classic pcap of the truth folder, each frame's header columns are what tshark says.

    tshark caps a length at the end of the frame and reads header fields that are cut off or bogus; only those
    frames may differ.
    """
    seen = 0
    for path in captures(truth):
        given_ = [Captured(octets, link, length) for link, octets, length in records(path)]
        decoded = decode(given_)
        ours = {row["frame"]: row for row in decoded.rows}
        theirs = tshark_rows(tshark, path)
        if not ours and not theirs:
            continue
        bogus = decoded.stage.malformed + decoded.stage.cut
        assert len(theirs.keys() - ours.keys()) <= bogus, (path.name, sorted(theirs.keys() - ours.keys())[:5])
        assert not ours.keys() - theirs.keys(), (path.name, sorted(ours.keys() - theirs.keys())[:5])
        for frame, row in ours.items():
            source, target, seq, ack, window, length = theirs[frame]
            said = (int(source) << 16 | int(target), int(seq), int(ack), int(window))
            assert (row["ports"], row["seq"], row["ack"], row["window"]) == said, (path.name, frame)
            beyond = row["start"] + row["length"] - row["captured"]
            assert row["length"] == int(length) or beyond, (path.name, frame)
            seen += 1
    assert seen > 10_000


def test_real_captures_read_as_dpkt_reads_them(truth: Path) -> None:
    """In every classic pcap of Ethernet frames, dpkt finds the same columns in the frames that were not cut."""
    seen = 0
    for path in captures(truth):
        given_ = [Captured(octets, link, length) for link, octets, length in records(path)]
        for row in decode(given_).rows:
            frame = given_[row["frame"] - 1]
            if frame.linktype != 1 or frame.length != len(frame.octets) or row["captured"] != row["length"]:
                continue
            packet = dpkt.ethernet.Ethernet(frame.octets).data
            if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6) or not isinstance(packet.data, dpkt.tcp.TCP):
                continue
            expected = opinion(packet)
            expected["flags"] &= ~0xE00
            assert {name: row[name] for name in expected} == expected, (path.name, row["frame"])
            seen += 1
    assert seen > 5_000
