"""Waits that ended alike: two attempts given up after the same silence point to a time limit."""

from __future__ import annotations

from collections import deque

from wire502.model.attempt import Attempt

TOLERANCE = 0.02
LEAST_S = 1.0
REMEMBERED = 512


class Silences:
    """The silences in which attempts of this capture ended, by who ended them."""

    def __init__(self) -> None:
        self._seen: deque[tuple[bool, float]] = deque(maxlen=REMEMBERED)

    def similar(self, attempt: Attempt) -> bool:
        """Whether an earlier attempt was given up by the gateway after the same wait."""
        silence = attempt.silence
        if silence is None or silence.seconds < LEAST_S or not _gateway_ended(attempt):
            return False
        return any(abs(seconds - silence.seconds) <= TOLERANCE * seconds for gateway, seconds in self._seen if gateway)

    def learn(self, attempt: Attempt) -> None:
        """Remember the silence of an attempt that failed."""
        silence = attempt.silence
        if silence is not None and silence.until is not None and silence.seconds >= LEAST_S:
            self._seen.append((_gateway_ended(attempt), silence.seconds))


def _gateway_ended(attempt: Attempt) -> bool:
    silence = attempt.silence
    if silence is None or silence.until is None:
        return False
    closes = (attempt.gateway_fin, attempt.gateway_rst)
    return any(closing is not None and closing.point == silence.until for closing in closes)
