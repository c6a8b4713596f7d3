"""Compare what wire502 said with what was planted: every failure at its frame, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, int, str, str, str | None]


@dataclass
class Check:
    """How many were planted, which of them are missing, what was said beyond them."""

    capture: str
    planted: int = 0
    missing: list[Key] = field(default_factory=list)
    extra: list[Key] = field(default_factory=list)
    error: str = ""

    @property
    def right(self) -> bool:
        """All planted failures at their frames, nothing else."""
        return not (self.missing or self.extra or self.error)

    def lines(self, most: int = 10) -> list[str]:
        """What to tell a person, the first examples of each sort."""
        if self.error:
            return [f"{self.capture}: {self.error}"]
        if self.right:
            return [f"{self.capture}: all {self.planted} planted failures at their frames, nothing else"]
        out = [f"{self.capture}: {len(self.missing)} of {self.planted} missing, {len(self.extra)} too many"]
        out += [f"  missing {_shown(key)}" for key in self.missing[:most]]
        out += [f"  too many {_shown(key)}" for key in self.extra[:most]]
        return out

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "capture": self.capture, "planted": self.planted, "right": self.right,
            "missing": self.missing[:100], "extra": self.extra[:100], "error": self.error,
        }  # fmt: skip


def check(name: str, output: Path, truth_path: Path) -> Check:
    """Compare the JSON lines in `output` with the truth file."""
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    planted = {
        (each["kind"], each["frame"], each["gateway"], each["upstream"], each["target"]) for each in truth["failures"]
    }
    result = Check(name, planted=len(planted))
    try:
        found, summary = failures(output)
    except (ValueError, KeyError, TypeError) as error:
        result.error = f"the output is not what the contract says: {type(error).__name__} {error}"
        return result
    if summary is None:
        result.error = "the output has no summary line"
    elif summary["frames"] != truth["frames"]:
        result.error = f"summary counts {summary['frames']} frames of {truth['frames']}"
    result.missing = sorted(planted - found, key=repr)
    result.extra = sorted(found - planted, key=repr)
    return result


def failures(output: Path) -> tuple[set[Key], dict[str, Any] | None]:
    """The failures of a run with their last updates, and its summary."""
    by_id: dict[str, dict[str, Any]] = {}
    summary = None
    with output.open("rb") as lines:
        for line in lines:
            start = line[:40]
            if b'"failure"' in start:
                record = json.loads(line)
                by_id[record["id"]] = record
            elif b'"update"' in start:
                record = json.loads(line)
                if record["id"] in by_id:
                    by_id[record["id"]] |= {key: value for key, value in record.items() if key != "type"}
            elif b'"summary"' in start:
                summary = json.loads(line)
    return {_key(record) for record in by_id.values()}, summary


def _key(record: dict[str, Any]) -> Key:
    connection, request = record["connection"], record["request"]
    target = None if request is None else request["target"]
    return record["kind"], record["frame"], connection["gateway"], connection["upstream"], target


def _shown(key: Key) -> str:
    return f"{key[0]} at frame {key[1]}, {key[2]} to {key[3]}, {key[4] or 'no request'}"
