"""The summary says which frames were not read, and why."""

from __future__ import annotations

import io

import pytest

from tests.packet.crafted import FOUR, octets, outer
from tests.property.transform import Raw, pcap, pcapng
from wire502.api import Summary, read


def caveats(*frames: Raw) -> list[str]:
    """Return the caveats of a capture of *frames*."""
    summary = list(read(io.BytesIO(pcapng(frames))))[-1]
    assert isinstance(summary, Summary)
    assert summary.frames == len(frames)
    return summary.caveats


@pytest.mark.parametrize(
    ("link", "name"), [(127, "IEEE802_11_RADIOTAP (127)"), (105, "IEEE802_11 (105)"), (6666, "6666")]
)
def test_unsupported_link_types_are_named(link: int, name: str) -> None:
    """Frames of a link type that is not read are counted by its name, with the way out."""
    way_out = "capture on an interface with Ethernet or IP, or with -i any"
    frame = Raw(1, 0, bytes(60), 60, link, 0)
    assert caveats(frame) == [f"not decoded: 1 frame of link type {name}; {way_out}"]
    plain = Raw(2, 0, FOUR["ethernet"].octets, len(FOUR["ethernet"].octets), 1, 1)
    assert caveats(frame, plain, frame) == [f"not decoded: 2 frames of link type {name}; {way_out}"]


def test_other_frames_that_were_not_read() -> None:
    """Headers that contradict themselves, that the snap length cut, and fragments without the rest are counted."""
    whole = FOUR["ethernet"].octets
    broken = whole[:14] + b"\x42" + whole[15:]  # a header of eight octets
    fragment = octets(outer())[:20] + b"\x20\x00" + octets(outer())[22:24] + b"\0\0" + octets(outer())[26:] + bytes(8)
    frames = [Raw(1, 0, broken, len(broken)), Raw(2, 0, whole[:40], len(whole)), Raw(3, 0, whole[:41], len(whole))]
    assert caveats(*frames) == [
        "not decoded: 1 frame whose headers contradict themselves",
        "not decoded: 2 frames that the snap length cut before the end of the TCP header",
    ]
    fragment = fragment[:16] + b"\0\x1c" + fragment[18:]  # its length: 28 octets
    assert caveats(Raw(1, 0, fragment, len(fragment))) == [
        "not decoded: 1 packet in fragments that are not all in the capture"
    ]


def test_nothing_is_said_of_frames_that_were_read() -> None:
    """A capture whose frames are all read, or of other protocols, gets no such word."""
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    whole = FOUR["ethernet"].octets
    assert caveats(Raw(1, 0, whole, len(whole)), Raw(2, 0, arp, len(arp))) == []
    assert isinstance(list(read(io.BytesIO(pcap([]))))[-1], Summary)
