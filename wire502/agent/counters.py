"""What the agent has done so far, in one record: for SIGUSR1, for metrics, for whoever watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

from wire502.agent.parts import Part
from wire502.api import Failure, Reading, Result
from wire502.capture.live import LiveSource
from wire502.model.records import field, record


@record()
class State:
    """Counters since the start, and gauges of now (``connections``, ``buffered``, ``upstreams``, ``ring``).

    ``failures`` counts by kind, as they were first told. ``ring`` is the part of the packet ring that waits, 0 to 1.
    ``dropped`` was lost by the kernel, ``interface_dropped`` by the interface, ``freezes`` counts times that the ring
    was full, ``absences`` that an interface was away. ``bundles_*`` are those of ``--evidence``: made, spared since
    they were like others or too many, failed. ``lost_*`` could not be written or sent: lines of results, lines to the
    journal or syslog, records to a collector; ``unrecorded`` are octets of packets for ``-w``, ``unkept`` packets
    for ``--evidence``.
    """

    frames: int = 0
    octets: int = 0
    dropped: int = 0
    interface_dropped: int = 0
    freezes: int = 0
    absences: int = 0
    ring: float = 0.0
    connections: int = 0
    connections_seen: int = 0
    exchanges: int = 0
    evicted: int = 0
    unfollowed: int = 0
    buffered: int = 0
    upstreams: int = 0
    duplicates: int = 0
    fragments_pending: int = 0
    gaps_capture: int = 0
    gaps_wire: int = 0
    gaps_unknown: int = 0
    bundles_made: int = 0
    bundles_spared: int = 0
    bundles_failed: int = 0
    lost_lines: int = 0
    lost_log: int = 0
    lost_otlp: int = 0
    unrecorded: int = 0
    unkept: int = 0
    results: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """Return one line for people: ``frames 12, octets 900, …``."""
        shown = []
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, dict):
                value = " ".join(f"{kind} {count}" for kind, count in sorted(value.items())) or "none"
            elif isinstance(value, float):
                value = f"{value:.2f}"
            shown.append(f"{item.name.replace('_', ' ')} {value}")
        return ", ".join(shown)


class Counting(Part):
    """Counts what passes; ``state`` adds what only the source, the engine and *parts* know."""

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self._parts = parts
        self._results = 0
        self._failures: Counter[str] = Counter()

    def results(self, results: Sequence[Result]) -> None:
        """Count results, and failures by kind."""
        self._results += len(results)
        for result in results:
            if isinstance(result, Failure):
                self._failures[result.kind] += 1

    def state(self, reading: Reading, source: object) -> State:
        """Return everything as it stands."""
        state = State(results=self._results, failures=dict(self._failures))
        gauges = reading.gauges()
        for item in fields(State):
            if item.name in gauges:
                setattr(state, item.name, gauges[item.name])
        for part in self._parts:
            for name, count in part.counts().items():
                setattr(state, name, count)
        if isinstance(source, LiveSource):
            totals = source.totals
            state.dropped, state.interface_dropped = totals.drops, totals.interface
            state.freezes, state.absences, state.ring = totals.freezes, totals.absences, source.occupied
        return state
