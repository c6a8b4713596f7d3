"""A part whose work waits for others (a reader, a collector): a thread of its own does it, so that no frame waits."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod

from wire502.agent.parts import Part


class Threaded(Part):
    """Runs ``_run`` beside the loop. What both touch is touched under ``_turn`` only, which is notified of news."""

    def __init__(self, name: str, closing_s: float) -> None:
        self._turn = threading.Condition()
        self._ending = False
        self._until = 0.0
        self._closing_s = closing_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread, which has the rights of its maker."""
        self._thread.start()

    def ending(self) -> None:
        """Have the thread end when it has done what is left."""
        with self._turn:
            if not self._ending:
                self._until = time.monotonic() + self._closing_s
            self._ending = True
            self._turn.notify()

    def close(self) -> None:
        """Wait for that, until ``closing_s`` after ``ending``."""
        self.ending()
        if self._thread.is_alive():
            self._thread.join(max(0.0, self._until - time.monotonic()))

    @abstractmethod
    def _run(self) -> None:
        """Work until ``_ending``, then finish what is left before ``_until``."""
