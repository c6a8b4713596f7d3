"""Retroactive evidence: a failure freezes the packets around it, and another process makes a bundle of them.

The loop only notes what is wanted and which memory it lies in; reading, cutting, redacting and writing are done by a
child at low priority, one at a time. Alike failures make one bundle in a while, and only so many are made in an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, cast

from wire502.agent.packets import PacketRing, Slot
from wire502.agent.parts import Part
from wire502.agent.privileges import User
from wire502.api import Failure, Result
from wire502.errors import SettingError
from wire502.model.capture_info import Interface
from wire502.model.context import Context
from wire502.model.records import field, record
from wire502.model.verdict import QUIET_KINDS

HOUR_S = 3600.0
MOST_WANTED = 32
MOST_FINGERPRINTS = 4096
PATIENCE_S = 120.0  # with one bundle
BEFORE_NS = 5_000_000_000  # kept from before the connection's first frame: what else its upstream did
SAY_S = 60.0
CLOSING_S = 0.8
PAUSE_S = 5.0  # after a bundle that could not be made


@record()
class Wanted:
    """A failure that deserves a bundle, at *due* seconds of the loop's clock."""

    failure: Failure
    due: float
    taken: list[Slot] = field(default_factory=list)


class Keeper(Part):
    """Has bundles made in *folder* for the failures it sees, of what *ring* holds.

    The folder is made when this is, and belongs to *owner* then. *arguments* are those of ``wire502 report`` that
    make it read as the loop reads. ``made``, ``alike`` and ``failed`` count bundles, failures that were like another
    one or too many, and bundles that could not be made.
    """

    def __init__(
        self,
        folder: str,
        ring: PacketRing,
        interface: Interface,
        context: Context,
        *,
        arguments: Sequence[str],
        owner: User | None,
        say: Callable[[str], object],
    ) -> None:
        self._folder = Path(folder).absolute()
        self._ring = ring
        self._interface = interface
        self._context = context
        self._arguments = list(arguments)
        self._say = say
        self._queue: deque[Wanted] = deque()
        self._seen: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._hour: deque[float] = deque()
        self._child: subprocess.Popen[bytes] | None = None
        self._current: Wanted | None = None
        self._until = self._said = self._not_before = 0.0
        self._told = ""  # why none can be made
        self._now = 0.0
        self._ended_at = time.monotonic()
        self.made = self.alike = self.failed = 0
        try:
            fresh = not self._folder.exists()
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            if owner is not None and fresh:
                os.chown(self._folder, owner.uid, owner.gid)
        except OSError as error:
            raise SettingError(f"--evidence {folder}: {error.strerror}") from error

    def check(self) -> None:
        """Raise ``SettingError`` where no bundle could be written: rights were given up since the folder was made.

        What an earlier run that was killed left there is removed.
        """
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise SettingError(
                f"--evidence {self._folder}: may not be written by the user that captures; -Z chooses one"
            )
        for path, right in ((sys.executable, os.X_OK), (__file__, os.R_OK)):
            if not os.access(path, right):
                raise SettingError(
                    f"--evidence: {path} may not be used by the user that captures, but makes the bundles; -Z chooses "
                    "one, or install where all may read"
                )
        if any(self._folder.glob(".making-*")):
            from wire502.agent.bundler import sweep

            sweep(self._folder)

    def results(self, results: Sequence[Result]) -> None:
        """Note the failures that deserve a bundle."""
        for result in results:
            if isinstance(result, Failure) and not result.masked and result.kind not in QUIET_KINDS:
                self._consider(result)

    def beat(self, now: float) -> None:
        """See how the child is doing; start the next one when it is time."""
        self._now = now
        if self._child is not None:
            self._look(now)
        if self._child is None and self._queue and max(self._queue[0].due, self._not_before) <= now:
            self._begin(self._queue.popleft(), now)

    def counts(self) -> dict[str, int]:
        """Return how many bundles were made, spared, and not made though they should have been."""
        return {"bundles_made": self.made, "bundles_spared": self.alike, "bundles_failed": self.failed}

    def ending(self) -> None:
        """Begin nothing more."""
        self._ended_at = time.monotonic()

    def close(self) -> None:
        """Give what is being made a moment; then it goes on by itself."""
        if self._child is None:
            return
        try:
            self._child.wait(max(0.0, CLOSING_S - (time.monotonic() - self._ended_at)))
        except subprocess.TimeoutExpired:
            self._child.returncode = 0  # not ours to wait for any more
        else:
            self._look(self._now)

    def _consider(self, failure: Failure) -> None:
        fingerprint = _fingerprint(failure)
        now, last = self._now, self._seen.get(fingerprint)
        while self._hour and now - self._hour[0] > HOUR_S:
            self._hour.popleft()
        if (
            (last is not None and now - last < self._context.evidence_every_ns / 1e9)
            or len(self._hour) >= self._context.evidence_most
            or len(self._queue) >= MOST_WANTED
        ):
            self.alike += 1
            return
        self._seen[fingerprint] = now
        self._seen.move_to_end(fingerprint)
        if len(self._seen) > MOST_FINGERPRINTS:
            self._seen.popitem(last=False)
        self._hour.append(now)
        self._queue.append(Wanted(failure, now + self._context.evidence_after_ns / 1e9))

    def _begin(self, wanted: Wanted, now: float) -> None:
        failure = wanted.failure
        moments = [failure.time] if failure.request is None else [failure.time, failure.request.time]
        since = max(min(moments) - BEFORE_NS, failure.time - self._context.evidence_window_ns)
        wanted.taken = self._ring.take(since)
        job = {
            "folder": str(self._folder),
            "pieces": [[slot.start, slot.used] for slot in wanted.taken],
            "linktype": self._interface.linktype,
            "time": failure.time,
            "kind": failure.kind,
            "gateway": failure.connection.gateway,
            "upstream": failure.connection.upstream,
            "quota": self._context.evidence_quota,
            "arguments": self._arguments,
        }
        command = [sys.executable, "-m", "wire502.agent.bundler", str(self._ring.descriptor)]
        try:
            child = subprocess.Popen(  # noqa: S603 - ourselves
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(self._ring.descriptor,),
                start_new_session=True,  # a signal for us from a terminal is not for it
            )
            with cast(IO[bytes], child.stdin) as pipe:
                pipe.write(json.dumps(job).encode())  # a few kilobytes: a pipe takes them at once
        except OSError as error:
            self._ring.give_back(wanted.taken)
            self._fail(failure, f"{error.filename}: {error.strerror}" if error.filename else str(error))
            return
        self._child, self._current, self._until = child, wanted, now + PATIENCE_S

    def _look(self, now: float) -> None:
        child, wanted = self._child, self._current
        if child is None or wanted is None:
            return
        if child.poll() is None:
            if now < self._until:
                return
            child.kill()
            child.wait()
        error = b"" if child.stderr is None else child.stderr.read()
        if child.stderr is not None:
            child.stderr.close()
        self._ring.give_back(wanted.taken)
        self._child = self._current = None
        if child.returncode == 0:
            self.made += 1
            if self._told:
                self._told = ""
                self._say(
                    f"evidence is written again; {self.failed} bundle{'' if self.failed == 1 else 's'} failed so far"
                )
        else:
            lines = error.decode(errors="replace").strip().splitlines()
            self._fail(wanted.failure, lines[-1] if lines else f"ended with {child.returncode}")

    def _fail(self, failure: Failure, why: str) -> None:
        """Count and say that a bundle could not be made: the next one like it is tried again, after a pause."""
        self.failed += 1
        self._not_before = self._now + PAUSE_S
        self._seen.pop(_fingerprint(failure), None)
        if self._hour:
            self._hour.pop()
        if not self._told or (why != self._told and self._now - self._said >= SAY_S):
            self._told, self._said = why, self._now
            self._say(f"no evidence was written ({self.failed} so far): {why}")


def _fingerprint(failure: Failure) -> tuple[str, ...]:
    cause = failure.causes[0].name if failure.causes else ""
    return failure.kind, failure.connection.upstream, cause
