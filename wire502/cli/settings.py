"""``wire502 settings``: the table of the settings."""

from __future__ import annotations

import click

from wire502.settings import SETTINGS


@click.command("settings", short_help="List the settings and their defaults.")
def command() -> None:
    """List the settings with their defaults; `read --set NAME=VALUE` changes one.

    \b
    Examples:
      wire502 settings
      wire502 read capture.pcap --set first_byte_deadline=30s --set gateway_timeouts=10s,60s
    """  # noqa: D301 - click's \b keeps the lines as they are
    names = max(len(setting.name) for setting in SETTINGS)
    defaults = max(len(setting.default_text) for setting in SETTINGS)
    for setting in SETTINGS:
        click.echo(f"{setting.name:<{names}}  {setting.default_text:<{defaults}}  {setting.meaning}")
