"""``wire502 kinds``: the table of the kinds."""

from __future__ import annotations

import click

from wire502.cli.pages import kind_module, kind_names

_GROUPS = {
    "connect": "Connecting",
    "handshake": "TLS handshake",
    "request": "Request",
    "response": "Response",
    "gateway": "Ended by the gateway or its client (no failure of the upstream)",
}


@click.command("kinds", short_help="List the kinds of failure.")
def command() -> None:
    """List the kinds of failure, in the order of an attempt's life; `wire502 explain KIND` tells more.

    \b
    Example:
      wire502 kinds
    """  # noqa: D301 - click's \b keeps the lines as they are
    rows = [(name, kind_module(name)) for name in kind_names()]
    room = max((len(name) for name, _ in rows), default=0)
    groups = dict.fromkeys([*_GROUPS, *(str(getattr(module, "GROUP", "")) for _, module in rows)])
    first = True
    for group in groups:
        members = [(name, module) for name, module in rows if getattr(module, "GROUP", "") == group]
        if not members:
            continue
        click.echo(f"{'' if first else chr(10)}{_GROUPS.get(group, group or 'Other')}")
        first = False
        for name, module in members:
            click.echo(f"  {name:<{room}}  {getattr(module, 'TITLE', '')}".rstrip())
