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
_GET_FLAGS, _GET_HARDWARE, _GET_INDEX = 0x8913, 0x8927, 0x8933
_REQUEST, _NAME = struct.Struct("=16s24s"), 16  # struct ifreq: a name, and behind it what was asked for
_INDEX, _FLAGS = struct.Struct("=i"), struct.Struct("=H")
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


class Watched:
    """The interface *name*, looked at several times a second: what that takes stays open."""

    def __init__(self, name: str, folder: str = _STATISTICS) -> None:
        self._name = name
        self._paths = [f"{folder}/{name}/statistics/{counter}" for counter in _COUNTERS]
        self._files: dict[str, int] = {}
        self._asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._device: Device | None = None

    def device(self) -> Device:
        """Return it as it is now. Raises ``OSError`` (ENODEV) when there is none of this name."""
        known = self._device
        index = _INDEX.unpack_from(_asked(self._asker, _GET_INDEX, self._name), _NAME)[0]
        flags = _FLAGS.unpack_from(_asked(self._asker, _GET_FLAGS, self._name), _NAME)[0]
        if known is None or (index, flags) != (known.index, known.flags):
            known = self._device = Device(self._name, index, _hardware(self._asker, self._name), flags)
        return known

    def lost(self) -> int:
        """Return how many frames it says it lost since it exists, for want of room; 0 where it does not say.

        Its ``rx_dropped`` is not among them: that counts frames of protocols which nobody asked for, too.
        """
        total = 0
        for path in self._paths:
            with suppress(OSError, ValueError):
                total += int(self._counter(path))
        return total

    def close(self) -> None:
        """Close what is open."""
        self._asker.close()
        for path in list(self._files):
            os.close(self._files.pop(path))

    def _counter(self, path: str) -> bytes:
        if path in self._files:
            try:
                return os.pread(self._files[path], 32, 0)
            except OSError:  # of an interface that is gone; another one may have its name
                os.close(self._files.pop(path))
        self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(self._files[path], 32, 0)


def _device(name: str, index: int) -> Device:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        flags = _FLAGS.unpack_from(_asked(asker, _GET_FLAGS, name), _NAME)[0]
        return Device(name, index, _hardware(asker, name), flags)


def _hardware(asker: socket.socket, name: str) -> int:
    return int(_FLAGS.unpack_from(_asked(asker, _GET_HARDWARE, name), _NAME)[0])


def _asked(asker: socket.socket, what: int, name: str) -> bytes:
    """Return the ``struct ifreq`` that the kernel answers with."""
    from fcntl import ioctl

    return ioctl(asker, what, _REQUEST.pack(name.encode()[:15], bytes(24)))
