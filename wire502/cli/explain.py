"""``wire502 explain``: the page of a kind or a cause; with ``--log TEXT`` the kinds that fit a log line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from wire502.cli.gateways import condition, outcome
from wire502.cli.pages import kind_module, kind_names, page
from wire502.cli.terminal import width
from wire502.gateways import KINDS, Fit, Said, cases, fits, said


@click.command("explain", short_help="Tell what a kind of failure, a cause or a log line means.")
@click.argument("name", required=False)
@click.option("--log", metavar="TEXT", help="A line of a gateway's log, a piece of one, or a flag as SH-- or UC.")
def command(name: str | None, log: str | None) -> int:
    """Tell what a kind of failure or a cause is, how it is known, what it is mistaken for, what to check next.

    With --log, list the kinds of failure that make a gateway write this, and what tells them apart on the wire.

    \b
    Examples:
      wire502 explain rst_before_response
      wire502 explain keepalive_mismatch
      wire502 explain --log 'upstream prematurely closed connection'
      wire502 explain --log AH01102
      wire502 kinds
    """  # noqa: D301 - click's \b keeps the lines as they are
    if (name is None) == (log is None):
        raise click.UsageError("give a NAME or a --log line (see: wire502 explain --help)")
    if log is not None:
        return _explain_log(log)
    click.echo(page(name or ""))
    return 0


def _explain_log(text: str) -> int:
    found, meanings, columns = fits(text), said(text), width()
    if meanings or any(fit.exact for fit in found):
        found = [fit for fit in found if fit.exact]
    if not found and not meanings:
        click.echo("No gateway's table has a line like this. See: wire502 gateways")
        return 1
    _tell(meanings, found, columns)
    if not found:
        return 0
    by_kind = {kind: [fit for fit in found if fit.kind == kind] for kind in KINDS}
    by_kind = {kind: some for kind, some in by_kind.items() if some}
    click.echo(f"{len(by_kind)} kind{'s' * (len(by_kind) > 1)} of failure can be behind this. What tells them apart:")
    for kind, some in by_kind.items():
        click.echo(f"\n{kind}{_title(kind)}")
        for line in _wire(kind, some):
            click.echo(
                "\n".join(textwrap.wrap(line, columns, initial_indent="  on the wire: ", subsequent_indent="    "))
            )
        for line in _gateways(some):
            click.echo(f"  {line}")
    click.echo("\nA page each: wire502 explain KIND, wire502 gateways NAME")
    return 0


def _tell(meanings: list[Said], found: list[Fit], columns: int) -> None:
    """Say what states, flags and messages mean, and the kinds beside which they are seen if no table says better."""
    for one in meanings:
        click.echo(
            "\n".join(textwrap.wrap(f"{one.word} ({one.gateway}): {one.means}", columns, subsequent_indent="  "))
        )
        if found:
            continue
        if not one.kinds:
            click.echo("  no failure of an attempt by itself")
        for kind in one.kinds:
            click.echo(f"  {kind}{_title(kind)}")
    if meanings:
        click.echo("" if found else "\nA page each: wire502 explain KIND, wire502 gateways NAME")


def _title(kind: str) -> str:
    return f"  {getattr(kind_module(kind), 'TITLE', '')}" if kind in kind_names() else ""


def _wire(kind: str, some: list[Fit]) -> Iterator[str]:
    """Yield how the wire shows the cases that fit; the first case of a kind stands for the usual one."""
    usual = [case for case in cases().values() if case.kind == kind][:1]
    told = []
    for fit in some:
        named = [cases()[name] for name in fit.variant.cases]
        if not named:
            named = [
                case for case in cases().values() if case.kind == kind and case.when and case.when == fit.variant.when
            ]
        told += named or usual
    yield from dict.fromkeys(case.wire for case in told)


def _gateways(some: list[Fit]) -> Iterator[str]:
    """Yield what the gateways that write this do then; where only a part fits, the whole lines below."""
    doing: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = {}
    for fit in some:
        one = fit.variant
        when = condition(one) if one.when or one.before or one.since else ""
        does = outcome(one.answer) + (f" ({when})" if when else "")
        name = fit.gateway if fit.module == "http" else f"{fit.gateway} {fit.module}"
        doing.setdefault(does, []).append(name)
        if not fit.exact:
            lines.setdefault(does, []).append(fit.template)
    for does, who in doing.items():
        yield f"{', '.join(sorted(set(who)))}: {does}"
        yield from (f"    {line}" for line in dict.fromkeys(lines.get(does, ())))
