"""What the gateway's log says of a capture, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import basename

from wire502.model.verdict import LogSummary, LogVerdict
from wire502.report._clock import Clock
from wire502.report._layout import Line, Span, Style, cut_middle, wrap
from wire502.report._words import Frames, count

MOST = 50  # lines of the log that are listed without --all
_ROOM = 48  # columns for a target
_CLAIMS: dict[str, tuple[str, Style]] = {
    "confirmed": ("✓ confirmed", "good"),
    "contradicted": ("✗ contradicted", "bad"),
    "not_in_capture": ("? not in the capture", "warn"),
    "silent": ("? not in the log", "warn"),
}


class LogLines:
    """Lines about log lines; without *everything* only those that differ from the capture, and not too many."""

    def __init__(self, frames: Frames, clock: Clock, width: int, *, everything: bool) -> None:
        self._frames = frames
        self._clock = clock
        self._width = width
        self._everything = everything
        self._told = 0

    def verdict(self, verdict: LogVerdict) -> Iterator[Line]:
        """Yield the lines for one of them."""
        if not self._everything:
            if verdict.verdict == "confirmed":
                return
            self._told += 1
            if self._told > MOST:
                return
        claim, style = _CLAIMS[verdict.verdict]
        where = f"{basename(verdict.log)}:{verdict.line}" if verdict.log else ""  # noqa: PTH119 - see _words
        what = f"{verdict.method or ''} {cut_middle(verdict.target, _ROOM)}".strip() if verdict.target else ""
        frame = "" if verdict.frame is None else self._frames.cite(verdict.frame, verdict.file or 0)
        said = str(verdict.status) if verdict.status is not None else ""
        parts = [where, self._clock.of_day(verdict.time), what, said, " ".join(filter(None, (verdict.failure, frame)))]
        yield [Span(claim, style), Span(f"  {'  '.join(filter(None, parts))}")]
        for text in (verdict.says, verdict.why):
            yield from self._indented(text)

    def summary(self, summary: LogSummary) -> Iterator[Line]:
        """Yield what became of all lines."""
        hidden = self._told - MOST
        if hidden > 0 and not self._everything:
            yield [Span(f"? and {hidden:,} more (--all lists them)", "dim")]
        names: Sequence[str] = [basename(path) for path in summary.logs]  # noqa: PTH119 - see _words
        found = [
            f"{count(summary.confirmed, 'line')} confirmed",
            f"{summary.contradicted:,} contradicted",
            f"{summary.not_in_capture:,} not in the capture",
            f"{count(summary.silent, 'failure')} without a line",
        ]
        yield [Span(f"log {', '.join(names) or '(none)'}: {count(summary.lines, 'line')}", "bold")]
        yield from self._indented(", ".join(found))
        aside = {
            "of another time than the capture": summary.outside,
            "without any claim on it": summary.no_claim,
            "not understood": summary.unreadable,
            "not compared, since more was captured than is kept": summary.not_compared,
        }
        yield from self._indented(", ".join(f"{number:,} {why}" for why, number in aside.items() if number))
        yield []

    def _indented(self, text: str) -> Iterator[Line]:
        if text:
            for part in wrap(text, self._width - 4):
                yield [Span(f"    {part}", "dim")]
