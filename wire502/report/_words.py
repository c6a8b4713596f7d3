"""Numbers and names as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import basename

from wire502.report._layout import cut_middle

_NAME_ROOM = 24  # columns for a file's name before a frame number


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 frame``, ``1,200 frames``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def milliseconds(value: float | None) -> str:
    """Return a duration in ms with the digits that mean something; ``–`` when there is none."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.1 or value <= 0 else f"{value:.2f}"


def duration(seconds: float) -> str:
    """Return ``0.250 s``, ``59.9 s``, ``5 min 13 s``, ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.3f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


class Frames:
    """How frames are cited: ``#128`` for one input, ``gw.pcap:128`` for several."""

    def __init__(self, inputs: Sequence[str]) -> None:
        short = [basename(path) or path for path in inputs]  # noqa: PTH119 - pathlib is 3 ms of start-up
        # two files of the same name in different folders need more of their path
        self.names = short if len(set(short)) == len(short) else list(inputs)
        self.several = len(inputs) > 1

    def name(self, file: int) -> str:
        """Return the short name of an input; its index when it is not known."""
        return self.names[file] if 0 <= file < len(self.names) else str(file)

    def cite(self, frame: int, file: int) -> str:
        """Return how the frame is cited."""
        return f"{cut_middle(self.name(file), _NAME_ROOM)}:{frame}" if self.several else f"#{frame}"
