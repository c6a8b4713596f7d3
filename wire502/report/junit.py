"""Findings as JUnit XML, for CI: one test case an upstream, which fails when a request to it failed for good.

The form is that which Jenkins, GitLab and GitHub's reporters have in common: ``testsuites``, ``testsuite``,
``testcase`` with at most one ``failure``. What a retry made good, and what the gateway or its client ended, is told in
``system-out`` and fails nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from wire502.model.verdict import QUIET_KINDS, Failure, Incident, Summary, UpstreamSummary
from wire502.report._clock import SECOND_NS, rfc3339
from wire502.report._closing import doubts
from wire502.report._layout import cut_middle
from wire502.report._words import Frames, count
from wire502.report.plain import plain

_MOST_TOLD = 100  # failures of one upstream that are told
_MOST_TEXT = 400
_UNSEEN = "no upstream seen"


def junit(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,  # noqa: ARG001 - every format is called alike
) -> str:
    """Return a document with a test case for each upstream of *summary* and of *failures*."""
    frames = Frames(inputs)
    known = {one.upstream: one for one in summary.upstreams} if summary is not None else {}
    groups: dict[str, list[Failure]] = {name: [] for name in sorted(known)}
    for one in failures:
        groups.setdefault(one.connection.upstream or _UNSEEN, []).append(one)
    told = {ident for one in failures for ident in (one.id,)}
    lost = [one for one in incidents if not told.intersection(one.attempts)]
    cases = [_case(name, group, known.get(name), frames) for name, group in groups.items()]
    if lost:
        cases.append(_lost(lost, frames))
    skipped = not cases
    if skipped:
        cases = [_element("testcase", {"classname": "wire502", "name": "capture", "time": "0"}, [
            '<skipped message="the capture shows no upstream"/>'
        ])]  # fmt: skip
    failed = sum(any(map(_counts, group)) for group in groups.values()) + bool(lost)
    attributes = {
        "name": "wire502",
        "tests": str(len(cases)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(int(skipped)),
        "time": _seconds(summary),
    }
    body = [*_notes(summary, inputs), *cases]
    if summary is not None and summary.first_time is not None:
        attributes["timestamp"] = rfc3339(summary.first_time)[:19]
    ordered = _element("testsuite", attributes, _in_order(body))
    totals = {name: attributes[name] for name in ("name", "tests", "failures", "errors", "time")}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_element("testsuites", totals, [ordered])}\n'


def _counts(failure: Failure) -> bool:
    """Whether a failure fails its test case."""
    return not failure.masked and failure.kind not in QUIET_KINDS


def _in_order(parts: list[str]) -> list[str]:
    """Return the children of a suite in the order of its schema: properties, cases, output."""
    rank = ("<properties", "<testcase", "<system-out")
    return sorted(parts, key=lambda part: next(place for place, start in enumerate(rank) if part.startswith(start)))


def _notes(summary: Summary | None, inputs: Sequence[str]) -> list[str]:
    named = [f"<property name={_attribute('capture')} value={_attribute(name)}/>" for name in inputs]
    parts = [_element("properties", {}, named)] if named else []
    if summary is not None and (notes := doubts(summary)):
        parts.append(_text("system-out", "\n".join(f"but: {plain(note)}" for note in notes)))
    return parts


def _case(name: str, failures: Sequence[Failure], row: UpstreamSummary | None, frames: Frames) -> str:
    bad = [one for one in failures if _counts(one)]
    good = [one for one in failures if not _counts(one)]
    parts = []
    if bad:
        kinds = sorted({one.kind for one in bad})
        attempts = f" of {count(row.attempts, 'attempt')}" if row is not None else ""
        message = f"{len(bad):,}{attempts} failed: {', '.join(kinds)}"
        attributes = {"message": message, "type": kinds[0] if len(kinds) == 1 else "several"}
        parts.append(_text("failure", _lines(bad, frames), attributes))
    if good:
        parts.append(_text("system-out", _lines(good, frames)))
    return _element("testcase", {"classname": "wire502.upstream", "name": name, "time": "0"}, parts)


def _lost(incidents: Sequence[Incident], frames: Frames) -> str:
    lines = [f"{rfc3339(one.time)} {frames.cite(one.frame, one.file)} {one.summary}" for one in incidents[:_MOST_TOLD]]
    message = f"{count(len(incidents), 'error')} of clients without an attempt that was seen"
    text = _text("failure", "\n".join(map(_short, lines)), {"message": message, "type": "no_attempt"})
    return _element(
        "testcase", {"classname": "wire502.client", "name": "errors without an attempt", "time": "0"}, [text]
    )


def _lines(failures: Sequence[Failure], frames: Frames) -> str:
    lines = []
    for one in failures[:_MOST_TOLD]:
        what = "masked by a retry, " if one.masked else ""
        point = f"{one.id} {rfc3339(one.time)} {frames.cite(one.frame, one.file)} {one.kind}"
        lines.append(_short(f"{point} ({what}at fault: {one.at_fault}, confidence {one.confidence}): {one.summary}"))
    if left := len(failures) - _MOST_TOLD:
        lines += [f"and {left:,} more"] if left > 0 else []
    return "\n".join(lines)


def _short(text: str) -> str:
    return cut_middle(text, _MOST_TEXT)


def _seconds(summary: Summary | None) -> str:
    if summary is None or summary.first_time is None or summary.last_time is None:
        return "0"
    millis = max(summary.last_time - summary.first_time, 0) * 1000 // SECOND_NS
    return f"{millis // 1000}.{millis % 1000:03d}"


def _attribute(text: str) -> str:
    return quoteattr(cut_middle(text, _MOST_TEXT))


def _element(name: str, attributes: dict[str, str], parts: Sequence[str]) -> str:
    start = " ".join([name, *(f"{key}={_attribute(value)}" for key, value in attributes.items())])
    if not parts:
        return f"<{start}/>"
    inside = "\n".join(parts)
    return f"<{start}>\n{inside}\n</{name}>"


def _text(name: str, text: str, attributes: dict[str, str] | None = None) -> str:
    """Return an element of text that was made visible line by line; what XML forbids is no visible character."""
    start = " ".join([name, *(f"{key}={_attribute(value)}" for key, value in (attributes or {}).items())])
    return f"<{start}>{escape(text)}</{name}>"
