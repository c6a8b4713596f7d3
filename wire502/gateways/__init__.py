"""Dialects: what each gateway makes of each kind of failure, one TOML table a gateway.

A table says how its gateway is recognised, its default timeouts, limits and keep-alive, where versions differ, and
for each kind the status, what the client sees, whether it tries again, and the log line or flag; each row with its
source and how it was verified. ``_cases.toml`` names the cases that tables tell apart. Tables are read when first
asked for.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from wire502.gateways import _fits, _recognise, _said
from wire502.gateways._fits import Fit, flagged, holds
from wire502.gateways._loglines import FORMATS, NO_STATUS, LogLine, parse
from wire502.gateways._said import Said
from wire502.gateways._tables import (
    FACTS,
    KINDS,
    OUTCOMES,
    VERIFIED,
    Answer,
    Case,
    Gateway,
    Row,
    Section,
    Variant,
    cases_from,
    gateway_from,
)
from wire502.model.verdict import Confidence

__all__ = [
    "FACTS",
    "FORMATS",
    "KINDS",
    "NO_STATUS",
    "OUTCOMES",
    "VERIFIED",
    "Answer",
    "Case",
    "Fit",
    "Gateway",
    "LogLine",
    "Row",
    "Said",
    "Section",
    "Variant",
    "cases",
    "fits",
    "flagged",
    "holds",
    "load",
    "names",
    "parse",
    "recognise",
    "said",
]


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all gateways in alphabetical order, without reading their tables."""
    entries = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name[:-5] for name in entries if name.endswith(".toml") and not name.startswith("_")))


@functools.cache
def load(name: str) -> Gateway:
    """Return the table of the gateway *name*. Raises ``KeyError`` for a name that is none."""
    if name not in names():
        raise KeyError(name)
    return gateway_from(name, _read(name), cases(), load)


@functools.cache
def cases() -> Mapping[str, Case]:
    """Return the cases that tables tell apart, by name, in the order of an attempt's life."""
    return MappingProxyType(cases_from(_read("_cases")))


def recognise(
    status: int | None, server_header: str | None, via: str | None, body_prefix: bytes
) -> list[tuple[str, Confidence]]:
    """Return which gateways may have sent a response, the likeliest first, with how sure that is.

    *body_prefix* is the beginning of its body (4096 octets are looked at); empty when there is none.
    """
    return _recognise.rank(map(load, names()), status, server_header, via, body_prefix)


def fits(log_text: str, only: Iterable[str] | None = None) -> list[Fit]:
    """Return the rows that fit a log line, a piece of one, or a flag such as ``SH--`` or ``UC``.

    All tables are asked, or those of the gateways *only*.
    """
    return _fits.fits(map(load, names() if only is None else only), log_text)


def said(log_text: str) -> list[Said]:
    """Return what states, flags and messages of a log line mean that stand in no row of a table, or in many."""
    return _said.said(_words(), log_text)


@functools.cache
def _words() -> dict[str, Any]:
    return _read("_said")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
