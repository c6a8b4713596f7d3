"""Findings as comma-separated values (RFC 4180): a row for each failed attempt, for a spreadsheet.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, so such text is led by an
apostrophe, as spreadsheets themselves mark text. Everything that is no visible character is written as an escape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wire502.model.verdict import Failure, Incident, Summary
from wire502.report._clock import rfc3339
from wire502.report.plain import plain

COLUMNS = (
    "id", "time", "kind", "at_fault", "confidence", "masked", "secondary", "file", "frame", "stream", "upstream",
    "gateway", "method", "target", "host", "request_id", "status", "body_bytes", "expected_body_bytes", "client",
    "client_outcome", "client_status", "incidents", "causes", "caveats", "summary",
)  # fmt: skip
_MOST_CELL = 32_000  # characters; spreadsheets cut cells at 32,767
# the last four are what a Japanese or Chinese keyboard types
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BREAK = "\r\n"


def csv(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,  # noqa: ARG001 - every format is called alike
    *,
    inputs: Sequence[str],
    redacted: bool,  # noqa: ARG001
) -> str:
    """Return a header and a row for each of *failures*; *incidents* stand beside the attempts that decided them."""
    behind: dict[str, list[str]] = {}
    for one in incidents:
        for ident in one.attempts:
            behind.setdefault(ident, []).append(one.id)
    rows = [COLUMNS, *(_row(one, behind, inputs) for one in failures)]
    return "".join(f"{','.join(map(_quoted, row))}{_BREAK}" for row in rows)


def cell(value: object) -> str:
    """Return *value* as text that no spreadsheet calculates with; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = plain(str(value))
    if len(text) > _MOST_CELL:
        text = text[: _MOST_CELL - 1] + "…"
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _quoted(value: object) -> str:
    text = cell(value)
    if any(char in text for char in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def _row(failure: Failure, behind: Mapping[str, Sequence[str]], inputs: Sequence[str]) -> tuple[object, ...]:
    request, response, client = failure.request, failure.response, failure.client
    name = inputs[failure.file] if 0 <= failure.file < len(inputs) else str(failure.file)
    return (
        failure.id,
        rfc3339(failure.time, 9),
        failure.kind,
        failure.at_fault,
        failure.confidence,
        failure.masked,
        failure.secondary,
        name,
        failure.frame,
        failure.connection.stream,
        failure.connection.upstream,
        failure.connection.gateway,
        *((request.method, request.target, request.host, request.id) if request else (None,) * 4),
        *((response.status, response.body_bytes, response.expected_body_bytes) if response else (None,) * 3),
        *((client.connection, client.outcome, client.status) if client else (None,) * 3),
        " ".join(behind.get(failure.id, ())),
        " ".join(f"{cause.name}({cause.confidence})" for cause in failure.causes),
        "; ".join(failure.caveats),
        failure.summary,
    )
