"""Makes one bundle out of packets in memory: a process of its own, so that capture waits for nothing that it does.

``python -m wire502.agent.bundler DESCRIPTOR``, with the job as JSON on standard input. The bundle appears under its
name when it is whole; until then its folder's name begins with ``.making-``, and its maker holds a lock on it: what one
that was killed left (it has packets in it that are not redacted yet) is removed by the next one.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wire502.api import Failure, read
from wire502.capture.write import PcapngWriter
from wire502.errors import Wire502Error

MAKING = ".making-"
STALE_S = 2.0  # a folder is locked by then
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z_[a-z0-9_]+_[0-9A-Za-z.:_\[\]-]+")
_NICE = 10
_SNAPLEN = 1 << 19


def main(arguments: Sequence[str]) -> int:
    """Make the bundle; return 0, or 1 with one line on standard error."""
    job = json.load(sys.stdin)
    os.nice(_NICE)
    os.umask(0o027)
    try:
        make(job, int(arguments[0]))
    except (Wire502Error, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is what the parent reads
        return 1
    return 0


def make(job: dict[str, Any], descriptor: int) -> Path:
    """Return the folder of the bundle that *job* asks for, of packets in the memory of *descriptor*."""
    folder = Path(job["folder"])
    sweep(folder)
    work = Path(tempfile.mkdtemp(prefix=MAKING, dir=folder))
    held = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a disk of the network that knows no locks
            fcntl.flock(held, fcntl.LOCK_EX)
        capture = work / "packets.pcapng"
        _copy(job, descriptor, capture)
        made = work / "bundle"
        _report(job, capture, made, held)
        for path in made.iterdir():
            _sync(path)
        target = _free_name(folder, _name(job))
        made.rename(target)
        _sync(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(held)
    enforce(folder, int(job["quota"]), target)
    return target


def sweep(folder: Path) -> None:
    """Remove what makers that were killed left."""
    now = datetime.now(UTC).timestamp()
    for path in folder.glob(f"{MAKING}*"):
        with suppress(OSError):  # gone since, or held
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if abs(now - os.fstat(held).st_mtime) > STALE_S:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(held)


def enforce(folder: Path, quota: int, latest: Path) -> None:
    """Remove bundles, oldest first, until all of them fit *quota* octets; *latest* stays."""
    bundles = sorted(path for path in folder.iterdir() if path.is_dir() and NAME.fullmatch(path.name))
    sizes = {path: sum(one.stat().st_size for one in path.iterdir() if one.is_file()) for path in bundles}
    total = sum(sizes.values())
    for path in bundles:
        if total <= quota:
            return
        if path != latest:
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]


def _copy(job: dict[str, Any], descriptor: int, capture: Path) -> None:
    size = os.fstat(descriptor).st_size
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as memory, capture.open("wb") as file:
        # the blocks are in this host's order, with nanoseconds, and know which frames were sent by it
        PcapngWriter(file, big=sys.byteorder == "big").interface(int(job["linktype"]), snaplen=_SNAPLEN)
        for start, used in job["pieces"]:
            file.write(memory[start : start + used])


def _report(job: dict[str, Any], capture: Path, made: Path, held: int) -> None:
    """Have the failure found again in *capture*, and reported, by a process that holds the lock *held* too."""
    chosen = _reading(job["arguments"])
    found = [result for result in read(str(capture), **chosen) if isinstance(result, Failure)]
    ident = _same(job, found)
    if ident is None:
        raise Wire502Error(f"the packets still kept do not show the {job['kind']} any more")
    command = [sys.executable, "-m", "wire502", "report", str(capture), "-o", str(made), "--id", ident]
    done = subprocess.run(  # noqa: S603 - ourselves
        [*command, *job["arguments"]], capture_output=True, check=False, pass_fds=(held,)
    )
    if done.returncode not in (0, 1):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Wire502Error(said[-1] if said else f"report ended with {done.returncode}")


def _reading(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the options of ``report`` as ``read`` takes them."""
    upstream, settings, gateway = [], {}, None
    for option, value in zip(arguments[::2], arguments[1::2], strict=True):
        if option == "--upstream":
            upstream.append(value)
        elif option == "--gateway":
            gateway = value
        elif option == "--set":
            name, _, text = value.partition("=")
            settings[name] = text
    return {"upstream": upstream, "gateway": gateway, "settings": settings}


def _same(job: dict[str, Any], found: Sequence[Failure]) -> str | None:
    """Return the id of the failure that the job is about: on its connection, at its moment or the nearest one."""
    like = [
        one
        for one in found
        if (one.connection.gateway, one.connection.upstream) == (job["gateway"], job["upstream"])
        and one.kind == job["kind"]
    ]
    return min(like, key=lambda one: abs(one.time - job["time"])).id if like else None


def _name(job: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(job["time"] // 1_000_000_000, UTC)
    fraction = job["time"] % 1_000_000_000 // 1000
    upstream = re.sub(r"[^0-9A-Za-z.-]", "-", job["upstream"]).strip("-") or "none"
    return f"{moment:%Y-%m-%dT%H-%M-%S}.{fraction:06}Z_{job['kind']}_{upstream}"


def _free_name(folder: Path, name: str) -> Path:
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}_{number}"
    return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
