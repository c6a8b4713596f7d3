"""One result, one log record of OpenTelemetry, in the JSON encoding of OTLP 1.5 (``opentelemetry/proto/logs/v1``).

Names follow the semantic conventions where there is one; the rest begins with ``wire502.``. A record belongs to the
trace that the failed request carried, so that it stands beside the gateway's own spans. Records that must not hold
the values of queries are made from redacted results.
"""

from __future__ import annotations

from typing import Any

from wire502.model.verdict import QUIET_KINDS, Cleared, ConnectionRef, Failure, Incident, Pending, Result, Update

SCOPE = "wire502"
_INFO, _WARN, _ERROR = (9, "INFO"), (13, "WARN"), (17, "ERROR")
_LARGEST = 1 << 63  # integers of OTLP are signed and have 64 bits
Trace = tuple[str, str]


def record(result: Result, observed_ns: int, trace: Trace | None = None) -> dict[str, Any] | None:
    """Return *result* as a log record, None for one that is not told (healthy exchanges, summaries).

    *observed_ns* is now, in nanoseconds since 1970. *trace* is used where the result has no trace of its own.
    """
    if isinstance(result, Failure):
        severity = _INFO if result.masked or result.kind in QUIET_KINDS else _WARN
        trace = trace_of(result) or trace
        return _record("failure", result.time, observed_ns, severity, result.summary, _failure(result), trace)
    if isinstance(result, Incident):
        return _record("incident", result.time, observed_ns, _ERROR, result.summary, _incident(result), trace)
    if isinstance(result, Pending):
        trace = (None if result.request is None else result.request.trace) or trace
        return _record("pending", result.time, observed_ns, _INFO, result.summary, _pending(result), trace)
    if isinstance(result, Cleared):
        text = f"The wait {result.id} is over without a failure: {result.why}."
        values = {"wire502.id": result.id, "wire502.frame": result.frame, "wire502.why": result.why}
        return _record("cleared", result.time, observed_ns, _INFO, text, values, trace)
    if isinstance(result, Update):
        text = f"Of {result.id} is known by now: {', '.join(result.changes)}."
        changes = {f"wire502.{name}": value for name, value in result.changes.items() if _scalar(value)}
        return _record("update", observed_ns, observed_ns, _INFO, text, {"wire502.id": result.id, **changes}, trace)
    return None


def trace_of(result: Failure) -> Trace | None:
    """Return trace and span id that the request of a failure carried."""
    return None if result.request is None else result.request.trace


def request(resource: dict[str, str], version: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a request to ``/v1/logs`` (``ExportLogsServiceRequest``) with *records*."""
    scope = {"name": SCOPE, "version": version}
    logs = {"resource": {"attributes": _attributes(resource)}, "scopeLogs": [{"scope": scope, "logRecords": records}]}
    return {"resourceLogs": [logs]}


def _record(
    name: str,
    time_ns: int,
    observed_ns: int,
    severity: tuple[int, str],
    text: str,
    values: dict[str, Any],
    trace: Trace | None,
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "timeUnixNano": str(max(0, time_ns)),
        "observedTimeUnixNano": str(max(0, observed_ns)),
        "severityNumber": severity[0],
        "severityText": severity[1],
        "eventName": f"wire502.{name}",
        "body": {"stringValue": text},
        "attributes": _attributes(values),
    }
    if trace is not None:
        made["traceId"], made["spanId"] = trace
    return made


def _failure(failure: Failure) -> dict[str, Any]:
    client, response, cause = failure.client, failure.response, failure.causes[0] if failure.causes else None
    return {
        "wire502.id": failure.id,
        "wire502.kind": failure.kind,
        "wire502.cause": None if cause is None else cause.name,
        "wire502.cause.confidence": None if cause is None else cause.confidence,
        "wire502.at_fault": failure.at_fault,
        "wire502.confidence": failure.confidence,
        "wire502.frame": failure.frame,
        "wire502.file": failure.file,
        "wire502.masked": failure.masked,
        "wire502.caveats": failure.caveats,
        "network.protocol.name": failure.protocol,
        **_connection(failure.connection),
        **_asked(failure),
        "http.response.status_code": None if response is None else response.status,
        "client.address": None if client is None else _host(client.connection),
        "client.port": None if client is None else _port(client.connection),
        "wire502.client.outcome": None if client is None else client.outcome,
        "wire502.client.status": None if client is None else client.status,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    asked = incident.request
    return {
        "wire502.id": incident.id,
        "wire502.outcome": incident.outcome,
        "wire502.kind": incident.kind,
        "wire502.verdict": incident.verdict,
        "wire502.attempts": incident.attempts,
        "wire502.confidence": incident.confidence,
        "wire502.frame": incident.frame,
        "wire502.file": incident.file,
        "http.response.status_code": incident.client_status,
        "http.request.method": None if asked is None else asked.method,
        "url.original": None if asked is None else asked.target,
        "wire502.request.host": None if asked is None else asked.host,
        "wire502.request.id": None if asked is None else asked.id,
        "client.address": _host(incident.client),
        "client.port": _port(incident.client),
    }


def _pending(pending: Pending) -> dict[str, Any]:
    return {
        "wire502.id": pending.id,
        "wire502.kind": pending.kind,
        "wire502.frame": pending.frame,
        "wire502.file": pending.file,
        "wire502.seconds": pending.seconds,
        **_connection(pending.connection),
        **_asked(pending),
    }


def _connection(connection: ConnectionRef) -> dict[str, Any]:
    """Return the names of a connection: the gateway is the one that asked, the upstream the server."""
    return {
        "server.address": _host(connection.upstream),
        "server.port": _port(connection.upstream),
        "wire502.gateway": connection.gateway,
        "wire502.upstream": connection.upstream,
        "wire502.stream": connection.stream,
        "wire502.exchange": connection.exchange,
        "wire502.reused": connection.reused,
    }


def _asked(result: Failure | Pending) -> dict[str, Any]:
    asked = result.request
    if asked is None:
        return {}
    return {
        "http.request.method": asked.method,
        "url.original": asked.target,
        "wire502.request.host": asked.host,
        "wire502.request.id": asked.id,
        "wire502.request.frame": asked.frame,
    }


def _host(endpoint: str) -> str | None:
    return endpoint.rpartition(":")[0].strip("[]") or None


def _port(endpoint: str) -> int | None:
    port = endpoint.rpartition(":")[2]
    return int(port) if port.isdecimal() else None


def _scalar(value: object) -> bool:
    return isinstance(value, str | bool | int | float)


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return key-value pairs; what is not known is left out."""
    return [{"key": name, "value": _value(value)} for name, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_LARGEST <= value < _LARGEST:
        return {"intValue": str(value)}  # 64 bits are text in the JSON of protocol buffers
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}
