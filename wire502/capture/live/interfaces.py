"""Network interfaces: their names, what their frames look like, whether they are up, what they lost."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress

from wire502.model.records import record

ANY = "any"
ETHERNET, LOOPBACK = 1, 772  # hardware types whose frames begin with an Ethernet header
UP, RUNNING = 0x1, 0x40
_GET_FLAGS, _GET_HARDWARE = 0x8913, 0x8927
_REQUEST = struct.Struct("=16sH14s")  # struct ifreq, as far as it is read here, and then some
_COUNTERS = ("rx_missed_errors", "rx_fifo_errors")
_STATISTICS = "/sys/class/net"


@record(frozen=True)
class Device:
    """A network interface of this host; *hardware* is its ARPHRD_ type."""

    name: str
    index: int
    hardware: int
    flags: int

    @property
    def ethernet(self) -> bool:
        """Whether its frames begin with an Ethernet header."""
        return self.hardware in (ETHERNET, LOOPBACK)

    @property
    def loopback(self) -> bool:
        """Whether it is the host's own interface to itself."""
        return self.hardware == LOOPBACK

    @property
    def state(self) -> str:
        """Return ``up``, ``up, no carrier`` or ``down``."""
        if not self.flags & UP:
            return "down"
        return "up" if self.flags & RUNNING else "up, no carrier"


def devices() -> list[Device]:
    """Return the interfaces of this host (of its network namespace), by index."""
    found = []
    for index, name in socket.if_nameindex():
        with suppress(OSError):  # gone since
            found.append(_device(name, index))
    return sorted(found, key=lambda device: device.index)


def device(name: str) -> Device:
    """Return the interface *name*. Raises ``OSError`` (ENODEV) when there is none."""
    return _device(name, socket.if_nametoindex(name))


def index_of(name: str) -> int | None:
    """Return the index of the interface *name*, None when there is none."""
    with suppress(OSError):
        return socket.if_nametoindex(name)
    return None


def lost(name: str, folder: str = _STATISTICS) -> int:
    """Return how many frames the interface says it lost since it exists, for want of room; 0 where it does not say.

    Its ``rx_dropped`` is not among them: that counts frames of protocols which nobody asked for, too.
    """
    total = 0
    for counter in _COUNTERS:
        with suppress(OSError, ValueError):
            descriptor = os.open(f"{folder}/{name}/statistics/{counter}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                total += int(os.read(descriptor, 32))
            finally:
                os.close(descriptor)
    return total


def _device(name: str, index: int) -> Device:
    from fcntl import ioctl

    request = _REQUEST.pack(name.encode()[:15], 0, bytes(14)) + bytes(8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        flags = _REQUEST.unpack_from(ioctl(asker, _GET_FLAGS, request))[1]
        hardware = _REQUEST.unpack_from(ioctl(asker, _GET_HARDWARE, request))[1]
    return Device(name, index, hardware, flags)
