"""Signals as flags that the loop looks at: nothing is done inside a handler."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_STOP = ("SIGINT", "SIGTERM")
_COUNTERS, _REOPEN = "SIGUSR1", "SIGHUP"


class Signals:
    """While it is entered: SIGTERM and SIGINT set ``stop``, SIGUSR1 ``counters``, SIGHUP ``reopen``.

    A second SIGINT or SIGTERM ends the process in the ordinary way. *on_stop* is called, in the handler, at the first.
    """

    def __init__(self, on_stop: Callable[[], object] = lambda: None) -> None:
        self.stop = self.counters = self.reopen = False
        self._on_stop = on_stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in (*_STOP, _COUNTERS, _REOPEN):
            number = getattr(signal, name, None)
            if number is not None:  # not every system has them all
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name == _COUNTERS:
            self.counters = True
        elif name == _REOPEN:
            self.reopen = True
        else:
            self.stop = True
            signal.signal(number, signal.SIG_DFL)
            self._on_stop()
