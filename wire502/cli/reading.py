"""What ``wire502 read`` does. Nothing here needs click, which takes as long to load as all the rest (see ``plain``)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from wire502.api import Filter, Reading, Result, read
from wire502.cli.terminal import Progress, say
from wire502.cli.writers import Out, Writer, json_pen, json_writer, put, put_octets, redacting, text_writer
from wire502.errors import CaptureError
from wire502.settings import assignments

if TYPE_CHECKING:
    from wire502.cli.logs import Logs


def run(
    captures: tuple[str, ...],
    *,
    as_json: bool = False,
    everything: bool = False,
    kinds: tuple[str, ...] = (),
    to: str | None = None,
    host: str | None = None,
    path: str | None = None,
    since: Any = None,
    until: Any = None,
    limit: int | None = None,
    upstream: tuple[str, ...] = (),
    gateway: str | None = None,
    logs: tuple[str, ...] = (),
    log_slack: float = 2.0,
    log_zone: int = 0,
    follow: bool = False,
    settings: tuple[str, ...] = (),
    exit_code: bool = False,
    quiet: bool = False,
    local: bool = False,
    redacted: bool = False,
    color: str = "auto",
    report: str | None = None,
    jobs: int = 1,
) -> int:
    """Read, print, and return the exit status; the arguments are the options of the command, and make sense."""
    book = None
    if logs:
        from wire502.cli import logs as files

        book = files.Logs(logs, gateway=gateway, slack_s=log_slack, zone_s=log_zone, everything=everything)
    keeper = None
    if report is not None:
        from wire502.cli.keeping import Keeper

        keeper = Keeper(report, captures, upstream, gateway, settings, follow=follow)
    pen = None
    progress = Progress(wanted=not quiet)
    options: dict[str, Any] = {
        "upstream": upstream,
        "gateway": gateway,
        "all": everything or book is not None,
        "settings": assignments(settings),
        "filter": Filter(frozenset(kinds), to, host, path, since, until, limit),
    }
    if jobs > 1 and len(captures) > 1:
        from wire502.cli.jobs import SideBySide

        reading: Reading = SideBySide(captures, jobs, options)
    else:
        witness = _witness(None if book is None else book.see, None if keeper is None else keeper.see)
        pen = json_pen() if as_json and everything and not redacted else None
        reading = read(*captures, **options, follow=follow, progress=progress, witness=witness, pen=pen)
    write = json_writer(reading) if as_json else text_writer(reading, everything, quiet, local, color)
    if redacted:
        write = redacting(write)
    if keeper is not None:
        write = keeper.keeping(write)
    before = signal.signal(signal.SIGINT, _interrupt(reading))
    try:
        _print(reading, write, put if pen is None else put_octets, progress, book)
    finally:
        signal.signal(signal.SIGINT, before)
        progress.clear()
        reading.close()
        if book is not None:
            book.close()
    status = _status(reading, exit_code=exit_code)
    if keeper is not None and not reading.stopped:
        keeper.write(reading)
    if book is None or not book.unreadable:
        return status
    for trouble in book.unreadable:
        say(trouble)
    return max(status, 3)


def _witness(*several: Callable[[Result], None] | None) -> Callable[[Result], None] | None:
    """Return what tells each result to all of *several* that are there; None for none."""
    there = [one for one in several if one is not None]
    if len(there) < 2:
        return there[0] if there else None

    def tell(result: Result) -> None:
        for one in there:
            one(result)

    return tell


def _print(reading: Reading, write: Writer, out: Out, progress: Progress, book: Logs | None) -> None:
    for group in reading.batches():
        if book is None:
            out(group, write, progress)
        else:
            for result in book.among(group, reading):  # of a log, one line at a time
                out((result,), write, progress)


def _status(reading: Reading, *, exit_code: bool) -> int:
    for error in reading.unreadable:
        say(str(error))
    for damage in reading.damage:
        say(str(CaptureError(damage.path, damage.offset, damage.reason, damage.way_out)))
    if reading.stopped:
        return 130
    if reading.damage or reading.unreadable:
        return 3
    return int(exit_code and reading.failed > 0)


def _interrupt(reading: Reading) -> Callable[[int, FrameType | None], None]:
    """Return a handler of Ctrl-C: the first one ends the reading in good order, the second one at once."""

    def handler(_signal: int, _frame: FrameType | None) -> None:
        again = reading.stopped
        reading.stop()
        if again or reading.waiting:
            raise KeyboardInterrupt

    return handler
