"""Results made by hand: one of each shape that a report must cope with."""

from __future__ import annotations

from dataclasses import replace

from wire502.model.attempt import Point, Step
from wire502.model.verdict import (
    Alternative,
    Cause,
    Cleared,
    ClientRef,
    ConnectionRef,
    Evidence,
    ExchangeLine,
    Failure,
    Gaps,
    GatewayView,
    Incident,
    IncidentRequest,
    Link,
    LogSummary,
    LogVerdict,
    Open,
    Pending,
    Percentiles,
    RequestRef,
    ResponseRef,
    Result,
    Summary,
    Time,
    Until,
    Update,
    UpstreamSummary,
)

START = 1_795_349_071_871_000_000  # 2026-11-22T12:04:31.871Z
MS = 1_000_000

HOSTILE = "/\x1b[31mred\u202e\n\r\x07\x9b0m/é漢字?q=\u200bx"


def at(ms: float) -> Time:
    return Time(START + round(ms * MS))


def point(frame: int, ms: float, file: int = 0) -> Point:
    return Point(frame, file, at(ms))


def connection(**changes: object) -> ConnectionRef:
    made = ConnectionRef(
        stream=3, gateway="10.0.0.1:41000", upstream="10.0.0.2:8080", first_frame=1, exchange=1, reused=False
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def request(target: str = "/cart", **changes: object) -> RequestRef:
    made = RequestRef(
        frame=4, time=at(0), method="GET", target=target, host="shop.example", id=None, target_length=len(target)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def client(**changes: object) -> ClientRef:
    made = ClientRef(
        frame=8,
        file=0,
        time=at(11),
        outcome="error",
        status=502,
        connection="10.0.0.9:50110",
        request_frame=2,
        link=Link(0.98, ["target", "nesting"], None),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def reset_before_response(**changes: object) -> Failure:
    """The example of the output contract: the upstream resets after it had the whole request."""
    made = Failure(
        id="f1",
        kind="rst_before_response",
        protocol="http/1.1",
        confidence="high",
        frame=6,
        file=0,
        time=at(9),
        offset=0,
        until=None,
        sender=None,
        secondary=False,
        alternatives=[],
        at_fault="upstream",
        connection=connection(),
        request=request(),
        response=None,
        client=client(),
        masked=False,
        causes=[
            Cause(
                "crashed_before_response",
                "application",
                "medium",
                [Evidence(6, "3 other connections to it were reset within 2 ms, then it refused for 1.4 s")],
                "a deploy at that moment",
            )
        ],
        evidence=[Evidence(4, "request sent"), Evidence(6, "RST: not one octet of a response")],
        caveats=[],
        gateways={
            "nginx": GatewayView(
                502, "recv() failed (104: Connection reset by peer) while reading response header from upstream", True
            )
        },
        summary="The upstream reset the connection 9 ms after it had the whole request; nothing was lost around it.",
        ladder=[
            Step(point(4, 0), True, "request", octets=120),
            Step(point(5, 0.3), False, "ack"),
            Step(point(6, 9), False, "rst"),
        ],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def short_body() -> Failure:
    """A FIN 22941 octets before the announced end; two input files, frame 128 of the second."""
    return reset_before_response(
        id="f2",
        kind="fin_mid_body",
        frame=128,
        file=1,
        time=at(250),
        offset=18231,
        request=request("/t/12", frame=120, file=1),
        response=ResponseRef(
            frame=122, time=at(12), status=200, head_bytes=212, body_bytes=18019, expected_body_bytes=40960, file=1
        ),
        client=client(frame=131, file=1, request_file=1, outcome="cut", status=200, time=at(251)),
        causes=[],
        gateways={},
        evidence=[Evidence(120, "request sent", 1), Evidence(128, "FIN from the upstream: 22941 octets short", 1)],
        caveats=["the capture lost 12 packets around this attempt"],
        alternatives=[Alternative("rst_mid_body", 129, "low", "a RST follows at once", 1)],
        confidence="medium",
        summary="10.0.0.2:8080 closed the connection 22941 octets short of its 40960-octet response to GET /t/12.",
        ladder=[
            Step(point(117, -1.2, 1), True, "syn"),
            Step(point(118, -0.9, 1), False, "syn_ack"),
            Step(point(119, -0.8, 1), True, "ack"),
            Step(point(120, 0, 1), True, "request", octets=88),
            Step(point(122, 12, 1), False, "response", octets=1448),
            Step(point(123, 13, 1), False, "data", octets=16783, count=5),
            Step(point(128, 250, 1), False, "fin"),
        ],
    )


def stall() -> Failure:
    """A minute of silence that the gateway ended; no client leg, an endpoint of IPv6."""
    return reset_before_response(
        id="f3",
        kind="stall_before_response",
        confidence="medium",
        frame=4,
        time=at(0),
        until=Until(9, at(60_000), 60.0),
        client=None,
        causes=[],
        gateways={},
        evidence=[Evidence(4, "request sent"), Evidence(9, "the gateway gave up")],
        connection=connection(gateway="[2001:db8::1]:41000", upstream="[2001:db8:0:1:1:1:1:2]:8080"),
        request=request("/report?year=2026&token=s3cret"),
        summary="[2001:db8:0:1:1:1:1:2]:8080 acknowledged GET /report?year=2026&token=s3cret and then said nothing for "
        "60.0 s, until the gateway gave up.",
        ladder=[
            Step(point(4, 0), True, "request", octets=120),
            Step(point(5, 0.3), False, "ack"),
            Step(point(7, 30_000), True, "probe"),
            Step(point(8, 30_000.2), False, "ack"),
            Step(point(9, 60_000), True, "fin"),
        ],
    )


def refused() -> Failure:
    """A connect that was refused, made good by a retry: masked; no request at all."""
    return reset_before_response(
        id="f4",
        kind="connect_refused",
        frame=2,
        time=at(0.4),
        offset=None,
        masked=True,
        request=None,
        client=None,
        causes=[],
        gateways={},
        evidence=[Evidence(1, "SYN"), Evidence(2, "RST,ACK")],
        summary="10.0.0.2:8080 refused the connection.",
        ladder=[Step(point(1, 0), True, "syn"), Step(point(2, 0.4), False, "rst")],
    )


def abort() -> Failure:
    """The gateway left first: a line of its own group."""
    return reset_before_response(
        id="f5",
        kind="gateway_abort",
        at_fault="gateway",
        confidence="medium",
        frame=6,
        client=None,
        causes=[],
        gateways={},
        summary="The gateway closed the connection 9 ms after its request, before any answer.",
        ladder=[Step(point(4, 0), True, "request"), Step(point(6, 9), True, "fin")],
        evidence=[],
    )


def hostile() -> Failure:
    """Text of the wire that wants to be more than text, in every place that holds any."""
    return reset_before_response(
        id="f6\x1b[2J",
        request=request(HOSTILE + "/long" * 1600, host=HOSTILE, id=HOSTILE, method="G\x1b[1mT"),
        summary=HOSTILE * 3,
        caveats=[HOSTILE],
        evidence=[Evidence(6, HOSTILE)],
        alternatives=[Alternative("rst_mid_body", None, "low", HOSTILE)],
        causes=[Cause(HOSTILE, HOSTILE, "low", [Evidence(6, HOSTILE)], HOSTILE, HOSTILE)],
        gateways={HOSTILE: GatewayView(None, HOSTILE, False)},
        connection=connection(gateway=HOSTILE, upstream=HOSTILE),
        client=client(connection=HOSTILE),
        ladder=[
            Step(point(4, 0), True, "request", note=HOSTILE),
            Step(point(6, 9), False, HOSTILE, note=HOSTILE),
        ],
    )


def bare() -> Failure:
    """A failure of which as little as possible is known."""
    return reset_before_response(
        id="f7",
        offset=None,
        at_fault="unknown",
        confidence="low",
        request=None,
        client=None,
        causes=[],
        evidence=[],
        gateways={},
        ladder=[],
    )


def incident() -> Incident:
    return Incident(
        id="i1",
        client_status=502,
        outcome="error",
        frame=8,
        file=0,
        time=at(11),
        client="10.0.0.9:50110",
        request=IncidentRequest(2, "GET", "/cart", "shop.example", None),
        attempts=["f1", "f2"],
        verdict="f2",
        confidence="high",
        summary="10.0.0.9:50110 got 502 for GET /cart after 2 attempts.",
    )


def opened() -> Open:
    return Open(
        connection=connection(stream=9),
        request=request("/slow"),
        response=None,
        frame=90,
        file=0,
        time=at(100),
        why_unknown="the capture ends 2.1 s after the request",
    )


def exchange() -> ExchangeLine:
    return ExchangeLine(
        kind=None,
        leg="upstream",
        protocol="http/1.1",
        frame=12,
        file=0,
        time=at(3),
        connection=connection(),
        request=request("/ok"),
        response=ResponseRef(12, at(3), 200, 120, 512, 512),
        duration_ms=3.25,
        first_byte_ms=3.0,
        oddities=["octets after a complete response"],
    )


def update() -> Update:
    return Update("f1", {"masked": True, "time": at(9), "client": client(), "until": None, "caveats": ["x"]})


def logged(**changes: object) -> LogVerdict:
    made = LogVerdict(
        log="logs/error.log",
        line=12,
        format="nginx error",
        time=at(0),
        verdict="contradicted",
        failure="f1",
        incident=None,
        frame=128,
        file=0,
        method="GET",
        target="/cart?\x1b[2J",
        status=None,
        says="upstream timed out (110: Connection timed out)",
        kinds=["stall_before_response"],
        why="the gateway writes this for stall_before_response, the capture shows rst_before_response",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def log_summary() -> LogSummary:
    return LogSummary(["logs/error.log"], 12, 0, 1, 0, 0, 10, 1, 0, 0, at(0), at(9))


def summary(**changes: object) -> Summary:
    made = Summary(
        inputs=["capture.pcap"],
        frames=1200,
        bytes=903211,
        first_time=at(0),
        last_time=at(313_000),
        connections=41,
        exchanges=96,
        failures={"fin_mid_body": 1},
        masked=0,
        aborts=0,
        open=2,
        shown=1,
        client_502=0,
        explained_502=0,
        incidents={"cut": 1},
        oddities={},
        duplicates=0,
        dropped=0,
        evicted=0,
        gaps=Gaps(0, 2, 0),
        upstreams=[
            UpstreamSummary("10.0.0.2:8080", 95, 1, Percentiles(0.2, 1.1), Percentiles(3.0, 20.1), 0, None),
            UpstreamSummary("[2001:db8:0:1:1:1:1:2]:8080", 1, 0, Percentiles(None, None), Percentiles(12, 1210), 3, 5),
        ],
        caveats=[],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def healthy_summary() -> Summary:
    return summary(failures={}, open=0, shown=0, incidents={}, gaps=Gaps())


def pending() -> Pending:
    return Pending(
        id="f9",
        kind="stall_before_response",
        frame=4,
        file=0,
        time=at(0),
        seconds=60.0,
        connection=connection(),
        request=request(),
        response=None,
        summary="10.0.0.2:8080 has sent not one octet of a response for 60 s, and nothing has ended the wait yet",
    )


def cleared() -> Cleared:
    return Cleared(id="f9", why="answered", frame=77, file=0, time=at(61_000), seconds=61.0)


def everything() -> list[Result]:
    """One of each, the summary last."""
    return [
        reset_before_response(),
        short_body(),
        stall(),
        refused(),
        abort(),
        hostile(),
        bare(),
        incident(),
        opened(),
        exchange(),
        update(),
        pending(),
        cleared(),
        logged(),
        log_summary(),
        summary(),
    ]
