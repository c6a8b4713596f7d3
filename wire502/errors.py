"""The errors that a user of wire502 can cause or meet. Each prints as one line that names the way out."""

from __future__ import annotations


class Wire502Error(Exception):
    """Base of every error that wire502 raises on purpose."""


class CaptureError(Wire502Error):
    """An input that cannot be opened, or that is no capture.

    *offset* counts octets from the start of the input (decompressed, if it was compressed); *reason* says what is
    wrong in words that follow the file's name; *way_out* what to do about it.
    """

    def __init__(self, path: str, offset: int, reason: str, way_out: str = "") -> None:
        super().__init__(path, offset, reason, way_out)
        self.path = path
        self.offset = offset
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        where = f"{self.path}: octet {self.offset}" if self.offset else self.path
        return f"{where}: {self.reason}" + (f" ({self.way_out})" if self.way_out else "")


class SettingError(Wire502Error):
    """A setting that does not exist, or a value that it cannot take."""
