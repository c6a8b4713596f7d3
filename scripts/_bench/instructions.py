"""Instructions of a run, counted by valgrind: the same on a busy machine as on a quiet one, so that CI can compare.

`count` runs wire502 on short captures under callgrind and takes off what a capture of ten packets costs, so that
two figures remain for each capture: what the kernels themselves execute, and what the whole process does. The
recorded figures stand in `tests/scripts/instructions.json`; `scripts/bench.py instructions --record` renews them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from .make import make

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "tests" / "scripts" / "instructions.json"
FRAMES = 20_000
DEARER = 1.15  # more than this over the recorded figure is a regression
# Another compiler, interpreter or Cython executes other instructions for the same source.
DEARER_ELSEWHERE = 1.5
START = "ten packets"
CASES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    START: ("ten", 10, ()),
    "small": ("small", FRAMES, ()),
    "mixed": ("mixed", FRAMES, ()),
    "small --all": ("small", FRAMES, ("--all",)),
}
_KERNEL = re.compile(r"_cy(" + "|".join(map(re.escape, EXTENSION_SUFFIXES)) + r")$")

Figures = dict[str, dict[str, int]]


def available() -> str:
    """Return why nothing can be counted here, "" when it can."""
    return "" if shutil.which("valgrind") else "valgrind is not installed"


def environment() -> dict[str, str]:
    """What the figures depend on besides the source."""
    try:
        cython = ".".join(metadata.version("cython").split(".")[:2])
    except metadata.PackageNotFoundError:
        cython = "unknown"
    return {
        "machine": platform.machine(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "compiler": _compiler(),
        "cython": cython,
    }


def _compiler() -> str:
    """The C compiler that builds extensions here, with its major version."""
    name = (sysconfig.get_config_var("CC") or "cc").split()[0]
    try:
        done = subprocess.run([name, "-dumpversion"], capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "unknown"
    return f"{Path(name).name} {done.stdout.strip().split('.')[0]}"


def count(folder: Path, cases: Iterable[str] = CASES) -> Figures:
    """Return `kernels` and `all`, in instructions, for each of *cases*; captures and profiles go to *folder*.

    The start is taken off those of all cases but the start's own, which has `all` only. Raises ``RuntimeError``
    when a run fails.
    """
    wanted = list(dict.fromkeys((START, *cases)))
    totals: dict[str, Counter[str]] = {}
    for case in wanted:
        profile, frames, options = CASES[case]
        capture = folder / f"{profile}.pcap"
        if not capture.exists():
            make(capture, folder / f"{profile}.json", profile, frames, 1)
        totals[case] = _run(folder, capture, options)
    start = totals[START]
    figures: Figures = {START: {"all": start["all"]}}
    for case in wanted:
        if case != START:
            figures[case] = {kind: totals[case][kind] - start[kind] for kind in ("kernels", "all")}
    return figures


def _run(folder: Path, capture: Path, options: tuple[str, ...]) -> Counter[str]:
    command = [sys.executable, "-S", "-P", "-m", "wire502", "read", str(capture), "--json", *options]
    # No site: what an installation's .pth files do is not ours. A fixed seed of hashes: dicts collide alike.
    paths = [str(ROOT), *dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "COVERAGE"))}
    env = {
        **kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0", "WIRE502_COMPILED": "require",
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
    }  # fmt: skip
    _must(command, env)  # once without counting: the modules are compiled and the file is at hand
    profile = folder / "callgrind.out"
    _must(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={profile}", *command], env)
    found = Counter({"kernels": 0, "all": 0})
    for name, instructions in by_object(profile).items():
        found["all"] += instructions
        if _KERNEL.search(name):
            found["kernels"] += instructions
    profile.unlink()
    return found


def _must(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")


def by_object(profile: Path) -> Counter[str]:
    """Return the instructions that callgrind counted inside each object file, calls not included."""
    names: dict[str, str] = {}
    found: Counter[str] = Counter()
    here = ""
    calling = False
    with profile.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match line[:1]:
                case "o" | "c":
                    key, _, value = line.partition("=")
                    if key in ("ob", "cob"):
                        number, _, name = value.strip().partition(" ")
                        if name:
                            names[number] = name
                        if key == "ob":
                            here = names.get(number, number)
                    elif key == "calls":
                        calling = True  # the next line holds the cost of the call, which is another's
                case "+" | "-" | "*" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9":
                    if not calling:
                        found[here] += int(line.split()[1])
                    calling = False
    return found


def recorded() -> dict[str, Any]:
    """Return the recorded figures: `environment` and `figures`."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def write(figures: Figures) -> None:
    """Make *figures* the recorded ones."""
    record = {"environment": environment(), "frames": FRAMES, "figures": figures}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def dearer(now: Figures, record: dict[str, Any], here: dict[str, str]) -> list[str]:
    """Return a line for each figure that costs more than it may, beside the recorded ones."""
    limit = DEARER if here == record["environment"] else DEARER_ELSEWHERE
    found = []
    for case, kinds in record["figures"].items():
        for kind, before in kinds.items():
            after = now.get(case, {}).get(kind)
            if after is None:
                found.append(f"{case}, {kind}: not counted")
            elif after > before * limit:
                found.append(f"{case}, {kind}: {after:,} instructions, {before:,} recorded: {after / before:.2f} times")
    return found


def table(now: Figures, record: dict[str, Any] | None) -> str:
    """The figures as Markdown, beside the recorded ones."""
    lines = ["| capture | | instructions | a frame | recorded | |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for case, kinds in now.items():
        for kind, after in kinds.items():
            before = None if record is None else record["figures"].get(case, {}).get(kind)
            each = "" if case == START else f"{after / FRAMES:,.0f}"
            ratio = "" if not before else f"{after / before:.3f}"
            lines.append(
                f"| {case} | {kind} | {after:,} | {each} | {'' if before is None else f'{before:,}'} | {ratio} |"
            )
    return "\n".join(lines)
