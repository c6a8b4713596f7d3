"""Dialects: what each gateway makes of each kind of failure, one TOML table a gateway.

A table says how its gateway is recognised, its default timeouts, limits and keep-alive, where versions differ, and
for each kind the status, what the client sees, whether it tries again, and the log line or flag; each row with its
source and how it was verified. ``_cases.toml`` names the cases that tables tell apart. Tables are read when first
asked for.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        Signs,
        Variant,
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
    "Signs",
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
    "signs",
]


_HOMES = {
    "_fits": ("Fit", "flagged", "holds"),
    "_loglines": ("FORMATS", "NO_STATUS", "LogLine", "parse"),
    "_said": ("Said",),
    "_tables": (
        "FACTS", "KINDS", "OUTCOMES", "VERIFIED", "Answer", "Case", "Gateway", "Row", "Section", "Signs", "Variant",
    ),
}  # fmt: skip
_KINDS_BEGIN = "\n[kinds."


def __getattr__(name: str) -> object:
    """Load what reads tables and logs when it is first used: who asks for a name needs neither."""
    for home, found in _HOMES.items():
        if name in found:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all gateways in alphabetical order, without reading their tables."""
    files = [name for folder in __path__ for name in os.listdir(folder)]  # noqa: PTH208 - as ever, pathlib loads long
    return tuple(sorted(name[:-5] for name in files if name.endswith(".toml") and not name.startswith("_")))


@functools.cache
def load(name: str) -> Gateway:
    """Return the table of the gateway *name*. Raises ``KeyError`` for a name that is none."""
    if name not in names():
        raise KeyError(name)
    from wire502.gateways._tables import gateway_from

    return gateway_from(name, _read(name), cases(), load)


@functools.cache
def cases() -> Mapping[str, Case]:
    """Return the cases that tables tell apart, by name, in the order of an attempt's life."""
    from wire502.gateways._tables import cases_from

    return MappingProxyType(cases_from(_read("_cases")))


@functools.cache
def signs() -> Mapping[str, Signs]:
    """Return how each gateway is known, by its name, without reading what it makes of failures: that is most of it."""
    from wire502.gateways._tables import signs_from

    return MappingProxyType(
        {name: signs_from(name, _parsed(_text(name).partition(_KINDS_BEGIN)[0])) for name in names()}
    )


def recognise(
    status: int | None, server_header: str | None, via: str | None, body_prefix: bytes
) -> list[tuple[str, Confidence]]:
    """Return which gateways may have sent a response, the likeliest first, with how sure that is.

    *body_prefix* is the beginning of its body (4096 octets are looked at); empty when there is none.
    """
    from wire502.gateways import _recognise

    return _recognise.rank(signs(), status, server_header, via, body_prefix)


def fits(log_text: str, only: Iterable[str] | None = None) -> list[Fit]:
    """Return the rows that fit a log line, a piece of one, or a flag such as ``SH--`` or ``UC``.

    All tables are asked, or those of the gateways *only*.
    """
    from wire502.gateways import _fits

    return _fits.fits(map(load, names() if only is None else only), log_text)


def said(log_text: str) -> list[Said]:
    """Return what states, flags and messages of a log line mean that stand in no row of a table, or in many."""
    from wire502.gateways import _said

    return _said.said(_words(), log_text)


@functools.cache
def _words() -> dict[str, Any]:
    return _read("_said")


def _read(name: str) -> dict[str, Any]:
    return _parsed(_text(name))


def _text(name: str) -> str:
    import pkgutil  # who asks for names needs neither this nor tomllib

    octets = pkgutil.get_data(__name__, f"{name}.toml")
    if octets is None:
        raise FileNotFoundError(f"{name}.toml")
    return octets.decode("utf-8")


def _parsed(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)
