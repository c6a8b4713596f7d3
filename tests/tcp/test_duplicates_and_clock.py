"""Copies of one frame, and what time stamps are believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tcp.watch import GET, OK, Watch, watch
from tests.wire import Connection, Wire

HOUR = 3600


def asked() -> tuple[Wire, Connection]:
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(GET)
    return wire, conn


@pytest.mark.parametrize(
    ("interface", "after", "duplicate"),
    [(0, 40e-6, True), (0, 60e-6, False), (1, 1.9e-3, True), (1, 2.1e-3, False)],
)
def test_what_is_a_duplicate(interface: int, after: float, duplicate: bool) -> None:
    """The same segment is a duplicate within 50 µs on one interface and 2 ms on another, else a retransmission."""
    wire, _ = asked()
    wire.duplicate(4, interface=interface, hops=interface, at=(wire.clock_ns - wire.start_ns) / 1e9 + after)
    seen = watch(wire)
    assert seen.connections.duplicates == duplicate
    assert seen.only.a.rexmits == (not duplicate)


def test_a_cooked_capture_of_all_interfaces_shows_each_frame_twice() -> None:
    """In a cooked capture one interface stands for many, so that copies within 2 ms are duplicates there too."""
    wire, _ = asked()
    wire.duplicate(4, hops=1, at=(wire.clock_ns - wire.start_ns) / 1e9 + 1.5e-3)
    assert watch(wire, cooked=True).connections.duplicates == 1


def test_a_whole_capture_twice_is_the_capture() -> None:
    """Frames that all come twice give the exchanges and counters that they give once."""
    wire, conn = asked()
    for _ in range(3):
        conn.server.send(OK)
        conn.client.send(GET)
    conn.server.reset()
    twice = Wire()
    for frame in wire.frames:
        twice.frames.append(frame)
        twice.frames.append(frame)
    one, two = watch(wire), watch(twice)
    assert two.connections.duplicates == len(wire.frames)
    assert (two.only.a.rexmits, two.only.b.rexmits, two.only.a.frames) == (0, 0, one.only.a.frames)
    assert len(one.exchanges()) == len(two.exchanges()) == 4


def test_which_copies_are_found_does_not_depend_on_chance() -> None:
    """With hundreds of frames between a frame and its copy, every reading finds the same duplicates, most of them."""
    wire, conn = asked()
    first = len(wire.frames)
    answers = [conn.server.send(b"x" * (number % 7), at=(wire.clock_ns - wire.start_ns) / 1e9) for number in range(300)]
    for number in answers:
        wire.duplicate(number, interface=1, at=(wire.clock_ns - wire.start_ns) / 1e9 + 1e-6)
    wire.frames[first:] = [replace(frame, time_ns=wire.start_ns + 10**8) for frame in wire.frames[first:]]

    found = {watch(wire).connections.duplicates for _ in range(12)}

    assert len(found) == 1
    assert found.pop() > 0.8 * len(answers)


def test_a_retransmission_at_once_is_none_of_them() -> None:
    """A fast retransmission has another IP identification, so that it is never taken for a duplicate."""
    wire, conn = asked()
    conn.client.retransmit(4, at=(wire.clock_ns - wire.start_ns) / 1e9 + 20e-6)
    seen = watch(wire)
    assert seen.connections.duplicates == 0
    assert seen.only.a.rexmits == 1


def test_one_frame_far_in_the_future_moves_nothing() -> None:
    """A leap of an hour and more that the next frame does not confirm neither fires deadlines nor moves the clock."""
    wire, conn = asked()
    end = (wire.clock_ns - wire.start_ns) / 1e9
    wire.duplicate(4, at=end + 30 * HOUR)
    wire.clock_ns = wire.start_ns + round((end + 0.5) * 1e9)
    conn.server.send(OK)
    seen = watch(wire)
    assert seen.connections.now < wire.start_ns + 2 * 10**9
    assert not seen.alarms
    assert seen.exchanges()[0].resp_done


def test_a_leap_that_is_confirmed_is_followed() -> None:
    """Two frames in a row after a long silence are believed."""
    wire, conn = asked()
    wire.sleep(30 * HOUR)
    conn.server.send(OK)
    conn.client.ack()
    assert watch(wire).connections.now == wire.clock_ns


def test_a_step_back_is_followed_and_remembered() -> None:
    """A clock that goes back by more than a second is followed, and the frame that showed it is remembered."""
    wire, conn = asked()
    wire.clock_ns -= 100 * 10**9
    step = conn.server.send(OK)
    seen = watch(wire)
    assert [frame for frame, _, _ in seen.connections.steps] == [step]
    assert seen.connections.now == wire.clock_ns
    assert seen.one().resp_done


def test_small_disorder_is_no_step() -> None:
    """Frames up to a second out of order are none of the clock's doing, and time does not run backwards for them."""
    wire, conn = asked()
    wire.clock_ns -= 9 * 10**8
    conn.server.send(OK)
    seen = watch(wire)
    assert not seen.connections.steps
    assert seen.connections.now > wire.clock_ns


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_batches_change_nothing(rows: int) -> None:
    """What is seen does not depend on where batches end."""
    wire, conn = asked()
    for number in range(5):
        conn.server.send(OK)
        wire.icmp_unreachable("10.0.0.254", 4)
        conn.client.send(GET)
        wire.sleep(number * 10)
    conn.client.fin()

    def told(seen: Watch) -> object:
        return seen.alarms, [vars(exchange) for exchange in seen.exchanges()], seen.only.steps()

    assert told(watch(wire, rows=rows)) == told(watch(wire, rows=1000))
