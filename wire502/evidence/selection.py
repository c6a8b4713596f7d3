"""Which frames of a capture belong to a bundle: those of the connections concerned, and all that are cited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from wire502.api import Failure, Incident
from wire502.evidence.cited import Place, incident_notes, mentioned
from wire502.model.capture_info import Interface, RareFrame
from wire502.model.endpoints import parse_endpoint
from wire502.model.frames_cy import Batch, Segments
from wire502.packet import PacketStage

Address = tuple[int, int]
End = tuple[int, int, int]  # address high, low, port


class Wanted:
    """What a slice is to hold.

    ``pairs``: connections by both ends (in either order); ``ends``: every connection of this endpoint; ``hosts``: whose
    address requests and ICMP errors belong to it; ``places``: single frames; ``everything``: each frame of TCP and
    each that proves something beside it.
    """

    def __init__(self) -> None:
        self.pairs: set[tuple[End, End]] = set()
        self.ends: set[End] = set()
        self.hosts: set[Address] = set()
        self.places: set[Place] = set()
        self.everything = False

    def failure(self, failure: Failure) -> None:
        """Add the connection of *failure*, its client's, and what it cites."""
        gateway, upstream = end(failure.connection.gateway), end(failure.connection.upstream)
        if gateway and upstream:
            self._pair(gateway, upstream)
        for text in (failure.connection.upstream, failure.connection.gateway):
            if address := host(text):
                self.hosts.add(address)
        if failure.client is not None and (client := end(failure.client.connection)):
            self.ends.add(client)
        self.places.update(mentioned(failure))

    def incident(self, incident: Incident) -> None:
        """Add the client's connection and what *incident* cites."""
        if client := end(incident.client):
            self.ends.add(client)
        self.places.update(incident_notes(incident))

    def _pair(self, one: End, other: End) -> None:
        self.pairs |= {(one, other), (other, one)}

    def neighbours(self, failures: Iterable[Failure]) -> None:
        """Add every connection to the upstreams of *failures*."""
        self.ends.update(upstream for failure in failures if (upstream := end(failure.connection.upstream)))

    def near(self, batches: Iterable[Batch], failures: Iterable[Failure], within_ns: int) -> None:
        """Add the connections to the upstreams of *failures* with a frame *within_ns* of a failure point."""
        moments: dict[End, list[int]] = {}
        for failure in failures:
            if upstream := end(failure.connection.upstream):
                moments.setdefault(upstream, []).append(failure.time)
        ports = {upstream[2] for upstream in moments}
        stage = PacketStage()
        for batch in batches:
            for segments in stage.segments(batch):
                times_ns = segments.ts_ns
                for row, both in enumerate(column(segments.ports, segments.count)):
                    if both >> 16 not in ports and both & 0xFFFF not in ports:
                        continue
                    sender, receiver = segments.ends(row)
                    for upstream, other in ((sender, receiver), (receiver, sender)):
                        times = moments.get(upstream, ())
                        if times and any(abs(times_ns[row] - time) <= within_ns for time in times):
                            self._pair(upstream, other)


def end(text: str) -> End | None:
    """Return an endpoint's text in numbers; None for what is none (an address without a port)."""
    try:
        high, low, port = parse_endpoint(text)
    except ValueError:
        return None
    return (high, low, port) if port is not None else None


def host(text: str) -> Address | None:
    """Return the address of an endpoint or of an address alone; None for what is neither."""
    try:
        return parse_endpoint(text)[:2]
    except ValueError:
        return None


def column(values: memoryview, count: int) -> list[int]:
    """Return the first *count* values of a column; a loop over a list is many times as fast."""
    if not hasattr(values, "tolist"):  # compiled, a column of a batch is what only has a buffer
        values = memoryview(values)
    return values.tolist()[:count]


class Selector:
    """Chooses the rows of each batch; batches come in the order of the capture.

    Without fragments a row is looked at once. A datagram in fragments is known by its last one only, so where one is
    met that matters, ``fragmented`` says so: such a slice needs everything.
    """

    def __init__(self, wanted: Wanted, interfaces: list[Interface]) -> None:
        self._wanted = wanted
        self._interfaces = interfaces
        self._stage = PacketStage()
        self._fragments = 0
        self._ports = {one[2] << 16 | other[2] for one, other in wanted.pairs}
        self._single = {one[2] for one in wanted.ends}

    def rows(self, batch: Batch) -> list[int]:
        """Return the rows of *batch* that are wanted, in order."""
        found: set[tuple[int, int]] = set()  # interface, frame
        for segments in self._stage.segments(batch):
            found.update(self._matches(segments))
        places = self._wanted.places
        interfaces, frames = column(batch.interface, batch.count), column(batch.frame, batch.count)
        if self._wanted.everything and self._stage.fragments > self._fragments:
            self._fragments = self._stage.fragments
            return list(range(batch.count))
        if self._wanted.everything and len(found) == batch.count:
            return list(range(batch.count))
        files = [interface.file for interface in self._interfaces]
        return [
            row
            for row, (interface, frame) in enumerate(zip(interfaces, frames, strict=True))
            if (interface, frame) in found or (files[interface], frame) in places
        ]

    def _matches(self, segments: Segments) -> Iterator[tuple[int, int]]:
        ports, single, wanted = self._ports, self._single, self._wanted
        everything = wanted.everything
        interfaces, frames = segments.interface, segments.frame
        for row, both in enumerate(column(segments.ports, segments.count)):
            if everything:
                yield interfaces[row], frames[row]
            elif both in ports or both >> 16 in single or both & 0xFFFF in single:
                sender, receiver = segments.ends(row)
                if (sender, receiver) in wanted.pairs or sender in wanted.ends or receiver in wanted.ends:
                    yield interfaces[row], frames[row]
        for record in cast("list[RareFrame]", segments.rare):
            if everything or self._concerns(record):
                yield record.interface, record.frame

    def _concerns(self, record: RareFrame) -> bool:
        """Whether a frame beside TCP speaks of what is wanted."""
        wanted = self._wanted
        if record.quoted_source is not None and record.quoted_target is not None:
            sender = (*record.quoted_source, record.quoted_ports >> 16)
            receiver = (*record.quoted_target, record.quoted_ports & 0xFFFF)
            return (sender, receiver) in wanted.pairs or sender in wanted.ends or receiver in wanted.ends
        return record.asked in wanted.hosts
