"""A reproducer made small: pieces of a file are left out as long as it breaks in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from scripts._fuzz.inputs import Input


def smaller(given: Input, breaks: Callable[[Input], bool], *, seconds: float = 20.0) -> Input:
    """Return the smallest input found in *seconds* for which *breaks* still holds."""
    until = time.monotonic() + seconds
    for change in ({"chop": 0}, {"everything": False}, {"settings": {}}):
        tried = replace(given, **change)  # type: ignore[arg-type]
        if tried != given and breaks(tried):
            given = tried
    for place in reversed(range(len(given.files))):
        tried = replace(given, files=given.files[:place] + given.files[place + 1 :])
        if tried.files and breaks(tried):
            given = tried
    for place in range(len(given.files)):
        given = _cut(given, place, breaks, until)
    return given


def _cut(given: Input, place: int, breaks: Callable[[Input], bool], until: float) -> Input:
    step = len(given.files[place]) // 2
    while step >= 1 and time.monotonic() < until:
        at = 0
        while at < len(given.files[place]) and time.monotonic() < until:
            octets = given.files[place]
            files = list(given.files)
            files[place] = octets[:at] + octets[at + step :]
            tried = replace(given, files=files)
            if files[place] and breaks(tried):
                given = tried
            else:
                at += step
        step //= 2
    return given
