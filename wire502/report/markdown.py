"""Findings as Markdown: what goes into a ticket or an incident report.

The first line is the verdict in one sentence. Every text that comes from the wire is made harmless: no markup, no
control, no bidirectional override in it has any effect. A pure function of its arguments: no clock, no files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from wire502.model.verdict import ClientRef, Failure, Incident, Summary
from wire502.report._clock import Clock, rfc3339
from wire502.report._closing import unseen
from wire502.report._ladder import ladder
from wire502.report._layout import Painter, cut_middle
from wire502.report._words import Frames, count
from wire502.report.plain import plain

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&@])|(?<=http)(:)|(?<=https)(:)|(?<=www)(\.)")
_LADDER_WIDTH = 100
_MOST_TARGET = 200
_MOST_SENTENCE = 600
_OUTCOMES = {
    "complete": "a complete response",
    "error": "an error of the gateway",
    "cut": "a response cut short",
    "closed_without_response": "a closed connection without any response",
    "reset": "a reset connection",
    "pending": "nothing yet when the capture ended",
}


def markdown(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
    anonymised: bool = False,
    remarks: Sequence[str] = (),
) -> str:
    """Return the report on *failures* and *incidents*; *summary* is that of the whole capture *inputs*.

    *remarks* are said of the evidence.
    """
    frames = Frames(inputs)
    lines = [verdict(failures, incidents, summary, frames), ""]
    if len(failures) > 1:
        lines += [*_overview(failures, frames), ""]
    lost = [one for one in incidents if not any(failure.id in one.attempts for failure in failures)]
    for failure in failures:
        lines += _failure(failure, [one for one in incidents if failure.id in one.attempts], frames)
    if lost:
        lines += ["## What clients got without an attempt that was seen", ""]
        lines += [f"- {rfc3339(one.time)}, {frames.cite(one.frame, one.file)}: {safe(one.summary)}" for one in lost]
        lines.append("")
    lines += ["## What could not be seen", "", *(f"- {safe(note)}" for note in unseen(failures, summary)), ""]
    lines += ["## How to check this", "", *_how(redacted, anonymised), *(f"- {safe(one)}" for one in remarks), ""]
    return "\n".join(lines)


def _longest_fence(text: str) -> int:
    return max(map(len, re.findall("`+", text))) if "`" in text else 0


@lru_cache(4096)  # most sentences of a report stand in it many times
def safe(text: str) -> str:
    """Return *text* so that Markdown shows it as it stands, and neither links nor mentions nor runs anything."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", plain(text))


def code(text: str) -> str:
    """Return *text* as a piece of code, whatever is in it (CommonMark section 6.1)."""
    text = plain(text)
    fence = "`" * (_longest_fence(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def verdict(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    frames: Frames,
    most: int = _MOST_SENTENCE,
) -> str:
    """Return the first line of a report: one sentence with time, failure point and confidence.

    What happened is told in *most* characters at most, so that the rest can be seen whatever a target holds.
    """
    told = [one for one in failures if not one.masked] or list(failures)
    if told:
        first = told[0]
        point = f"failure point {frames.cite(first.frame, first.file).removeprefix('#')}"
        if not frames.several:
            point = f"failure point frame {first.frame}"
        rest = f" (the first of {len(failures):,} failures)" if len(failures) > 1 else ""
        end = f"at {rfc3339(first.time)}, {point}, {first.kind}, confidence {first.confidence}{rest}"
        return f"{safe(cut_middle(first.summary.rstrip('.'), most))}: {safe(end)}."
    if incidents:
        one = incidents[0]
        end = f"at {rfc3339(one.time)}, {frames.cite(one.frame, one.file)}, confidence {one.confidence}"
        return f"{safe(cut_middle(one.summary.rstrip('.'), most))}: {safe(end)}."
    seen = f" in {count(summary.exchanges, 'exchange')}" if summary is not None else ""
    return f"No failed request was found{seen}."


def _overview(failures: Sequence[Failure], frames: Frames) -> Iterator[str]:
    yield "| id | time (UTC) | failure point | kind | at fault | request | upstream |"
    yield "|---|---|---|---|---|---|---|"
    for one in failures:
        cells = (
            one.id,
            rfc3339(one.time),
            frames.cite(one.frame, one.file),
            one.kind,
            one.at_fault,
            cut_middle(_request(one), 60),
            one.connection.upstream,
        )
        yield f"| {' | '.join(map(safe, cells))} |"


def _failure(failure: Failure, incidents: Sequence[Incident], frames: Frames) -> Iterator[str]:
    yield f"## {safe(failure.id)}: {safe(failure.kind)}"
    yield ""
    yield f"- request: {code(cut_middle(_request(failure), _MOST_TARGET))}"
    yield f"- upstream: {code(failure.connection.upstream)}, gateway: {code(failure.connection.gateway)}"
    place = frames.cite(failure.frame, failure.file)
    yield f"- failure point: {code(place)} at {rfc3339(failure.time)}"
    masked = ", made good by a retry" if failure.masked else ""
    yield f"- at fault: {safe(failure.at_fault)}, confidence {safe(failure.confidence)}{masked}"
    yield ""
    yield safe(failure.summary)
    yield ""
    yield from ("### What the client saw", "", *client_lines(failure.client, incidents, frames), "")
    yield from ("### The frames", "", *_ladder(failure, frames), "")
    yield from ("### Causes", "", *_causes(failure, frames), "")
    logs = [(name, view) for name, view in sorted(failure.gateways.items()) if view.log]
    if logs:
        yield from ("### What the gateway logs", "")
        for name, view in logs:
            status = f" (answers {view.status})" if view.status is not None else ""
            yield f"- {safe(name)}{status}: {code(view.log or '')}"
        yield ""
    if failure.caveats:
        yield from ("### Doubts", "", *(f"- {safe(one)}" for one in failure.caveats), "")


def _request(failure: Failure) -> str:
    if failure.request is None:
        return "connect" if failure.kind.startswith("connect_") else "connection"
    return f"{failure.request.method} {failure.request.target}"


def client_lines(client: ClientRef | None, incidents: Sequence[Incident], frames: Frames) -> Iterator[str]:
    """Yield what the client saw of an attempt, with the *incidents* behind which it is."""
    if client is None and not incidents:
        yield "The client's side of the gateway was not captured, or nothing there could be joined to this attempt."
        return
    if client is not None:
        status = f", status {client.status}" if client.status is not None else ""
        yield (
            f"- {code(client.connection)} got {_OUTCOMES.get(client.outcome, safe(client.outcome))}{status}, "
            f"{code(frames.cite(client.frame, client.file))} at {rfc3339(client.time)} "
            f"(joined by {safe(', '.join(client.link.by))}, score {client.link.score:.2f})"
        )
    for one in incidents:
        yield f"- {safe(one.id)}: {safe(one.summary)}"


def _ladder(failure: Failure, frames: Frames) -> Iterator[str]:
    text = Painter().paint(ladder(failure, frames, Clock(), _LADDER_WIDTH)).rstrip("\n")
    if text:
        fence = "`" * max(_longest_fence(text) + 1, 3)
        yield from (f"{fence}text", text, fence, "")
    for item in failure.evidence:
        yield f"- {code(frames.cite(item.frame, item.file))} {safe(item.note)}"


def _causes(failure: Failure, frames: Frames) -> Iterator[str]:
    for cause in failure.causes:
        yield f"- **{safe(cause.name)}** ({safe(cause.class_)}), confidence {safe(cause.confidence)}"
        for item in cause.because:
            yield f"  - {code(frames.cite(item.frame, item.file))} {safe(item.note)}"
        if cause.overturned_by:
            yield f"  - would be overturned by: {safe(cause.overturned_by)}"
        if cause.advice:
            yield f"  - what to do: {safe(cause.advice)}"
    for other in failure.alternatives:
        at = f" at {code(frames.cite(other.frame, other.file))}" if other.frame is not None else ""
        yield f"- or else {safe(other.kind)}{at}, confidence {safe(other.confidence)}: {safe(other.why)}"
    if not failure.causes:
        yield f"The frames show what happened, not why; {code(f'wire502 explain {failure.kind}')} says what to check."


def _how(redacted: bool, anonymised: bool) -> Iterator[str]:
    yield f"- {code('wire502 verify .')} in this folder: nothing was changed, and the packets give these verdicts"
    yield f"- {code('evidence.pcapng')} in Wireshark, filter {code('frame.comment')}: the cited frames, and why each is"
    yield "- frame numbers here are those of the source; the last line of each packet comment maps them"
    if redacted:
        yield "- secrets in the packets were overwritten at equal length; the verdicts were derived again afterwards"
    else:
        yield "- **not redacted**: the packets hold whatever was sent, passwords and cookies among it"
    if anonymised:
        yield "- addresses were mapped, here and in the packets: equal ones are equal, neighbours are neighbours"
