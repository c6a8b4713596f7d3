"""What the page draws: plain values, every text of them harmless, times in microseconds since 1970 UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from wire502.kinds import all_kinds
from wire502.model.trace import Octets, Trace
from wire502.model.verdict import Failure, Incident, Summary, UpstreamSummary
from wire502.report._clock import rfc3339
from wire502.report._closing import unseen
from wire502.report._ladder import rungs_of
from wire502.report._words import Frames
from wire502.report.plain import plain

MOST = 5_000  # cases that the page holds; the others are counted
_MOST_UPSTREAMS = 100
_GROWTH = 1.5  # of the buckets of UpstreamSummary.pace
_SPANS = 63.5  # of time at most, less one that is not whole
_FIRST_SHIFT = 25


def overview(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
) -> dict[str, Any]:
    """Return what the template says without the script."""
    frames = Frames(inputs)
    told = [one for one in failures if not one.masked] or list(failures)
    facts: list[tuple[str, str]] = []
    sentence = "No failed request was found."
    if told:
        first = told[0]
        sentence = first.summary
        facts = [
            ("When", rfc3339(first.time)),
            ("Failure point", f"frame {frames.cite(first.frame, first.file).removeprefix('#')}"),
            ("Kind", first.kind),
            ("At fault", first.at_fault),
            ("Confidence", first.confidence),
        ]
    elif incidents:
        sentence = incidents[0].summary
        facts = [("When", rfc3339(incidents[0].time)), ("Confidence", incidents[0].confidence)]
    return {
        "title": plain(", ".join(frames.names)),
        "sentence": plain(sentence),
        "facts": [(name, plain(value)) for name, value in facts],
        "more": len(failures) - 1 if told else 0,
        "figures": _figures(failures, incidents, summary),
        "span": None
        if summary is None or summary.first_time is None or summary.last_time is None
        else (rfc3339(summary.first_time), rfc3339(summary.last_time)),
        "unseen": [f"{plain(note[:1].upper() + note[1:])}." for note in unseen(failures, summary)],
        "redacted": redacted,
    }


def page_data(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
    traces: Mapping[str, Trace],
) -> dict[str, Any]:
    """Return what the script draws."""
    frames = Frames(inputs)
    taken = {ident for one in incidents for ident in one.attempts}
    by_id = {plain(one.id): one for one in failures}
    cases = [(one.time, _incident(one, by_id, frames)) for one in incidents]
    cases += [(one.time, _lone(one, frames)) for one in failures if one.id not in taken]
    cases.sort(key=lambda case: case[0])  # stable: equal times keep the order in which they were found
    kept = [case for _, case in cases[:MOST]]
    shown = [ident for case in kept for ident in case["attempts"] if ident in by_id]
    texts = _Texts()
    kinds = all_kinds()
    return {
        "several": frames.several,
        "redacted": redacted,
        "cases": kept,
        "left": len(cases) - len(kept),
        "failures": {ident: _failure(by_id[ident], frames, traces.get(by_id[ident].id), texts) for ident in shown},
        "texts": texts.all,
        "kinds": [
            [name, number, kinds[name].title if name in kinds else ""]
            for name, number in sorted(Counter(one.kind for one in failures).items(), key=lambda one: (-one[1], one[0]))
        ],
        **_timeline(failures, summary),
    }


class _Texts:
    """Texts that come again and again, by number."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._known: dict[str, int] = {}

    def __call__(self, text: str | None) -> int | None:
        if text is None:
            return None
        if text not in self._known:
            self._known[text] = len(self.all)
            self.all.append(plain(text))
        return self._known[text]


def _figures(
    failures: Sequence[Failure], incidents: Sequence[Incident], summary: Summary | None
) -> list[tuple[str, str]]:
    masked = sum(one.masked for one in failures)
    figures = [
        ("failed attempts", f"{len(failures) - masked:,}"),
        ("errors seen by clients", f"{len(incidents):,}"),
        ("made good by a retry", f"{masked:,}"),
    ]
    if summary is not None:
        figures += [
            ("exchanges", f"{summary.exchanges:,}"),
            ("connections", f"{summary.connections:,}"),
            ("frames", f"{summary.frames:,}"),
        ]
    return figures


# -- cases ------------------------------------------------------------------------------------------------------------


def _incident(incident: Incident, by_id: Mapping[str, Failure], frames: Frames) -> dict[str, Any]:
    tries = [by_id[ident] for ident in map(plain, incident.attempts) if ident in by_id]
    deciding = next((one for one in tries if one.id == incident.verdict), tries[-1] if tries else None)
    asked = incident.request or (deciding.request if deciding else None)
    return {
        "id": plain(incident.id),
        "time": _us(incident.time),
        "frame": plain(frames.cite(incident.frame, incident.file)),
        "got": plain(incident.outcome),
        "status": incident.client_status,
        "method": plain(asked.method) if asked else "",
        "target": plain(asked.target) if asked else "",
        "host": plain(asked.host or "") if asked else "",
        "client": plain(incident.client),
        "upstream": plain(deciding.connection.upstream) if deciding else "",
        "kind": plain(incident.kind or (deciding.kind if deciding else "")),
        "fault": deciding.at_fault if deciding else "unknown",
        "confidence": incident.confidence,
        "masked": False,
        "summary": plain(incident.summary),
        "attempts": [plain(ident) for ident in incident.attempts],
    }


def _lone(failure: Failure, frames: Frames) -> dict[str, Any]:
    """Return the case of a failure that no client's error belongs to."""
    asked, client = failure.request, failure.client
    return {
        "id": plain(failure.id),
        "time": _us(failure.time),
        "frame": plain(frames.cite(failure.frame, failure.file)),
        "got": plain(client.outcome) if client else "",
        "status": client.status if client else None,
        "method": plain(asked.method) if asked else "",
        "target": plain(asked.target) if asked else "",
        "host": plain(asked.host or "") if asked else "",
        "client": plain(client.connection) if client else "",
        "upstream": plain(failure.connection.upstream),
        "kind": plain(failure.kind),
        "fault": failure.at_fault,
        "confidence": failure.confidence,
        "masked": failure.masked,
        "summary": plain(failure.summary),
        "attempts": [plain(failure.id)],
    }


def _failure(failure: Failure, frames: Frames, trace: Trace | None, texts: _Texts) -> dict[str, Any]:
    """Return all that is told of one attempt."""

    def because(items: Sequence[Any]) -> list[list[str]]:
        return [[plain(frames.cite(item.frame, item.file)), plain(item.note)] for item in items]

    response = failure.response
    return {
        "kind": plain(failure.kind),
        "time": _us(failure.time),
        "frame": plain(frames.cite(failure.frame, failure.file)),
        "stream": failure.connection.stream,
        "gateway": plain(failure.connection.gateway),
        "upstream": plain(failure.connection.upstream),
        "client": plain(failure.client.connection) if failure.client else "",
        "reused": failure.connection.reused,
        "exchange": failure.connection.exchange,
        "fault": failure.at_fault,
        "confidence": failure.confidence,
        "masked": failure.masked,
        "secondary": failure.secondary,
        "protocol": plain(failure.protocol),
        "summary": plain(failure.summary),
        "response": None
        if response is None
        else [response.status, response.head_bytes, response.body_bytes, response.expected_body_bytes],
        "offset": failure.offset,
        "until": None if failure.until is None else failure.until.seconds,
        "ladder": [
            [plain(one.cite), _us(one.time_ns), one.way, plain(one.label), plain(one.note), int(one.marked), one.client]
            for one in rungs_of(failure, frames)
        ],
        "evidence": because(failure.evidence),
        "causes": [
            [plain(one.name), plain(one.class_), one.confidence, because(one.because), texts(one.overturned_by),
             texts(one.advice)]
            for one in failure.causes
        ],
        "alternatives": [
            [plain(one.kind), None if one.frame is None else plain(frames.cite(one.frame, one.file)),
             one.confidence, texts(one.why)]
            for one in failure.alternatives
        ],
        "logs": [
            [plain(name), view.status, texts(view.log)] for name, view in sorted(failure.gateways.items()) if view.log
        ],
        "caveats": [texts(one) for one in failure.caveats],
        "trace": None if trace is None else _trace(trace, failure),
    }  # fmt: skip


def _trace(trace: Trace, failure: Failure) -> dict[str, Any]:
    """Return the segments as rows of numbers: times relative to the first, frames to the one before."""
    first = trace.points[0].time_ns // 1000 if trace.points else 0
    rows, frame, time = [], 0, first
    for point in trace.points:
        now = point.time_ns // 1000
        rows.append(
            [point.frame - frame, now - time, int(point.from_gateway), point.offset, point.length, point.ack,
             point.window, point.flags]
        )  # fmt: skip
        frame, time = point.frame, now
    end = None  # where the announced end of the response lies in its stream
    if (response := failure.response) is not None and failure.kind.endswith("_mid_body"):
        whole, offset = response.expected_body_bytes, failure.offset
        end = None if whole is None or offset is None else offset - response.body_bytes + whole
    return {
        "first": first,
        "rows": rows,
        "cut": trace.cut,
        "omitted": trace.omitted,
        "holes": [[int(side), low, high] for side, low, high in trace.holes],
        "point": failure.frame,
        "end": end,
        "octets": None if trace.octets is None else _octets(trace.octets),
    }


def _octets(octets: Octets) -> dict[str, Any]:
    return {
        "gateway": int(octets.from_gateway),
        "mark": octets.mark,
        "blame": int(octets.at_fault),
        "pieces": [[offset, piece.hex()] for offset, piece in octets.pieces],
    }


# -- over time --------------------------------------------------------------------------------------------------------


def _timeline(failures: Sequence[Failure], summary: Summary | None) -> dict[str, Any]:
    """Return what each upstream did in each span of time; all spans have one width."""
    first, last = _reach(failures, summary)
    shift = _FIRST_SHIFT
    while (last - first) >> shift >= _SPANS:
        shift += 1
    origin = first >> shift
    spans = (last >> shift) - origin + 1
    rows = {one.upstream: one for one in summary.upstreams} if summary is not None else {}
    failed = Counter(one.connection.upstream for one in failures)
    names = [*dict.fromkeys([*(name for name, _ in failed.most_common()), *rows])]
    names.sort(key=lambda name: (-failed[name], -_answered(rows.get(name))))

    def at(time_ns: int) -> int:
        return min(max((time_ns >> shift) - origin, 0), spans - 1)

    everybody = _Spans(spans)
    told: dict[str, _Spans] = {name: _Spans(spans) for name in names[:_MOST_UPSTREAMS]}
    for name in names:
        row = rows.get(name)
        for begin, done, took in row.pace if row is not None else ():
            for one in filter(None, (everybody, told.get(name))):
                one.answered(at(begin), done, took)
    for failure in failures:
        for one in filter(None, (everybody, told.get(failure.connection.upstream))):
            one.failed(at(failure.time), masked=failure.masked)
    return {
        "origin": (origin << shift) // 1000,
        "width": (1 << shift) / 1000,
        "spans": spans,
        "first": first // 1000,
        "last": last // 1000,
        "all": everybody.written(),
        "upstreams": [_upstream(name, failed[name], rows.get(name), told[name]) for name in names[:_MOST_UPSTREAMS]],
        "more_upstreams": max(len(names) - _MOST_UPSTREAMS, 0),
    }


def _reach(failures: Sequence[Failure], summary: Summary | None) -> tuple[int, int]:
    """Return the first and the last moment, in ns since 1970."""
    if summary is not None and summary.first_time is not None and summary.last_time is not None:
        first, last = int(summary.first_time), int(summary.last_time)
    else:
        times = [int(one.time) for one in failures] or [0]
        first, last = min(times), max(times)
    return max(first, 0), max(last, first, 0)


def _answered(row: UpstreamSummary | None) -> int:
    return sum(done for _, done, _ in row.pace) if row is not None else 0


class _Spans:
    """What happened in each span of time."""

    def __init__(self, spans: int) -> None:
        self._done = [0] * spans
        self._bad = [0] * spans
        self._masked = [0] * spans
        self._took: list[Counter[int]] = [Counter() for _ in range(spans)]

    def answered(self, at: int, done: int, took: Sequence[int]) -> None:
        self._done[at] += done
        for bucket, number in enumerate(took):
            if number:
                self._took[at][bucket] += number

    def failed(self, at: int, *, masked: bool) -> None:
        (self._masked if masked else self._bad)[at] += 1

    def written(self) -> dict[str, Any]:
        return {
            "done": _sparse(self._done),
            "bad": _sparse(self._bad),
            "masked": _sparse(self._masked),
            "p50": {str(at): _percentile(took, 0.5) for at, took in enumerate(self._took) if took},
            "p99": {str(at): _percentile(took, 0.99) for at, took in enumerate(self._took) if took},
        }


def _sparse(values: Sequence[int]) -> dict[str, int]:
    return {str(at): value for at, value in enumerate(values) if value}


def _percentile(took: Counter[int], share: float) -> float:
    """Return in ms the duration below which *share* of all lie, taken for evenly spread within its bucket."""
    wanted = share * took.total()
    seen = 0.0
    for bucket in sorted(took):
        if seen + took[bucket] >= wanted:
            inside = (wanted - seen) / took[bucket]
            return float(f"{_GROWTH ** (bucket + inside) / 1000:.3g}")
        seen += took[bucket]
    return 0.0


def _upstream(name: str, failed: int, row: UpstreamSummary | None, spans: _Spans) -> dict[str, Any]:
    return {
        "name": plain(name),
        "answered": _answered(row),
        "failed": failed,
        "connect": [row.connect_ms.p50, row.connect_ms.p99] if row else [None, None],
        "byte": [row.first_byte_ms.p50, row.first_byte_ms.p99] if row else [None, None],
        "again": row.retransmissions if row else 0,
        "idle": row.idle_close_s if row else None,
        **spans.written(),
    }


def _us(time_ns: int) -> int:
    return time_ns // 1000
