#!/usr/bin/env python3
"""Write the reference pages that come out of the code: in ``docs`` ``cli``, ``settings``, ``gateways``, ``causes``.

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

from wire502.cli.gateways import LEGEND, cell, condition, figures, outcome  # noqa: E402
from wire502.cli.group import COMMANDS, cli  # noqa: E402
from wire502.cli.pages import page  # noqa: E402
from wire502.diagnosis.causes import all_causes  # noqa: E402
from wire502.gateways import KINDS, Answer, Gateway, cases, load, names  # noqa: E402
from wire502.settings import SETTINGS  # noqa: E402

WHY = """Why a failed attempt failed, as far as the capture tells. Each cause says how sure it is, which frames show it,
what would overturn it, and what to do next. One that is at least of medium confidence may name another side at fault
than the kind does by itself, and says so. The same on the command line: `wire502 kinds --causes`,
`wire502 explain NAME`.
"""
HEAD = "<!-- Written by scripts/make_reference.py: change the code, not this page. -->\n"


INTRODUCTION = """What the client of a gateway gets when an upstream fails, as far as it is known. The same on the
command line: `wire502 gateways`, `wire502 gateways nginx`; from a log line back to the kinds:
`wire502 explain --log 'SH--'`.
"""
BASIS = """Each row below says where it comes from: *source* was read in the gateway's source, *observed* seen on a run
of it, *documented* read in its vendor's documentation, *memory* none of these: a lead, no more. `...` stands for text
that varies.
"""


def pages() -> dict[Path, str]:
    """Return the text of each generated page by its path."""
    made = {"cli.md": cli_page(), "settings.md": settings_page()}
    made |= {"gateways.md": gateways_page(), "causes.md": causes_page()}
    return {ROOT / "docs" / name: text for name, text in made.items()}


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


def causes_page() -> str:
    """Return the table of the causes, and the page of each."""
    rules = list(all_causes().values())
    return "\n".join(
        [
            HEAD,
            "# Causes\n",
            WHY,
            "| cause | class | in short | puts at fault |\n|---|---|---|---|",
            *(f"| [`{r.name}`](#{r.name}) | {r.class_} | {r.title} | {r.at_fault or ''} |" for r in rules),
            "",
            *(f"## {rule.name}\n\n```\n{page(rule.name)}\n```\n" for rule in rules),
        ]
    )


def gateways_page() -> str:
    """Return the matrix of what clients get, and a section for each gateway."""
    tables = [load(name) for name in names()]
    return "\n".join(
        [
            HEAD,
            "# Gateways\n",
            INTRODUCTION,
            *(f"- `{word}`: {meaning}" for word, meaning in LEGEND),
            "",
            f"| kind | {' | '.join(table.title for table in tables)} |",
            "|---" * (len(tables) + 1) + "|",
            *(f"| `{kind}` | {' | '.join(cell(table, kind) for table in tables)} |" for kind in KINDS),
            "",
            BASIS,
            *(_gateway(table) for table in tables),
        ]
    )


def _gateway(table: Gateway) -> str:
    parts = [f"## {table.title}\n", f"Basis: {_cell(table.basis)}.\n"]
    parts += [f"- timeouts: {_cell(figures(table.timeouts))}", f"- limits: {_cell(figures(table.limits))}"]
    parts += [f"- keep-alive to upstreams: {_cell(figures(table.keepalive))}", f"- retries: {_cell(table.retries)}"]
    for version in table.versions:
        when = f"before {version.before}" if version.before else f"since {version.since}"
        parts.append(f"- {when}: {_cell(version.change)} ({version.verified})")
    parts += [f"- {_cell(note)}" for note in table.notes]
    for module, rows in table.modules.items():
        if module != "http":
            parts.append(f"\n### {table.title}, {module}")
        parts.append("\n| kind | when | client gets | log | basis |\n|---|---|---|---|---|")
        for kind, row in rows.items():
            parts.append(f"| `{kind}` | | {_row(row.answer)} |")
            parts += [f"| | {_cell(condition(one))} | {_row(one.answer)} |" for one in row.variants]
        parts += [f"| none | {_cell(cases()[case].wire)} | {_row(answer)} |"
                  for case, answer in table.others.get(module, {}).items()]  # fmt: skip
    return "\n".join(parts) + "\n"


def _row(answer: Answer) -> str:
    lines = "nothing" if answer.silent else "<br>".join(f"`{_cell(text)}`" for text in (*answer.flags, *answer.logs))
    gets = outcome(answer) + (f" ({answer.note})" if answer.note else "")
    return f"{_cell(gets)} | {lines} | {answer.verified}: {_cell(answer.source)}"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def main(arguments: list[str]) -> int:
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        print(f"{path.relative_to(ROOT)}: {'stale' if '--check' in arguments else 'written'}")
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
