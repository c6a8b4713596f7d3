"""``wire502 read --log``: lines of log files, streamed, and where they stand among the results."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from wire502.api import ExchangeLine, Reading, Result, Summary, reconciler

_LINE = 65_536  # octets of a line that are kept
_GZIP = b"\x1f\x8b"


class Logs:
    """The log files of one run. They are opened at once, so that a wrong name is told before the work."""

    def __init__(
        self, paths: tuple[str, ...], *, gateway: str | None, slack_s: float, zone_s: int, everything: bool
    ) -> None:
        self._files = [(path, _open(path)) for path in paths]
        self._everything = everything
        self._reconciler = reconciler(gateway=gateway, slack_ns=round(slack_s * 1e9), zone_s=zone_s)
        self.see = self._reconciler.see
        self.unreadable: list[str] = []

    def among(self, results: Iterable[Result], reading: Reading) -> Iterator[Result]:
        """Yield *results*, with what became of the logs before the summary, and exchanges only if wanted."""
        for result in results:
            if isinstance(result, Summary):
                yield from filter(reading.wanted, self._compared(lambda: reading.stopped))
            if self._everything or not isinstance(result, ExchangeLine):
                yield result

    def _compared(self, stopped: Callable[[], bool]) -> Iterator[Result]:
        for path, file in self._files:
            yield from self._reconciler.compare(path, self._lines(path, file, stopped), everything=self._everything)
        if not stopped():
            yield from self._reconciler.silences()
        yield self._reconciler.summary()

    def _lines(self, path: str, file: BinaryIO, stopped: Callable[[], bool]) -> Iterator[str]:
        """Yield the lines of *file* one by one; of an endless one only the beginning."""
        try:
            with file:
                while not stopped() and (octets := file.readline(_LINE)):
                    yield octets.decode("utf-8", "backslashreplace").rstrip("\r\n")
                    while len(octets) == _LINE and octets[-1:] != b"\n" and not stopped():
                        octets = file.readline(_LINE)
        except (OSError, EOFError, zlib.error) as error:
            self.unreadable.append(f"{path}: {error}")

    def close(self) -> None:
        """Close the files."""
        for _, file in self._files:
            file.close()


def _open(path: str) -> BinaryIO:
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by who reads it
        begins = file.peek(2)[:2]
    except OSError as error:
        raise click.UsageError(f"--log {path}: {error.strerror}") from None
    if begins != _GZIP:
        return file
    packed: Any = gzip.GzipFile(fileobj=file)
    packed.myfileobj = file  # which closes it too
    return cast(BinaryIO, packed)
