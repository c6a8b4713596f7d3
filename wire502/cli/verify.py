"""``wire502 verify``: is a bundle what it says it is?"""

from __future__ import annotations

import click

from wire502.cli.terminal import say


@click.command("verify", short_help="Check a bundle of evidence.")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
def command(folder: str) -> int:
    """Check a bundle that `wire502 report` wrote: that nothing was changed, and that its packets give its verdicts.

    \b
    Example:
      wire502 verify incident

    What is wrong is named, a line each: the file, and for evidence.pcapng the frame. The source is not needed.

    Exit status: 0 all is as it was written, 1 something is not, 2 there is no bundle.
    """  # noqa: D301 - click's \b keeps the lines as they are
    from pathlib import Path

    from wire502.evidence import verify

    wrong = verify(Path(folder))
    for sentence in wrong:
        say(sentence)
    if not wrong:
        click.echo("every file is as it was written, and the packets give the same verdicts")
    return int(bool(wrong))
