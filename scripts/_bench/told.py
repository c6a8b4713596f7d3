"""What live told, and when: lines stamped as they arrive, the last word on each id, and how two runs differ."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_LOOK_S = 0.01
SETTLE_S = 0.5  # how long a close is watched before it is judged; the hold comes on top


class Tail(threading.Thread):
    """Reads the lines of a file that grows, each with the time at which it was there; ``stop`` ends it."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._ending = threading.Event()
        self.lines: list[tuple[float, bytes]] = []

    def stop(self) -> None:
        """Read what is left and end."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Read until told to stop."""
        rest = b""
        with self._path.open("rb") as file:
            while True:
                last = self._ending.is_set()
                octets = file.read()
                now = time.time()
                *lines, rest = (rest + octets).split(b"\n")
                self.lines += [(now, line) for line in lines]
                if last:
                    return
                if not octets:
                    time.sleep(_LOOK_S)


@dataclass
class Lags:
    """Seconds from when something was final to when its line was there, for failures and for waits past a deadline.

    `open` counts waits that were told as pending and became neither a failure nor cleared.
    """

    failures: list[float] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)
    became: Counter[str] = field(default_factory=Counter)
    open: int = 0


def lags(lines: Iterable[tuple[float, bytes]], hold_s: float, deadlines_s: float) -> Lags:
    """How late the lines of a live run were, its last line left out.

    A failure is final when its last frame was seen (its request, its failure point, what ended its silence), the
    close was watched for as long as that takes, and the hold is over. A wait is pending when `deadlines_s` have passed
    since its last progress.
    """
    found, waiting = Lags(), set()
    for arrived, line in lines:
        record = json.loads(line)
        ident = record.get("id")
        if record["type"] == "failure":
            ended = [_seconds(record["time"])]
            if record["request"] is not None:
                ended.append(_seconds(record["request"]["time"]))
            if record["until"] is not None and record["until"]["time"] is not None:
                ended.append(_seconds(record["until"]["time"]))
            found.failures.append(arrived - max(ended) - SETTLE_S - hold_s)
        elif record["type"] == "pending":
            waiting.add(ident)
            found.pending.append(arrived - _seconds(record["time"]) - deadlines_s)
        if ident in waiting and record["type"] in ("failure", "cleared"):
            waiting.discard(ident)
            found.became[record["type"]] += 1
    found.open = len(waiting)
    return found


def _seconds(text: str) -> float:
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


Verdict = tuple[Any, ...]


def verdicts(lines: Iterable[bytes]) -> Counter[Verdict]:
    """The failures and incidents of a run after all updates, by everything about them but ids and words."""
    by_id: dict[str, dict[str, Any]] = {}
    for line in lines:
        record = json.loads(line)
        if record["type"] in ("failure", "incident"):
            by_id[record["id"]] = record
        elif record["type"] == "update" and record["id"] in by_id:
            by_id[record["id"]] |= {key: value for key, value in record.items() if key != "type"}
    return Counter(map(_verdict, by_id.values()))


def _verdict(record: dict[str, Any]) -> Verdict:
    if record["type"] == "incident":
        return "incident", record["kind"], record["frame"], record["outcome"], record["client_status"]
    connection, until, causes = record["connection"], record["until"], record["causes"]
    return (
        "failure", record["kind"], record["frame"], connection["gateway"], connection["upstream"], record["at_fault"],
        record["confidence"], record["masked"], until and until["frame"], causes[0]["name"] if causes else None,
    )  # fmt: skip
