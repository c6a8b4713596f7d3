"""From a log line back to the kinds of failure that make a gateway write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wire502.gateways._tables import GAP, Gateway, Variant
from wire502.model.records import record

LINE = 16_384  # characters of a line that are looked at
LINES = 64  # lines of a text that are looked at
SHORTEST = 5  # a shorter fragment says nothing
_CODE = re.compile(r"\bAH\d{5}\b|\bERR_[A-Z_]+\b|\bHPE_[A-Z_]+\b|\bE[A-Z]{5,}\b")
_STATUS = re.compile(r"[1-9]\d\d")


@record(frozen=True)
class Fit:
    """A row that would write this: which gateway, for which kind, and how well the text fits it.

    ``exact``: the whole template (or flag) stands in the text; else the text is a part of it, or they share a code.
    """

    gateway: str
    module: str
    kind: str
    variant: Variant
    template: str
    exact: bool
    weight: int  # characters that fit


def fits(gateways: Iterable[Gateway], text: str) -> list[Fit]:
    """Return the rows that fit a log line (or lines, or a piece of one, or a flag), gateway by gateway.

    Only the best fits of each gateway are kept: where a whole template stands in the line, shared codes say nothing.
    """
    lines = [line[:LINE].strip().strip("'\"") for line in text.splitlines()[:LINES]]
    found: list[Fit] = []
    for gateway in gateways:
        for line in lines:
            if line:
                found += _best([fit for module, kind, one in gateway.rows() for fit in _fit(gateway, module, kind, one,
                                                                                           line)], line)  # fmt: skip
    unique = {(fit.gateway, fit.module, fit.kind, fit.variant, fit.template): fit for fit in found}
    return sorted(unique.values(), key=lambda fit: (not fit.exact, -fit.weight))


def holds(line: str, template: str) -> bool:
    """Whether the literal parts of *template* stand in *line*, one behind the other."""
    at = 0
    for part in template.split(GAP):
        found = line.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def flagged(line: str, flag: str) -> bool:
    """Whether an access log line (or a bare flag) shows *flag*.

    ``SH--`` stands for itself and for any two letters behind it, as cookies write them; a flag of capitals alone
    (``UC``) must follow a status; one of two words (``502 -``) must stand as these two.
    """
    words = line.split()
    if " " in flag:
        parts = flag.split()
        return any(words[at : at + len(parts)] == parts for at in range(len(words)))
    if "-" in flag:
        return any(word[:2] == flag[:2] and (len(word) == 4 or len(words) == 1) and _state(word) for word in words)
    bare = [word.strip("\"'") for word in words]
    return any(
        flag in word.split(",") and (len(bare) == 1 or bool(_STATUS.fullmatch(bare[at - 1]) if at else False))
        for at, word in enumerate(bare)
    )


def _state(word: str) -> bool:
    return bool(re.fullmatch(r"[CSPRLUDIKcs-][RQCHDLT-](?:[NIDVEOU-][NIUPRD-])?", word))


def _fit(gateway: Gateway, module: str, kind: str, one: Variant, line: str) -> Iterator[Fit]:
    answer = one.answer
    for flag in answer.flags:
        if flagged(line, flag):
            yield Fit(gateway.name, module, kind, one, flag, True, len(flag))
    codes = set(_CODE.findall(line))
    for template in (*answer.logs, *answer.words):
        letters = len(template.replace(GAP, ""))
        if letters >= SHORTEST and holds(line, template):
            yield Fit(gateway.name, module, kind, one, template, True, letters)
        elif len(line) >= SHORTEST and line.lower() in template.lower():
            yield Fit(gateway.name, module, kind, one, template, False, len(line))
        elif codes & set(_CODE.findall(template)):
            yield Fit(gateway.name, module, kind, one, template, False, SHORTEST)


def _best(found: list[Fit], line: str) -> list[Fit]:
    if any(fit.exact for fit in found):
        found = [fit for fit in found if fit.exact]
    longest = max((fit.weight for fit in found), default=0)
    found = [fit for fit in found if fit.weight == longest]
    words = line.split()
    if len(words) < 5 or not any(fit.template in fit.variant.answer.flags for fit in found):
        return found
    # a whole access line: its status decides between rows with the same flag
    same = [fit for fit in found if str(fit.variant.answer.status) in words]
    same = same or [fit for fit in found if fit.variant.answer.status_text == "none" and "-1" in words]
    return same or found
