"""The order in which a report for people tells: incidents before their attempts, and what is alike only once.

A failure whose client got an error waits for the incident, and is printed as part of it. Of like incidents the first
few are printed in full, the rest is counted: the tens, hundreds, thousands as they come, all of them at the end.
What waits and what is counted is bounded: the oldest is printed to make room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wire502.model.records import record
from wire502.model.verdict import Failure, Incident, Result, Summary, Time, Update
from wire502.report.text import TextReport

IN_FULL = 3  # blocks that are printed of one group
GROUPS = 256
WAITING = 512
PATIENCE_NS = 30_000_000_000  # time of the capture after which an incident comes no more
HIDDEN = 65_536  # failures that were counted and not printed

_FAILED = frozenset({"error", "cut", "closed_without_response", "reset"})
_NUMBERS = re.compile(r"(?<![A-Za-z])\d+(?![A-Za-z])|[0-9A-Fa-f-]{8,}")


@record()
class Group:
    """Like incidents, or like failures without one."""

    name: str
    first: tuple[Time, int, int]
    last: tuple[Time, int, int]
    count: int = 0


class Story:
    """Results in, text out. With *everything* nothing is grouped."""

    def __init__(self, report: TextReport, *, everything: bool = False) -> None:
        self._report = report
        self._everything = everything
        self._waiting: dict[str, Failure] = {}
        self._groups: dict[tuple[object, ...], Group] = {}
        self._hidden: dict[str, None] = {}
        self._now = 0

    def tell(self, result: Result) -> str:
        """Return what is to be printed now that *result* came; "" for nothing."""
        match result:
            case Failure():
                self._now = max(self._now, result.time)
                if _has_incident(result):
                    self._waiting[result.id] = result
                    return "".join(self._overdue())
                return "".join(self._overdue()) + self._alike(None, [result])
            case Incident():
                self._now = max(self._now, result.time)
                behind = [self._waiting.pop(ident) for ident in result.attempts if ident in self._waiting]
                if result.attempts and not behind:
                    return "".join(self._overdue())  # they were printed, or counted, before
                return "".join(self._overdue()) + self._alike(result, behind)
            case Update():
                return self._update(result)
            case Summary():
                return ""
            case _:
                return self._report.block(result)

    def ending(self) -> str:
        """Return what is left to be printed before the last lines: what still waited, and what was only counted."""
        parts = [self._alike(None, [failure]) for failure in self._waiting.values()]
        self._waiting.clear()
        groups = sorted(self._groups.values(), key=lambda group: -group.count)
        counted = [self._sum(group) for group in groups if group.count > IN_FULL]
        self._groups.clear()
        if counted:
            counted.append("\n")
        return "".join([*parts, *counted])

    def _overdue(self) -> Iterator[str]:
        """Print failures whose incident did not come."""
        while self._waiting:
            ident, failure = next(iter(self._waiting.items()))
            if len(self._waiting) <= WAITING and self._now - failure.time <= PATIENCE_NS:
                return
            del self._waiting[ident]
            yield self._alike(None, [failure])

    def _update(self, update: Update) -> str:
        """Correct what still waits; say it of what was printed; nothing of what was only counted."""
        failure = self._waiting.get(update.id)
        if failure is not None:
            for key, value in update.changes.items():
                setattr(failure, key, value)
            if not _has_incident(failure):
                del self._waiting[update.id]
                return self._alike(None, [failure])
            return ""
        return "" if update.id in self._hidden else self._report.block(update)

    def _alike(self, incident: Incident | None, failures: Sequence[Failure]) -> str:
        """Return the block of a case, "" once enough like it were printed."""
        if self._everything:
            return self._whole(incident, failures)
        deciding = _deciding(incident, failures)
        case = failures[-1] if deciding is None and failures else deciding
        group = self._group(incident, failures, case)
        group.count += 1
        group.last = place = _place(incident, case)
        if group.count <= IN_FULL:
            return self._made_room() + self._whole(incident, failures)
        self._hide([one.id for one in failures])
        if incident is not None:
            self._hide([incident.id])
        if str(group.count).strip("0") == "1":
            return self._report.line(f"× {group.count:,} by {self._report.moment(*place)}: {group.name}", "dim")
        return ""

    def _hide(self, idents: Sequence[str]) -> None:
        for ident in idents:
            self._hidden[ident] = None
            if len(self._hidden) > HIDDEN:
                del self._hidden[next(iter(self._hidden))]

    def _whole(self, incident: Incident | None, failures: Sequence[Failure]) -> str:
        if incident is None:
            return "".join(map(self._report.block, failures))
        return self._report.incident(incident, failures)

    def _group(self, incident: Incident | None, failures: Sequence[Failure], case: Failure | None) -> Group:
        key = _key(incident, failures, case)
        group = self._groups.pop(key, None)
        if group is None:
            place = _place(incident, case)
            group = Group(_name(incident, case), place, place)
        self._groups[key] = group  # the one that was seen last stands last
        return group

    def _made_room(self) -> str:
        """Return the sum of the group that was not seen for the longest time, if there are too many."""
        if len(self._groups) <= GROUPS:
            return ""
        oldest = self._groups.pop(next(iter(self._groups)))
        return self._sum(oldest) if oldest.count > IN_FULL else ""

    def _sum(self, group: Group) -> str:
        first, last = self._report.moment(*group.first), self._report.moment(*group.last)
        return self._report.line(f"× {group.count:,}  {group.name}, first {first}, last {last}", "bold")


def _has_incident(failure: Failure) -> bool:
    """Whether the incident of a failure is on its way."""
    client = failure.client
    if client is None or failure.masked:
        return False
    return client.outcome in _FAILED or (failure.kind == "client_abort" and client.outcome == "pending")


def _deciding(incident: Incident | None, failures: Sequence[Failure]) -> Failure | None:
    if incident is None:
        return failures[-1] if failures else None
    return next((one for one in failures if one.id == incident.verdict), None)


def _key(incident: Incident | None, failures: Sequence[Failure], case: Failure | None) -> tuple[object, ...]:
    """Return what like cases have in common."""
    got = None if incident is None else (incident.client_status, incident.outcome, incident.kind)
    tries = tuple((one.kind, one.connection.upstream, one.at_fault, one.masked) for one in failures)
    causes = () if case is None else tuple(cause.name for cause in case.causes)
    return (got, tries, causes, _asked(incident, case))


def _asked(incident: Incident | None, case: Failure | None) -> str:
    """Return the request without what differs from one to the next: its query, and numbers in its path."""
    request = incident.request if incident is not None else case.request if case is not None else None
    if request is None:
        return ""
    path, query, _ = request.target.partition("?")
    return f"{request.method} {_NUMBERS.sub('*', path)}{'?*' if query else ''}"


def _name(incident: Incident | None, case: Failure | None) -> str:
    """Return what a group is called."""
    got = ""
    if incident is not None:
        status = incident.client_status
        got = f"{status or ''} {'' if incident.outcome == 'error' and status else incident.outcome.replace('_', ' ')}"
        got = f"{' '.join(got.split())} "
    kind = case.kind if case is not None else incident.kind if incident is not None else None
    asked = _asked(incident, case) or "connect"
    where = f" → {case.connection.upstream}" if case is not None and case.connection.upstream else ""
    return f"{got}{asked}{where}, {kind or 'no attempt seen'}"


def _place(incident: Incident | None, case: Failure | None) -> tuple[Time, int, int]:
    one = incident or case
    return (Time(0), 0, 0) if one is None else (one.time, one.frame, one.file)
