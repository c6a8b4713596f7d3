"""The kernels with AddressSanitizer: a build of its own, all captures read with it, and a bounded hunt.

Compiled kernels check every index of a typed view; what they reach by pointer (heads, decoded headers) only this looks
at. The build stands in ``build/asan`` and leaves that of the checkout alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts._fuzz import seeds, target
from scripts._fuzz.inputs import Input
from tests.conftest import TRUTH

_PARTS = ("wire502", "scripts", "tests", "captures", "setup.py", "pyproject.toml", "README.md", "LICENSE")
_FLAGS = "-w -O1 -fsanitize=address -fno-omit-frame-pointer"
_OPTIONS = "detect_leaks=0:abort_on_error=1:quarantine_size_mb=16"  # leaks: Python keeps what it has at its end
_LARGEST = 8 << 20  # octets of a capture
_CHOPPED = 777  # octets of a read, for heads and records that come in pieces


def sanitized(words: Sequence[str]) -> int:
    """Build, read all captures, then hunt with the arguments *words* of ``fuzz.py``; return the worst exit status."""
    folder = _build()
    environment = _environment(folder)
    reader = "import sys; sys.path.insert(0, '.'); from scripts._fuzz import sanitized; sanitized.read_all()"
    status = subprocess.run([sys.executable, "-P", "-c", reader], cwd=folder, env=environment, check=False).returncode
    command = [sys.executable, "-P", "scripts/fuzz.py", "--patient", *words]
    hunted = subprocess.run(command, cwd=folder, env=environment, check=False).returncode
    return max(abs(status), abs(hunted))


def _build() -> Path:
    """Copy what is needed and compile it; what did not change since the last time is not compiled again."""
    folder = seeds.ROOT / "build" / "asan"
    folder.mkdir(parents=True, exist_ok=True)
    skipped = shutil.ignore_patterns("*.so", "*.pyc", "__pycache__", "fuzz-found")
    for name in _PARTS:
        source = seeds.ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=skipped, dirs_exist_ok=True)
        else:
            shutil.copy2(source, folder / name)
    environment = {**os.environ, "CFLAGS": _FLAGS, "LDFLAGS": "-fsanitize=address", "WIRE502_COMPILED": "require"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return folder


def _environment(folder: Path) -> dict[str, str]:
    compiler = os.environ.get("CC", "gcc").split()[0]
    library = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    truth = os.environ.get(TRUTH)
    return {
        **os.environ,
        **({TRUTH: str(Path(truth).resolve())} if truth else {}),
        "LD_PRELOAD": library.stdout.strip(),
        "ASAN_OPTIONS": _OPTIONS,
        "PYTHONMALLOC": "malloc",  # else small objects share blocks that the sanitizer takes for one
        "PYTHONPATH": str(folder),
        "WIRE502_COMPILED": "require",
    }


def read_all() -> None:
    """Read every capture of the checkout and of ``WIRE502_TRUTH``, whole and in small pieces."""
    folders = [seeds.ROOT / "captures", *(Path(folder) for folder in [os.environ.get(TRUTH)] if folder)]
    count = 0
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if path.stat().st_size > _LARGEST or path.suffix in (".json", ".md", ".log", ".py"):
            continue
        octets = path.read_bytes()
        for chop in (0, _CHOPPED):
            target.analyse(Input("file", [octets], {}, True, chop))
        count += 1
    print(f"{count} files read with AddressSanitizer, nothing found", flush=True)
