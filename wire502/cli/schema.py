"""``wire502 schema``: the JSON Schema of the output."""

from __future__ import annotations

import json

import click

from wire502.report.schema import schema


@click.command("schema", short_help="Print the JSON Schema of `read --json`.")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of the lines of `read --json`.

    \b
    Example:
      wire502 schema > wire502.schema.json
    """  # noqa: D301 - click's \b keeps the lines as they are
    click.echo(json.dumps(schema(), indent=2))
