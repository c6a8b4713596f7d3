"""Clocks of several files: how far they are apart is found before the reading, and verdicts are those of one file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.gateway import Gateway, last_words, of_files
from tests.tcp.watch import GET, OK, batches
from tests.wire import Wire
from wire502.api import read
from wire502.engine import compare_clocks
from wire502.model.verdict import Failure, Result, Summary

LONG_AGO = -1_699_999_000.0  # a clock that was never set


def conversation(requests: int = 6) -> Wire:
    """Return one connection with some requests, the last of which fails."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", rtt=0.02, timestamps=True)
    conn.handshake()
    for number in range(requests):
        conn.client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        conn.server.send(OK)
        conn.client.ack()
        wire.sleep(0.5)
    conn.client.send(GET)
    conn.server.reset()
    return wire


def elsewhere(wire: Wire, skew: float, way: float = 0.004, jitter: float = 0.0) -> Wire:
    """Return the same frames as the upstream's host sees them: its clock *skew* ahead, *way* seconds off."""
    rng = random.Random(1)
    twin = wire.shifted(0)
    for frame in twin.frames:
        late = way + rng.random() * jitter
        frame.time_ns += round((skew + (late if frame.outgoing else -late)) * 1e9)
    return twin


def compared(*wires: Wire) -> tuple[list[int], list[set[int]], list[str]]:
    clocks = compare_clocks([batches(wire.frames) for wire in wires])
    return clocks.shifts, clocks.together, clocks.said


def written(folder: Path, wires: Sequence[Wire]) -> list[Path]:
    return [wire.write(folder / f"{number}.pcap") for number, wire in enumerate(wires)]


def failures(results: Sequence[Result]) -> list[tuple[str, int, str, str, list[str]]]:
    return [
        (one.kind, one.frame, one.at_fault, one.confidence, [cause.name for cause in one.causes])
        for one in results
        if isinstance(one, Failure)
    ]


@pytest.mark.parametrize("skew", [3.0, -3.0, 3600.0, -86_400.0, LONG_AGO])
def test_the_same_segments_on_two_hosts(tmp_path: Path, skew: float) -> None:
    """Where both ends of a connection were captured, the clocks are brought together and each frame counts once."""
    wire = conversation()
    twin = elsewhere(wire, skew, jitter=0.001)
    whole = list(read(wire.write(tmp_path / "whole.pcap")))

    (zero, shift), together, said = compared(wire, twin)
    results = list(read(*written(tmp_path, [wire, twin])))
    summary = results[-1]

    assert (zero, together) == (0, [{0, 1}])
    assert abs(shift + skew * 1e9) < 1e6
    assert ("ahead of" if skew > 0 else "behind") in said[0]
    assert failures(results) == failures(whole)
    assert failures(whole)[0][:2] == ("rst_before_response", len(wire.frames))
    assert isinstance(summary, Summary)
    assert (summary.connections, summary.duplicates) == (1, len(wire.frames))
    assert said == [caveat for caveat in summary.caveats if "clock" in caveat]


def test_a_clock_that_was_never_set_is_not_the_measure(tmp_path: Path) -> None:
    """Of a file from 1970 and one of today, times are given by the clock of the latter, in whatever order they come."""
    wire = conversation()
    results = list(read(*written(tmp_path, [elsewhere(wire, LONG_AGO), wire])))
    summary = results[-1]
    assert isinstance(summary, Summary)
    assert summary.first_time is not None
    assert abs(summary.first_time - wire.frames[0].time_ns) < 10**7
    assert any("by the clock of input 1" in caveat for caveat in summary.caveats)


@pytest.mark.parametrize("skew", [0.0, 0.004, 3.0, -3.0, 3600.0, LONG_AGO])
def test_two_legs_in_two_files(tmp_path: Path, skew: float) -> None:
    """Links and verdicts of a client's and an upstream's leg in two files are those of one file, and times too."""
    scene = Gateway()
    for number in range(12):
        asked, tried = scene.asks(f"/t/{number}"), scene.tries(f"/t/{number}")
        scene.wire.sleep(0.02)
        if number % 3:
            tried.server.send(OK)
            asked.server.send(OK)
        else:
            tried.server.reset()
            scene.answers(asked)
        scene.wire.sleep(0.4)
    paths, (client, upstream) = scene.files(tmp_path, skew)
    one, one_incidents, _ = last_words(scene.results())
    two, two_incidents, summary = last_words(of_files(paths))

    assert len(one) == 4
    assert [(a.kind, a.frame, a.client.frame if a.client else 0, a.confidence, a.masked) for a in one] == [
        (b.kind, upstream.identity(b.frame), client.identity(b.client.frame) if b.client else 0, b.confidence, b.masked)
        for b in two
    ]
    assert [a.frame for a in one_incidents] == [client.identity(b.frame) for b in two_incidents]
    assert max(abs(a.time - b.time) for a, b in zip(one, two, strict=True)) < 10**7
    assert any("clock of input 1" in caveat for caveat in summary.caveats) == (abs(skew) > 1)


def test_three_files_one_by_way_of_another() -> None:
    """A file that shares nothing with the first is brought to its time by way of one that shares with both."""
    scene = Gateway()
    for number in range(5):
        asked, tried = scene.asks(f"/t/{number}"), scene.tries(f"/t/{number}")
        tried.server.send(OK)
        asked.server.send(OK)
        scene.wire.sleep(0.7)
    legs = [
        scene.wire.without([n for n, frame in enumerate(scene.wire.frames, 1) if frame.interface != leg])
        for leg in (0, 1)
    ]
    for wire in legs:
        wire.frames = [replace(frame, interface=0) for frame in wire.frames]
    shifts, together, said = compared(legs[0], elsewhere(legs[1], 7.0), elsewhere(legs[1], -50.0))
    assert together == [{0, 1, 2}]
    assert [round(shift / 1e9, 1) for shift in shifts] == [0.0, -7.0, 50.0]
    assert len(said) == 2


def test_files_that_share_nothing_are_left_alone() -> None:
    """Captures of other connections, and a set of files one after the other, are not moved."""
    one, other = Wire(), Wire(start_ns=Wire().start_ns + 3600 * 10**9)
    for wire, port in ((one, 41000), (other, 42000)):
        conn = wire.connection(f"10.0.0.1:{port}", "10.0.0.2:8080")
        conn.handshake()
        for number in range(8):
            conn.client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            conn.server.send(OK)
            wire.sleep(1)
    assert compared(one, other) == ([0, 0], [], [])
    assert compared(one, Wire()) == ([0, 0], [], [])


def test_requests_that_do_not_agree_are_not_believed() -> None:
    """The same targets asked at other distances, of another server, are no two legs."""
    one, other = Wire(), Wire()
    for wire, server, pause in ((one, "10.0.0.2:8080", 1.0), (other, "10.0.0.3:8080", 1.7)):
        conn = wire.connection("10.0.0.1:41000", server)
        conn.handshake()
        for number in range(8):
            conn.client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            conn.server.send(OK)
            wire.sleep(pause)
    assert compared(one, other) == ([0, 0], [], [])


def test_clocks_in_step_say_nothing() -> None:
    """Two hosts whose clocks are a fraction of a millisecond apart are read as they are, and nothing is said."""
    wire = conversation()
    assert compared(wire, elsewhere(wire, 0.0005)) == ([0, 0], [{0, 1}], [])
