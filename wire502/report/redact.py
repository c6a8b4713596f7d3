"""Results without the secrets that a URL may hold: the same records, query values masked everywhere.

Not a format: what ``--redact`` does before any format sees a result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from wire502.model.text import MASK, ordinary_request, redact_target, redact_text

R = TypeVar("R")
_NAMES: dict[type, tuple[str, ...]] = {}  # of the records of this program, of which there are some dozens
_LEAST_PIECE = 3  # characters; less would be found in every sentence


def redact(result: R) -> R:
    """Return a copy of *result* (any record of ``model``) in which no text holds a query value.

    A sentence may quote the request's target, so every text of the record is gone through; a target is masked by
    the grammar of targets, wherever it stands.
    """
    targets = sorted(set(_targets(result)), key=len, reverse=True)
    foreign = sorted(set(_foreign(result)), key=len, reverse=True)

    def sentence(text: str) -> str:
        for piece in foreign:
            text = text.replace(piece, MASK)
        for target in targets:
            text = text.replace(target, redact_target(target))
        return redact_text(text)

    redacted: R = _walk(result, sentence)
    return redacted


def _foreign(record: Any) -> list[str]:
    """Return methods and targets that are none: pieces of something else that was taken for a request."""
    found: list[str] = []
    if names := _names(type(record)):
        method, target = getattr(record, "method", None), getattr(record, "target", None)
        if isinstance(method, str) and isinstance(target, str) and not ordinary_request(method, target):
            found += [text for text in (method, target) if len(text) >= _LEAST_PIECE]
        for name in names:
            found += _foreign(getattr(record, name))
    elif isinstance(record, dict):
        for value in record.values():
            found += _foreign(value)
    return found


def _targets(record: Any) -> list[str]:
    """Return the request targets with a query that stand anywhere in *record*."""
    found: list[str] = []
    if names := _names(type(record)):
        target = getattr(record, "target", None)
        if isinstance(target, str) and any(mark in target for mark in "?@;"):
            found.append(target)
        for name in names:
            found += _targets(getattr(record, name))
    elif isinstance(record, dict):
        for value in record.values():
            found += _targets(value)
    return found


def _names(kind: type) -> tuple[str, ...]:
    """Return the names of a record's fields, none for what is no record."""
    names = _NAMES.get(kind)
    if names is None:
        names = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
        _NAMES[kind] = names
    return names


def _walk(value: Any, sentence: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return sentence(value)
    if isinstance(value, list):
        return [_walk(item, sentence) for item in value]
    if isinstance(value, dict):
        return {
            key: _target(item, sentence) if key == "target" and isinstance(item, str) else _walk(item, sentence)
            for key, item in value.items()
        }
    if names := _names(type(value)):
        return replace(
            value,
            **{
                name: _target(item, sentence)
                if name == "target" and isinstance(item := getattr(value, name), str)
                else _walk(getattr(value, name), sentence)
                for name in names
            },
        )
    return value


def _target(target: str, sentence: Callable[[str], str]) -> str:
    """Return a target without its secrets; one that is none, as a sentence."""
    return redact_target(target) if _plain_target(target) else sentence(target)


def _plain_target(target: str) -> bool:
    return ordinary_request("GET", target)
