"""What the terminal is and can: colours, width, characters; and the lines that go to standard error."""

from __future__ import annotations

import os
import sys
import time

from wire502.report.plain import plain

_PIPE_WIDTH = 80
_BAR = 24
_FIRST_AFTER_S = 1.0  # work that is done sooner needs no bar
_EVERY_S = 0.1


def say(text: str) -> None:
    """Write one line to standard error; a file's name may hold anything, so it is made visible first."""
    try:
        sys.stderr.write(f"wire502: {plain(text)}\n")
    except UnicodeEncodeError:
        sys.stderr.write(f"wire502: {text!a}\n")
    except OSError:
        pass  # nobody listens


def wants_color(choice: str) -> bool:
    """Whether to colour standard output; ``auto``: on a terminal that can, unless NO_COLOR is set."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the columns to fill: the terminal's, 80 for a pipe."""
    if not sys.stdout.isatty():
        return _PIPE_WIDTH
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _PIPE_WIDTH
    except (OSError, ValueError):
        return _PIPE_WIDTH


def ascii_only() -> bool:
    """Whether standard output cannot take the arrows of a report."""
    return not (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")


class Progress:
    """A bar on standard error, on a terminal only, and only for work that lasts."""

    def __init__(self, *, wanted: bool = True) -> None:
        self._on = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + _FIRST_AFTER_S
        self._drawn = False

    def __call__(self, done: int, size: int | None) -> None:
        """Draw *done* octets of *size*, if it is time."""
        if not self._on or (now := time.monotonic()) < self._next:
            return
        self._next = now + _EVERY_S
        self._drawn = True
        text = f"{done / 2**20:,.0f} MiB read"
        if size:
            share = min(done / size, 1.0)
            text = f"{'━' * round(share * _BAR):<{_BAR}} {share:4.0%}  {text}"
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away, so that other lines can be written."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False
