"""Results without the secrets that a URL may hold: the same records, query values masked everywhere.

Not a format: what ``--redact`` does before any format sees a result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from wire502.model.text import redact_target, redact_text

R = TypeVar("R")


def redact(result: R) -> R:
    """Return a copy of *result* (any record of ``model``) in which no text holds a query value.

    A sentence may quote the request's target, so every text of the record is gone through; a target is masked by
    the grammar of targets, wherever it stands.
    """
    targets = sorted(set(_targets(result)), key=len, reverse=True)

    def sentence(text: str) -> str:
        for target in targets:
            text = text.replace(target, redact_target(target))
        return redact_text(text)

    redacted: R = _walk(result, sentence)
    return redacted


def _targets(record: Any) -> list[str]:
    """Return the request targets with a query that stand anywhere in *record*."""
    found: list[str] = []
    if is_dataclass(record):
        target = getattr(record, "target", None)
        if isinstance(target, str) and ("?" in target or "@" in target):
            found.append(target)
        for field in fields(record):
            found += _targets(getattr(record, field.name))
    elif isinstance(record, dict):
        for value in record.values():
            found += _targets(value)
    return found


def _walk(value: Any, sentence: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return sentence(value)
    if isinstance(value, list):
        return [_walk(item, sentence) for item in value]
    if isinstance(value, dict):
        return {
            key: redact_target(item) if key == "target" and isinstance(item, str) else _walk(item, sentence)
            for key, item in value.items()
        }
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                field.name: redact_target(item)
                if field.name == "target" and isinstance(item := getattr(value, field.name), str)
                else _walk(getattr(value, field.name), sentence)
                for field in fields(value)
                if field.init
            },
        )
    return value
