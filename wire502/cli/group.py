"""The command ``wire502``: a group that loads a command's file when the command is called."""

from __future__ import annotations

import os
from importlib import import_module

import click

# name of the command, which is also that of its module, and its line in `wire502 --help`
COMMANDS = {
    "read": "Find the failed requests of a capture, each with the frame that doomed it.",
    "live": "Find them as they happen, on the gateway's own interfaces.",
    "report": "Write a bundle of evidence for a ticket: report, packets, and what checks them.",
    "verify": "Check that a bundle of evidence is what it says.",
    "mark": "Copy a capture with a comment on each decisive frame.",
    "explain": "Tell what a kind of failure is, and what to check next; or what a log line means.",
    "kinds": "List the kinds of failure.",
    "gateways": "Tell what gateways make of each kind of failure.",
    "settings": "List the settings and their defaults.",
    "schema": "Print the JSON Schema of the lines of `read --json`.",
}


class LazyGroup(click.Group):
    """Knows its commands by name only, until one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load the command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"wire502.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the command, or say which one was meant."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from wire502.settings import near_miss

            hint = near_miss(args[0], COMMANDS)
            if os.path.exists(args[0]):  # noqa: PTH110 - pathlib would cost more than all the rest of the start
                hint = f"; did you mean: wire502 read {args[0]}"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from platform import python_version

    from wire502 import __version__
    from wire502._build import compiled_kernels

    kernels = compiled_kernels()
    plain = [name for name, compiled in kernels.items() if not compiled]
    click.echo(f"wire502 {__version__}, Python {python_version()}")
    click.echo(f"compiled kernels: {len(kernels) - len(plain)} of {len(kernels)}")
    for name in plain:
        click.echo(f"  not compiled: {name}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
              help="Say the version, and which kernels are compiled.")  # fmt: skip
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Name the exact frame that doomed each failed HTTP request between a gateway and its upstream.

    \b
    Examples:
      wire502 read capture.pcap
      wire502 read capture.pcap --json
      wire502 explain rst_before_response
    """  # noqa: D301 - click's \b keeps the lines as they are
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
