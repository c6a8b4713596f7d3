"""The whole capture once more, with a comment on each frame that decides something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wire502.evidence.bundle import EvidenceError, Findings, Options, compared_slice, notes_of, section_notes
from wire502.evidence.slices import cut


def mark(out: Path, paths: Sequence[str], found: Findings, options: Options) -> int:
    """Write *paths* to *out* with comments by the verdicts *found*; return how many frames have one.

    Raises ``EvidenceError`` when redaction would change a verdict.
    """
    notes = notes_of(found, options)
    hidden = options.redacted or options.anonymised
    made = cut(paths, None, notes, section_notes(found, options), keep=not hidden)
    try:
        if hidden:
            options.hide(made)
            if difference := compared_slice(made, found, found, options).sentence():
                raise EvidenceError(f"what is overwritten would change the verdicts: {difference}; use --no-redact")
        made.copy_to(out)
        return len(notes.keys() & set(made.places))
    finally:
        made.close()
