"""Log records of OpenTelemetry: what they say, and that the standard's own schema reads them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from tests.wire import Wire
from wire502 import read
from wire502.model.head_fields import trace
from wire502.model.verdict import Cleared, Failure, Incident, Result, Summary, Time, Update
from wire502.report.otlp import record, request, trace_of

CAPTURE = "captures/reset-before-response.pcapng"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """All that a capture with one failure gives."""
    return list(read(CAPTURE))


def the_failure(results: list[Result]) -> Failure:
    return next(one for one in results if isinstance(one, Failure))


def plain(made: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a record by name."""
    return {pair["key"]: next(iter(pair["value"].values())) for pair in made["attributes"]}


def test_a_failure_is_a_warning_with_its_frame(results: list[Result]) -> None:
    """Kind, cause, side, frame and connection can be looked up; the time is that of the frame."""
    failure = the_failure(results)
    made = record(failure, 7)
    assert made is not None
    assert (made["severityNumber"], made["severityText"], made["eventName"]) == (13, "WARN", "wire502.failure")
    assert made["timeUnixNano"] == str(failure.time)
    assert made["observedTimeUnixNano"] == "7"
    assert made["body"] == {"stringValue": failure.summary}
    found = plain(made)
    assert found["wire502.kind"] == "rst_before_response"
    assert found["wire502.cause"] == failure.causes[0].name
    assert found["wire502.at_fault"] == failure.at_fault
    assert found["wire502.frame"] == str(failure.frame)
    assert found["wire502.stream"] == str(failure.connection.stream)
    assert (found["server.address"], found["server.port"]) == ("10.2.0.2", "8080")


def test_severity_follows_what_it_cost(results: list[Result]) -> None:
    """An incident is an error; what a retry made good, and aborts, are information."""
    failure = the_failure(results)
    incident = next(one for one in results if isinstance(one, Incident))
    for one, text in (
        (incident, "ERROR"),
        (replace(failure, masked=True), "INFO"),
        (replace(failure, kind="client_abort"), "INFO"),
    ):
        made = record(one, 0)
        assert made is not None
        assert made["severityText"] == text


def test_a_failure_belongs_to_the_trace_of_its_request(tmp_path: Any) -> None:
    """Trace and span of a traceparent become the record's own, even beside a header that names the request."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    head = f"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r1\r\ntraceparent: 00-{TRACE}-{SPAN}-01\r\n\r\n"
    conn.client.send(head.encode())
    conn.server.ack()
    conn.server.reset()
    failure = the_failure(list(read(wire.write(tmp_path / "traced.pcap"))))
    assert trace_of(failure) == (TRACE, SPAN)
    made = record(failure, 0)
    assert made is not None
    assert (made["traceId"], made["spanId"]) == (TRACE, SPAN)
    assert plain(made)["wire502.request.id"] == "r1"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00-" + "0" * 32 + f"-{SPAN}-01",
        f"00-{TRACE}-" + "0" * 16 + "-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01x",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_a_traceparent_that_is_none_names_no_trace(value: str) -> None:
    """Zeros, version ff, capitals and other lengths are no trace (W3C Trace Context)."""
    assert trace(b"GET / HTTP/1.1\r\ntraceparent: " + value.encode() + b"\r\n\r\n") is None


def test_the_end_of_the_run_is_no_event(results: list[Result]) -> None:
    """Summaries are not sent; a wait that was cleared, and what became known later, are."""
    assert record(next(one for one in results if isinstance(one, Summary)), 0) is None
    cleared = record(Cleared("f1", "answered", 9, 0, Time(5), 1.5), 0)
    update = record(Update("f1", {"masked": True, "client": None}), 3)
    assert cleared is not None
    assert update is not None
    assert plain(cleared)["wire502.why"] == "answered"
    assert plain(update) == {"wire502.id": "f1", "wire502.masked": True}


def test_the_standard_reads_every_record(results: list[Result]) -> None:
    """OpenTelemetry's own protocol buffers take the JSON, each field by its name and type."""
    service = pytest.importorskip(
        "opentelemetry.proto.collector.logs.v1.logs_service_pb2", reason="opentelemetry-proto is not installed"
    )
    from google.protobuf import json_format

    failure = the_failure(results)
    assert failure.request is not None
    traced = replace(failure, request=replace(failure.request, trace=(TRACE, SPAN)))
    made = [
        record(one, 7) for one in [*results, traced, Update("f1", {"masked": True, "seconds": 1.5, "many": 1 << 70})]
    ]
    body = request({"service.name": "wire502"}, "1", [one for one in made if one is not None])
    for one in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        for name in ("traceId", "spanId"):  # the one departure of OTLP from the JSON of protocol buffers: hex
            if name in one:
                one[name] = b64encode(bytes.fromhex(one[name])).decode()
    message = json_format.Parse(json.dumps(body), service.ExportLogsServiceRequest())
    (logs,) = message.resource_logs
    (scope,) = logs.scope_logs
    assert len(scope.log_records) == 4
    assert scope.log_records[2].trace_id.hex() == TRACE
    assert scope.log_records[2].span_id.hex() == SPAN
    assert scope.log_records[0].event_name == "wire502.failure"
    assert scope.log_records[0].severity_number == 13
