"""``wire502 explain KIND``: the page of a kind."""

from __future__ import annotations

import click

from wire502.cli.pages import kind_module


@click.command("explain", short_help="Tell what a kind of failure is.")
@click.argument("kind")
def command(kind: str) -> None:
    """Tell what a kind of failure is, how it is known, what it is mistaken for, and what to check next.

    \b
    Examples:
      wire502 explain rst_before_response
      wire502 kinds
    """  # noqa: D301 - click's \b keeps the lines as they are
    from inspect import cleandoc

    module = kind_module(kind)
    click.echo(cleandoc(module.__doc__ or "This kind has no page."))
