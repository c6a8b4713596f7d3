"""What the commands that write evidence share. No command itself."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wire502.cli.terminal import say
from wire502.errors import CaptureError
from wire502.settings import assignments

_LEAST_KEY, _MOST_KEY = 16, 4096
Command = TypeVar("Command", bound=Callable[..., object])

if TYPE_CHECKING:
    from wire502.evidence import Findings, Options
    from wire502.report.json import Precision


def no_pipe(captures: Sequence[str]) -> None:
    """Refuse inputs that can be read once only: evidence takes a second look."""
    for path in captures:
        if path == "-" or (Path(path).exists() and not stat.S_ISREG(Path(path).stat().st_mode)):
            raise click.UsageError(f"{path} cannot be read twice; save it to a file first")


def reading_options(
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
    *,
    redacted: bool,
    context: float = 0,
    ident: str | None = None,
    anonymised: bool = False,
    key: str | None = None,
) -> Options:
    """Return the options of the command line in one record; *key* is the file that holds one."""
    from wire502.evidence import Addresses, Options
    from wire502.gateways import names

    name = (gateway or "").partition(":")[0]
    if gateway is not None and name not in names():
        raise click.UsageError(f"no gateway is called {name!r}; known are: {', '.join(names())}")
    pairs = tuple(sorted((key, str(value)) for key, value in assignments(settings).items()))
    addresses = Addresses(_key(key)) if anonymised or key is not None else None
    return Options(upstream, gateway, pairs, redacted, context, ident, addresses is not None, addresses)


def _key(path: str | None) -> bytes:
    """Return the key in the file *path*, or one that nobody will ever see."""
    if path is None:
        from secrets import token_bytes

        return token_bytes(32)
    try:
        with Path(path).open("rb") as file:
            key = file.read(_MOST_KEY).strip()
    except OSError as error:
        raise click.UsageError(f"cannot read the key {path}: {error.strerror}") from error
    if len(key) < _LEAST_KEY:
        raise click.UsageError(
            f"the key in {path} is too short: {_LEAST_KEY} octets at least, so that nobody guesses it"
        )
    return key


def anonymising(command: Command) -> Command:
    """Add the options that say with what addresses are mapped."""
    for option in (
        click.option("--key", metavar="FILE", help="Map them with the key in this file: the same each time."),
        click.option("--anonymise", "anonymised", is_flag=True, help="Map all addresses, prefix-preservingly."),
    ):  # fmt: skip
        command = option(command)
    return command


def findings(captures: Sequence[str], options: Options) -> tuple[Findings, Precision, int]:
    """Read *captures*; return what was found, the digits of its times and the exit status."""
    from wire502.api import read
    from wire502.evidence import Findings

    reading = read(*captures, upstream=options.upstream, gateway=options.gateway, settings=dict(options.settings))
    found = Findings.of(reading)
    if reading.unreadable:  # the second look needs every one of them
        raise reading.unreadable[0]
    for damage in reading.damage:
        say(str(CaptureError(damage.path, damage.offset, damage.reason, damage.way_out)))
    return found, reading.precision, 3 if reading.damage else 0


def shown(found: Findings, options: Options) -> Findings:
    """Return *found* as it may be written: without query values, unless that was asked for."""
    from wire502.api import redaction
    from wire502.report.redact import redact

    if not options.redacted or "query" not in redaction(dict(options.settings)):
        return found
    return _each(found, redact)


def anonymous(found: Findings, options: Options) -> Findings:
    """Return *found* with other addresses, if that was asked for."""
    return found if options.addresses is None else _each(found, options.addresses.record)


def _each(found: Findings, change: Callable[[Any], Any]) -> Findings:
    from wire502.evidence import Findings

    return Findings(
        [change(one) for one in found.failures],
        [change(one) for one in found.incidents],
        change(found.summary) if found.summary else None,
    )
