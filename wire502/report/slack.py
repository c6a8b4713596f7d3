"""Findings as a message of Slack's Block Kit: JSON that a webhook takes as it is.

Slack's limits hold whatever was found: 50 blocks, 3,000 characters a text, 150 of a header. ``&``, ``<`` and ``>`` are
escaped, so that nothing of the wire becomes a mention or a link, and texts are ``verbatim``: Slack looks for none.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from wire502.model.verdict import Failure, Incident, Summary
from wire502.report._clock import rfc3339
from wire502.report._closing import doubts
from wire502.report._layout import cut_middle
from wire502.report._words import Frames, count
from wire502.report.plain import plain

MOST_BLOCKS, MOST_TEXT, MOST_HEADER = 50, 3000, 150
_SHOWN = 10  # failures with a block of their own
_PIECE = 300  # characters of one text of the wire
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# marks of Slack's own markup, and what looks alike and is none
_MARKS = str.maketrans("*~`", "∗∼ˋ")
_ITALIC = re.compile(r"(?<!\w)_|_(?!\w)")  # inside a word Slack leaves it alone, and names are full of it
_SIGNS = {"upstream": "▲", "network": "≈", "gateway": "◆", "client": "○"}

Block = dict[str, Any]


def slack(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
) -> str:
    """Return the message as JSON: the verdict, a block for each of the first failures, what could not be seen."""
    frames = Frames(inputs)
    told = [one for one in failures if not one.masked] or list(failures)
    title = _title(told, incidents, summary)
    blocks: list[Block] = [{"type": "header", "text": _plain(title)}]
    if len(told) > 1:
        kinds = Counter(one.kind for one in told).most_common(_SHOWN)
        blocks.append(_section(" · ".join(f"{number:,} × {safe(kind)}" for kind, number in kinds)))
    for one in told[:_SHOWN]:
        blocks += [{"type": "divider"}, _failure(one, frames)]
        if fields := _fields(one, frames):
            blocks.append({"type": "section", "fields": fields})
    lost = [one for one in incidents if not one.attempts]
    if lost:
        blocks += [{"type": "divider"}, _section("\n".join(safe(one.summary) for one in lost[:_SHOWN]))]
    if (left := len(told) - _SHOWN) > 0:
        blocks.append(_section(f"and {count(left, 'more failure')}"))
    blocks.append({"type": "context", "elements": [_markup(_closing(summary, inputs, redacted=redacted))]})
    message = {"text": _cut(title.translate(_ESCAPES), MOST_TEXT), "blocks": blocks[:MOST_BLOCKS]}
    return json.dumps(message, indent=1, ensure_ascii=True) + "\n"


def safe(text: str, most: int = _PIECE) -> str:
    """Return *text* so that Slack shows it as it stands: no mention, no link, no markup; cut in the middle."""
    return _ITALIC.sub("ˍ", cut_middle(text, most).translate(_MARKS).translate(_ESCAPES))


def _title(told: Sequence[Failure], incidents: Sequence[Incident], summary: Summary | None) -> str:
    if told:
        first = told[0]
        more = f" and {count(len(told) - 1, 'more failure')}" if len(told) > 1 else ""
        return f"{first.kind} by {first.connection.upstream or 'nobody'}{more}, {rfc3339(first.time)[:19]}Z"
    if incidents:
        return f"{count(len(incidents), 'error')} of clients, {rfc3339(incidents[0].time)[:19]}Z"
    return f"No failed request in {count(summary.exchanges, 'exchange')}" if summary else "No failed request"


def _failure(one: Failure, frames: Frames) -> Block:
    asked = f"{one.request.method} {one.request.target}" if one.request is not None else "connect"
    place = frames.cite(one.frame, one.file)
    lines = [
        f"*{safe(asked, 120)}* → {safe(one.connection.upstream)}",
        safe(one.summary),
        f"failure point {safe(place)} at {rfc3339(one.time)}",
    ]
    return _section("\n".join(lines))


def _fields(one: Failure, frames: Frames) -> list[Block]:
    sign = _SIGNS.get(one.at_fault, "?")
    fields = [f"*at fault*\n{sign} {safe(one.at_fault)}, confidence {safe(one.confidence)}"]
    if one.client is not None:
        status = f" {one.client.status}" if one.client.status is not None else ""
        place = safe(frames.cite(one.client.frame, one.client.file))
        fields.append(f"*client got*\n{safe(one.client.outcome)}{status} ({place})")
    for cause in one.causes[:2]:
        fields.append(f"*likely cause*\n{safe(cause.name)} ({safe(cause.confidence)})")
        if cause.advice:
            fields.append(f"*what to do*\n{safe(cause.advice)}")
    for name, view in list(one.gateways.items())[:1]:
        if view.log:
            fields.append(f"*{safe(name)} logs*\n{safe(view.log)}")
    return [_markup(_cut(text, 2000)) for text in fields[:10]]


def _closing(summary: Summary | None, inputs: Sequence[str], *, redacted: bool) -> str:
    parts = [", ".join(safe(name, 60) for name in inputs[:5])]
    if summary is not None:
        parts.append(f"{count(summary.frames, 'frame')}, {count(summary.exchanges, 'exchange')}")
        parts += [f"but {safe(note, 200)}" for note in doubts(summary)[:5]]
    if not redacted:
        parts.append("not redacted")
    return " · ".join(part for part in parts if part)


def _section(text: str) -> Block:
    return {"type": "section", "text": _markup(text)}


def _markup(text: str) -> Block:
    return {"type": "mrkdwn", "text": _cut(text, MOST_TEXT) or " ", "verbatim": True}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": cut_middle(plain(text), MOST_HEADER), "emoji": False}


def _cut(text: str, most: int) -> str:
    """Return at most *most* characters of escaped *text*, none of its escapes cut in two."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    start = cut.rfind("&", -5)
    return (cut[:start] if start >= 0 and ";" not in cut[start:] else cut) + "…"
