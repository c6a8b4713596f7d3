"""Evidence: slices of captures with their verdicts beside them, redacted, hashed, and open to being checked."""

from wire502.evidence.addresses import Addresses
from wire502.evidence.bundle import EVIDENCE, MANIFEST, EvidenceError, Findings, Options, drawn, write_bundle
from wire502.evidence.marking import mark
from wire502.evidence.second_opinion import second_opinion, tshark_version
from wire502.evidence.slices import Slice
from wire502.evidence.traces import traces
from wire502.evidence.verifying import verify
from wire502.model.trace import Trace

__all__ = [
    "EVIDENCE",
    "MANIFEST",
    "Addresses",
    "EvidenceError",
    "Findings",
    "Options",
    "Slice",
    "Trace",
    "drawn",
    "mark",
    "second_opinion",
    "traces",
    "tshark_version",
    "verify",
    "write_bundle",
]
