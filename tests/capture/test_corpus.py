"""Real captures: the same frames as tshark finds, and damaged ones treated as their catalogue expects."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from wire502.capture import open_source
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FIELDS = ("frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_id")


def captures(folder: Path) -> list[Path]:
    """Return the captures below *folder*."""
    suffixes = (".pcap", ".pcapng", ".cap", ".gz", ".cut")
    found = [path for path in folder.rglob("*") if path.is_file() and path.name.endswith(suffixes)]
    return sorted(path for path in found if not {"baselines", "truth"} & set(path.parts))


def by_tshark(tshark: str, path: Path) -> list[list[str]]:
    command = [tshark, "-n", "-r", str(path), "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    # Only lengths and times are asked for, so no protocol needs to be looked at.
    command += ["--disable-protocol", "ip", "--disable-protocol", "ipv6"]
    output = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    return [line.split("\t") for line in output.splitlines() if line]


def by_wire502(path: Path) -> list[list[str]]:
    found = []
    with open_source(path) as source:
        while (batch := source.read_batch()) is not None:
            for row in range(batch.count):
                seconds, rest = divmod(batch.ts_ns[row], 1_000_000_000)
                numbers = (batch.frame[row], f"{seconds}.{rest:09d}", batch.captured[row], batch.length[row])
                interface = str(batch.interface[row]) if source.format.startswith("pcapng") else ""
                found.append([*map(str, numbers), interface])
    return found


def test_frames_are_those_of_tshark(truth: Path, tshark: str) -> None:
    """Number, time, lengths and interface of every frame of the corpus are those of tshark."""
    paths = [path for path in captures(truth / "corpus") if "malformed" not in path.parts]
    assert len(paths) > 50
    for path in paths:
        found, wanted = by_wire502(path), by_tshark(tshark, path)
        for ours, theirs in zip(found, wanted, strict=True):
            if not theirs[1]:  # a simple packet has no time of its own; tshark leaves it empty
                theirs[1] = ours[1]
            assert ours == theirs, path.name


def test_damaged_inputs(truth: Path) -> None:
    """Each malformed capture of the corpus is refused, or read as far as it can be, as its catalogue says."""
    catalogue = json.loads((truth / "corpus" / "malformed" / "expected.json").read_text())
    for entry in catalogue["entries"]:
        allowed = {entry["expect"], *entry["also_accept"]}
        try:
            with open_source(truth / "corpus" / entry["file"]) as source:
                count = 0
                while (batch := source.read_batch()) is not None:
                    count += batch.count
            assert ("partial" if count else "empty") in allowed, entry["file"]
            assert count == entry["tshark_packets"], entry["file"]
            assert (source.damage is not None) == (entry["tshark_exit"] != 0), entry["file"]
        except CaptureError as error:
            refused = str(error)
            assert "error" in allowed, refused


def test_ground_truth_is_sound(truth: Path) -> None:
    """Every capture with known truth is read to its end without damage, its frames numbered without a hole."""
    paths = captures(truth / "captures-groundtruth")
    assert len(paths) > 100
    for path in paths:
        with open_source(path) as source:
            last = 0
            while (batch := source.read_batch()) is not None:
                assert batch.frame[0] == last + 1
                last = batch.frame[batch.count - 1]
            assert source.damage is None, path.name
            assert last == source.frames > 0, path.name
