"""The tables: what was measured beside what was asked for, as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .measure import Run, cpu, rss


@dataclass(frozen=True)
class Row:
    """One measure. `value` None: not measured, `note` says why. `more` tells that a larger value is the better one."""

    measure: str
    value: float | None
    unit: str = ""
    must: float | None = None
    ambition: float | None = None
    more: bool = False
    note: str = ""
    spread: tuple[float, float] | None = None

    def meets(self, limit: float | None) -> bool | None:
        """Whether the value keeps the limit; None if either is missing."""
        if limit is None or self.value is None:
            return None
        return self.value >= limit if self.more else self.value <= limit

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "measure": self.measure, "value": self.value, "unit": self.unit, "must": self.must,
            "ambition": self.ambition, "meets_must": self.meets(self.must), "note": self.note,
            "meets_ambition": self.meets(self.ambition), "spread": self.spread,
        }  # fmt: skip


def of_list(measure: str, values: Sequence[float], unit: str = "", **more: Any) -> Row:
    """A row whose value is the median and whose spread is the lowest and the highest."""
    if not values:
        return Row(measure, None, unit, **more)
    return Row(measure, median(values), unit, spread=(min(values), max(values)), **more)


def number(value: float | None) -> str:
    """Three significant digits, no exponent."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.5f}"


def rows_table(rows: Sequence[Row]) -> str:
    """The table of measures."""
    lines = ["| measure | value | spread | must | ambition | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for row in rows:
        met = {True: "ambition met", False: "", None: ""}[row.meets(row.ambition)]
        if not met and row.must is not None and row.value is not None:
            met = "must met" if row.meets(row.must) else "**missed**"
        remark = "; ".join(part for part in (met, row.note) if part)
        spread = "" if row.spread is None else f"{number(row.spread[0])}–{number(row.spread[1])}"
        unit = f" {row.unit}" if row.unit and row.value is not None else ""
        limits = " | ".join("" if limit is None else number(limit) for limit in (row.must, row.ambition))
        lines.append(f"| {row.measure} | {number(row.value)}{unit} | {spread} | {limits} | {remark} |")
    return "\n".join(lines) + "\n"


def peers_table(name: str, truth: dict[str, Any], runs: dict[str, list[Run]], reference: str = "tcpdump") -> str:
    """CPU, ratio and memory of each program on one capture."""
    base = runs.get(reference)
    mean = truth["octets"] / truth["frames"] - 16
    about = (
        f"**{name}**: {truth['frames']:,} frames of {mean:.0f} octets on average, {truth['octets'] / 1e6:,.0f} MB, "
        f"{truth['connections']:,} connections, {truth['exchanges']:,} exchanges, {len(truth['failures'])} planted "
        f"failures, {truth['lost']:,} segments lost, {truth['reordered']:,} reordered"
    )
    lines = [
        about,
        "",
        "| program | CPU s | spread | × tcpdump | million frames/s | peak MB | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for program, each in sorted(runs.items(), key=lambda item: cpu(item[1])):
        seconds = cpu(each)
        times = number(seconds / cpu(base)) if base else "–"
        spread = f"{number(min(run.cpu_s for run in each))}–{number(max(run.cpu_s for run in each))}"
        failed = f" (exit {each[-1].status}: {each[-1].error})" if each[-1].status else ""
        lines.append(
            f"| {program}{failed} | {number(seconds)} | {spread} | {times} | "
            f"{number(truth['frames'] / seconds / 1e6 if seconds else None)} | {number(rss(each))} | {len(each)} |"
        )
    return "\n".join(lines) + "\n"


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
        "python": platform.python_version(), "load": [round(each, 2) for each in os.getloadavg()],
    }  # fmt: skip
