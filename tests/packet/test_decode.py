"""TCP over IPv4 and IPv6: lengths, options, cut frames, malformed frames, portions."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from tests.packet.batches import Captured, decode, one
from tests.packet.crafted import EVERY, FOUR, PAYLOAD, ether, inner4, octets, tcp
from wire502.model import frames_cy as model
from wire502.model.frames_cy import Segments
from wire502.packet.decode_cy import Decoder

PLAIN = FOUR["ethernet"].octets


def patched(at: int, value: bytes, frame: bytes = PLAIN) -> bytes:
    """Return *frame* with *value* at index *at*; Ethernet, IPv4 and TCP begin at 0, 14 and 34."""
    return frame[:at] + value + frame[at + len(value) :]


def options(*given: object) -> bytes:
    """Return a SYN with scapy's *given* options."""
    return octets(ether() / IP() / tcp(flags="S", options=list(given)))


def test_syn_options_are_read() -> None:
    """A SYN gives maximum segment size, window scale and timestamp in whatever order they stand."""
    row = one(options(("WScale", 7), ("SAckOK", b""), ("Timestamp", (9, 0)), ("NOP", None), ("MSS", 1460)))
    assert (row["mss"], row["scale"], row["ts_value"]) == (1460, 7, 9)
    assert row["flags"] & 0xC1FF == model.SYN | model.HAS_TIMESTAMP


def test_syn_without_options_says_none() -> None:
    """A SYN without options has no segment size and no scale, unlike a scale of 0."""
    row = one(options())
    assert (row["mss"], row["scale"]) == (0, -1)
    assert one(options(("WScale", 0)))["scale"] == 0


def test_size_and_scale_belong_to_a_syn() -> None:
    """Options of a SYN that stand in another segment are ignored (RFC 9293 section 3.7.1, RFC 7323 section 2.2)."""
    row = one(octets(ether() / IP() / tcp(flags="A", options=[("MSS", 1460), ("WScale", 7)])))
    assert (row["mss"], row["scale"]) == (0, -1)


def test_scale_over_14_is_14() -> None:
    """A shift above 14 is taken for 14 (RFC 7323 section 2.3)."""
    assert one(options(("WScale", 200)))["scale"] == 14


def test_sack_blocks_are_flagged() -> None:
    """A SACK block sets its flag beside the timestamp; SACK-permitted does not."""
    given = [("NOP", None), ("NOP", None), ("Timestamp", (5, 6)), ("NOP", None), ("NOP", None), ("SAck", (1, 2))]
    row = one(octets(ether() / IP() / tcp(flags="A", options=given)))
    assert row["flags"] & (model.HAS_SACK | model.HAS_TIMESTAMP) == model.HAS_SACK | model.HAS_TIMESTAMP
    assert row["ts_value"] == 5
    assert not one(options(("SAckOK", b"")))["flags"] & model.HAS_SACK


@pytest.mark.parametrize("raw", ["0800", "0801", "080a0000", "02020405", "0300", "ff", "fe01", "01010101", "00ffffff"])
def test_absurd_options_end_the_reading(raw: str) -> None:
    """An option of absurd length ends the options, not the segment."""
    content = bytes.fromhex(raw).ljust(8, b"\x05")
    frame = patched(46, b"\x70\x02", octets(ether() / IP(len=48) / tcp(flags="S", options=[]))) + content
    row = one(frame)
    assert (row["mss"], row["scale"], row["ts_value"], row["length"]) == (0, -1, 0, 0)


def test_all_nine_flags_come_through() -> None:
    """The flags of RFC 9293 and the one of RFC 3540 stand as on the wire; reserved bits do not."""
    assert one(patched(46, b"\x8f\xff"))["flags"] & 0xFFF == 0x1FF


def test_length_is_that_of_the_ip_header() -> None:
    """Ethernet padding is no payload, and a total length beyond the frame still counts."""
    assert one(PLAIN + b"padding")["payload"] == PAYLOAD
    row = one(patched(16, struct.pack(">H", 1500)))
    assert (row["length"], row["captured"]) == (1500 - 52, len(PAYLOAD))


@pytest.mark.parametrize("name", ["ethernet", "ipv6"])
def test_length_of_zero_means_the_frame(name: str) -> None:
    """A frame on its way to a card that will cut it up has an IP length of 0: the frame's length counts."""
    frame = EVERY[name].octets
    frame = patched(16 if name == "ethernet" else 18, b"\0\0", frame)
    row = one(Captured(frame, length=len(frame) + 70000))
    assert (row["length"], row["captured"]) == (len(PAYLOAD) + 70000, len(PAYLOAD))


def test_snaplen_cuts_the_payload_only() -> None:
    """A segment cut by the snaplen keeps its length and says how much of it is there."""
    row = one(Captured(PLAIN[:70], length=len(PLAIN)))
    assert (row["length"], row["captured"], row["payload"]) == (len(PAYLOAD), 4, PAYLOAD[:4])


@pytest.mark.parametrize("name", ["ethernet", "ipv6", "vxlan", "sll"])
def test_header_cut_behind_the_window_counts(name: str) -> None:
    """From the window field on a segment counts, with its full length; before it the frame counts as cut."""
    whole = EVERY[name]
    full = one(whole)
    header = full["start"] - 3 - 32  # batches begin with three octets of nothing
    for size in range(header, header + 40):
        decoded = decode([Captured(whole.octets[:size], whole.linktype, len(whole.octets))])
        if size < header + 16:
            assert (decoded.rows, decoded.stage.cut) == ([], 1)
            continue
        (row,) = decoded.rows
        for same in ("ports", "seq", "ack", "window", "length", "source_low", "target_low"):
            assert row[same] == full[same]
        assert row["captured"] == max(0, size - header - 32)
        assert bool(row["flags"] & model.HAS_TIMESTAMP) == (size >= header + 32)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (46, b"\x40"),  # data offset of 16
        (46, b"\xf0"),  # data offset beyond the IP payload
        (14, b"\x44"),  # IP header of 16 octets
        (14, b"\x65"),  # IPv6 behind the EtherType of IPv4
        (16, b"\x00\x13"),  # total length smaller than the header
        (16, b"\x00\x20"),  # ... than IP and TCP header
    ],
)
def test_contradiction_is_malformed(at: int, value: bytes) -> None:
    """A header that contradicts itself gives no row and counts as malformed."""
    decoded = decode([patched(at, value, octets(ether() / inner4())[:66]), PLAIN])
    assert (len(decoded.rows), decoded.stage.malformed) == (1, 1)


def test_short_on_the_wire_is_malformed() -> None:
    """A frame that ends inside the headers, uncut by the capture, is malformed."""
    assert decode([PLAIN[:20]]).stage.malformed == 1
    assert decode([Captured(PLAIN[:20], length=60)]).stage.cut == 1


def test_wrong_checksums_are_no_matter() -> None:
    """A wrong IP or TCP checksum changes nothing: offloading leaves them unfilled."""
    assert one(patched(24, b"\0\0", patched(50, b"\xde\xad"))) == one(PLAIN)


def test_rows_keep_what_the_batch_says() -> None:
    """Frame number, time and interface are those of the batch, in capture order."""
    decoded = decode([FOUR["sll"], PLAIN, bytes(60), FOUR["raw"]])
    assert [(row["frame"], row["ts_ns"], row["interface"]) for row in decoded.rows] == [
        (1, 1_000_000_000, 0),
        (2, 1_000_001_000, 1),
        (4, 1_000_003_000, 2),
    ]


def test_portions_lose_nothing() -> None:
    """However few rows a portion has, the same rows come out in the same order."""
    frames = [*EVERY.values(), Captured(bytes(60))] * 3
    everything = decode(frames).rows
    assert len(everything) == 3 * len(EVERY)
    for rows in (1, 2, 7):
        assert decode(frames, rows=rows).rows == everything


def test_decoding_can_begin_anywhere() -> None:
    """decode() returns the row where it stopped and goes on from there; a full Segments ends it."""
    from tests.packet.batches import batch_of

    batch = batch_of([PLAIN] * 5)
    decoder, segments = Decoder(2), Segments(8)
    assert (decoder.decode(batch, 0, segments), segments.count) == (2, 2)
    assert (decoder.decode(batch, 4, segments), segments.count) == (5, 1)
    assert (decoder.decode(batch, 5, segments), segments.count) == (5, 0)


def test_counters_cover_octets_of_the_wire() -> None:
    """Frames and octets count what was on the wire, not what was captured."""
    stage = decode([Captured(PLAIN[:60], length=1000), PLAIN]).stage
    assert (stage.frames, stage.octets, stage.decoded) == (2, 1000 + len(PLAIN), 2)


def test_interfaces_may_come_later() -> None:
    """An interface that the source adds between two batches is known to the next one."""
    from tests.packet.batches import batch_of, rows_of
    from wire502.model.capture_info import Interface
    from wire502.packet import PacketStage

    stage = PacketStage()
    batch = batch_of([PLAIN])
    assert sum(portion.count for portion in stage.segments(batch)) == 1
    for index in range(1, 100):
        batch.interfaces.append(Interface(index, 0, 101))
    batch.interface[0] = 99
    batch.start[0] += 14
    batch.captured[0] -= 14
    batch.length[0] -= 14
    (row,) = [row for portion in stage.segments(batch) for row in rows_of(portion)]
    assert (row["interface"], row["payload"]) == (99, PAYLOAD)


def test_ipv6_jumbo_and_ipv4_super_segments_fit() -> None:
    """Segments beyond 64 KiB, as receive offload makes them, keep their length."""
    frame = octets(ether() / IPv6(plen=0) / tcp(options=[]) / Raw(b"x"))
    row = one(Captured(frame, length=54 + 20 + 200_000))
    assert (row["length"], row["captured"]) == (200_000, 1)
