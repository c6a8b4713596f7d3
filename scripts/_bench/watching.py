"""The programs that capture at the far end of the cable, and the one that sends: started, asked, ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .cable import FAR, NEAR, Cable, pinned

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
SENDING, CAPTURING = 0, 1  # cores
_COUNTED = re.compile(r"(\d+) packets (captured|received by filter|dropped by (?:kernel|interface))")
_STATE = re.compile(r"([a-z ]+) ([\d.]+)(?:,|$)")


@dataclass(frozen=True)
class Seen:
    """What a program captured and lost, and the CPU seconds that it took from its first frame on."""

    frames: int
    lost: int
    cpu_s: float


class Watcher:
    """A program that captures on ``FAR``; `with` ends it."""

    def __init__(self, command: Sequence[str], folder: Path, name: str, *, alone: bool = True, **environment: str):
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self._files: list[IO[bytes]] = [self.out.open("wb"), self.err.open("wb")]
        self.process = subprocess.Popen(
            pinned(CAPTURING, command) if alone else command,
            stdin=subprocess.DEVNULL, stdout=self._files[0], stderr=self._files[1], start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
        self._idle_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for file in self._files:
            file.close()

    def began(self) -> None:
        """From here on CPU is counted."""
        self._idle_s = self._cpu_s()

    def said(self) -> str:
        """What it wrote on standard error."""
        return self.err.read_text(errors="replace")

    def rss(self) -> int:
        """Octets of its resident set."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to end and wait until it has."""
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"it did not end: {self.said()}") from None

    def used_s(self) -> float:
        """CPU seconds since ``began``, of all threads that still run."""
        return self._cpu_s() - self._idle_s

    def _cpu_s(self) -> float:
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def wait_until(self, what: str) -> None:
        """Wait until it says so."""
        until = time.monotonic() + PATIENCE_S
        while what not in self.said():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no {what!r} from {self.process.args!r}: {self.said()}")
            time.sleep(0.02)


class Tcpdump(Watcher):
    """tcpdump that writes `path`, with a buffer of so many KiB."""

    def __init__(self, cable: Cable, folder: Path, path: Path, buffer_kib: int, *, alone: bool = True) -> None:
        words = ["tcpdump", "-i", FAR, "-B", str(buffer_kib), "-Z", "root", "-w", str(path)]
        super().__init__(
            cable.at_far(*words, "--time-stamp-precision=nano"), folder, "tcpdump", alone=alone, LC_ALL="C"
        )
        self.wait_until("listening on")
        self.began()

    def finish(self) -> Seen:
        """Wait for what its buffer holds, end it, and return what it says."""
        time.sleep(1.3)  # it is handed a block that is not full after a second
        used = self.used_s()
        self.end(signal.SIGINT)
        counted = {what: int(number) for number, what in _COUNTED.findall(self.said())}
        return Seen(counted["captured"], counted["dropped by kernel"] + counted.get("dropped by interface", 0), used)


class Live(Watcher):
    """``wire502 live --json``; `program` is how wire502 is called."""

    def __init__(
        self, cable: Cable, folder: Path, *words: str,
        program: Sequence[str], alone: bool = True, **environment: str,
    ) -> None:  # fmt: skip
        address = folder / "live.notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(PATIENCE_S)
            command = [*program, "live", "-i", FAR, "-Z", "root", "--json", *words]
            super().__init__(
                cable.at_far(*command), folder, "live", alone=alone, NOTIFY_SOCKET=str(address), **environment
            )
            try:
                while b"READY=1" not in manager.recv(4096):
                    pass
            except TimeoutError:
                raise RuntimeError(f"live did not begin: {self.said()}") from None
        self.began()

    def counters(self) -> dict[str, float]:
        """Its counters, as it prints them when asked."""
        before = len(self.said())
        self.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + PATIENCE_S
        while "fragments pending" not in self.said()[before:]:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no counters from live: {self.said()}")
            time.sleep(0.02)
        line = next(line for line in self.said()[before:].splitlines() if "fragments pending" in line)
        return {name.strip(): float(value) for name, value in _STATE.findall(line.partition(": ")[2] or line)}

    def caught_up(self) -> dict[str, float]:
        """Wait until nothing more comes out of the ring, and return its counters."""
        time.sleep(1.3)
        frames, counted = -1.0, self.counters()
        while counted["frames"] > frames:
            frames = counted["frames"]
            time.sleep(0.3)
            counted = self.counters()
        return counted

    def finish(self) -> Seen:
        """Wait for what the ring holds, end it, and return what it counted."""
        counted = self.caught_up()
        used = self.used_s()
        self.end()
        return Seen(int(counted["frames"]), int(counted["dropped"] + counted["interface dropped"]), used)


class Replay:
    """The sender at the near end."""

    def __init__(self, cable: Cable, captures: Sequence[Path]) -> None:
        sending = str(Path(__file__).with_name("sending.py"))
        words = [sys.executable, "-I", sending, NEAR, *map(str, captures)]
        self._process = subprocess.Popen(
            pinned(SENDING, cable.at_near(*words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.captures = self._answer()["ready"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def order(self, **order: Any) -> None:
        """Have frames sent; see `sending`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")

    def sent(self) -> dict[str, float]:
        """Wait until they are, and return what was done."""
        return self._answer()

    def send(self, **order: Any) -> dict[str, float]:
        """Have frames sent, and wait."""
        self.order(**order)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the sender ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
