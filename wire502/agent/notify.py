"""What the service manager is told, by systemd's protocol: datagrams to the socket named in ``NOTIFY_SOCKET``."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from wire502.agent.parts import Part


class Notifier(Part):
    """Tells READY, STATUS, STOPPING and the watchdog's sign of life; without a manager it does nothing.

    It connects when it is made: later the right to do so may be gone.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        environment = dict(os.environ) if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self._next = 0.0
        microseconds = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every = int(microseconds) / 2e6 if microseconds.isdecimal() and mine else None
        if address[:1] in ("/", "@"):
            found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            found.setblocking(False)
            try:
                found.connect("\0" + address[1:] if address[0] == "@" else address)
                self._socket = found
            except OSError:
                found.close()

    def ready(self, status: str) -> None:
        """Say that frames are being read."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """Say how it goes, in one line."""
        self._send(f"STATUS={text}")

    def beat(self, now: float) -> None:
        """Say that the loop turns."""
        if self._every is not None and now >= self._next:
            self._next = now + self._every
            self._send("WATCHDOG=1")

    def reopen(self) -> None:
        """Say that a reload was done."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._send("READY=1")

    def close(self) -> None:
        """Say that this ends."""
        self._send("STOPPING=1")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # a manager that does not read does not stop us
                self._socket.send(text.encode())
