"""How a capture was made changes no verdict: kind, failure point (as a packet), side at fault, masked, secondary.

Each property is tried on every sample, on some captures of real gateways (if WIRE502_TRUTH is set) and on random
conversations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property import transform
from tests.property.conversations import conversations
from tests.property.sources import frames_of, known, name, samples
from tests.property.transform import Raw, claims, claims_of_file

EVERY = pytest.mark.parametrize("path", [pytest.param(path, id=name(path)) for path in [*samples(), *known()]])
FEW = settings(max_examples=40)

# Their failure point is the last frame before something: after a swap that may be the other one of the two.
LAST_FRAME = {"header_too_large"}


def batched(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    for sizes in ((1,), (2, 3), (1, 40, 7)):
        check(claims(frames, transform.judge(frames, sizes)))


def ticked(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    for size in (1, 5):
        check(claims(frames, transform.judge(frames, (size,), Random(size).random)))


def as_files(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    if len({(frame.link, frame.interface) for frame in frames}) == 1:
        for octets in (
            transform.pcap(frames),
            transform.pcap(frames, nanoseconds=True),
            transform.pcap(frames, big=True),
        ):
            check(claims_of_file(octets, frames))
    for resolution in (6, 9, 0x80 | 30):
        check(claims_of_file(transform.pcapng(frames, resolution=resolution), frames))
    check(claims_of_file(transform.pcapng(frames, big=True), frames))


def relinked(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    cooked = {frame.link for frame in frames} <= {transform.SLL, transform.SLL2}
    # A cooked header says which packets its host sent, from which legs are told: only another one keeps that.
    links = ["sll", "sll2"] if cooked else ["ethernet", "sll", "sll2"]
    packets = [transform.parse(frame) for frame in frames]
    if not cooked and all(packet is not None and packet.ethertype != 0x0806 for packet in packets):
        links += ["raw", "null"]
    for link in links:
        check(claims(transform.relinked(frames, link)))


def renumbered(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    for seed in (1, 2):
        check(claims(transform.renumbered(frames, seed)))


def moved_in_time(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    for amount in (-(10**15), 1, 999, 10**9 // 3, 3 * 10**17):
        check(claims(transform.later(frames, amount)))


def mirrored(frames: Sequence[Raw], check: Callable[..., None]) -> None:
    random = Random(7)
    check(claims(transform.mirrored(frames, lambda: 1000)))
    check(claims(transform.mirrored(frames, lambda: random.randrange(50_000))))
    for hops in (0, 1):
        delayed = transform.mirrored(frames, lambda: random.randrange(2_000_000), interface=10, hops=hops)
        check(claims(delayed))


CHANGES = [batched, ticked, as_files, relinked, renumbered, moved_in_time, mirrored]
CHANGE = pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])


def compare(change: Callable[..., None], frames: Sequence[Raw]) -> None:
    expected = claims(frames)

    def check(found: Counter[tuple[object, ...]]) -> None:
        assert found == expected, f"lost {expected - found}, new {found - expected}"

    change(frames, check)


@EVERY
@CHANGE
def test_captures(change: Callable[..., None], path: Path) -> None:
    """Batch borders, ticks, file format, link layer, sequence numbers, date and mirror copies change no verdict."""
    # What microseconds cannot hold is taken away first: it is no property of what happened.
    frames = [replace(frame, time_ns=frame.time_ns // 1000 * 1000) for frame in frames_of(path)]

    compare(change, frames)


@CHANGE
@FEW
@given(frames=conversations())
def test_conversations(change: Callable[..., None], frames: list[Raw]) -> None:
    """The same holds of random conversations."""
    compare(change, [replace(frame, time_ns=frame.time_ns // 1000 * 1000) for frame in frames])


def same_but_for(found: Counter[tuple[object, ...]], one: Raw, other: Raw) -> Counter[tuple[object, ...]]:
    """Return claims in which the later of two swapped frames is named as the earlier one, where that is all the same.

    So it is for a failure point that is the last frame before a silence, and for two copies of a FIN.
    """
    renamed: Counter[tuple[object, ...]] = Counter()
    first, second = transform.tcp_of(one), transform.tcp_of(other)
    copies = first is not None and second is not None and bool(first.flags & second.flags & 1)
    for claim, count in found.items():
        kind = str(claim[0])
        if (copies or kind.startswith("stall_") or kind in LAST_FRAME) and other.identity in claim[1:2]:
            claim = (kind, one.identity, *claim[2:])
        renamed[claim] += count
    return renamed


def swaps(frames: Sequence[Raw], places: Sequence[int]) -> None:
    expected = claims(frames)
    for place in places:
        if transform.may_swap(frames[place], frames[place + 1]):
            one, other = frames[place], frames[place + 1]
            found = claims(transform.swapped(frames, place))

            assert same_but_for(found, one, other) == same_but_for(expected, one, other), one.identity


@EVERY
def test_neighbours_of_captures(path: Path) -> None:
    """Two neighbours that may have been captured the other way round may as well stand the other way round."""
    frames = frames_of(path)
    places = range(len(frames) - 1)

    swaps(frames, places if len(places) < 150 else sorted(Random(3).sample(places, 60)))


@settings(max_examples=30)
@given(frames=conversations(), data=st.data())
def test_neighbours_of_conversations(frames: list[Raw], data: st.DataObject) -> None:
    """The same holds of random conversations."""
    if len(frames) > 1:
        swaps(frames, data.draw(st.lists(st.integers(0, len(frames) - 2), min_size=5, max_size=5)))
