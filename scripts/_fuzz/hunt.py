"""The hunt: a child works through inputs by their numbers, a parent watches that it moves, lives and does not grow.

An input is known by its number alone, so one that kills the child is made again by the parent and written down.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scripts._fuzz import target
from scripts._fuzz.inputs import Input, Maker

_STATE = struct.Struct("qqqq")  # next number, findings, octets, checksum
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Limits:
    """When an input is a finding although nothing broke."""

    seconds: float = 10.0  # without an end: a hang
    ns_an_octet: float = 50_000.0  # beyond what is free
    free: float = 0.15  # seconds for an input of any size
    growth_mb: int = 64  # from the first tenth of a run to its end


@dataclass(slots=True)
class Finding:
    """What was wrong with an input."""

    number: int
    what: str
    detail: str = ""


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    count: int = 0
    octets: int = 0
    seconds: float = 0.0
    checksum: int = 0
    growth_mb: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def examine(given: Input, limits: Limits) -> tuple[int, str, str]:
    """Analyse one input; return its checksum, and what is wrong with it, in a word and in full."""
    began = time.process_time()
    try:
        checksum = target.analyse(given)
    except target.Broken as broken:
        return 0, _signature(broken), str(broken)
    except Exception as error:
        return 0, _signature(error), "".join(traceback.format_exception(error)[-6:])
    octets = sum(map(len, given.files))
    seconds = time.process_time() - began
    if seconds > limits.free + octets * limits.ns_an_octet / 1e9:
        return checksum, "slow", f"{seconds:.3f} s for {octets} octets"
    return checksum, "", ""


def _signature(error: Exception) -> str:
    if isinstance(error, target.Broken):
        return "Broken: " + "".join(letter for letter in str(error).partition(":")[0] if not letter.isdigit())[:60]
    frames = traceback.extract_tb(error.__traceback__)
    inner = next((frame for frame in reversed(frames) if "wire502" in frame.filename), frames[-1])
    return f"{type(error).__name__} in {Path(inner.filename).name}:{inner.name}"


def resident_mb() -> float:
    """Memory that this process holds now."""
    with Path("/proc/self/statm").open() as status:
        return int(status.read().split()[1]) * _PAGE / 2**20


def hunt(maker: Maker, seed: int, first: int, count: int, *, seconds: float = float("inf"),
         limits: Limits | None = None, found: Callable[[Finding], None] | None = None) -> Tally:  # fmt: skip
    """Examine inputs *first* to *first + count* of *seed*, for *seconds* at most; *found* hears of each new finding."""
    limits = limits or Limits()
    tally = Tally()
    began = time.monotonic()
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    number, last = first, first + count
    while number < last and time.monotonic() - began < seconds:
        notes = tempfile.TemporaryFile("w+b", buffering=0)  # a pipe would fill while nobody reads it  # noqa: SIM115
        shared[: _STATE.size] = _STATE.pack(number, 0, tally.octets, tally.checksum)
        child = os.fork()
        if child == 0:
            _work(maker, seed, last, began + seconds, limits, shared, notes.fileno())
        status = _watch(child, shared, limits)
        with notes:
            notes.seek(0)
            for line in notes.read().decode(errors="replace").split("\0"):
                what, _, rest = line.partition("\1")
                if what == "growth":
                    tally.growth_mb = max(tally.growth_mb, float(rest))
                elif what:
                    at, _, detail = rest.partition("\1")
                    _add(tally, Finding(int(at), what, detail), found)
        stopped, _, tally.octets, tally.checksum = _STATE.unpack(shared[: _STATE.size])
        if status:
            _add(tally, Finding(stopped, status), found)
            stopped += 1
        number = stopped
        if not status:
            break
    tally.count = number - first
    tally.seconds = time.monotonic() - began
    if tally.growth_mb > limits.growth_mb:
        _add(tally, Finding(last, "growth", f"{tally.growth_mb:.0f} MB from the first tenth to the end"), found)
    return tally


def _add(tally: Tally, finding: Finding, found: Callable[[Finding], None] | None) -> None:
    known = {one.what for one in tally.findings}
    tally.findings.append(finding)
    if found is not None and finding.what not in known:
        found(finding)


def _watch(child: int, shared: mmap.mmap, limits: Limits) -> str:
    """Wait for the child; return how it died, "" when it ended well."""
    before, since = -1, time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code == 0:
                return ""
            return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        time.sleep(0.02)
        number = _STATE.unpack(shared[: _STATE.size])[0]
        if number != before:
            before, since = number, time.monotonic()
        elif time.monotonic() - since > limits.seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hang"


def _work(maker: Maker, seed: int, last: int, until: float, limits: Limits, shared: mmap.mmap, writing: int) -> None:
    """Be the child: never return."""
    faulthandler.enable()
    status = 1
    try:
        number, findings, octets, total = _STATE.unpack(shared[: _STATE.size])
        begin = number
        settled = begin + max(500, (last - begin) // 10)
        base = 0.0
        while number < last:
            given = maker.make(seed, number)
            checksum, what, detail = examine(given, limits)
            if what:
                findings += 1
                if findings < 2000:
                    os.write(writing, f"{what}\1{number}\1{detail[-3000:]}\0".encode(errors="replace"))
            octets += sum(map(len, given.files))
            total = (total * 31 + checksum) & 0x7FFFFFFFFFFFFFFF
            number += 1
            shared[: _STATE.size] = _STATE.pack(number, findings, octets, total)
            if number == settled:
                base = resident_mb()
            if number % 256 == 0 and time.monotonic() > until:
                break
        if base:
            os.write(writing, f"growth\1{max(0.0, resident_mb() - base):.1f}\0".encode())
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
