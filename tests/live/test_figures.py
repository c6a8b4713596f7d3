"""Live beside tcpdump on a cable: the same packets, and the verdicts of `read`; and what the measurement is made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts._bench.cable import Cable, why_not
from scripts._bench.crowds import flooded, left_open
from scripts._bench.make import make
from scripts._bench.sending import Frames
from scripts._bench.told import lags, verdicts
from scripts._bench.watching import Live, Replay, Tcpdump
from wire502 import read
from wire502.api import Failure, Summary

WIRE502 = [sys.executable, "-P", "-m", "wire502"]
ROOMY_KIB = 65_536  # holds all packets of a test, however slow who reads them is


@pytest.fixture
def cable() -> Cable:
    """A cable that is not there yet; skips where it cannot be."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    return Cable()


def test_live_says_what_read_says(cable: Cable, tmp_path: Path) -> None:
    """Live and tcpdump see each packet of a replay, and live's verdicts are those of `read` on tcpdump's file."""
    path, recorded = tmp_path / "made.pcap", tmp_path / "recorded.pcap"
    truth = make(path, tmp_path / "made.json", "mixed", 20_000, 7)
    with (
        cable,
        Replay(cable, [path]) as replay,
        Tcpdump(cable, tmp_path, recorded, ROOMY_KIB, alone=False) as tcpdump,
        Live(cable, tmp_path, program=WIRE502, alone=False) as live,
    ):
        replay.send(rate=10_000)
        ours, theirs = live.finish(), tcpdump.finish()
    assert (ours.frames, ours.lost) == (theirs.frames, theirs.lost) == (truth["frames"], 0)
    told = verdicts(live.out.read_bytes().splitlines())
    again = tmp_path / "again.json"
    with again.open("wb") as out:
        subprocess.run([*WIRE502, "read", "--json", "--set=hold=500ms", str(recorded)], stdout=out, check=True)
    assert told == verdicts(again.read_bytes().splitlines())
    assert told.total() > 10


def test_a_crowd_is_what_it_says(tmp_path: Path) -> None:
    """Connections that are left open have one whole exchange each, and none of them failed."""
    path = tmp_path / "open.pcap"
    frames = left_open(path, 300)
    *told, summary = read(path)
    assert isinstance(summary, Summary)
    assert (summary.frames, summary.connections, summary.exchanges) == (frames, 300, 300)
    assert told == []


def test_a_flood_moves_the_others_only_in_number(tmp_path: Path) -> None:
    """The frames of others are in a flood as they were, at the numbers that are told."""
    path, out = tmp_path / "calm.pcap", tmp_path / "flood.pcap"
    make(path, tmp_path / "calm.json", "small", 500, 1)
    numbers = flooded(path, out, 3)
    calm = {one.frame for one in read(path) if isinstance(one, Failure) and one.kind != "connect_timeout"}
    found = {one.frame for one in read(out) if isinstance(one, Failure)}
    assert calm
    assert {numbers[frame] for frame in calm} <= found
    assert len(Frames(str(out)).times) == 4 * len(Frames(str(path)).times)


def test_who_sends_keeps_the_times_of_the_capture(tmp_path: Path) -> None:
    """Frames are sent by their times from the first one on, in nanoseconds."""
    path = tmp_path / "made.pcap"
    truth = make(path, tmp_path / "made.json", "small", 500, 1)
    frames = Frames(str(path))
    assert (frames.count, frames.octets + 16 * frames.count) == (truth["frames"], truth["octets"])
    assert frames.times[0] == 0
    assert list(frames.times) == sorted(frames.times)


def _line(at: float, **record: object) -> tuple[float, bytes]:
    return at, json.dumps(record).encode()


def test_how_late_a_line_is() -> None:
    """A failure is late from the end of its silence on, and a pending wait from its deadline on."""
    stamp, until = "2026-01-01T00:00:00.250000Z", {"time": "2026-01-01T00:00:05Z"}
    began = 1_767_225_600.0
    found = lags(
        [
            _line(began + 2.75, type="pending", id="f1", time=stamp),
            _line(began + 6.5, type="failure", id="f1", time=stamp, until=until, request=None),
            _line(began + 7, type="pending", id="f2", time=stamp),
        ],
        0.5,
        2.0,
    )
    assert found.pending == pytest.approx([0.5, 4.75])
    assert found.failures == pytest.approx([0.5])
    assert found.became == {"failure": 1}
    assert found.open == 1
