"""Bundles of a live run: which failures get one, of which packets, and what is on the disk at any moment."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from wire502.agent import bundler
from wire502.agent.bundler import enforce, sweep
from wire502.agent.evidence import Keeper
from wire502.agent.packets import LEAST_SLOTS, SLOT, PacketRing
from wire502.api import Failure, read
from wire502.capture import open_source
from wire502.evidence import verify
from wire502.model.capture_info import Interface
from wire502.model.context import Context

CAPTURE = "captures/reset-before-response.pcapng"
KIND = "rst_before_response"


class Scene:
    """A keeper over the packets of a shipped capture, and what it says."""

    def __init__(self, folder: Path, context: Context | None = None) -> None:
        self.said: list[str] = []
        self.ring = PacketRing(1)
        interfaces: list[Interface] = []
        source = open_source(CAPTURE, interfaces=interfaces)
        while (batch := source.read_batch()) is not None:
            self.ring.frames(batch)
        source.close()
        self.keeper = Keeper(
            str(folder),
            self.ring,
            interfaces[0],
            context or Context(),
            arguments=["--set", "hold=1s"],
            owner=None,
            say=self.said.append,
        )
        self.now = 0.0

    def wait(self) -> None:
        """Let time pass until what was begun is done."""
        for _ in range(600):
            self.now += 2
            self.keeper.beat(self.now)
            if self.keeper.made or self.keeper.failed:
                return
            time.sleep(0.1)
        raise AssertionError("no bundle, and no word of it, within a minute")


@pytest.fixture
def failure() -> Failure:
    """The failure of the capture."""
    return next(result for result in list(read(CAPTURE)) if isinstance(result, Failure))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A keeper of a folder that is not there yet."""
    return Scene(tmp_path / "evidence")


def bundles(folder: Path) -> list[Path]:
    """Return everything that stands in the folder."""
    return sorted(folder.iterdir())


def test_a_failure_becomes_a_bundle(scene: Scene, failure: Failure, tmp_path: Path) -> None:
    """The bundle is named for the failure, whole, and gives the same verdict."""
    scene.keeper.results([failure])
    scene.wait()
    assert scene.said == []
    (made,) = bundles(tmp_path / "evidence")
    assert KIND in made.name
    assert failure.connection.upstream.replace(":", "-") in made.name
    assert verify(made) == []


def test_frames_of_a_bundle_being_made_are_kept(scene: Scene, failure: Failure) -> None:
    """While a child reads them, slots are not filled anew; afterwards they are."""
    scene.keeper.results([failure])
    scene.now = 2.0
    scene.keeper.beat(scene.now)
    held = [slot for slot in scene.ring._slots if slot.readers]
    assert held
    scene.wait()
    assert not any(slot.readers for slot in held)


def test_alike_failures_make_one_bundle_in_a_while(scene: Scene, failure: Failure) -> None:
    """The same kind, cause and upstream again is counted only; another upstream is another matter."""
    scene.keeper.results([failure, failure])
    assert scene.keeper.alike == 1
    scene.keeper.results([replace(failure, connection=replace(failure.connection, upstream="10.9.9.9:80"))])
    assert scene.keeper.alike == 1


def test_only_so_many_are_made_in_an_hour(tmp_path: Path, failure: Failure) -> None:
    """Beyond the limit failures are counted only, however different they are."""
    scene = Scene(tmp_path / "evidence", Context(evidence_most=3))
    for number in range(5):
        other = replace(failure.connection, upstream=f"10.9.9.{number}:80")
        scene.keeper.results([replace(failure, connection=other)])
    assert scene.keeper.alike == 2


@pytest.mark.parametrize("change", [{"masked": True}, {"kind": "client_abort"}])
def test_what_hurt_nobody_makes_no_bundle(scene: Scene, failure: Failure, change: dict[str, object]) -> None:
    """Failures that a retry made good, and aborts, leave no trace on the disk."""
    scene.keeper.results([replace(failure, **change)])  # type: ignore[arg-type]
    scene.keeper.beat(100.0)
    assert scene.keeper._child is None
    assert scene.keeper.alike == 0


def test_packets_that_are_gone_are_said(scene: Scene, failure: Failure, tmp_path: Path) -> None:
    """Where the memory no longer shows the failure there is no bundle, and one line says why."""
    gone = replace(failure.connection, gateway="10.9.9.9:1")
    scene.keeper.results([replace(failure, connection=gone)])
    scene.wait()
    assert bundles(tmp_path / "evidence") == []
    assert scene.said == [f"no evidence was written (1 so far): the packets still kept do not show the {KIND} any more"]


def test_a_folder_that_vanished_is_said(scene: Scene, failure: Failure, tmp_path: Path) -> None:
    """A folder that cannot be written to ends no run."""
    (tmp_path / "evidence").rmdir()
    scene.keeper.results([failure])
    scene.wait()
    assert scene.keeper.failed == 1
    assert len(scene.said) == 1


def test_a_maker_that_is_killed_leaves_nothing_whole(scene: Scene, failure: Failure, tmp_path: Path) -> None:
    """Whatever a killed child leaves has a name that is no bundle's, and is swept away later."""
    scene.keeper.results([failure])
    scene.now = 2.0
    scene.keeper.beat(scene.now)
    child = scene.keeper._child
    assert child is not None
    for _ in range(300):
        if bundles(tmp_path / "evidence"):
            break
        time.sleep(0.02)
    child.kill()
    scene.wait()
    assert scene.keeper.failed == 1
    left = bundles(tmp_path / "evidence")
    assert all(path.name.startswith(bundler.MAKING) for path in left)
    for path in left:
        os.utime(path, (0, 0))
    for _ in range(500):  # what the child had begun may still hold it
        sweep(tmp_path / "evidence")
        if not bundles(tmp_path / "evidence"):
            break
        time.sleep(0.02)
    assert bundles(tmp_path / "evidence") == []


def test_what_is_being_made_is_not_swept_away(tmp_path: Path) -> None:
    """A folder that somebody holds stays, however old; once let go it is removed, but not one that has just begun."""
    old, fresh = tmp_path / f"{bundler.MAKING}old", tmp_path / f"{bundler.MAKING}fresh"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))
    held = os.open(old, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    sweep(tmp_path)
    assert old.exists()
    os.close(held)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [fresh.name]


def test_a_run_begins_with_nothing_of_a_killed_one(scene: Scene, tmp_path: Path) -> None:
    """What is left of a bundle, with packets that are not redacted, is gone when the next run begins."""
    left = tmp_path / "evidence" / f"{bundler.MAKING}left"
    left.mkdir()
    (left / "packets.pcapng").write_bytes(b"secret")
    os.utime(left, (0, 0))
    scene.keeper.check()
    assert not left.exists()


def test_the_oldest_bundles_make_room(tmp_path: Path) -> None:
    """Over the quota the oldest go, the latest never, and what is no bundle is left alone."""
    names = [f"2026-01-0{day}T00-00-00.000000Z_{KIND}_10.0.0.2-80" for day in range(1, 5)]
    for name in [*names, "mine"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(1000))
    enforce(tmp_path, 2500, tmp_path / names[-1])
    assert [path.name for path in bundles(tmp_path)] == [*names[2:], "mine"]
    enforce(tmp_path, 1, tmp_path / names[-1])
    assert [path.name for path in bundles(tmp_path)] == [names[-1], "mine"]


def test_the_ring_keeps_the_latest(tmp_path: Path) -> None:
    """When the memory is full the oldest frames make room, and those being read stay as they are."""
    ring = PacketRing(1)
    source = open_source(CAPTURE, interfaces=[])
    batch = source.read_batch()
    assert batch is not None
    ring.frames(batch)
    octets = ring._slots[0].used
    taken = ring.take(0)
    before = bytes(ring._memory[taken[0].start : taken[0].start + taken[0].used])
    for _ in range(2 * LEAST_SLOTS * SLOT // octets):
        ring.frames(batch)
    assert bytes(ring._memory[taken[0].start : taken[0].start + taken[0].used]) == before
    assert sum(slot.used for slot in ring._slots) > (LEAST_SLOTS - 1) * SLOT - LEAST_SLOTS * octets
    assert ring.lost == 0
    everything = ring.take(0)
    for _ in range(LEAST_SLOTS * SLOT // octets):
        ring.frames(batch)
    assert ring.lost > 0
    ring.give_back(everything)
    lost = ring.lost
    for _ in range(SLOT // octets):
        ring.frames(batch)
    assert ring.lost == lost
    source.close()
    ring.close()
