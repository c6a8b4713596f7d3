"""Lines of styled text that fit a width, and that cannot do more to a terminal than be read.

Text of the wire may hold escape sequences, bidirectional controls and line breaks, so every span is made harmless
twice: where it is measured, and once more where it leaves (``Painter.paint``), so that no path leads around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from wire502.report.plain import plain

Style = Literal["", "bold", "dim", "bad", "warn", "good", "frame"]

_CODES: dict[Style, str] = {
    "bold": "1",
    "dim": "2",
    "bad": "1;31",
    "warn": "33",
    "good": "32",
    "frame": "36",
}
# One character for one, so that columns stay where they are; the dots for people who have no UTF-8.
_ASCII = str.maketrans("▶◀─✗✓·→↳…⋮×–├└", "><-x+.>>~:x-|`")


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    style: Style = ""


Line = Sequence[Span]


def cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes: East Asian wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(char: str) -> int:
    from unicodedata import category, east_asian_width  # rarely needed, and start-up counts

    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1


def cut_middle(text: str, room: int) -> str:
    """Return *text* in at most *room* columns, its middle replaced by ``…`` when it is longer."""
    text = plain(text)
    if cells(text) <= room:
        return text
    if room < 2:
        return "…"[:room]
    back = (room - 1) * 2 // 5
    return f"{_first(text, room - 1 - back)}…{_first(text[::-1], back)[::-1]}"


def _first(text: str, room: int) -> str:
    """Return the beginning of *text* that fits into *room* columns."""
    if text.isascii():
        return text[:room]
    for index, char in enumerate(text):
        room -= _cell(char)
        if room < 0:
            return text[:index]
    return text


def wrap(text: str, room: int) -> list[str]:
    """Return *text* in lines of at most *room* columns, broken at blanks; a longer word is broken where it must be."""
    lines: list[str] = []
    line, used = "", 0
    for whole in plain(text).split(" "):
        word = whole
        width = cells(word)
        if line and used + 1 + width <= room:
            line, used = f"{line} {word}", used + 1 + width
            continue
        if line:
            lines.append(line)
        while width > room:
            part = _first(word, room) or word[:1]
            lines.append(part)
            word = word[len(part) :]
            width = cells(word)
        line, used = word, width
    return [*lines, line] if line or not lines else lines


class Painter:
    """Turns lines into text: with colours or without, in UTF-8 or in ASCII."""

    def __init__(self, *, color: bool = False, ascii_only: bool = False) -> None:
        self._color = color
        self._ascii = ascii_only

    def paint(self, lines: Iterable[Line]) -> str:
        """Return *lines* as text, each with its line break, without blanks at the ends."""
        return "".join(f"{self._line(line)}\n" for line in lines)

    def _line(self, line: Line) -> str:
        if not (self._color or self._ascii):
            return plain("".join([text for text, _ in line])).rstrip()
        spans = [Span(plain(text), style) for text, style in line]
        while spans and not spans[-1].text.rstrip():
            spans.pop()
        if spans:
            spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].style)
        return "".join(map(self._span, spans))

    def _span(self, span: Span) -> str:
        text = span.text
        if self._ascii:
            text = text.translate(_ASCII).encode("ascii", "backslashreplace").decode()
        code = _CODES.get(span.style) if self._color else None
        return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text
