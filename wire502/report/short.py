"""The report in less than 3,000 characters of Markdown: what goes into a chat while everybody waits.

The first line is the verdict, as in ``markdown``. Then comes as much of what helps most as there is room for, in the
order of its use; a part that does not fit whole is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from wire502.model.verdict import Failure, Incident, Summary
from wire502.report._clock import Clock
from wire502.report._closing import doubts
from wire502.report._ladder import ladder
from wire502.report._layout import Painter, cut_middle
from wire502.report._words import Frames
from wire502.report.markdown import client_lines, code, safe, verdict

MOST = 3000  # characters, less than
_PIECE = 240
_WIDTH = 76  # columns of the ladder: a chat on a laptop


def short(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
) -> str:
    """Return the report on the first of *failures*, with what is left of them in numbers."""
    frames = Frames(inputs)
    told = [one for one in failures if not one.masked] or list(failures)
    text = verdict(failures, incidents, summary, frames, 2 * _PIECE)
    for part in _parts(told, incidents, summary, frames, redacted=redacted):
        if len(text) + len(part) + 2 < MOST:
            text += f"\n{part}"
    return f"{text}\n"


def _parts(
    told: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    frames: Frames,
    *,
    redacted: bool,
) -> Iterator[str]:
    """Yield the parts, the most useful first."""
    if told:
        first = told[0]
        asked = "connect" if first.request is None else f"{first.request.method} {first.request.target}"
        yield ""
        yield f"- {code(cut_middle(asked, 120))} → {code(first.connection.upstream)}, at fault: {safe(first.at_fault)}"
        behind = [one for one in incidents if first.id in one.attempts]
        yield from map(_cut, list(client_lines(first.client, behind[:2], frames)))
        for cause in first.causes[:3]:
            because = "; ".join(f"{frames.cite(item.frame, item.file)} {item.note}" for item in cause.because[:2])
            yield f"- likely cause: **{safe(cause.name)}** ({safe(cause.confidence)}): {_cut(safe(because))}"
            if cause.advice:
                yield f"- what to do: {_cut(safe(cause.advice))}"
        for name, view in sorted(first.gateways.items())[:1]:
            if view.log:
                yield f"- {safe(name)} logs {code(cut_middle(view.log, _PIECE))}"
        for note in first.caveats[:3]:
            yield f"- but: {_cut(safe(note))}"
    if len(told) > 1:
        kinds = Counter((one.kind, one.connection.upstream) for one in told).most_common(6)
        words = [f"{number:,} × {safe(kind)} ({code(upstream)})" for (kind, upstream), number in kinds]
        rest = len(told) - sum(number for _, number in kinds)
        yield f"- all failures: {', '.join(words)}{f' and {rest:,} more' if rest else ''}"
    yield f"- not seen: {_cut('; '.join(_unseen(told, summary)), 2 * _PIECE)}"
    if told:
        drawn = Painter().paint(ladder(told[0], frames, Clock(), _WIDTH)).rstrip("\n").replace("`", "ˋ")
        yield f"```text\n{drawn}\n```"
    if not redacted:
        yield "- **not redacted**"


def _unseen(told: Sequence[Failure], summary: Summary | None) -> Iterator[str]:
    if summary is not None:
        yield from (safe(note) for note in doubts(summary)[:3])
    if told and all(one.client is None for one in told):
        yield "what clients got (one side of the gateway only)"
    yield "anything inside TLS or inside a process"


def _cut(text: str, most: int = _PIECE) -> str:
    """Return *text* in at most *most* characters; an escape that the cut split goes with it."""
    return text if len(text) <= most else text[: most - 1].rstrip("\\") + "…"
