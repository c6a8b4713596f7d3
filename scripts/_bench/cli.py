"""The command line of scripts/bench.py."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import cable, instructions, online
from .make import make, write_capture
from .peers import PEERS
from .plan import PARTS, Bench
from .profiles import PROFILES
from .report import machine, rows_table


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 with a wrong verdict or a failed run of wire502, 2 for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["make"]:
        return _make(words[1:])
    if words[:1] == ["instructions"]:
        return _instructions(words[1:])
    if words[:1] == ["live"]:
        return _live(words[1:])
    return _bench(words)


def _instructions(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="bench.py instructions", description="Count instructions with valgrind and compare with those recorded."
    )
    parser.add_argument("--record", action="store_true", help="make these figures the recorded ones")
    parser.add_argument("--only", action="append", choices=list(instructions.CASES), default=[], help="repeatable")
    args = parser.parse_args(words)
    if why := instructions.available():
        print(why, file=sys.stderr)
        return 2
    record = instructions.recorded() if instructions.RECORD.exists() else None
    with tempfile.TemporaryDirectory(prefix="wire502-count-") as folder:
        now = instructions.count(Path(folder), args.only or instructions.CASES)
    print(instructions.table(now, record))
    if args.record:
        instructions.write({**(record["figures"] if record and args.only else {}), **now})
        return 0
    if record is None:
        return 0
    wanted = {case: record["figures"][case] for case in now if case in record["figures"]}
    worse = instructions.dearer(now, {**record, "figures": wanted}, instructions.environment())
    print("\n".join(worse))
    return 1 if worse else 0


def _live(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="bench.py live", description="Replay captures on a cable between two namespaces; capture them. Needs root."
    )
    parser.add_argument("--only", action="append", choices=list(online.PARTS), default=[], help="repeatable")
    parser.add_argument("--frames", type=_positive, default=1_000_000, help="of each capture (default 1000000)")
    parser.add_argument("--rounds", type=_positive, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--buffer-size", type=_positive, default=16384, metavar="KIB", help="of both (default 16384)")
    parser.add_argument("--minutes", type=float, default=10, help="of the part long (default 10)")
    parser.add_argument("--connections", type=_positive, default=1_000_000, help="of the part crowd (default 1000000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for captures, tcpdump's too (default: a temporary one)")
    parser.add_argument("--wire502", help="the command under test (default: this tree, by this interpreter)")
    args = parser.parse_args(words)
    if why := cable.why_not():
        print(why, file=sys.stderr)
        return 2
    folder = args.folder or Path(tempfile.mkdtemp(prefix="wire502-live-"))
    folder.mkdir(parents=True, exist_ok=True)
    lab = online.Lab(
        folder=folder.resolve(),
        wire502=shlex.split(args.wire502) if args.wire502 else [sys.executable, "-P", "-m", "wire502"],
        frames=args.frames,
        rounds=args.rounds,
        buffer_kib=args.buffer_size,
        minutes=args.minutes,
        connections=args.connections,
        seed=args.seed,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    host = machine()
    try:
        for part in args.only or online.PARTS:
            online.PARTS[part](lab)
    finally:
        if args.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{host['processor']}, {host['cores']} cores, Linux {host['kernel']}, CPython {host['python']}, load "
        f"{host['load'][0]} before, {machine()['load'][0]} after; buffer {args.buffer_size} KiB.\n"
    )
    print(rows_table(lab.rows))
    print("\n".join(f"- {note}" for note in lab.notes))
    return 0 if lab.right else 1


def _make(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.py make", description="Make one capture and its truth file.")
    parser.add_argument("--profile", choices=sorted(PROFILES), required=True, help="kind of traffic")
    parser.add_argument("--frames", type=_positive, default=1_000_000, help="about so many (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same octets")
    parser.add_argument("--out", required=True, help="the capture; - for standard output")
    parser.add_argument("--truth", type=Path, required=True, help="the truth file (JSON)")
    parser.add_argument("--format", choices=("pcap", "pcapng"), default="pcap")
    parser.add_argument("--nanos", action="store_true", help="time stamps of nanoseconds")
    parser.add_argument("--snaplen", type=_positive, default=262144, help="octets kept of each frame")
    parser.add_argument("--mss", type=_mss, default=1448, help="octets of a segment; up to 64000 as offload shows it")
    args = parser.parse_args(words)
    options: dict[str, Any] = {
        "nanos": args.nanos, "pcapng": args.format == "pcapng", "snaplen": args.snaplen, "mss": args.mss,
    }  # fmt: skip
    if args.out == "-":
        truth = write_capture(sys.stdout.buffer, args.profile, args.frames, args.seed, **options)
        args.truth.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    else:
        make(Path(args.out), args.truth, args.profile, args.frames, args.seed, **options)
    return 0


def _bench(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 frames, one round")
    parser.add_argument("--frames", type=_positive, help="frames of each capture (default 1000000)")
    parser.add_argument("--rounds", type=_positive, help="interleaved rounds (default 5)")
    parser.add_argument("--slow-rounds", type=_positive, help="rounds of the slow peers and rare measures (default 3)")
    parser.add_argument("--open-connections", type=_positive, help="(default 100000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder for captures (default: a temporary one)")
    parser.add_argument("--only", action="append", choices=PARTS, default=[], help="one part of the table, repeatable")
    parser.add_argument("--wire502", help="the command under test (default: this tree, by this interpreter)")
    parser.add_argument("--markdown", type=Path, help="write the tables there")
    parser.add_argument("--json", type=Path, help="write every single run there")
    args = parser.parse_args(words)
    cache = args.cache or Path(tempfile.mkdtemp(prefix="wire502-bench-"))
    cache.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        cache=cache,
        wire502=shlex.split(args.wire502) if args.wire502 else [sys.executable, "-m", "wire502"],
        frames=args.frames or (20_000 if args.quick else 1_000_000),
        rounds=args.rounds or (1 if args.quick else 5),
        slow_rounds=args.slow_rounds or (1 if args.quick else 3),
        seed=args.seed,
        open_connections=args.open_connections or (2000 if args.quick else 100_000),
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    try:
        bench.everything(args.only)
    finally:
        if args.cache is None:
            shutil.rmtree(cache, ignore_errors=True)
    return _finish(bench, args.markdown, args.json)


def _finish(bench: Bench, markdown: Path | None, as_json: Path | None) -> int:
    host = machine()
    versions = {peer.name: peer.version_line() for peer in PEERS if peer.installed()}
    wrong = [check for check in bench.checks if not check.right]
    told: dict[str, str] = {}  # the last word on each capture, a wrong one before a right one
    for check in bench.checks:
        if check.right and check.capture not in told:
            told[check.capture] = check.lines()[0]
    for check in wrong:
        told[check.capture] = "\n".join(check.lines())
    heading = (
        f"{host['processor']}, {host['cores']} cores, Linux {host['kernel']}, CPython {host['python']}, "
        f"load {host['load'][0]}; {bench.frames:,} frames, {bench.rounds} rounds, seed {bench.seed}.\n"
    )
    text = "\n".join(
        [
            heading,
            *bench.tables,
            rows_table(bench.rows),
            *(f"- {note}" for note in bench.notes),
            "",
            *(f"- `{peer.shown()}`: {versions[peer.name]}" for peer in PEERS if peer.name in versions),
            "",
            "Verdicts:\n",
            "```",
            *(told.values() or ["none checked"]),
            "```",
            "",
        ]
    )
    print(text)
    if markdown is not None:
        markdown.write_text(text, encoding="utf-8")
    if as_json is not None:
        report = {
            "format": "bench/1", "machine": host, "versions": versions, "frames": bench.frames, "seed": bench.seed,
            "rounds": bench.rounds, "rows": [row.as_dict() for row in bench.rows], "runs": bench.runs,
            "notes": bench.notes, "verdicts": [check.as_dict() for check in bench.checks],
        }  # fmt: skip
        as_json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _mss(text: str) -> int:
    value = int(text)
    if not 536 <= value <= 64000 or value % 2:
        raise argparse.ArgumentTypeError("an even number from 536 to 64000")
    return value
