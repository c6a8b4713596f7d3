#!/usr/bin/env python3
"""Write the reference pages that come out of the code: ``docs/cli.md`` and ``docs/settings.md``.

    python scripts/make_reference.py           write them
    python scripts/make_reference.py --check   exit with 1 when one of them is stale

The test-suite asks for the same check, so a page cannot fall behind the code.
"""

from __future__ import annotations

import sys
from inspect import cleandoc
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402

from wire502.cli.group import COMMANDS, cli  # noqa: E402
from wire502.settings import SETTINGS  # noqa: E402

HEAD = "<!-- Written by scripts/make_reference.py: change the code, not this page. -->\n"


def pages() -> dict[Path, str]:
    """Return the text of each generated page by its path."""
    return {ROOT / "docs" / "cli.md": cli_page(), ROOT / "docs" / "settings.md": settings_page()}


def cli_page() -> str:
    parts = [
        HEAD,
        "# The command line\n",
        "Standard output holds results and nothing else; errors are one line each on standard error.\n",
        "| exit status | when |\n|---|---|",
        "| 0 | the inputs were read whole, whatever was found; or the reader of the output went away |",
        "| 1 | with `--exit-code`: at least one request failed and no retry made it good |",
        "| 2 | usage error, or no input that can be opened and is a capture |",
        "| 3 | an input is missing, damaged or cut short: the results are partial |",
        "| 70 | a defect of wire502; `WIRE502_DEBUG=1` shows where |",
        "| 130 | interrupted by Ctrl-C; the summary of what was read is printed |",
        "",
    ]
    context = click.Context(cli, info_name="wire502")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts.append(f"## wire502 {name}\n")
        parts.append(_prose(command.help or ""))
        options = [param for param in command.params if isinstance(param, click.Option)]
        if options:
            parts.append("| option | meaning |\n|---|---|")
            parts += [f"| `{_usage(option)}` | {option.help} |" for option in options]
            parts.append("")
    return "\n".join(parts)


def _usage(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or '|'.join(getattr(option.type, 'choices', ()))}"
    return ", ".join(option.opts) + value.replace("|", r"\|")


def _prose(text: str) -> str:
    """Turn the help's paragraphs into Markdown: those marked to keep their lines are code."""
    paragraphs = []
    for paragraph in cleandoc(text).split("\n\n"):
        first, *rest = paragraph.splitlines()
        if first.strip() != "\b":
            paragraphs.append(paragraph)
            continue
        heading = [line for line in rest if not line.startswith(" ")]
        code = "\n".join(line.strip() for line in rest if line.startswith(" "))
        paragraphs += [*heading, f"```console\n{code}\n```"]
    return "\n\n".join(paragraphs) + "\n"


def settings_page() -> str:
    rows = [f"| `{setting.name}` | {setting.default_text} | {setting.meaning} |" for setting in SETTINGS]
    return "\n".join(
        [
            HEAD,
            "# Settings\n",
            "Set one with `read --set NAME=VALUE`, in Python with `wire502.read(path, settings={NAME: VALUE})`.",
            "Times take `ms`, `s`, `min`, `h` (a bare number is seconds), sizes `kB`, `KiB`, `MiB`, `GiB`.\n",
            "All times are capture time: the clock is what the frames say, not when the capture is read.\n",
            "| name | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        print(f"{path.relative_to(ROOT)}: {'stale' if '--check' in arguments else 'written'}")
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
