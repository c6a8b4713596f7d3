"""The command line of scripts/fuzz.py."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts._fuzz import seeds
from scripts._fuzz.hunt import Finding, Limits, examine, hunt
from scripts._fuzz.inputs import Input, Maker
from scripts._fuzz.smaller import smaller


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 with a finding, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="fuzz.py", description="Mutated captures, and captures made to hurt.")
    parser.add_argument("--count", type=int, default=20_000, help="inputs (default 20000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--time", type=float, default=float("inf"), metavar="SECONDS", help="stop after so long")
    parser.add_argument("--out", type=Path, default=Path("fuzz-found"), help="folder for reproducers")
    parser.add_argument("--replay", type=Path, help="one reproducer again, or any capture")
    parser.add_argument("--adversarial", action="store_true", help="measure captures made to hurt")
    parser.add_argument("--frames", type=int, default=1_000_000, help="frames of each of these (default 1000000)")
    parser.add_argument("--only", action="append", default=[], help="one of these by name, repeatable")
    parser.add_argument("--asan", action="store_true", help="build with AddressSanitizer, read all captures, then hunt")
    parser.add_argument("--patient", action="store_true", help="call nothing slow, and a hang only what takes minutes")
    words = sys.argv[1:] if argv is None else list(argv)
    args = parser.parse_args(words)
    if args.asan:
        from scripts._fuzz.sanitized import sanitized

        return sanitized([word for word in words if word != "--asan"])
    if args.adversarial:
        from scripts._fuzz.costs import measure_all

        return measure_all(args.frames, args.only)
    if args.replay is not None:
        return _replay(args.replay)
    maker = Maker(seeds.everything())

    def found(finding: Finding) -> None:
        print(f"input {finding.number}: {finding.what}\n{finding.detail}", file=sys.stderr, flush=True)
        _write(maker.make(args.seed, finding.number), args.out / f"{args.seed}-{finding.number}", finding.what)

    limits = Limits(seconds=120.0, free=60.0, growth_mb=512) if args.patient else Limits()
    tally = hunt(maker, args.seed, args.first, args.count, seconds=args.time, limits=limits, found=found)
    print(
        f"{tally.count:,} inputs of seed {args.seed}, {tally.octets:,} octets, {tally.seconds:.0f} s; "
        f"memory grew by {tally.growth_mb:.0f} MB; checksum {tally.checksum:x}; {len(tally.findings)} findings"
    )
    for what, count in Counter(finding.what for finding in tally.findings).most_common():
        print(f"  {count} x {what}")
    return 1 if tally.findings else 0


def _write(given: Input, base: Path, what: str) -> None:
    """Write a reproducer, made small where that can be done in this process."""
    if not what.startswith(("killed", "hang", "growth", "exit")):
        given = smaller(given, lambda tried: examine(tried, Limits())[1] == what)
    base.parent.mkdir(parents=True, exist_ok=True)
    names = []
    for place, octets in enumerate(given.files):
        names.append(f"{base.name}-{place}.pcap")
        base.with_name(names[-1]).write_bytes(octets)
    about = {"what": what, "kind": given.kind, "files": names, "settings": given.settings, "all": given.everything,
             "chop": given.chop}  # fmt: skip
    base.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def read_back(path: Path) -> Input:
    """Return the input that a reproducer (its .json) or a plain capture holds."""
    if path.suffix != ".json":
        return Input("file", [path.read_bytes()], {}, True, 0)
    about = json.loads(path.read_text(encoding="utf-8"))
    files = [path.with_name(name).read_bytes() for name in about["files"]]
    return Input(about["kind"], files, about["settings"], about["all"], about["chop"])


def _replay(path: Path) -> int:
    checksum, what, detail = examine(read_back(path), Limits())
    print(f"{os.fspath(path)}: {what or f'nothing wrong, checksum {checksum:x}'}")
    if detail:
        print(detail)
    return 1 if what else 0
