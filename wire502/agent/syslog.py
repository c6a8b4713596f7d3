"""One line for each failure and incident to the journal of systemd, or to syslog (RFC 3164, as /dev/log takes it).

Logs are shared: the values of queries are masked.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Sequence
from typing import Literal

from wire502.agent.parts import Part
from wire502.api import Failure, Incident, Result
from wire502.errors import SettingError
from wire502.model.text import redact_text
from wire502.model.verdict import QUIET_KINDS
from wire502.report.plain import plain

Where = Literal["journal", "syslog"]
SOCKETS: dict[Where, str] = {"journal": "/run/systemd/journal/socket", "syslog": "/dev/log"}
MOST = 2000  # octets of a line; a datagram of syslog may not be longer everywhere
_DAEMON = 3 << 3
_ERR, _WARNING, _NOTICE = 3, 4, 5


class Syslog(Part):
    """Tells *where* of failures (warning; notice where a retry made it good) and of what clients got (error).

    The socket is connected when this is made; raises ``SettingError`` where nobody listens. What it does not take at
    once is counted in ``lost``, and the socket is looked for again.
    """

    def __init__(self, where: Where, path: str | None = None) -> None:
        self._where = where
        self._path = SOCKETS[where] if path is None else path
        self.lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        try:
            self._socket.connect(self._path)
        except OSError as error:
            self._socket.close()
            raise SettingError(f"--log-to {where}: {self._path}: {error.strerror}") from error

    def results(self, results: Sequence[Result]) -> None:
        """Tell of what is worth a line."""
        for result in results:
            if isinstance(result, Failure):
                quiet = result.masked or result.kind in QUIET_KINDS
                self._tell(_NOTICE if quiet else _WARNING, _failure(result), _fields(result))
            elif isinstance(result, Incident):
                got = result.client_status if result.client_status is not None else result.outcome
                line = f"{result.id}: {got} to {result.client}: {result.summary}"
                self._tell(_ERR, line, {"WIRE502_ID": result.id, "WIRE502_OUTCOME": result.outcome})

    def counts(self) -> dict[str, int]:
        """Return how many lines nobody took."""
        return {"lost_log": self.lost}

    def close(self) -> None:
        """Go."""
        self._socket.close()

    def _tell(self, priority: int, text: str, fields: dict[str, str]) -> None:
        text = plain(redact_text(text))
        if self._where == "journal":
            octets = journal({"MESSAGE": text, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": "wire502", **fields})
        else:
            octets = line(priority, text, time.localtime())
        try:
            self._socket.send(octets)
        except OSError:
            self.lost += 1
            self._again()

    def _again(self) -> None:
        try:
            self._socket.connect(self._path)  # the daemon was restarted
        except OSError:
            return


def journal(fields: dict[str, str]) -> bytes:
    """Return a datagram of the journal's own protocol; values may hold anything."""
    parts = []
    for name, value in fields.items():
        octets = value.encode(errors="backslashreplace")[:MOST]
        if b"\n" in octets:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(octets)) + octets + b"\n")
        else:
            parts.append(name.encode() + b"=" + octets + b"\n")
    return b"".join(parts)


def line(priority: int, text: str, now: time.struct_time) -> bytes:
    """Return a line as ``/dev/log`` takes it: no line breaks, no more octets than it takes."""
    day = f"{time.strftime('%b', now)} {now.tm_mday:2} {time.strftime('%H:%M:%S', now)}"
    head = f"<{_DAEMON | priority}>{day} wire502[{os.getpid()}]: "
    return (head + " ".join(text.split())).encode(errors="backslashreplace")[:MOST]


def _failure(failure: Failure) -> str:
    masked = " (made good by a retry)" if failure.masked else ""
    return (
        f"{failure.id}: {failure.kind}, at fault: {failure.at_fault}, {failure.confidence}{masked}: {failure.summary}"
    )


def _fields(failure: Failure) -> dict[str, str]:
    return {
        "WIRE502_ID": failure.id,
        "WIRE502_KIND": failure.kind,
        "WIRE502_UPSTREAM": failure.connection.upstream,
        "WIRE502_AT_FAULT": failure.at_fault,
        "WIRE502_CAUSE": failure.causes[0].name if failure.causes else "",
    }
