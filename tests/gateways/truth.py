"""Measure the tables against captures whose truth is known: what the client got, and what the gateway logged."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wire502.api import read
from wire502.diagnosis.dialect import UNREPEATABLE, Facts, facts
from wire502.gateways import Answer, Gateway, flagged, holds, load
from wire502.model.verdict import Failure

GATEWAYS = ("nginx", "haproxy", "apache")
FULL = 16  # lines: where the log of an event is cut
ERRORS = re.compile(r"\[(error|crit|alert)\]|:(error|warn|crit)\]")
_CLIENT = re.compile(r"198\.18\.\d+\.10:\d+")  # where the clients of the collection live
LEFT = ("client_aborted", "client_timeout")  # the client did not wait for its answer


def events(folder: Path) -> Iterator[tuple[Path, dict[str, Any], dict[str, Any], bool | None]]:
    """Yield the file, its truth, an event with one right kind, and whether its client connection was used before."""
    for gateway in GATEWAYS:
        truths = {path: json.loads(path.read_text()) for path in sorted((folder / gateway).glob("*.truth.json"))}
        reused = _reuse(truths.values())
        for path, truth in truths.items():
            for event in truth["events"]:
                kinds = event["kinds"]
                if not event.get("unplanned") and len(kinds) == 1 and kinds != ["none"]:
                    yield path, truth, event, reused.get(event["id"])


def measure(folder: Path) -> tuple[Counter[str], list[str]]:
    """Return how many events were predicted (``right`` of ``all``), and the misses in words."""
    count: Counter[str] = Counter()
    misses = []
    verdicts: dict[Path, dict[str, Failure]] = {}
    for path, truth, event, reused in events(folder):
        kind = event["kinds"][0]
        if path not in verdicts:
            verdicts[path] = _verdicts(path.parent / truth["capture"])
        answer = _predict(load(truth["gateway"]), truth, event, reused, verdicts[path].get(event["uri"]))
        status, log = _status_fits(answer, event), _log_fits(answer, event)
        count["all"] += 1
        count["right"] += status and log is not False
        count["log unseen"] += log is None
        if not status or log is False:
            misses.append(
                f"{path.parent.name}/{path.stem} {event['id']} {kind}: {answer.status_text} {answer.outcome} "
                f"{answer.flags or answer.logs[:1]}; client {event['client_status']} {event['client_error']}, "
                f"status {status}, log {log}"
            )
    return count, misses


def _predict(
    gateway: Gateway, truth: dict[str, Any], event: dict[str, Any], reused: bool | None, verdict: Failure | None
) -> Answer:
    """Return the answer, from the kind and the facts: those that a verdict tells, else those of the truth."""
    kind = event["kinds"][0]
    attempt = event["attempts"][-1] if event["attempts"] else {}
    planted = attempt.get("planted_frame_is", "")
    known: Facts = {
        "after_head": event["client_status"] is not None and event["client_error"] is not None,
        "post": event["method"] in UNREPEATABLE,
        "reset": "upstream->gateway R" in planted,
        "before_request": attempt.get("request_frame") is None,
        "in_status_line": False,
        "case": _case(event, planted),
    }
    if verdict is not None and verdict.kind == kind:
        known |= facts(verdict)
    return gateway.answer(kind, reused_client=reused, version=truth["gateway_version"], **known)


def _case(event: dict[str, Any], planted: str) -> str | None:
    """Return the case of an attempt that left no frame, or only an ICMP error."""
    if event["fault_planted"] == "local_no_route":
        return "no-local-route"
    code = re.search(r"ICMP 3/(\d+)", planted)
    if code is None:
        return None
    return {"3": "icmp-port-unreachable", "13": "icmp-admin-prohibited"}.get(code[1], "icmp-host-unreachable")


def _status_fits(answer: Answer, event: dict[str, Any]) -> bool:
    status, error = event["client_status"], event["client_error"]
    if error in LEFT or answer.outcome == "gone":
        return error in LEFT
    if answer.outcome == "closed_without_response":
        return status is None and error in ("eof_before_response", "eof_on_reused_client_conn", "reset")
    if answer.outcome == "cut":
        return status == 200 and error in ("truncated", "reset")
    if answer.outcome == "passed":
        return bool(status is not None if answer.relayed else status == answer.status or error == "bad_status_line")
    return bool(answer.outcome == "error" and status == answer.status and error is None)


def _log_fits(answer: Answer, event: dict[str, Any]) -> bool | None:
    """Return whether a line of the event is as predicted; None when the log of the event was cut before its end."""
    lines = event["gateway_log"]
    if answer.silent:
        return not any(ERRORS.search(line) and event["uri"] in line for line in lines)
    if any(flagged(line, flag) for line in lines for flag in answer.flags):
        return True
    if any(holds(line, log) for line in lines for log in answer.logs):
        return True
    if not answer.flags and not answer.logs:
        return None
    return None if len(lines) >= FULL else False


def _reuse(truths: Any) -> dict[str, bool]:
    """Return by event whether its client connection had carried a request before, where anything shows it.

    The frames of the client leg show it, or the client's port in the access line, or the client says so itself.
    """
    found: dict[str, bool] = {}
    for truth in truths:
        seen: set[str] = set()
        for event in sorted(truth["events"], key=lambda event: event["t_start"]):
            port = _CLIENT.search(" ".join(line for line in event["gateway_log"] if event["uri"] in line))
            name = event.get("client_5tuple", "").split(" -> ")[0].removeprefix("tcp ") or (port[0] if port else "")
            if name:
                found[event["id"]] = name in seen
                seen.add(name)
            elif event["client_error"] == "eof_on_reused_client_conn":
                found.setdefault(event["id"], True)
    return found


def _verdicts(capture: Path) -> dict[str, Failure]:
    return {
        result.request.target: result
        for result in read(capture)
        if isinstance(result, Failure) and result.request is not None
    }
