"""What captures made to hurt cost for each frame, beside the mixed benchmark capture, and how much memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts._bench.make import make
from scripts._bench.measure import run
from scripts._fuzz import hurt

MOST_TIMES = 5.0
INTERFACES = 100_000


@dataclass(slots=True)
class Cost:
    """One capture's figures."""

    name: str
    frames: int
    octets: int
    seconds: float
    rss_mb: float
    status: int
    notes: list[str]

    def ns_a_frame(self, start_s: float) -> float:
        """Nanoseconds of CPU for each frame, without the start of the program."""
        return max(0.0, self.seconds - start_s) / max(1, self.frames) * 1e9


def measure(name: str, path: Path, frames: int) -> Cost:
    """Run ``wire502 read --json`` over a capture."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = run([sys.executable, "-m", "wire502", "read", "--json", os.fspath(path)], stdout=out)
        with out.open("rb") as lines:
            lines.seek(max(0, out.stat().st_size - 1_000_000))
            last = lines.read().splitlines()[-1:] or [b"{}"]
        summary = json.loads(last[0])
    notes = list(summary.get("caveats", ()))[:2]
    failures = sum(summary.get("failures", {}).values()) + summary.get("aborts", 0)
    if failures or summary.get("open"):
        notes.insert(0, f"{failures:,} verdicts, {summary['open']:,} open")
    return Cost(
        name, frames, path.stat().st_size, done.cpu_s, done.rss_mb, done.status, notes + [done.error] * bool(done.error)
    )


def measure_all(frames: int, only: Sequence[str]) -> int:
    """Measure everything, or *only* what is named; print a table. Exit status 1 with anything over the limit."""
    worst = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "mixed.pcap", folder / "mixed.json", "mixed", min(frames, 300_000), 1)
        make(folder / "ten.pcap", folder / "ten.json", "ten", 10, 1)
        start = min(measure("ten", folder / "ten.pcap", 10).seconds for _ in range(9))
        count = json.loads((folder / "mixed.json").read_text(encoding="utf-8"))["frames"]
        costs = [measure("mixed", folder / "mixed.pcap", count) for _ in range(3)]
        mixed = min(costs, key=lambda cost: cost.seconds)
        base = mixed.ns_a_frame(start)
        base_octet = base * mixed.frames / mixed.octets
        print(
            "| capture | frames | µs a frame | times mixed | ns an octet | MB | what was said |\n|---|--:|--:|--:|--:|--:|---|"  # noqa: E501
        )
        _show(mixed, base, start)
        for one in hurt.EVERY:
            if only and one.name not in only:
                continue
            path = folder / "hurt.pcap"
            made = hurt.write(one, frames, path)
            cost = measure(one.name, path, made)
            _show(cost, base, start)
            if cost.status or cost.ns_a_frame(start) > MOST_TIMES * max(base, base_octet * cost.octets / made):
                worst = 1
        if not only or "interfaces" in only:
            path = folder / "interfaces.pcapng"
            _show(measure("interfaces", path, hurt.write_interfaces(min(frames, INTERFACES), path)), base, start)
    return worst


def _show(cost: Cost, base: float, start: float) -> None:
    each = cost.ns_a_frame(start)
    octet = each * cost.frames / cost.octets
    status = f" (exit {cost.status})" if cost.status else ""
    print(
        f"| {cost.name} | {cost.frames:,} | {each / 1000:.2f} | {each / base:.1f} | {octet:.1f} | {cost.rss_mb:.0f} "
        f"| {'; '.join(cost.notes)}{status} |",
        flush=True,
    )
