"""The captures that the properties are tried on: the samples, and some of those with known truth, if they are here."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from tests.conftest import TRUTH
from tests.property.transform import Raw, load

FOLDER = Path(__file__).parents[2] / "captures"
EVERY = 6  # of the captures with known truth, so many are passed over for one that is taken


def samples() -> list[Path]:
    """Return the sample captures."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in (".pcap", ".pcapng"))


def known() -> list[Path]:
    """Return a sixth of the captures with known truth; nothing without WIRE502_TRUTH."""
    folder = os.environ.get(TRUTH)
    found = sorted(Path(folder, "captures-groundtruth").rglob("*.pcap*")) if folder else []
    return found[::EVERY]


def name(path: Path) -> str:
    """Return the name of a test of *path*."""
    return path.stem if path.parent == FOLDER else f"{path.parent.name}-{path.stem}"


@cache
def frames_of(path: Path) -> tuple[Raw, ...]:
    """Return the frames of *path*."""
    return tuple(load(path))
