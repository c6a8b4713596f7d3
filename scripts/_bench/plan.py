"""What is measured: one function for each part of the table, over captures that are made once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import legs, verdicts
from .measure import Run, cpu, ratios, rss, run, warm
from .peers import NFPCAPD, PEERS, TCPDUMP, TCPTRACE, TSHARK, Peer
from .report import Row, of_list, peers_table

HERE = Path(__file__).resolve().parent
_MADE_BY = ("asking", "capture", "failures", "life", "make", "profiles", "talk", "wire")  # modules a capture depends on
_ISAL = (
    "import sys; from isal import igzip\nf = igzip.open(sys.argv[1], 'rb'); b = bytearray(1 << 18)\n"
    "while f.readinto(b): pass"
)
_ZSTD = (
    "import sys, zstandard\nf = zstandard.ZstdDecompressor().stream_reader(open(sys.argv[1], 'rb'))\n"
    "b = bytearray(1 << 18)\nwhile f.readinto(b): pass"
)
_ZSTD_WRITE = (
    "import sys, zstandard\nwith open(sys.argv[1], 'rb') as i, open(sys.argv[2], 'wb') as o:\n"
    "    zstandard.ZstdCompressor(level=3).copy_stream(i, o)"
)
_GZIP_WRITE = (
    "import sys, gzip, shutil\nwith open(sys.argv[1], 'rb') as i, gzip.open(sys.argv[2], 'wb', 6) as o:\n"
    "    shutil.copyfileobj(i, o, 1 << 20)"
)


@dataclass
class Bench:
    """The order of a benchmark: where captures are kept, how long and how often, and what came of it."""

    cache: Path
    wire502: list[str]
    frames: int
    rounds: int
    slow_rounds: int
    seed: int
    open_connections: int
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    checks: list[verdicts.Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=lambda: _environment())

    # captures

    def capture(self, profile: str, frames: int) -> tuple[Path, Path]:
        """A capture and its truth, made by a process of its own so that this one stays small."""
        digest = hashlib.sha256(b"".join((HERE / f"{name}.py").read_bytes() for name in _MADE_BY)).hexdigest()[:8]
        path = self.cache / f"{profile}-{frames}-{self.seed}-{digest}.pcap"
        truth = path.with_suffix(".json")
        if not truth.exists():
            self.say(f"making {profile}, {frames:,} frames")
            subprocess.run(self._make(profile, frames, str(path), truth), check=True)
        return path, truth

    def _make(self, profile: str, frames: int, out: str, truth: Path) -> list[str]:
        program = [sys.executable, str(HERE.parent / "bench.py"), "make", "--profile", profile]
        return [*program, "--frames", str(frames), "--seed", str(self.seed), "--out", out, "--truth", str(truth)]

    def read(self, capture: Path, truth: Path | None, *options: str, env: dict[str, str] | None = None) -> Run:
        """One run of `wire502 read CAPTURE --json`; its verdicts are checked, each wrong one is remembered."""
        output = self.cache / "wire502.jsonl"
        done = run([*self.wire502, "read", str(capture), "--json", *options], stdout=output, env=env or self.env)
        self._judge(capture.name, done, output, truth)
        return done

    def _judge(self, name: str, done: Run, output: Path, truth: Path | None) -> None:
        if done.status:
            self.checks.append(verdicts.Check(name, error=f"wire502 ended with {done.status}: {done.error}"))
        elif truth is not None:
            self.checks.append(verdicts.check(name, output, truth))

    def keep(self, part: str, runs: dict[str, list[Run]]) -> None:
        """Put single runs into the JSON report."""
        self.runs[part] = {name: [each.as_dict() for each in several] for name, several in runs.items()}

    # the parts of the table

    def peers(self) -> None:
        """Each profile against the installed peers, rounds interleaved."""
        present = [peer for peer in PEERS if peer.installed()]
        for peer in PEERS:
            if peer not in present:
                self.notes.append(f"{peer.name} is not installed (Debian package {peer.package}): not compared")
        limits = {
            "small": (3.0, 2.0, 96, 48), "mixed": (1.6, 1.1, 64, 32), "bulk": (1.2, 0.85, 64, 32),
        }  # fmt: skip
        for profile, (must, ambition, memory, less_memory) in limits.items():
            path, truth = self.capture(profile, self.frames)
            runs: dict[str, list[Run]] = {"wire502": []}
            for turn in range(self.rounds):
                self.say(f"{profile}: round {turn + 1} of {self.rounds}")
                warm(path)
                for peer in present:
                    if not peer.slow or turn < self.slow_rounds:
                        runs.setdefault(peer.name, []).append(self._peer(peer, path))
                runs["wire502"].append(self.read(path, truth))
            self.keep(profile, runs)
            self.tables.append(peers_table(profile, json.loads(truth.read_text(encoding="utf-8")), runs))
            self._compare(profile, runs, TCPDUMP, "CPU over tcpdump", must, ambition)
            self._faster(profile, runs, TSHARK, 40, 75)
            self._faster(profile, runs, TCPTRACE, 1, None)
            self._faster(profile, runs, NFPCAPD, 1, 1.3)
            peak = None if any(each.status for each in runs["wire502"]) else rss(runs["wire502"])
            self.rows.append(Row(f"{profile}: peak memory", peak, "MB", must=memory, ambition=less_memory))

    def _peer(self, peer: Peer, path: Path) -> Run:
        folder = self.cache / "peer-output"
        folder.mkdir(exist_ok=True)
        try:
            return run(peer.argv(str(path), str(folder)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _compare(
        self, profile: str, runs: dict[str, list[Run]], peer: Peer, title: str, must: float, ambition: float
    ) -> None:  # fmt: skip
        values = ratios(runs["wire502"], runs.get(peer.name, []))
        note = "" if values else f"{peer.name} missing or failed"
        self.rows.append(of_list(f"{profile}: {title}", values, "×", must=must, ambition=ambition, note=note))

    def _faster(
        self, profile: str, runs: dict[str, list[Run]], peer: Peer, must: float, ambition: float | None
    ) -> None:  # fmt: skip
        values = ratios(runs.get(peer.name, []), runs["wire502"])
        note = "" if values else f"{peer.name} missing or failed"
        title = f"{profile}: faster than {peer.name}"
        self.rows.append(of_list(title, values, "×", must=must, ambition=ambition, more=True, note=note))

    def start(self) -> None:
        """`read` of ten packets over a bare interpreter."""
        path, truth = self.capture("ten", 10)
        runs = {"python -c pass": list[Run](), "wire502": list[Run]()}
        for _ in range(max(3, self.rounds * 3)):
            runs["python -c pass"].append(run([sys.executable, "-c", "pass"], env=self.env))
            runs["wire502"].append(self.read(path, truth))
        self.keep("start", runs)
        pairs = zip(runs["wire502"], runs["python -c pass"], strict=True)
        above = [one.cpu_s - other.cpu_s for one, other in pairs if not one.status]
        self.rows.append(of_list("ten packets over `python -c pass`", above, "s", must=0.12, ambition=0.06))

    def exchanges(self) -> None:
        """`--all` on small: every exchange a line."""
        path, truth = self.capture("small", self.frames)
        runs = {"read": list[Run](), "read --all": list[Run]()}
        for _ in range(self.slow_rounds):
            warm(path)
            runs["read"].append(self.read(path, truth))
            runs["read --all"].append(self.read(path, truth, "--all"))
        self.keep("all", runs)
        values = ratios(runs["read --all"], runs["read"])
        self.rows.append(of_list("`--all --json` on small over `--json`", values, "×", must=3, ambition=2))

    def legs(self) -> None:
        """Both legs of a gateway over its upstream leg alone, and a quarter as many exchanges."""
        many = max(400, self.frames // 10)
        runs: dict[str, list[Run]] = {}
        for _ in range(self.slow_rounds):
            for exchanges, both in ((many, False), (many, True), (many // 4, True)):
                path = self.cache / f"legs-{exchanges}-{'both' if both else 'one'}.pcap"
                failed = legs.write(path, exchanges, both=both)
                warm(path)
                done = self.read(path, None)
                self._joined(path.name, done, failed, both=both)
                runs.setdefault(f"{exchanges} {'both' if both else 'one'}", []).append(done)
        ten, ten_truth = self.capture("ten", 10)
        start = cpu([self.read(ten, ten_truth) for _ in range(3)])
        self.keep("legs", runs)
        one, both_, quarter = runs.values()
        title = f"{many:,} exchanges on each leg, joined, over the upstream leg alone"
        self.rows.append(of_list(title, ratios(both_, one), "×", must=2.5, ambition=2))
        cost, less = cpu(both_) - start, 4 * (cpu(quarter) - start)
        grown = cost / less if less > 0 else None
        self.rows.append(Row("cost per joined exchange over a quarter as many", grown, "×", must=1.2))

    def _joined(self, name: str, done: Run, failed: int, *, both: bool) -> None:
        """Check that each failure was told, and with both legs each error of a client explained."""
        _, summary = verdicts.failures(self.cache / "wire502.jsonl")
        wanted = (failed, failed if both else 0)
        told = None if summary is None else (sum(summary["failures"].values()), summary["explained_502"])
        if done.status or told != wanted:
            self.checks.append(verdicts.Check(name, error=f"failures, explained errors: {told}, want {wanted}"))

    def compressed(self) -> None:
        """Compressed captures (gzip, zstd) over the inflation alone by the same library."""
        path, truth = self.capture("mixed", self.frames)
        for suffix, module, inflate, must, ambition in (
            (".gz", "isal", _ISAL, 1.4, 1.2), (".zst", "zstandard", _ZSTD, 1.6, 1.3),
        ):  # fmt: skip
            title = f"{suffix[1:]} on mixed over plain inflation ({module})"
            if run([sys.executable, "-c", f"import {module}"]).status:
                self.rows.append(Row(title, None, must=must, ambition=ambition, note=f"{module} is not installed"))
                continue
            packed = path.with_name(path.name + suffix)
            if not packed.exists():
                self.say(f"compressing {packed.name}")
                self._compress(path, packed)
            runs = {"inflation": list[Run](), "wire502": list[Run]()}
            for _ in range(self.slow_rounds):
                warm(packed)
                runs["inflation"].append(run([sys.executable, "-c", inflate, str(packed)]))
                runs["wire502"].append(self.read(packed, truth))
            self.keep(f"mixed{suffix}", runs)
            values = ratios(runs["wire502"], runs["inflation"])
            self.rows.append(of_list(title, values, "×", must=must, ambition=ambition))

    def _compress(self, path: Path, packed: Path) -> None:
        part = packed.with_name(packed.name + ".part")
        code = _GZIP_WRITE if packed.suffix == ".gz" else _ZSTD_WRITE
        subprocess.run([sys.executable, "-c", code, str(path), str(part)], check=True)
        part.rename(packed)

    def linear(self) -> None:
        """A quarter, one and four times as many frames: the same cost for each, start-up taken off."""
        ten, ten_truth = self.capture("ten", 10)
        start = cpu([self.read(ten, ten_truth) for _ in range(5)])
        runs: dict[str, list[Run]] = {}
        costs: dict[int, float] = {}
        sizes = [self.frames // 4, self.frames, self.frames * 4]
        captures = {frames: self.capture("small", frames) for frames in sizes}
        for _ in range(self.slow_rounds):
            for frames, (path, truth) in captures.items():
                warm(path)
                runs.setdefault(f"{frames} frames", []).append(self.read(path, truth))
        for frames, (_, truth) in captures.items():
            count = json.loads(truth.read_text(encoding="utf-8"))["frames"]
            costs[frames] = (cpu(runs[f"{frames} frames"]) - start) / count * 1e6
        failed = any(each.status for several in runs.values() for each in several)
        self.keep("linear", runs)
        detail = ", ".join(f"{frames / 1e6:g} M: {cost:.3f} µs a frame" for frames, cost in costs.items())
        cheapest = min(costs.values())
        worst = max(costs.values()) / cheapest if cheapest > 0 and not failed else None
        note = detail if worst is not None else f"too short to tell start-up from work ({detail})"
        self.rows.append(Row("cost per frame over 0.25, 1, 4 times the frames", worst, "×", must=1.1, note=note))
        memory = ", ".join(f"{name}: {number_mb(several)}" for name, several in runs.items())
        self.rows.append(Row("peak memory from 0.25 to 4 times the frames", self._growth(runs), "×", note=memory))

    @staticmethod
    def _growth(runs: dict[str, list[Run]]) -> float:
        peaks = [rss(several) for several in runs.values()]
        return max(peaks) / min(peaks)

    def long(self) -> None:
        """Ten times as long, through a pipe: the same memory."""
        path, truth = self.capture("small", self.frames)
        once = self.read(path, truth)
        long_truth = self.cache / "long.json"
        self.say(f"a pipe of {self.frames * 10:,} frames")
        output = self.cache / "wire502.jsonl"
        maker = subprocess.Popen(
            self._make("small", self.frames * 10, "-", long_truth), stdout=subprocess.PIPE, env=self.env
        )  # fmt: skip
        if maker.stdout is None:
            raise RuntimeError("no pipe")
        with maker.stdout as source:
            done = run([*self.wire502, "read", "-", "--json"], stdout=output, env=self.env, feed=source.fileno())
        made = maker.wait()
        self._judge("ten times as long, from a pipe", done, output, long_truth if not made else None)
        self.keep("long", {"once": [once], "ten times": [done]})
        note = f"{once.rss_mb:.0f} MB, then {done.rss_mb:.0f} MB"
        growth = None if done.status or once.status else done.rss_mb / once.rss_mb
        self.rows.append(Row("memory of a capture ten times as long", growth, "×", must=1.1, note=note))

    def open(self) -> None:
        """Many connections open at once."""
        path, truth = self.capture("open", self.open_connections * 6)
        done = self.read(path, truth)
        self.keep("open", {"wire502": [done]})
        count = json.loads(truth.read_text(encoding="utf-8"))["connections"]
        memory = None if done.status else done.rss_mb
        self.rows.append(Row(f"memory of {count:,} open connections", memory, "MB", must=300, ambition=150))

    def evidence(self) -> None:
        """`report`, with about a thousand failures in a million frames, over `read`."""
        path, truth = self.capture("failing", self.frames)
        folder = self.cache / "bundle"
        runs = {"read": list[Run](), "report": list[Run]()}
        for _ in range(self.slow_rounds):
            warm(path)
            runs["read"].append(self.read(path, truth))
            shutil.rmtree(folder, ignore_errors=True)
            done = run([*self.wire502, "report", str(path), "-o", str(folder)], env=self.env)
            if done.status:
                self.checks.append(
                    verdicts.Check("report", error=f"wire502 report ended with {done.status}: {done.error}")
                )
            runs["report"].append(done)
        self.keep("evidence", runs)
        values = ratios(runs["report"], runs["read"])
        self.rows.append(of_list("`report` on failing over `read`", values, "×", must=3, ambition=2))
        self.rows.append(Row("peak memory of `report` on failing", rss(runs["report"]), "MB", must=256))
        octets = sum(one.stat().st_size for one in folder.iterdir()) if folder.is_dir() else 0
        self.notes.append(f"the bundle of failing holds {octets / 1e6:.1f} MB")
        shutil.rmtree(folder, ignore_errors=True)

    def failing(self) -> None:
        """What a verdict costs: the same traffic with a thousand failures in a million frames, over `tcpdump`."""
        paths = {name: self.capture(name, self.frames) for name in ("small", "failing")}
        planted = {
            name: len(json.loads(truth.read_text(encoding="utf-8"))["failures"]) for name, (_, truth) in paths.items()
        }
        runs: dict[str, list[Run]] = {name: [] for name in (*paths, TCPDUMP.name)}
        for _ in range(self.rounds):
            for name, (path, truth) in paths.items():
                warm(path)
                runs[name].append(self.read(path, truth))
            if TCPDUMP.installed():
                runs[TCPDUMP.name].append(self._peer(TCPDUMP, paths["failing"][0]))
        self.keep("failing", runs)
        pairs = zip(runs["failing"], runs["small"], strict=True)
        more = planted["failing"] - planted["small"]
        costs = [1e3 * (one.cpu_s - other.cpu_s) / more for one, other in pairs if more and not one.status]
        note = f"{planted['failing']:,} failures instead of {planted['small']:,}"
        self.rows.append(of_list("a verdict, in place", costs, "ms", note=note))
        values = ratios(runs["failing"], runs[TCPDUMP.name])
        self.rows.append(of_list("failing: CPU over tcpdump", values, "×", note=note))

    def uncompiled(self) -> None:
        """The kernels as plain Python."""
        frames = max(1, self.frames // 4)
        path, truth = self.capture("mixed", frames)
        warm(path)
        plain = {**self.env, "WIRE502_COMPILED": "off"}
        self.read(*self.capture("ten", 10), env=plain)
        done = self.read(path, truth, env=plain)
        count = json.loads(truth.read_text(encoding="utf-8"))["frames"]
        self.keep("uncompiled", {"wire502": [done]})
        rate = None if done.status else count / done.cpu_s / 1e6
        title = "uncompiled, mixed, million frames a second"
        self.rows.append(Row(title, rate, must=0.1, ambition=0.4, more=True))

    def everything(self, only: Iterable[str]) -> None:
        """Run the parts named, all without a name."""
        wanted = tuple(only) or PARTS
        for name in PARTS:
            if name in wanted:
                getattr(self, name)()


_OURS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")  # not what a user's interpreter is told


def _environment() -> dict[str, str]:
    """The environment of all programs: this tree, modules that stay compiled, output in blocks."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return {**kept, "PYTHONPATH": str(HERE.parents[1])}


PARTS = (
    "peers", "failing", "start", "exchanges", "legs", "compressed", "linear", "long", "open", "evidence", "uncompiled",
)  # fmt: skip


def number_mb(runs: Sequence[Run]) -> str:
    """The highest peak memory as text."""
    return f"{rss(runs):.0f} MB"
