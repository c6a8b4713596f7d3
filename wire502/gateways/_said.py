"""What a log says beside the rows of the tables: HAProxy's states, Envoy's flags, messages of what led to a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wire502.gateways._fits import LINE, LINES, holds
from wire502.model.records import record

_STATE = re.compile(r"(?:^|(?<= ))([CSPLRIDUKcs-][RQCHDLT-])(?:[NIDVEOU-][NIUPRD-])?(?= |$)")
_ALONE = re.compile(r"[CSPLRIDUKcs-][RQCHDLT-](?:[NIDVEOU-][NIUPRD-])?")
_FLAGS = re.compile(r"[1-9]\d\d ([A-Z][A-Z,]{1,31})(?= |$)")
_WORD = re.compile(r"[A-Z]{2,5}(?:,[A-Z]{2,5}){0,7}")


@record(frozen=True)
class Said:
    """A meaning: whose word it is, the word, what it says, and the kinds of failure beside which it is seen."""

    gateway: str
    word: str
    means: str
    kinds: tuple[str, ...]


def said(table: Mapping[str, Any], text: str) -> list[Said]:
    """Return what the words of a log line (or lines, or a bare state or flag) say, each once."""
    found: dict[Said, None] = {}
    for line in text.splitlines()[:LINES]:
        cut = line[:LINE].strip().strip("'\"")
        found |= dict.fromkeys([*_haproxy(table["haproxy"], cut), *_envoy(table["envoy"]["flags"], cut)])
        for row in table["lines"]:
            if holds(cut, row["match"]):
                found[Said(row["gateway"], row["match"], row["means"], tuple(row["kinds"]))] = None
    return list(found)


def _haproxy(table: Mapping[str, Any], line: str) -> Iterator[Said]:
    """Yield the meaning of a termination state: four letters anywhere, two where they stand alone."""
    first, second = table["first"]["letters"], table["second"]["letters"]
    for match in _STATE.finditer(line):
        word = match[0]
        if (len(word) == 2 and not _ALONE.fullmatch(line)) or word.startswith("--"):
            continue
        cause, phase = first[word[0]], second[word[1]]
        means = f"{cause}, {phase}" if phase else cause
        yield Said("haproxy", word, means, tuple(table["kinds"].get(word[:2], ())))


def _envoy(flags: Mapping[str, list[str]], line: str) -> Iterator[Said]:
    """Yield the meaning of each response flag: behind a status, or alone."""
    match = _FLAGS.search(line)
    words = line if _WORD.fullmatch(line) else match[1] if match else ""
    for word in words.split(","):
        if word in flags:
            means, *kinds = flags[word]
            yield Said("envoy", word, means, tuple(kinds))
