"""Hostile octets: every cut, random changes, garbage; and the compiled kernel agrees with the uncompiled one."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packet.batches import Captured, accounted, decode
from tests.packet.crafted import EVERY
from wire502 import _build
from wire502.packet.linktypes import SUPPORTED

LINKS = st.sampled_from(sorted(SUPPORTED))


def outcome(frames: list[Captured], slack: bytes = b"") -> tuple[list[dict[str, Any]], list[str], list[int]]:
    """Return all that can be said of *frames*: rows without their place in the block, rare frames, counters."""
    decoded = decode(frames, slack)
    stage = decoded.stage
    assert accounted(stage) == stage.frames == len(frames)
    for row in decoded.rows:
        assert 0 <= row["captured"] <= row["length"]
        del row["start"]
    counters = [stage.octets, stage.fragments, stage.fragments_dropped, stage.fragments_overlapping, stage.malformed]
    counters += [stage.fragments_pending, stage.cut, stage.non_tcp, *stage.unsupported.values()]
    return decoded.rows, [repr(record) for record in decoded.rare], counters


@pytest.mark.parametrize("name", EVERY)
def test_no_prefix_is_read_beyond_its_end(name: str) -> None:
    """A frame cut at any octet gives the same whatever stands behind it in the block, and never raises."""
    whole = EVERY[name]
    for length in (None, len(whole.octets)):
        cut = [Captured(whole.octets[:size], whole.linktype, length) for size in range(len(whole.octets) + 1)]
        assert outcome(cut, whole.octets[20:]) == outcome(cut, b"\xff" * 70) == outcome(cut)


@given(st.data())
def test_changed_octets_never_hurt(data: st.DataObject) -> None:
    """A frame with some octets changed never raises, and what follows it in the block changes nothing."""
    whole = data.draw(st.sampled_from(list(EVERY.values())))
    frame = bytearray(whole.octets)
    for _ in range(data.draw(st.integers(1, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(0, len(frame)))
    given_ = [Captured(bytes(frame[:size]), whole.linktype, data.draw(st.none() | st.integers(0, 70000)))]
    assert outcome(given_, b"\0" * 80) == outcome(given_, b"\xff" * 80)


@given(st.binary(max_size=200), LINKS, st.none() | st.integers(-(2**31), 2**31 - 1))
def test_garbage_never_hurts(octets: bytes, linktype: int, length: int | None) -> None:
    """Random octets of any link type and any length on the wire never raise."""
    given_ = [Captured(octets, linktype, length)]
    assert outcome(given_, b"\0" * 80) == outcome(given_, b"\xff" * 80)


@pytest.mark.parametrize(
    ("column", "value"),
    [("start", -1), ("start", 2**62), ("captured", -1), ("captured", 2**31 - 1), ("interface", -1), ("interface", 5)],
)
def test_absurd_batch_is_malformed(column: str, value: int) -> None:
    """A row that points outside of the block, or to no interface, is malformed and touches nothing."""
    from tests.packet.batches import batch_of
    from wire502.packet import PacketStage

    batch = batch_of([EVERY["ethernet"]] * 2)
    getattr(batch, column)[0] = value
    stage = PacketStage()
    assert [segments.count for segments in stage.segments(batch)] == [1]
    assert stage.malformed == 1


def test_empty_block_is_no_trouble() -> None:
    """Frames of which nothing was captured are cut or malformed, even where the block is empty."""
    from tests.packet.batches import batch_of
    from wire502.packet import PacketStage

    for linktype in SUPPORTED:
        batch = batch_of([Captured(b"", linktype), Captured(b"", linktype, 60)])
        batch.data = memoryview(bytearray())
        batch.start[0] = batch.start[1] = 0
        stage = PacketStage()
        assert list(stage.segments(batch)) == []
        assert accounted(stage) == 2


def many_frames() -> list[Captured]:
    """Return every encapsulation, cut and changed in thousands of ways, the same in every run."""
    chance = random.Random(502)
    frames = list(EVERY.values())
    for whole in EVERY.values():
        for _ in range(40):
            frame = bytearray(whole.octets)
            for _ in range(chance.randrange(4)):
                frame[chance.randrange(len(frame))] = chance.choice((0, 1, 6, 0x45, 0xFF, chance.randrange(256)))
            size = chance.choice((len(frame), chance.randrange(len(frame) + 1)))
            frames.append(Captured(bytes(frame[:size]), whole.linktype, chance.choice((None, len(frame), 3000))))
    return frames


ELSEWHERE = """
import pickle, sys
from tests.packet.test_hostile import outcome
from wire502.packet import decode_cy
assert decode_cy.__file__.endswith(".py"), decode_cy.__file__
sys.stdout.buffer.write(pickle.dumps(outcome(pickle.load(sys.stdin.buffer))))
"""


def test_compiled_and_uncompiled_agree() -> None:
    """Both forms of the kernel give equal columns, rare frames and counters for thousands of odd frames."""
    kernels = _build.compiled_kernels()
    if not kernels["wire502.packet.decode_cy"] or not kernels["wire502.packet.layers_cy"]:
        pytest.skip("the kernels of the packet stage are not compiled: nothing to compare")
    frames = many_frames()
    other = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=pickle.dumps(frames),
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(_build.__file__).parents[1],
        env={**os.environ, _build.VARIABLE: "off"},
    )
    rows, rare, counters = outcome(frames)
    assert len(rows) > len(EVERY)
    assert pickle.loads(other.stdout) == (rows, rare, counters)
