"""tls_mismatch: the two sides cannot agree on TLS.

What happened
    No common version or cipher, a name that the upstream does not know, a
    certificate that is missing, expired or not trusted.

How wire502 knows
    A fatal alert ended the handshake; its description names the reason.

Easily mistaken for
    protocol_mismatch   the other side speaks no TLS at all

What to check next
    openssl s_client -connect ADDRESS:PORT -servername NAME, from the gateway;
    the names, trust store and client certificate of its configuration.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "tls_mismatch"
CLASS = "configuration"
TITLE = "the two sides cannot agree on TLS"
KINDS = frozenset({"tls_alert"})
YIELDS_TO = ()
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a handshake that a fatal alert ended."""
    notes = [note for point, note in finding.evidence if point == finding.point]
    note = notes[-1] if notes else "a fatal alert ended the handshake"
    return Cause(
        NAME,
        CLASS,
        "medium",
        [cite(finding.point, note)],
        "handshakes with the same settings that succeed",
        f"Repeat the handshake from the gateway: openssl s_client -connect {attempt.upstream}.",
    )
