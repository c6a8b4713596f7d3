"""A machine with systemd of its own, in namespaces of this one: its real PID 1 and journal, and little else.

Nothing of the host is written: what systemd may write is in memory, or a copy, and goes away with the namespaces.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.live.lab import ROOT, Process, wait_for, why_not

SYSTEMD = Path("/usr/lib/systemd/systemd")
UNITS = Path("/usr/lib/systemd/system")
LAB = "/run/lab"  # there: the project, the virtual environment, units, and what starts the program
TAKEN = (
    *("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"),
    *("sysinit.target", "basic.target", "multi-user.target", "sockets.target", "network.target", "network-pre.target"),
    *("paths.target", "slices.target", "timers.target", "shutdown.target", "umount.target", "final.target"),
)
BOOT_S = 30
# In a group of control of its own, before that becomes the root of all that it sees.
OUTER = """
set -e
mkdir -p $WORK/cgroup
mount -t cgroup2 cgroup2 $WORK/cgroup
mkdir -p $WORK/cgroup/$GROUP
echo $$ > $WORK/cgroup/$GROUP/cgroup.procs
exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net --mount-proc sh $WORK/inner.sh
"""
INNER = """
set -e
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
umount --lazy /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock $LAB/root $LAB/venv $LAB/etc $LAB/units $LAB/bin
mount --bind $ROOT $LAB/root
mount --bind $VENV $LAB/venv
cp -a /etc/. $LAB/etc
cp -a $WORK/etc/. $LAB/etc
cp -a $WORK/units/. $LAB/units
cp -a $WORK/bin/. $LAB/bin
mount --bind $LAB/etc /etc
for folder in /var/log /var/lib /var/cache; do mount -t tmpfs -o mode=755 tmpfs $folder; done
for folder in /var/tmp /tmp; do mount -t tmpfs -o mode=1777 tmpfs $folder; done
ip link set lo up
cd /
container=lab SYSTEMD_UNIT_PATH=$LAB/units exec $SYSTEMD --system --unit=multi-user.target --log-target=console
"""


class Machine:
    """Boots with *service* of this project, which it calls wire502.service and starts; *options* as its users set them.

    *extra* is what a host would put beside the unit (a drop-in). Skips where it cannot be.
    """

    def __init__(self, folder: Path, service: Path, options: str, extra: str = "") -> None:
        self._work = folder / "machine"
        self._group = f"w502-{os.getpid()}"
        self._process: Process | None = None
        self._one = ""
        _possible()
        for name in ("units/wire502.service.d", "etc/default", "etc/systemd/journald.conf.d", "bin"):
            (self._work / name).mkdir(parents=True)
        units, etc = self._work / "units", self._work / "etc"
        for name in TAKEN:
            text = (UNITS / name).read_text("utf-8")
            lines = [line for line in text.splitlines() if not line.startswith("Wants=") and "rescue." not in line]
            (units / name).write_text("\n".join(lines) + "\n")
        wants = {"sysinit.target": " ".join(TAKEN[:3]), "multi-user.target": "wire502.service"}
        for name, wanted in wants.items():
            with (units / name).open("a") as file:
                file.write(f"[Unit]\nWants={wanted}\n")
        program = f"{LAB}/bin/wire502"
        (units / "wire502.service").write_text(service.read_text("utf-8").replace("/usr/local/bin/wire502", program))
        (units / "wire502.service.d" / "lab.conf").write_text(extra)
        started = self._work / "bin" / "wire502"
        started.write_text(f'#!/bin/sh\nPYTHONPATH={LAB}/root exec {LAB}/venv/bin/python3 -m wire502 "$@"\n')
        started.chmod(0o755)
        (etc / "default" / "wire502").write_text(options + "\n")
        (etc / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        # the kernel's messages are the host's
        (etc / "systemd" / "journald.conf.d" / "lab.conf").write_text("[Journal]\nReadKMsg=no\nStorage=volatile\n")

    def __enter__(self) -> Self:
        given = {"WORK": self._work, "LAB": LAB, "ROOT": ROOT, "VENV": sys.prefix, "SYSTEMD": SYSTEMD}
        names = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in given.items())
        names += f"GROUP={shlex.quote(self._group)}\n"
        (self._work / "outer.sh").write_text(names + OUTER)
        (self._work / "inner.sh").write_text(names + INNER)
        self._process = Process(
            ["unshare", "--mount", "--propagation", "private", "sh", str(self._work / "outer.sh")], self._work, "boot"
        )
        try:
            wait_for(self._booted, "the machine has booted", BOOT_S)
        except pytest.fail.Exception:
            said = self.console()
            self.__exit__(None, None, None)
            pytest.skip(f"systemd does not boot in namespaces here: {said[-500:]}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
        group = shlex.quote(f"{self._work}/cgroup/{self._group}")
        clean = (  # what ran in it takes a moment to be gone
            f"mount -t cgroup2 cgroup2 {shlex.quote(str(self._work))}/cgroup\n"
            f"for try in 1 2 3 4 5 6 7 8 9; do\n"
            f"test -d {group} || exit 0; find {group} -depth -type d -exec rmdir {{}} \\;; sleep 0.2\ndone"
        )
        subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", clean], check=False, capture_output=True
        )

    def console(self) -> str:
        """Return what was written on its console so far."""
        assert self._process is not None
        return self._process.out.read_text() + self._process.err.read_text()

    def run(self, *command: str) -> str:
        """Return what a command, run on the machine by root, prints; that it fails is no error."""
        inside = ["nsenter", "-t", self._one, "-m", "-p", "-n", "-u", "-i", "-C", *command]
        done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip()

    def about(self, name: str) -> str:
        """Return a property of the service, as ``systemctl show`` has it."""
        return self.run("systemctl", "show", "--property", name, "--value", "wire502.service")

    def _booted(self) -> bool:
        assert self._process is not None
        if self._process.running.poll() is not None:
            pytest.fail("it ended")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            top = self._process.running.pid
            self._one = Path(f"/proc/{top}/task/{top}/children").read_text().strip()
        return bool(self._one) and self.run("systemctl", "is-system-running") in ("running", "degraded", "starting")


def _possible() -> None:
    """Skip where there can be no such machine."""
    reason = why_not()
    if reason is None and not (SYSTEMD.exists() and shutil.which("systemctl")):
        reason = "systemd is not installed"
    if reason is None and any(
        Path(sys.base_prefix).is_relative_to(home) for home in ("/root", "/home", "/run/user", "/tmp")
    ):
        reason = f"this Python is in {sys.base_prefix}, which a service has no sight of"
    if reason is not None:
        pytest.skip(reason)
