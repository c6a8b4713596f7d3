"""protocol_mismatch: the port speaks another protocol than the gateway.

What happened
    The gateway asked in one protocol and was answered in another: HTTP to a
    TLS port, TLS to a plain port, HTTP/1 to an HTTP/2-only port, or to a
    FastCGI, AJP, SSH, mail or database port.

How wire502 knows
    The first octets of the answer belong to the other protocol.

Easily mistaken for
    invalid_output   HTTP after all, but broken

What to check next
    Scheme and port of the upstream in the gateway's configuration (http
    against https, grpc against http, fastcgi_pass against proxy_pass).
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "protocol_mismatch"
CLASS = "configuration"
TITLE = "the port speaks another protocol"
KINDS = frozenset({"invalid_status_line", "tls_not_tls"})
YIELDS_TO = ()
AT_FAULT = None

PROTOCOLS = {
    "tls": "TLS",
    "h2": "HTTP/2",
    "ssh": "SSH",
    "fastcgi": "FastCGI",
    "ajp": "AJP",
    "proxy": "a PROXY protocol preface",
    "smtp": "SMTP",
    "pop3": "POP3",
    "redis": "Redis",
    "amqp": "AMQP",
    "mysql": "MySQL",
}


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause when the first octets of the answer name another protocol."""
    violation = attempt.violation
    if finding.kind == "tls_not_tls":
        spoke = PROTOCOLS.get((violation.looks_like or "") if violation is not None else "", "plain text")
        return _cause(attempt, finding, f"the answer to a TLS ClientHello is {spoke}, no TLS", "TLS")
    if violation is None:
        return None
    spoke = PROTOCOLS.get(violation.looks_like or "", "")
    if not spoke:
        return None
    return _cause(attempt, finding, f"the answer to an HTTP/1 request begins as {spoke}", "HTTP/1")


def _cause(attempt: Attempt, finding: Finding, note: str, asked: str) -> Cause:
    return Cause(
        NAME,
        CLASS,
        "high",
        [cite(finding.point, note)],
        "an earlier answer on this connection in the right protocol",
        f"The gateway speaks {asked} to {attempt.upstream}: correct its scheme or its port.",
    )
