"""One run of one program: CPU seconds, wall seconds, peak memory, exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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

    Memory below 9 MB is not resolved: that is what the process that starts the program occupies.
    """

    cpu_s: float
    wall_s: float
    rss_mb: float
    status: int
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


# The kernel counts a process' memory from the fork on, so whoever starts it sets a floor. This starter is as small as
# Python gets (9 MB); its own CPU time is not counted, since it reports what wait4 says of its child.
_STARTER = """
import os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
os.write(int(sys.argv[1]), b"%d %.6f %d" % (status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
"""


def run(
    command: Sequence[str], *, stdout: Path | None = None, env: Mapping[str, str] | None = None, feed: int | None = None
) -> Run:  # fmt: skip
    """Run `command` to its end; its output goes to the file `stdout` or nowhere, `feed` is its standard input."""
    sink = os.open(stdout or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    errors_read, errors_write = os.pipe()
    report_read, report_write = os.pipe()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _STARTER, str(report_write), *command],
        stdin=subprocess.DEVNULL if feed is None else feed, stdout=sink, stderr=errors_write, env=env,
        pass_fds=(report_write,), start_new_session=True,
    )  # fmt: skip
    for number in (sink, errors_write, report_write):
        os.close(number)
    tail = bytearray()
    reader = threading.Thread(target=_drain, args=(errors_read, tail), daemon=True)
    reader.start()
    alarm = threading.Timer(TIMEOUT_S, os.killpg, (process.pid, signal.SIGKILL))
    alarm.daemon = True
    alarm.start()
    process.wait()
    alarm.cancel()
    wall = time.monotonic() - started
    with os.fdopen(report_read, "rb") as report:
        words = report.read().split()
    reader.join(5)
    last = tail.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
    if len(words) != 3:  # it could not be started, or was killed after the longest time
        return Run(0.0, wall, 0.0, process.returncode or 1, last or "killed")
    code = os.waitstatus_to_exitcode(int(words[0]))
    return Run(float(words[1]), wall, int(words[2]) / 1024, code, last if code else "")


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
