"""Two network namespaces with a cable between them, made for a measurement and removed behind it. Needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

NEAR, FAR = "near0", "far0"
_MTU = 9000  # frames with VLAN tags are longer than 1500 octets


def why_not() -> str | None:
    """Why there can be no cable here, None if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "needs root: packets are sent and captured in network namespaces"
    for program, package in (("ip", "iproute2"), ("tcpdump", "tcpdump"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            return f"needs {program} ({package})"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"network namespaces are not allowed here: {tried.stderr.strip()}"


class Cable:
    """What is sent on ``NEAR`` arrives on ``FAR``, and nothing else does: no address, no ARP, no IPv6 of the hosts."""

    def __init__(self) -> None:
        self._names = [f"w502-{os.getpid()}-{end}" for end in ("near", "far")]

    def __enter__(self) -> Self:
        try:
            for name in self._names:
                _ip("netns", "add", name)
            near, far = self._names
            _ip("link", "add", NEAR, "netns", near, "type", "veth", "peer", "name", FAR, "netns", far)
            for name, link in zip(self._names, (NEAR, FAR), strict=True):
                _ip("-n", name, "link", "set", link, "addrgenmode", "none")
                _ip("-n", name, "link", "set", link, "mtu", str(_MTU), "arp", "off", "up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._names:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", name)

    def at_near(self, *command: str) -> list[str]:
        """`command`, run where frames are sent."""
        return ["ip", "netns", "exec", self._names[0], *command]

    def at_far(self, *command: str) -> list[str]:
        """`command`, run where they arrive."""
        return ["ip", "netns", "exec", self._names[1], *command]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """`command` on one core of those that this process may use, the last one if there are fewer."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[min(core, len(cores) - 1)]), *command]
