"""Times as text: nanoseconds since 1970 UTC in, RFC 3339 or a time of day out. Integer arithmetic only.

A double holds today's time to a quarter of a microsecond only; frames are closer together than that.
"""

from __future__ import annotations

from functools import lru_cache
from time import gmtime

SECOND_NS = 1_000_000_000
# RFC 3339 and datetime know the years to 9999; a damaged capture may claim any 64-bit number
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799


@lru_cache(maxsize=64)
def _to_the_second(second: int) -> str:
    """Return ``2026-11-22T13:40:01``; neighbouring lines share their second, so this is rarely computed."""
    return "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*gmtime(second)[:6])


def rfc3339(time_ns: int, precision: int = 6) -> str:
    """Return *time_ns* as RFC 3339 UTC with *precision* (6 or 9) digits, cut, not rounded.

    A time outside the years 1 to 9999 becomes the nearest time inside them.
    """
    second, nanosecond = divmod(time_ns, SECOND_NS)
    if not _FIRST_SECOND <= second <= _LAST_SECOND:
        second, nanosecond = (_FIRST_SECOND, 0) if second < 0 else (_LAST_SECOND, SECOND_NS - 1)
    if precision == 9:
        return f"{_to_the_second(second)}.{nanosecond:09d}Z"
    return f"{_to_the_second(second)}.{nanosecond // 1000:06d}Z"


def local_shift(time_ns: int) -> int:
    """Return how many seconds the local time zone is ahead of UTC at *time_ns*."""
    from datetime import UTC, datetime, timedelta  # which take long to load

    second = min(max(time_ns // SECOND_NS, 0), _LAST_SECOND - 86_400)
    offset = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone().utcoffset()
    return int(offset.total_seconds()) if offset else 0


class Clock:
    """Times for people: of the day, in UTC or in local time."""

    def __init__(self, *, local: bool = False) -> None:
        self._local = local
        self.zone = "local time" if local else "UTC"

    def _text(self, time_ns: int) -> str:
        return rfc3339(time_ns + local_shift(time_ns) * SECOND_NS if self._local else time_ns)

    def of_day(self, time_ns: int) -> str:
        """Return ``12:04:31.882``."""
        return self._text(time_ns)[11:23]

    def day(self, time_ns: int) -> str:
        """Return ``2026-11-22``."""
        return self._text(time_ns)[:10]
