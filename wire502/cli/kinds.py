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


_CLASSES = {
    "overload": "Server overload",
    "network": "The network between the servers",
    "configuration": "Configuration",
    "downtime": "Downtime",
    "intermediary": "Intermediaries",
    "application": "The application",
    "client": "The client",
}


@click.command("kinds", short_help="List the kinds of failure.")
@click.option("--causes", "causes_too", is_flag=True, help="List the causes instead: why a failure happened.")
def command(causes_too: bool) -> None:
    """List the kinds of failure, in the order of an attempt's life; `wire502 explain NAME` tells more.

    \b
    Examples:
      wire502 kinds
      wire502 kinds --causes
    """  # noqa: D301 - click's \b keeps the lines as they are
    if causes_too:
        _causes()
        return
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


def _causes() -> None:
    from wire502.api import causes

    rules = list(causes().values())
    room = max(len(rule.name) for rule in rules)
    for number, class_ in enumerate(dict.fromkeys(rule.class_ for rule in rules)):
        click.echo(f"{chr(10) if number else ''}{_CLASSES.get(class_, class_)}")
        for rule in rules:
            if rule.class_ == class_:
                click.echo(f"  {rule.name:<{room}}  {rule.title}")
