"""Measures incidents against captures of both legs whose truth is known.

    python -m tests.score.incidents FOLDER

FOLDER is searched for truth files (format groundtruth/1) of captures that hold the client leg. For each request whose
client got an error there must be one incident with the right status and outcome on the right frame, all attempts in
order, and the right side at fault; for every other request none.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Line = dict[str, Any]
Reader = Callable[[Path], list[Line]]

# What an incident may say of each of the truth's words for what a client got.
OUTCOMES = {
    None: {"error"},
    "truncated": {"cut"},
    "eof_before_response": {"closed_without_response"},
    "eof_on_reused_client_conn": {"closed_without_response"},
    "reset": {"reset"},
    "client_timeout": {"pending", "cut", "error"},  # octets that are no response count as an error
    "client_aborted": {"pending", "cut"},
    "bad_status_line": {"error"},
}
ASPECTS = ("said", "outcome", "frame", "attempts", "verdict", "side")
_TUPLE = re.compile(r"tcp (\S+) -> (\S+)$")


@dataclass
class Judged:
    """One client's error, and which aspects of its incident are right (None: nothing to compare with)."""

    capture: str
    event: Line
    right: dict[str, bool | None]
    said: str

    @property
    def whole(self) -> bool:
        """Whether every aspect that can be compared is right."""
        return all(value is not False for value in self.right.values())

    def __str__(self) -> str:
        wrong = ", ".join(aspect for aspect, value in self.right.items() if value is False)
        event = self.event
        wanted = f"{event['client_status']} {event['client_error']} {event['kinds']}"
        return f"{self.capture}: {event['id']} {wanted}: wrong {wrong}; {self.said}"


@dataclass
class Measured:
    """What was found in all captures."""

    judged: list[Judged] = field(default_factory=list)
    healthy: int = 0
    alarms: list[str] = field(default_factory=list)  # incidents of requests that went well, or of none at all
    masked: Counter[bool] = field(default_factory=Counter)  # failures that a retry made good: called so, or not

    def share(self, aspect: str | None = None) -> float:
        """Return which part of the errors is right, in one aspect or in all."""
        values = [one.whole if aspect is None else one.right[aspect] for one in self.judged]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else 0.0


def truths(folder: Path, leave_out: str = "") -> Iterator[tuple[Path, Line]]:
    """Yield the truth files of captures that hold both legs; *leave_out* matches paths that are not wanted."""
    for path in sorted(folder.rglob("*.truth.json")):
        if leave_out and re.search(leave_out, path.name):
            continue
        truth = json.loads(path.read_text())
        if truth["legs"] != "upstream":
            yield path, truth


def measure(files: Iterable[tuple[Path, Line]], read: Reader) -> Measured:
    """Read each capture with *read* and compare its incidents with its truth."""
    measured = Measured()
    for path, truth in files:
        _capture(measured, path, truth, read(path.parent / truth["capture"]))
    return measured


def is_error(event: Line) -> bool:
    """Whether the client of a request got an error."""
    return event["client_error"] is not None or (event["client_status"] or 0) >= 500


def _capture(measured: Measured, path: Path, truth: Line, lines: list[Line]) -> None:
    name = f"{path.parent.name}/{path.name.removesuffix('.truth.json')}"
    failures = {line["id"]: dict(line) for line in lines if line["type"] == "failure"}
    incidents = [dict(line) for line in lines if line["type"] == "incident"]
    named = failures | {one["id"]: one for one in incidents}
    for update in (line for line in lines if line["type"] == "update"):
        named[update["id"]].update(update | {"type": named[update["id"]]["type"]})
    by_target: dict[str, list[Line]] = {}
    for one in incidents:
        by_target.setdefault((one["request"] or {}).get("target", ""), []).append(one)
    for event in truth["events"]:
        mine = by_target.pop(event["uri"], [])
        if event.get("unplanned"):
            continue
        if is_error(event):
            measured.judged.append(_judge(name, event, mine, failures))
            continue
        measured.healthy += 1
        measured.alarms += [f"{name}: {one['id']} {one['summary']}" for one in mine]
        for failure in failures.values():
            if event.get("masked") and (failure["request"] or {}).get("target") == event["uri"]:
                measured.masked[failure["masked"]] += 1
    for rest in by_target.values():
        measured.alarms += [f"{name}: {one['id']} {one['summary']}" for one in rest]


def _judge(name: str, event: Line, incidents: list[Line], failures: dict[str, Line]) -> Judged:
    right: dict[str, bool | None] = dict.fromkeys(ASPECTS)
    right["said"] = len(incidents) == 1
    if not incidents:
        return Judged(name, event, right, "no incident")
    incident = incidents[-1]
    attempts = [failures[ident] for ident in incident["attempts"] if ident in failures]
    verdict = failures.get(incident["verdict"] or "")
    error = event["client_error"]
    right["outcome"] = incident["outcome"] in OUTCOMES[error] and (
        error in ("client_timeout", "client_aborted") or incident["client_status"] == event["client_status"]
    )
    if event.get("client_response_frame"):
        right["frame"] = incident["frame"] == event["client_response_frame"]
    wanted = [_TUPLE.match(one["upstream_5tuple"]) for one in event.get("attempts") or []]
    given = [(one["connection"]["gateway"], one["connection"]["upstream"]) for one in attempts]
    if wanted and all(wanted):
        right["attempts"] = given == [match.groups() for match in wanted if match]
    frames = set(event.get("acceptable_frames") or []) or {event["failure_frame"]} - {None}
    right["verdict"] = verdict is not None and verdict["kind"] in event["kinds"]
    if verdict is not None and frames:
        right["verdict"] = right["verdict"] and verdict["frame"] in frames
    if right["verdict"] and verdict is not None:
        right["side"] = verdict["at_fault"] in (event.get("acceptable_sides") or [event["side_at_fault"]])
    said = f"{incident['client_status']} {incident['outcome']} #{incident['frame']}"
    tried = [(one["kind"], one["frame"], one["at_fault"], one["connection"]["gateway"]) for one in attempts]
    ends = [match[1] for match in wanted if match]
    return Judged(
        name,
        event,
        right,
        f"said {said} {tried}, want #{event['client_response_frame']} for {sorted(frames)[:6]} of {ends}",
    )


def main() -> None:
    """Write what is wrong, and the share that is right."""
    from tests.score.measuring import told

    measured = measure(truths(Path(sys.argv[1]), *sys.argv[2:3]), lambda capture: told(capture)[0])
    lines = [str(one) for one in measured.judged if not one.whole] + measured.alarms
    shares = ", ".join(f"{aspect} {measured.share(aspect):.1%}" for aspect in ASPECTS)
    lines.append(f"errors {len(measured.judged)}: right {measured.share():.2%} ({shares})")
    lines.append(f"healthy {measured.healthy}: incidents {len(measured.alarms)}")
    lines.append(f"failures that a retry made good, and called so: {dict(measured.masked)}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
