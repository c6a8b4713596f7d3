"""``wire502 gateways [NAME]``: what each gateway makes of each kind of failure, and all that a table says."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from wire502.cli.terminal import width
from wire502.gateways import KINDS, Answer, Gateway, Section, Variant, cases, load, names
from wire502.settings import near_miss

LEGEND = (
    ("502", "its own status"),
    ("same", "the upstream's answer, status and all"),
    ("cut", "the upstream's status, then the connection breaks"),
    ("close", "the client's connection closes without an answer"),
    ("again", "it asks another connection, and the client gets that answer"),
    ("raw", "the octets go to the client without a status line"),
    ("hangs", "nothing ends the client's wait"),
    ("-", "the client had gone, and it logs no status"),
    ("?", "not known"),
    ("+", "behind one of these: not always, the gateway's page says when"),
)
_FACTS = {
    "after_head": "if the head had gone out",
    "before_request": "before the request was sent",
    "in_status_line": "inside the status line",
    "post": "for POST, PATCH, LOCK",
    "reset": "by RST",
    "reused_client": "not the first request of its client connection",
    "first_of_client": "the first request of its client connection",
}
_UNITS = {"pool": "", "requests": "", "fields": "", "header": " octets", "line": " octets"}


@click.command("gateways", short_help="Tell what gateways make of each kind of failure.")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Tell what gateways make of each kind of failure: status, log line, retries. With a NAME, all of one.

    \b
    Examples:
      wire502 gateways
      wire502 gateways nginx
      wire502 explain --log 'SH--'
    """  # noqa: D301 - click's \b keeps the lines as they are
    lines = _overview(width()) if name is None else page(known(name), width())
    click.echo("\n".join(lines))


def known(name: str) -> Gateway:
    """Return the gateway of that name; a usage error, with what was meant, if there is none."""
    proper = name.strip().lower().replace("_", "-").replace(" ", "-")
    if proper not in names():
        raise click.UsageError(f"there is no gateway {name!r}{near_miss(proper, names())}; see: wire502 gateways")
    return load(proper)


def cell(gateway: Gateway, kind: str) -> str:
    """Return the word of the matrix for a kind: what the client gets."""
    row = gateway.modules["http"].get(kind)
    if row is None:
        return "?"
    usual = _word(row.answer)
    return usual + ("+" if any(_word(one.answer) != usual for one in row.variants) else "")


def page(gateway: Gateway, columns: int) -> Iterator[str]:
    """Yield all lines of a gateway's page."""
    yield f"{gateway.title}  ({gateway.basis})"
    yield ""
    signs = gateway.signs
    yield from _entry("known by", "; ".join(_signs(gateway)) or "nothing of its own", columns)
    if signs.note:
        yield from _entry("", signs.note, columns)
    for label, section in (
        ("timeouts", gateway.timeouts),
        ("limits", gateway.limits),
        ("keep-alive", gateway.keepalive),
    ):
        yield from _entry(label, figures(section), columns)
    yield from _entry("retries", gateway.retries, columns)
    for index, version in enumerate(gateway.versions):
        when = f"before {version.before}" if version.before else f"since {version.since}"
        yield from _entry("" if index else "versions", f"{when}: {version.change}", columns)
    for index, note in enumerate(gateway.notes):
        yield from _entry("" if index else "beware", note, columns)
    for module, rows in gateway.modules.items():
        if module != "http":
            yield f"\n{module}"
        for kind, row in rows.items():
            yield f"\n{kind}"
            yield from _answer("", row.answer, row.answer, columns)
            for one in row.variants:
                yield from _answer(condition(one), one.answer, row.answer, columns)
        for case, answer in gateway.others.get(module, {}).items():
            yield f"\n{case}: {cases()[case].wire}"
            yield from _answer("", answer, answer, columns)


def figures(section: Section) -> str:
    """Return the figures of a section in words."""
    parts = []
    for name, value in section.values.items():
        unit = "" if isinstance(value, str) else _UNITS.get(name, " s")
        parts.append(
            f"{name} {value if isinstance(value, str) else f'{value:,g}' if value < 1e6 else f'{value:,.0f}'}{unit}"
        )
    return " · ".join(parts) + (f" ({section.note})" if section.note else "") if parts else "not known"


def condition(one: Variant) -> str:
    """Return in words when a variant holds."""
    parts = [cases()[case].wire for case in one.cases]
    words = [" or ".join(parts)] if parts else []
    words += [_FACTS[fact] for fact in sorted(one.when)]
    if one.before:
        words.append(f"before {one.before}")
    if one.since:
        words.append(f"since {one.since}")
    return ", ".join(words)


def outcome(answer: Answer) -> str:
    """Return in words what the client gets."""
    status = "the upstream's status" if answer.relayed else answer.status_text
    return {
        "error": status,
        "cut": f"{status}, cut",
        "closed_without_response": "closed without an answer",
        "passed": "passed on as it is" if answer.relayed else f"passed on as {status}" if answer.status else
        "passed on without a status line",
        "retried": "asked again, the client gets that answer",
        "pending": "the client waits on",
        "gone": f"the client has gone, logged {status}" if answer.status else "the client has gone",
    }.get(answer.outcome, "unknown")  # fmt: skip


def _overview(columns: int) -> Iterator[str]:
    first = max(map(len, KINDS)) + 1
    left = list(names())
    while left:
        row: list[str] = []
        while left and (not row or first + sum(max(len(name), 6) + 1 for name in [*row, left[0]]) <= columns):
            row.append(left.pop(0))
        yield " " * first + " ".join(f"{name:<6}" for name in row).rstrip()
        for kind in KINDS:
            yield f"{kind:<{first}}" + " ".join(f"{cell(load(n), kind):<{max(len(n), 6)}}" for n in row).rstrip()
        yield ""
    yield from (f"  {word:<6} {meaning}" for word, meaning in LEGEND)


def _word(answer: Answer) -> str:
    if answer.outcome == "passed":
        return "same" if answer.relayed else str(answer.status or "raw")
    if answer.outcome in ("error", "gone"):
        return str(answer.status or ("same" if answer.relayed else "-"))
    return {"cut": "cut", "closed_without_response": "close", "retried": "again", "pending": "hangs"}.get(
        answer.outcome, "?"
    )


def _signs(gateway: Gateway) -> Iterator[str]:
    signs = gateway.signs
    if signs.server:
        yield "Server " + " or ".join(signs.server)
    if signs.via:
        yield "Via with " + " or ".join(signs.via)
    if signs.page or signs.whole:
        yield "a page of its own"


def _entry(label: str, text: str, columns: int) -> Iterator[str]:
    lines = textwrap.wrap(text, max(40, columns - 14), break_on_hyphens=False)
    for index, line in enumerate(lines):
        yield f"  {'' if index else label:<12}{line}"


def _answer(when: str, answer: Answer, usual: Answer, columns: int) -> Iterator[str]:
    indent = "  "
    if when:
        yield from textwrap.wrap(f"but {when}:", columns, initial_indent="  ", subsequent_indent="    ")
        indent = "    "
    source = (
        f"[{answer.source}]" if answer.source.startswith(answer.verified) else f"[{answer.verified}: {answer.source}]"
    )
    retries = "" if answer.retries in ("no", "unknown") else f"; tries again: {answer.retries}"
    if answer is usual or (answer.outcome, answer.status) != (usual.outcome, usual.status):
        yield f"{indent}{outcome(answer)}{retries}"
    if answer.silent:
        yield f"{indent}logs nothing"
    for text in (*answer.flags, *answer.logs):
        yield f"{indent}logs  {text}"
    for text in answer.words:
        yield f"{indent}says  {text}"
    if answer.note and (answer is usual or answer.note != usual.note):
        yield from textwrap.wrap(answer.note, columns, initial_indent=indent, subsequent_indent=indent)
    if answer is usual or answer.source != usual.source:
        yield f"{indent}{source}"
