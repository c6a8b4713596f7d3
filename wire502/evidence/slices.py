"""The slice: chosen frames of a capture as pcapng, with what they mean written beside them.

Written to a file without a name first, so that nothing unredacted is ever left behind; ``redaction`` then works in it
by the places that are noted here.
"""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from wire502.capture import PcapngWriter
from wire502.evidence.cited import Place
from wire502.evidence.selection import Selector, Wanted
from wire502.evidence.source import Frames
from wire502.model.frames_cy import Batch

APPLICATION = "wire502"
TAIL = "wire502-source 1"  # first words of the machine-readable tail: the version of its form
_PACKET_HEAD = 28  # octets of an enhanced packet block before the frame's own
_MOST_COMMENT = 60_000  # octets; an option of pcapng holds 65,535
_LAST_TIME = (1 << 63) - 1
_OF_VERDICT = re.compile(r"[fi][0-9]+: ")


class Slice:
    """A written slice: ``stream`` holds it; row n is its frame n + 1.

    ``places`` says which frame of the source each one is, ``starts`` and ``sizes`` where its octets stand.
    """

    def __init__(self) -> None:
        # deleted by the system when it is closed: it holds secrets until they are overwritten
        self.stream: BinaryIO = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        self.places: list[Place] = []
        self.starts = array("q")
        self.sizes = array("i")
        self.dropped = 0

    def sources(self) -> dict[int, Place]:
        """Return the frame of the source for each frame of the slice."""
        return dict(enumerate(self.places, 1))

    def close(self) -> None:
        """Let go of the octets."""
        self.stream.close()

    def copy_to(self, path: Path) -> None:
        """Write the slice to *path*."""
        self.stream.seek(0)
        with path.open("wb") as out:
            while piece := self.stream.read(1 << 20):
                out.write(piece)


def cut(
    paths: Sequence[str | Path],
    wanted: Wanted | None,
    comments: Mapping[Place, Iterable[str]],
    section: Sequence[str],
    *,
    keep: bool = False,
) -> Slice:
    """Write the *wanted* frames of *paths* (None: each one); *comments* go to frames, *section* to the file.

    With *keep*, frames have the comments of the source too: nobody knows what they tell.
    """
    made = Slice()
    try:
        _Cutter(made, comments, section, keep=keep).run(Frames(paths), wanted)
    except BaseException:
        made.close()
        raise
    return made


class _Cutter:
    """Copies frames, interfaces and drop counters into a slice."""

    def __init__(
        self, made: Slice, comments: Mapping[Place, Iterable[str]], section: Sequence[str], *, keep: bool
    ) -> None:
        self._keep = keep
        self._kept: dict[Place, list[str]] = {}
        self._slice = made
        self._comments = comments
        pieces = [piece for text in section for piece in split(text)]
        self._writer = PcapngWriter(made.stream, comments=pieces, application=APPLICATION)
        self._numbers: dict[int, int] = {}  # interface of the source → of the slice
        self._told = 0  # drop reports written
        self._lost: dict[int, int] = {}

    def run(self, frames: Frames, wanted: Wanted | None) -> None:
        selector = None if wanted is None else Selector(wanted, frames.interfaces)
        last_ns = 0
        for batch in frames:
            self._drops(frames)
            self._read_comments(frames)
            rows = range(batch.count) if selector is None else selector.rows(batch)
            for row in rows:
                self._frame(frames, batch, row)
            if rows:
                last_ns = max(batch.ts_ns[rows[-1]], 0)
        self._drops(frames)
        self._tail(frames, last_ns)

    def _interface(self, frames: Frames, index: int) -> int:
        if index not in self._numbers:
            source = frames.interfaces[index]
            self._numbers[index] = self._writer.interface(
                source.linktype,
                name=source.name,
                snaplen=source.snaplen,
                resolution=9 if source.nanoseconds else 6,
            )
        return self._numbers[index]

    def _frame(self, frames: Frames, batch: Batch, row: int) -> None:
        interface = batch.interface[row]
        place = (frames.interfaces[interface].file, batch.frame[row])
        number = self._interface(frames, interface)
        made, start = self._slice, batch.start[row]
        captured = batch.captured[row]
        texts = [piece for text in self._comments.get(place, ()) for piece in split(text)]
        if texts:
            texts[-1] += f"\n[{TAIL} {place[0]}:{place[1]}]"
        texts = [*self._kept.pop(place, ()), *texts]
        made.starts.append(made.stream.tell() + _PACKET_HEAD)
        made.sizes.append(captured)
        made.places.append(place)
        self._writer.write(
            number,
            max(batch.ts_ns[row], 0),
            bytes(batch.data[start : start + captured]),
            batch.length[row],
            comments=texts,
            direction=batch.direction[row],
        )

    def _read_comments(self, frames: Frames) -> None:
        """Hear of the comments on frames that were read, but for those of verdicts, the last of which has a tail."""
        for place, text in frames.comments() if self._keep else ():
            kept = self._kept.setdefault(place, [])
            if f"[{TAIL} " in text:
                kept[:] = [one for one in kept if not _OF_VERDICT.match(one)]
            else:
                kept.extend(split(text))

    def _drops(self, frames: Frames) -> None:
        """Pass on what the source says it lost, as soon as it does."""
        reports = frames.drops
        for report in reports[self._told :]:
            index = report.interface
            if index is None:
                index = next((one.index for one in frames.interfaces if one.file == report.file), 0)
            number = self._interface(frames, index)
            self._lost[number] = self._lost.get(number, 0) + report.count
            self._slice.dropped += report.count
            start = None if report.from_ns is None else max(report.from_ns, 0)
            until = min(max(report.to_ns, 0), _LAST_TIME)
            self._writer.statistics(number, until, start_ns=start, dropped=self._lost[number])
        self._told = len(reports)

    def _tail(self, frames: Frames, last_ns: int) -> None:
        """Say at the end which frames of the source these are, in comments that every reader passes over."""
        if not self._numbers:
            if not frames.interfaces:
                return
            self._interface(frames, 0)
        text = f"{TAIL} {ranges(self._slice.places)}"
        number = next(iter(self._numbers.values()))
        for piece in split(text, " "):
            lost = self._lost.get(number)
            self._writer.statistics(number, last_ns, dropped=lost, comment=piece)
        self._slice.stream.flush()


def split(text: str, at: str = "") -> list[str]:
    """Return *text* in pieces that an option of pcapng can hold, broken at *at* if it is given."""
    if len(text) * 4 <= _MOST_COMMENT:
        return [text]
    pieces, rest = [], text
    step = _MOST_COMMENT // 4
    while len(rest) > step:
        place = rest.rfind(at, 0, step) if at else -1
        place = place if place > 0 else step
        pieces.append(rest[:place])
        rest = rest[place + len(at) :]
        if at:
            rest = f"{TAIL} {rest}"
    return [*pieces, rest]


def ranges(places: Iterable[Place]) -> str:
    """Return ``0:1-20 0:31 1:4-9``: file and frames of the source, in the order of the slice."""
    runs: list[list[int]] = []  # file, first, last
    for file, frame in places:
        if runs and runs[-1][0] == file and runs[-1][2] + 1 == frame:
            runs[-1][2] = frame
        else:
            runs.append([file, frame, frame])
    return " ".join(f"{file}:{low}" if low == high else f"{file}:{low}-{high}" for file, low, high in runs)


def places_of(text: str) -> list[Place]:
    """Return what ``ranges`` wrote. Raises ValueError for anything else."""
    found: list[Place] = []
    for part in text.split():
        file, _, frames = part.partition(":")
        low, dash, high = frames.partition("-")
        first, last = int(low), int(high if dash else low)
        if last - first > 1 << 28:
            raise ValueError(f"{part} names more frames than a slice holds")
        found += [(int(file), frame) for frame in range(first, last + 1)]
    return found
