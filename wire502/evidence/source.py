"""The second look at a capture: the same frames as in the first one, by the place where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from wire502.api import compared_clocks
from wire502.capture import open_source
from wire502.capture.merge import MergedSource, merge_sources
from wire502.capture.source import Source
from wire502.model.capture_info import DropReport, Interface
from wire502.model.frames_cy import Batch

_PIECE = 1 << 20


class Frames:
    """Batches of *paths*, merged by time as ``api.read`` merges them; ``file_of[interface]`` is the input's index."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self.interfaces: list[Interface] = []
        self._sources: list[Source] = []
        self._told: dict[int, int] = {}  # comments that were handed out
        try:
            for file, path in enumerate(paths):
                self._sources.append(open_source(path, file=file, interfaces=self.interfaces))
        except BaseException:
            self.close()
            raise
        clocks = compared_clocks(paths)
        shifts = clocks.shifts if clocks is not None else []
        several = len(self._sources) > 1
        self._source: Source | MergedSource = merge_sources(self._sources, shifts) if several else self._sources[0]

    @property
    def drops(self) -> Sequence[DropReport]:
        """What the captures say they lost, as far as they were read."""
        return self._source.drops

    def comments(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield the comments that the captures have on frames read since this was asked last: (file, frame), text."""
        for file, source in enumerate(self._sources):
            for comment in source.comments[self._told.get(file, 0) :]:
                if comment.kind == "frame":
                    yield (file, comment.number), comment.text
            self._told[file] = len(source.comments)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches, each valid until the next one."""
        try:
            while (batch := self._source.read_batch()) is not None:
                yield batch
        finally:
            self.close()

    def close(self) -> None:
        """Close the inputs; done by itself at the end."""
        for source in self._sources:
            source.close()


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of the octets of the file itself, compressed or not, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
