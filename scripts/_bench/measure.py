"""One run of one program: CPU seconds, wall seconds, peak memory, exit status."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

TIMEOUT_S = 3600


@dataclass(frozen=True)
class Run:
    """CPU is user plus system of the process and the children it waited for; memory is the largest resident set.

    The kernel counts memory from the fork on, so no figure is below what this harness itself occupies (about 15 MB).
    """

    cpu_s: float
    wall_s: float
    rss_mb: float
    status: int
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def run(
    command: Sequence[str], *, stdout: Path | None = None, env: Mapping[str, str] | None = None, feed: int | None = None
) -> Run:  # fmt: skip
    """Run `command` to its end; its output goes to the file `stdout` or nowhere, `feed` is its standard input."""
    sink = os.open(stdout or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    errors_read, errors_write = os.pipe()
    tail = bytearray()
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL if feed is None else feed, stdout=sink, stderr=errors_write, env=env
    )  # fmt: skip
    os.close(errors_write)
    os.close(sink)
    reader = threading.Thread(target=_drain, args=(errors_read, tail), daemon=True)
    reader.start()
    alarm = threading.Timer(TIMEOUT_S, process.kill)
    alarm.daemon = True
    alarm.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    alarm.cancel()
    reader.join(5)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code  # it is reaped: nobody else needs to wait for it
    text = tail.decode("utf-8", "replace").strip()
    last = text.rsplit("\n", 1)[-1] if code else ""
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, code, last)


def _drain(source: int, tail: bytearray) -> None:
    with os.fdopen(source, "rb", buffering=0) as stream:
        while octets := stream.read(65536):
            tail += octets
            del tail[:-4000]


def warm(path: Path) -> None:
    """Read the file once, so that the first of the programs does not pay for the disk."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass


def cpu(runs: Sequence[Run]) -> float:
    """The median of CPU seconds."""
    return median(each.cpu_s for each in runs)


def rss(runs: Sequence[Run]) -> float:
    """The highest peak memory, MB."""
    return max(each.rss_mb for each in runs)


def ratios(ours: Sequence[Run], theirs: Sequence[Run]) -> list[float]:
    """CPU of each run of ours over the run of theirs of the same round; a run that failed proves nothing."""
    pairs = [(one, other) for one, other in zip(ours, theirs, strict=False) if not one.status and not other.status]
    return [one.cpu_s / other.cpu_s for one, other in pairs if other.cpu_s]
