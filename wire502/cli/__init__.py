"""The command line: ``main`` runs it, each command is a file of its own and is loaded when it is called.

Exit status: 0 read whole · 1 with ``--exit-code`` and at least one failure · 2 usage, or nothing could be read ·
3 an input is damaged or missing, results are partial · 70 a defect of wire502 · 130 after Ctrl-C. A closed pipe
ends quietly with 0. Errors are one line on standard error.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

USAGE, DEFECT, INTERRUPTED = 2, 70, 130
_COLLECT_SELDOM = (1_500_000, 50, 100)  # more than the connections that are followed by default are made of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with *arguments* (``sys.argv`` without) and return the exit status."""
    if arguments is None:  # a process of our own, not a call inside another program
        _seldom_collect()
        arguments = sys.argv[1:]
    from wire502.errors import Wire502Error

    try:
        status = _run(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Wire502Error as error:
        return _say(str(error), USAGE)
    except OSError as error:  # the inputs' errors are CaptureErrors: this one is about the output
        _forget_stdout()
        return _say(f"cannot write the output: {error.strerror or error}", USAGE)
    except Exception as error:
        return _ended(error)
    return status if isinstance(status, int) else 0


def _run(arguments: list[str]) -> object:
    """Return what the command returns that *arguments* name."""
    from wire502.cli.plain import plain_read

    completing = "_WIRE502_COMPLETE" in os.environ  # the shell asks for completions
    if not completing and (plain := plain_read(arguments)) is not None:
        from wire502.cli.reading import run

        captures, switches = plain
        return run(captures, **switches)
    from wire502.cli.group import cli

    if completing:
        cli.main(prog_name="wire502")
    # not cli.main: it answers a closed pipe with status 1, whatever its mode
    with cli.make_context("wire502", arguments) as ctx:
        return cli.invoke(ctx)


def _ended(error: Exception) -> int:
    """Return the exit status for what click raises to end a run, or for a defect."""
    import click

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.UsageError):
        text = error.format_message()
        if "see:" not in text:
            text += f" (see: {error.ctx.command_path if error.ctx else 'wire502'} --help)"
        return _say(text, USAGE)
    if isinstance(error, click.ClickException):
        return _say(error.format_message(), USAGE)
    if os.environ.get("WIRE502_DEBUG"):
        raise error
    text = f"{type(error).__name__}: {error}"
    return _say(f"defect, please report it: {text} (WIRE502_DEBUG=1 shows where)", DEFECT)


def _seldom_collect() -> None:
    """Let the cycle collector of this process rest: connections are let go without it.

    Looking through a million of them, again and again and once more at the interpreter's end, costs more than reading
    them.
    """
    gc.set_threshold(*_COLLECT_SELDOM)
    atexit.register(gc.freeze)


def _say(text: str, status: int) -> int:
    from wire502.cli.terminal import say

    say(text)
    return status


def _forget_stdout() -> None:
    """Let the interpreter flush into nothing at its end: whoever read our output has gone."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - open to the end
