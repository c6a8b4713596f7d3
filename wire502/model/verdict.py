"""The results, field by field as `wire502 read --json` writes them (output.md is the contract).

The JSON Schema is generated from these types. ``Time`` fields hold nanoseconds since 1970 UTC and are written as
RFC 3339; every other field is written as it stands, unknown as null.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NewType

from wire502.model.attempt import Step
from wire502.model.records import field, record

Time = NewType("Time", int)

Confidence = Literal["high", "medium", "low"]
AtFault = Literal["upstream", "network", "gateway", "client", "unknown"]
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


@record()
class Evidence:
    """One observation: the frame that shows it, in words."""

    frame: int
    note: str
    file: int = 0


@record()
class Cause:
    """Why it happened, as far as the capture tells."""

    name: str
    class_: str  # written as "class"
    confidence: Confidence
    because: list[Evidence]
    overturned_by: str
    advice: str | None = None


@record()
class Alternative:
    """Another reading of the same frames."""

    kind: str
    frame: int | None
    confidence: Confidence
    why: str
    file: int = 0


@record()
class Until:
    """What ended a silence; ``frame`` is null when it was the end of the capture."""

    frame: int | None
    time: Time | None
    seconds: float
    file: int = 0


@record()
class ConnectionRef:
    """The connection of an attempt."""

    stream: int
    gateway: str
    upstream: str
    first_frame: int
    exchange: int
    reused: bool
    first_file: int = 0


@record()
class RequestRef:
    """The request of an attempt; target and host as on the wire."""

    frame: int
    time: Time
    method: str
    target: str
    host: str | None
    id: str | None
    target_length: int | None = None
    trace: tuple[str, str] | None = field(default=None, metadata={"json": False})  # trace id, id of the calling span
    file: int = 0


@record()
class ResponseRef:
    """The response of an attempt, as far as it came."""

    frame: int
    time: Time
    status: int | None
    head_bytes: int
    body_bytes: int
    expected_body_bytes: int | None
    file: int = 0


@record()
class Link:
    """How sure the join of the two legs is, and by what."""

    score: float
    by: list[str]
    runner_up: float | None


@record()
class ClientRef:
    """What the client got.

    ``frame`` is the first one of the response, if there was one, else the one that ended the wait; ``end_frame`` the
    one that cut a response short.
    """

    frame: int
    file: int
    time: Time
    outcome: Literal["complete", "error", "cut", "closed_without_response", "reset", "pending"]
    status: int | None
    connection: str
    request_frame: int
    link: Link
    end_frame: int | None = None
    end_time: Time | None = None
    request_time: Time | None = None
    request_file: int = 0
    end_file: int = 0


@record()
class GatewayView:
    """What a gateway answers and logs for this failure."""

    status: int | None
    log: str | None
    agrees: bool | None


@record()
class Failure:
    """One failed attempt: the frame that doomed it, and why that frame."""

    type: ClassVar[str] = "failure"
    schema: ClassVar[int] = 1
    id: str
    kind: str
    protocol: str
    confidence: Confidence
    frame: int
    file: int
    time: Time
    offset: int | None
    until: Until | None
    sender: str | None
    secondary: bool
    alternatives: list[Alternative]
    at_fault: AtFault
    connection: ConnectionRef
    request: RequestRef | None
    response: ResponseRef | None
    client: ClientRef | None
    masked: bool
    causes: list[Cause]
    evidence: list[Evidence]
    caveats: list[str]
    gateways: dict[str, GatewayView]
    summary: str
    ladder: list[Step] = field(default_factory=list, metadata={"json": False})  # text and reports only


@record()
class IncidentRequest:
    """The client's own request."""

    frame: int
    method: str
    target: str
    host: str | None
    id: str | None
    file: int = 0


@record()
class Incident:
    """One error that a client got, with all attempts behind it.

    ``frame`` and ``end_frame`` are those of the client (``ClientRef``). ``kind`` is that of the verdict; where like
    requests cannot be told apart there is no verdict, but a kind if all like attempts failed alike: ``ambiguous``
    counts how they ended ("none" for no failure).
    """

    type: ClassVar[str] = "incident"
    schema: ClassVar[int] = 1
    id: str
    client_status: int | None
    outcome: str
    frame: int
    file: int
    time: Time
    client: str
    request: IncidentRequest | None
    attempts: list[str]
    verdict: str | None
    confidence: Confidence
    summary: str
    kind: str | None = None
    end_frame: int | None = None
    end_time: Time | None = None
    ambiguous: dict[str, int] = field(default_factory=dict)
    end_file: int = 0


@record()
class Open:
    """An attempt unfinished at the end of the capture, and why nothing can be said of it."""

    type: ClassVar[str] = "open"
    schema: ClassVar[int] = 1
    connection: ConnectionRef
    request: RequestRef | None
    response: ResponseRef | None
    frame: int
    file: int
    time: Time
    why_unknown: str


@record()
class ExchangeLine:
    """One exchange, with --all: a healthy one, or one of a client leg."""

    type: ClassVar[str] = "exchange"
    schema: ClassVar[int] = 1
    kind: None
    leg: Literal["upstream", "client"]
    protocol: str
    frame: int
    file: int
    time: Time
    connection: ConnectionRef
    request: RequestRef | None
    response: ResponseRef | None
    duration_ms: float | None
    first_byte_ms: float | None
    oddities: list[str]


@record()
class Written:
    """In the place of some exchanges that ended one after the other: what a pen made of them. No ``Result``."""

    text: bytes = b""


@record()
class Update:
    """Keys of an earlier line that turned out otherwise."""

    type: ClassVar[str] = "update"
    schema: ClassVar[int] = 1
    id: str
    changes: dict[str, object]  # written flat into the line


@record()
class Percentiles:
    """From log buckets, at most 5 % off; null without a sample."""

    p50: float | None
    p99: float | None


@record()
class Gaps:
    """Number of gaps by label."""

    capture: int = 0
    wire: int = 0
    unknown: int = 0


@record()
class OutageRef:
    """A time in which an upstream gave no good response: from its first failure to the next good response.

    ``until_*`` is null when none came before the end of the capture; a single failure is an outage only if the next
    good response came a second or more later.
    """

    frame: int
    file: int
    time: Time
    until_frame: int | None
    until_file: int | None
    until_time: Time | None
    seconds: float | None
    failures: int


@record()
class UpstreamSummary:
    """What one upstream endpoint did; failures that a retry made good are counted by kind, too."""

    upstream: str
    attempts: int
    failures: int
    connect_ms: Percentiles
    first_byte_ms: Percentiles
    retransmissions: int
    idle_close_s: float | None
    failures_by_kind: dict[str, int] = field(default_factory=dict)
    outages: list[OutageRef] = field(default_factory=list)
    # name of a figure to its buckets: the value that stands for one, in ms, and how many lie in it
    buckets: dict[str, list[tuple[float, int]]] = field(default_factory=dict, metadata={"json": False})
    # reports only: (begin, exchanges finished, first-byte times by bucket) for each span of time with any, in order;
    # bucket 0 ends at 1.5 µs, each next one half as late again
    pace: list[tuple[Time, int, list[int]]] = field(default_factory=list, metadata={"json": False})


@record()
class Summary:
    """The last line."""

    type: ClassVar[str] = "summary"
    schema: ClassVar[int] = 1
    inputs: list[str]
    frames: int
    bytes: int
    first_time: Time | None
    last_time: Time | None
    connections: int
    exchanges: int
    failures: dict[str, int]
    masked: int
    aborts: int
    open: int
    shown: int
    client_502: int
    explained_502: int
    incidents: dict[str, int]
    oddities: dict[str, int]
    duplicates: int
    dropped: int
    evicted: int
    gaps: Gaps
    upstreams: list[UpstreamSummary]
    caveats: list[str]


@record()
class LogVerdict:
    """With --log: a line of the gateway's log against the capture, or (``silent``) a failure that it does not mention.

    ``line`` counts from 1, ``frame`` is the failure point (or the request, of an exchange that ended well).
    """

    type: ClassVar[str] = "log"
    schema: ClassVar[int] = 1
    log: str | None
    line: int | None
    format: str | None
    time: Time
    verdict: Literal["confirmed", "contradicted", "not_in_capture", "silent"]
    failure: str | None
    incident: str | None
    frame: int | None
    file: int | None
    method: str | None
    target: str | None
    status: int | None
    says: str
    kinds: list[str]
    why: str


@record()
class LogSummary:
    """With --log: how many lines there were and what became of them, after the last of them."""

    type: ClassVar[str] = "log_summary"
    schema: ClassVar[int] = 1
    logs: list[str]
    lines: int
    confirmed: int
    contradicted: int
    not_in_capture: int
    silent: int
    outside: int  # of another time than the capture
    no_claim: int  # nothing of an upstream's failure in them, nor any exchange of the capture
    unreadable: int
    not_compared: int  # beyond what is remembered of the capture
    first_time: Time | None
    last_time: Time | None


@record()
class Pending:
    """Live only: a wait past its deadline that nothing has ended yet; a ``failure`` or ``cleared`` has its id later.

    ``kind`` is what it will be unless octets come; ``frame`` and ``time`` those of the last progress.
    """

    type: ClassVar[str] = "pending"
    schema: ClassVar[int] = 1
    id: str
    kind: str
    frame: int
    file: int
    time: Time
    seconds: float
    connection: ConnectionRef
    request: RequestRef | None
    response: ResponseRef | None
    summary: str


@record()
class Cleared:
    """Live only: a wait that was told as pending ended without a failure; ``frame`` is what ended it, if any."""

    type: ClassVar[str] = "cleared"
    schema: ClassVar[int] = 1
    id: str
    why: Literal["answered", "judged", "forgotten", "ended"]
    frame: int | None
    file: int | None
    time: Time
    seconds: float


Result = Failure | Incident | Open | ExchangeLine | Update | Pending | Cleared | LogVerdict | LogSummary | Summary
QUIET_KINDS = frozenset({"gateway_abort", "client_abort"})
