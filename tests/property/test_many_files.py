"""One capture in several files: the same verdicts, each frame named by its number and file, whatever the order."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.property.sources import frames_of, known, name, samples
from tests.property.transform import ETHERNET, pcap, pcapng
from wire502.api import read
from wire502.report import json as json_report

CUTS = 4


def told(paths: list[Path]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what is said of *paths* as one capture, as JSON: the failures and the rest that has a frame."""
    lines = [json.loads(json_report.line(result, precision=9)) for result in read(*paths, all=True)]
    return [line["type"] for line in lines], [line for line in lines if line["type"] != "summary"]


# key of a frame number → key of its file beside it
FILES = {"frame": "file", "first_frame": "first_file", "request_frame": "request_file", "end_frame": "end_file"}


def whole(value: object, place: dict[tuple[int, int], int]) -> Iterator[tuple[str, object]]:
    """Yield every frame of *value* as its number in the capture before it was cut into files, with what it is."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in FILES:
                # an update tells only what changed
                yield key, item if item is None else place.get((value.get(FILES[key], -1), item), ("?", item))
            else:
                for inner, found in whole(item, place):
                    yield f"{key}.{inner}", found
    elif isinstance(value, list):
        for item in value:
            yield from whole(item, place)


def said(lines: list[dict[str, Any]], place: dict[tuple[int, int], int]) -> list[tuple[Any, ...]]:
    """Return the kind of each line and all frames in it, those of one capture; legs of several files take longer."""
    found = [
        (line["type"], line.get("kind"), line.get("at_fault"), line.get("masked"), tuple(whole(line, place)))
        for line in lines
        if line["type"] != "update"
    ]
    return sorted(found, key=repr)


@pytest.mark.parametrize("path", [pytest.param(path, id=name(path)) for path in [*samples(), *known()[::8]]])
def test_frames_keep_their_files(path: Path, tmp_path: Path) -> None:
    """A capture that rotation cut, its files given in any order, gets the verdicts of the whole one, frame by frame."""
    frames = frames_of(path)
    rng = random.Random(path.name)
    # Files whose times do not tell their order are another matter: equal times are not torn apart here.
    places = [at for at in range(1, len(frames)) if frames[at].time_ns > max(f.time_ns for f in frames[:at])]
    cuts = [0, *sorted(rng.sample(places, min(CUTS, len(places)))), len(frames)]
    parts = [frames[begin:end] for begin, end in itertools.pairwise(cuts) if end > begin]
    write = pcap if len({frame.link for frame in frames}) == 1 and frames[0].link == ETHERNET else pcapng
    order = list(range(len(parts)))
    rng.shuffle(order)
    paths, place = [], {}
    for file, part in enumerate(order):
        paths.append(tmp_path / f"part{file}")
        paths[-1].write_bytes(write(parts[part], **({"nanoseconds": True} if write is pcap else {})))
        for number in range(len(parts[part])):
            place[file, number + 1] = cuts[part] + number + 1
    single = tmp_path / "single"
    single.write_bytes(write(frames, **({"nanoseconds": True} if write is pcap else {})))

    expected = said(told([single])[1], {(0, number): number for number in range(1, len(frames) + 1)})
    assert said(told(paths)[1], place) == expected
