"""Text without anything that a terminal would obey, by itself: who only has one line to say loads nothing else."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return *text* with everything that is no visible character written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(ord(char)) for char in text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
