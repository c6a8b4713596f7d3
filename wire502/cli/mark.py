"""``wire502 mark``: the whole capture, with comments on the frames that decide something."""

from __future__ import annotations

from pathlib import Path

import click

from wire502.cli.evidence import anonymising, findings, no_pipe, reading_options, shown
from wire502.cli.terminal import say


@click.command("mark", short_help="Copy a capture with comments on the decisive frames.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", required=True, help="The pcapng file to write.")
@click.option("--no-redact", is_flag=True, help="Leave secrets in: the file is for you alone.")
@anonymising
@click.option("--upstream", metavar="ADDR[:PORT]", multiple=True, help="This is an upstream, whatever it looks like.")
@click.option("--gateway", metavar="NAME[:VERSION]", help="What the gateway is (see: wire502 gateways).")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting (see: wire502 settings).")
def command(
    captures: tuple[str, ...],
    output: str,
    no_redact: bool,
    anonymised: bool,
    key: str | None,
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
) -> int:
    """Copy a capture to pcapng with a comment on each frame that a verdict rests on.

    \b
    Example:
      wire502 mark capture.pcap -o marked.pcapng
      tshark -r marked.pcapng -Y frame.comment

    Every frame stays, with its number; several captures are merged by time. Secrets are overwritten at equal length
    unless --no-redact is given.

    Exit status: 0 written, 2 nothing could be read or written, 3 read in part.
    """  # noqa: D301 - click's \b keeps the lines as they are
    from wire502.evidence import mark

    no_pipe(captures)
    out = Path(output)
    if any(out.exists() and Path(path).exists() and out.samefile(path) for path in captures):
        raise click.UsageError(f"{output} is a capture that is read; write to another file")
    options = reading_options(upstream, gateway, settings, redacted=not no_redact, anonymised=anonymised, key=key)
    found, _, status = findings(captures, options)
    marked = mark(out, captures, shown(found, options), options)
    say(f"wrote {output}, with comments on {marked} frame{'' if marked == 1 else 's'}")
    return status
