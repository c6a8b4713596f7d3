"""What `wire502 live` costs beside `tcpdump -w`, and whether it keeps up, on a cable between two namespaces.

Each part is one function over a `Lab`: a capture is replayed at one end, and captured at the other. The sender has a
core of its own, and so has what captures; figures of the two programs come from interleaved rounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .cable import Cable
from .crowds import flooded, left_open
from .make import make
from .report import Row, of_list
from .told import Tail, lags, verdicts
from .watching import ROOT, Live, Replay, Seen, Tcpdump, Watcher

HOLD_S = 0.5
DEADLINE_S = 2
_WARM = 50_000  # frames before CPU is counted: what is loaded with the first failure is not paid for each packet
_STEPS = 5
_PACED_S = 12  # of a replay at a given rate


@dataclass
class Lab:
    """Where to measure, with what, for how long, and what came of it. Memory in octets, times in seconds."""

    folder: Path
    wire502: list[str]
    frames: int
    rounds: int
    buffer_kib: int
    minutes: float
    connections: int
    seed: int
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    right: bool = True

    def capture(self, profile: str, frames: int, seed: int) -> tuple[Path, Path]:
        """The capture of a profile and its truth, made once."""
        path = self.folder / f"{profile}-{frames}-{seed}.pcap"
        truth = path.with_suffix(".json")
        if not truth.exists():
            self.say(f"making {path.name}")
            make(path, truth, profile, frames, seed)
        return path, truth

    def live(self, cable: Cable, *words: str, alone: bool = True) -> Live:
        """Start wire502 live at the far end, with its default settings but for `words`."""
        return Live(cable, self.folder, *words, program=self.wire502, alone=alone)

    def tcpdump(self, cable: Cable, *, alone: bool = True) -> Tcpdump:
        """Start tcpdump at the far end."""
        return Tcpdump(cable, self.folder, self.recorded, self.buffer_kib, alone=alone)

    @property
    def recorded(self) -> Path:
        """What tcpdump writes."""
        return self.folder / "recorded.pcap"

    def read(self, path: Path, *words: str) -> list[bytes]:
        """The lines of ``wire502 read --json``."""
        command = [*self.wire502, "read", str(path), "--json", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.splitlines()


def rates(lab: Lab, profile: str) -> None:
    """The highest rate at which each program loses nothing, and the CPU of a packet at three rates."""
    path, _ = lab.capture(profile, lab.frames, lab.seed)
    same_buffer = ("-B", str(lab.buffer_kib))
    with Cable() as cable, Replay(cable, [path]) as replay:

        def once(program: str, rate: float) -> tuple[float, Seen]:
            with lab.tcpdump(cable) if program == "tcpdump" else lab.live(cable, *same_buffer) as watcher:
                warm = min(_WARM, lab.frames // 4)
                replay.send(frames=warm, rate=20_000)
                time.sleep(0.3)
                watcher.began()
                done = replay.send(first=warm, rate=rate, frames=round(rate * _PACED_S) or lab.frames)
                seen = watcher.finish()
            each = Seen(seen.frames, seen.lost, seen.cpu_s / done["sent"] * 1e6)
            rate = done["sent"] / done["seconds"]
            lab.say(f"{profile}, {program}: {rate:,.0f}/s, {each.lost} lost, {each.cpu_s:.3f} µs a packet")
            lab.recorded.unlink(missing_ok=True)
            return rate, each

        highest: dict[str, list[tuple[float, bool]]] = {"tcpdump": [], "live": []}
        for _ in range(lab.rounds):
            for program, found in highest.items():
                found.append(_highest(lambda rate, program=program: once(program, rate)))  # type: ignore[misc]
        for program, found in highest.items():
            note = f"in {sum(whole for _, whole in found)} of {len(found)} rounds all that the sender gives"
            rates_of = [rate for rate, _ in found]
            lab.rows.append(of_list(f"{profile}: packets/s without loss, {program}", rates_of, more=True, note=note))
        shares = [
            max(1.0, ours / theirs) if whole else ours / theirs  # else it would be the sender that is compared
            for (ours, whole), (theirs, _) in zip(highest["live"], highest["tcpdump"], strict=True)
        ]
        lab.rows.append(of_list(f"{profile}: of tcpdump's rate without loss", shares, "×", must=0.8, more=True))
        for rate in (20_000, 100_000):
            cost: dict[str, list[float]] = {"tcpdump": [], "live": []}
            for _ in range(lab.rounds):
                for program, costs in cost.items():
                    costs.append(once(program, rate)[1].cpu_s)
            for program, costs in cost.items():
                lab.rows.append(of_list(f"{profile}: CPU of a packet at {rate:,}/s, {program}", costs, "µs"))
            over = [ours / theirs for ours, theirs in zip(cost["live"], cost["tcpdump"], strict=True)]
            lab.rows.append(of_list(f"{profile}: CPU of a packet at {rate:,}/s, over tcpdump", over, "×", must=2))


def _highest(once: Callable[[float], tuple[float, Seen]]) -> tuple[float, bool]:
    """The highest rate found without loss, by halving what the sender gives, and whether it is all of that."""
    reached, seen = once(0)
    if not seen.lost:
        return reached, True
    low, high = 0.0, reached
    for _ in range(_STEPS):
        middle = (low + high) / 2
        reached, seen = once(middle)
        if seen.lost:
            high = middle
        else:
            low = max(low, min(middle, reached))
    return low, False


def timely(lab: Lab) -> None:
    """How long after a failure is final its line is there, and after a deadline its `pending`."""
    path, _ = lab.capture("mixed", min(lab.frames, 300_000), lab.seed + 1)
    words = [f"--set={name}={DEADLINE_S}s" for name in ("first_byte_deadline", "response_deadline", "connect_deadline")]
    with Cable() as cable, Replay(cable, [path]) as replay, lab.live(cable, *words) as live:
        tail = Tail(live.out)
        tail.start()
        done = replay.send(pace=1.0)
        time.sleep(2 * HOLD_S + DEADLINE_S + 1)
        tail.stop()  # before its last words: what is still open then is no matter of being late
        live.finish()
    found = lags(tail.lines, HOLD_S, DEADLINE_S)
    lab.say(f"timely: {len(found.failures)} failures, {len(found.pending)} pending in {done['seconds']:.0f} s")
    lab.rows += [
        _worst("a failure is told after it is final", found.failures),
        _worst(f"`pending` is told after a deadline of {DEADLINE_S} s", found.pending),
    ]
    became = ", ".join(f"{count} {name}" for name, count in sorted(found.became.items()))
    lab.notes.append(f"of {len(found.pending)} waits told as pending became: {became}, {found.open} open")
    lab.right &= bool(found.failures and found.pending) and not found.open


def _worst(measure: str, found: Sequence[float]) -> Row:
    if not found:
        return Row(measure, None, note="none was told")
    return Row(measure, max(found), "s", must=1, note=f"{len(found)} in all, median {median(found):.2f} s")


def crowd(lab: Lab) -> None:
    """Memory of connections that are open and idle."""
    path = lab.folder / "open.pcap"
    frames = left_open(path, lab.connections)
    most = f"--set=max_connections={lab.connections}"
    with Cable() as cable, Replay(cable, [path]) as replay, lab.live(cable, most) as live:
        before = live.rss()
        replay.send(rate=60_000)
        seen = live.caught_up()
        followed, after = int(seen["connections"]), live.rss()
        live.end()
    path.unlink()
    lost = int(seen["dropped"])
    note = f"{followed:,} followed, {frames:,} frames, {lost} lost; {after / 1e6:.0f} MB in all"
    lab.rows.append(Row("memory of an idle connection", (after - before) / max(1, followed), "octets", 640, note=note))
    lab.right &= followed + lost >= lab.connections


def flood(lab: Lab) -> None:
    """SYNs of a flood between the packets of others: memory, and the failures of the others."""
    path, truth = lab.capture("small", min(lab.frames, 200_000), lab.seed + 2)
    mixed = lab.folder / "flood.pcap"
    numbers = flooded(path, mixed, 9)
    with Cable() as cable, Replay(cable, [mixed]) as replay, lab.live(cable) as live:
        with Sampled(live) as sampled:
            done = replay.send(rate=0)
            seen = live.caught_up()
        live.end()
        lines = live.out.read_bytes().splitlines()
    mixed.unlink()
    planted = {
        (one["kind"], numbers[one["frame"]])
        for one in json.loads(truth.read_text())["failures"]
        if not one["kind"].startswith(("stall", "connect_timeout", "stale"))  # these are made of time, which ran fast
    }
    found = {(verdict[1], verdict[2]) for verdict in verdicts(lines) if verdict[0] == "failure"}
    rate = done["sent"] / done["seconds"]
    note = f"{rate:,.0f} packets/s, {seen['evicted']:,.0f} let go, {seen['dropped']:,.0f} lost"
    lab.rows.append(Row("memory in a SYN flood", max(sampled.octets) / 1e6, "MB", 1074, note=note))
    share = len(planted & found) / len(planted)
    note = f"{len(planted & found)} of {len(planted)}"
    lab.rows.append(Row("failures of others found in a SYN flood", share, "", 1, more=True, note=note))


class Sampled(threading.Thread):
    """The resident set of a process, every half second; `with` starts and ends it."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(daemon=True)
        self._watcher = watcher
        self._ending = threading.Event()
        self.octets = [watcher.rss()]
        self.times = [0.0]

    def __enter__(self) -> Sampled:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Sample until told to stop."""
        began = time.monotonic()
        while not self._ending.wait(0.5):
            self.octets.append(self._watcher.rss())
            self.times.append(time.monotonic() - began)


def long(lab: Lab) -> None:
    """Minutes of mixed traffic at its own pace, of several seeds: memory, and the verdicts beside those of `read`."""
    each = 350_000  # frames, about a minute
    count = max(1, round(lab.minutes))
    paths = [lab.capture("mixed", each, lab.seed + place)[0] for place in range(count)]
    done: list[dict[str, float]] = []
    with (
        Cable() as cable,
        Replay(cable, paths) as replay,
        lab.tcpdump(cable, alone=False) as tcpdump,
        lab.live(cable, alone=False) as live,
    ):
        tail = Tail(live.out)
        tail.start()
        began = time.monotonic()
        with Sampled(live) as sampled:
            while time.monotonic() - began < lab.minutes * 60:
                done.append(replay.send(capture=str(paths[len(done) % count]), pace=1.0))
            ours = live.finish()
        theirs = tcpdump.finish()
        tail.stop()
    passed = sum(one["seconds"] for one in done)
    read = verdicts(lab.read(lab.recorded, f"--set=hold={HOLD_S}s"))
    told = verdicts(line for _, line in tail.lines)
    both = sum((read & told).values())
    lab.recorded.unlink()
    minutes = [sampled.octets[min(at * 120, len(sampled.octets)) - 1] / 1e6 for at in range(1, int(passed / 60) + 1)]
    warm = [octets for octets, at in zip(sampled.octets, sampled.times, strict=True) if at >= min(60, passed / 2)]
    lab.rows += [
        Row("memory at the end over that after the first minute", warm[-1] / warm[0], "×", 1.1,
            note=f"{warm[0] / 1e6:.1f} MB, then {warm[-1] / 1e6:.1f} MB, most {max(warm) / 1e6:.1f} MB"),
        Row("verdicts that are those of `read` on tcpdump's file", both / max(1, (read | told).total()), "", 1,
            more=True, note=f"{both} of {(read | told).total()}"),
    ]  # fmt: skip
    lab.notes.append(
        f"{passed / 60:.1f} minutes, {ours.frames:,} packets, {ours.lost} lost (tcpdump {theirs.lost}); "
        f"{ours.cpu_s / passed * 100:.1f} % of a core (tcpdump {theirs.cpu_s / passed * 100:.1f} %)"
    )
    lab.notes.append(f"memory after each minute: {', '.join(f'{megabytes:.0f}' for megabytes in minutes)} MB")
    for name, only in (("read alone", read - told), ("live alone", told - read)):
        lab.notes += [f"{name}: {verdict}" for verdict in sorted(only, key=str)[:10]]
    lab.right &= read == told and bool(read) and ours.frames == theirs.frames


PARTS: dict[str, Callable[[Lab], None]] = {
    "small": lambda lab: rates(lab, "small"),
    "mixed": lambda lab: rates(lab, "mixed"),
    "timely": timely,
    "crowd": crowd,
    "flood": flood,
    "long": long,
}
