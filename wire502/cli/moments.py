"""``--since`` and ``--until``: an RFC 3339 time, a date, or a time of day (of the first frame's day).

UTC unless the text says otherwise.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from wire502.api import Moment

_MOMENT = r"(?:(\d{4}-\d\d-\d\d)(?:[T ]|$))?(?:(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_NS = 1_000_000_000


def convert(_ctx: click.Context, param: click.Parameter, value: str | None) -> Moment | None:
    """Turn an option's text into the moment that it names: a callback of click."""
    if value is None:
        return None
    moment = parse(value)
    if moment is None:
        raise click.BadParameter(f"{value!r} is no time; write 12:04:31.8 or 2026-11-22T12:04:31Z", param=param)
    return moment


def parse(text: str) -> Moment | None:
    """Return the moment that *text* names, to the nanosecond; None when it names none."""
    match = re.fullmatch(_MOMENT, text.strip(), re.IGNORECASE | re.ASCII)
    if match is None or not (match[1] or match[2]):
        return None
    hour, minute, second = (int(part or 0) for part in match.group(2, 3, 4))
    nanosecond = int((match[5] or "0").ljust(9, "0"))
    if hour > 23 or minute > 59 or second > 60:
        return None
    seconds = hour * 3600 + minute * 60 + second - _ahead(match[6])
    if match[1] is None:
        return Moment(seconds * SECOND_NS + nanosecond, of_day=True)
    try:
        day = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Moment(((day - _EPOCH) // timedelta(seconds=1) + seconds) * SECOND_NS + nanosecond)


def _ahead(zone: str | None) -> int:
    """Return how many seconds a zone as ``+05:30`` is ahead of UTC."""
    if zone is None or zone in "Zz":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def zone(_context: click.Context, _option: click.Parameter, text: str | None) -> int:
    """Convert ``+02:00`` to seconds ahead of UTC."""
    if text is None:
        return 0
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no time zone; write it as +02:00")
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return -seconds if match[1] == "-" else seconds
