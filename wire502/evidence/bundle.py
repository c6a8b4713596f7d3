"""A bundle: the evidence for some verdicts in one folder, and the proof that it is evidence for them.

The slice is cut as small as may be, redacted, and read again; where a verdict came out otherwise, a larger one is cut.
What was written is the same, octet for octet, whenever it is written: no clock, no paths, sorted keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from wire502.api import Failure, Incident, Result, Summary, Update, read, redaction
from wire502.capture import open_source
from wire502.errors import Wire502Error
from wire502.evidence.addresses import Addresses
from wire502.evidence.anonymising import LinkTypeError, anonymise
from wire502.evidence.cited import Place, causes_of, failure_notes, incident_notes, merged
from wire502.evidence.comparing import Difference, compared
from wire502.evidence.redaction import redact
from wire502.evidence.secrets import Secrets
from wire502.evidence.selection import Wanted
from wire502.evidence.slices import Slice, cut
from wire502.evidence.source import Frames, file_digest
from wire502.evidence.traces import traces
from wire502.model.records import field, record
from wire502.model.trace import Trace

EVIDENCE, MANIFEST = "evidence.pcapng", "manifest.json"
SCHEMA = 1
_SHORT = 16  # digits of a digest that tells one frame from another, no more
_A_LINE = 8  # digests in one line of the manifest
_SECOND_NS = 1_000_000_000
_MOST_NEIGHBOURS = 500  # attempts at one upstream that are taken along for the causes' sake
_ROUNDS = ("connections", "upstreams", "everything")


class EvidenceError(Wire502Error):
    """A bundle that cannot be made as asked, or that is not what it says."""


@record()
class Findings:
    """What was read: the records as they are to be shown (redacted, unless that is not wanted), in their order."""

    failures: list[Failure] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    summary: Summary | None = None

    @classmethod
    def of(cls, results: Iterable[Result]) -> Findings:
        """Sort *results*; an update changes the record that it names."""
        found = cls()
        for result in results:
            if isinstance(result, Failure):
                found.failures.append(result)
            elif isinstance(result, Incident):
                found.incidents.append(result)
            elif isinstance(result, Summary):
                found.summary = result
            elif isinstance(result, Update):
                for one in found.verdicts():
                    if one.id == result.id:
                        for name, value in result.changes.items():
                            setattr(one, name, value)
        return found

    def only(self, ident: str) -> Findings:
        """Return the failure or incident *ident* with what belongs to it. Raises ``EvidenceError`` without one."""
        incidents = [one for one in self.incidents if ident == one.id or ident in one.attempts]
        named = {ident, *(attempt for one in incidents if one.id == ident for attempt in one.attempts)}
        failures = [one for one in self.failures if one.id in named]
        if not failures and not any(one.id == ident for one in incidents):
            known = ", ".join(one.id for one in self.failures[:8]) or "none"
            raise EvidenceError(f"no failure has the id {ident!r}; there is: {known}")
        return Findings(failures, incidents, self.summary)

    def verdicts(self) -> list[Failure | Incident]:
        """Return failures, then incidents."""
        return [*self.failures, *self.incidents]


@record(frozen=True)
class Options:
    """How captures are read and what is done with the octets: all that verdicts and bundle depend on."""

    upstream: tuple[str, ...] = ()
    gateway: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    redacted: bool = True
    context: float = 0.0  # seconds around a failure in which other connections to its upstream are taken along
    ident: str | None = None
    anonymised: bool = False
    addresses: Addresses | None = field(default=None, compare=False)  # what maps them; nothing of it is written

    def read(self, *paths: str | BinaryIO) -> list[Result]:
        """Read *paths* to the end."""
        return list(read(*paths, upstream=self.upstream, gateway=self.gateway, settings=dict(self.settings)))

    def for_slice(self) -> Options:
        """Return the options that a slice is to be read with: its upstreams may have other addresses."""
        if self.addresses is None:
            return self
        return replace(self, upstream=tuple(map(self.addresses.text, self.upstream)), addresses=None)

    def hide(self, made: Slice) -> None:
        """Overwrite in *made* what is not to be shown. Raises ``EvidenceError`` when that cannot be done."""
        if self.redacted:
            redact(made, Secrets.of(redaction(dict(self.settings))))
        if self.addresses is not None:
            try:
                anonymise(made, self.addresses)
            except LinkTypeError as error:
                raise EvidenceError(str(error)) from error

    def shown(self, text: str) -> str:
        """Return a comment as it may be written."""
        return text if self.addresses is None else self.addresses.text(text)

    def written(self) -> dict[str, Any]:
        """Return the options as the manifest keeps them."""
        return {
            "upstream": list(self.upstream),
            "gateway": self.gateway,
            "settings": dict(self.settings),
            "redacted": self.redacted,
            "context": self.context,
            "id": self.ident,
            "anonymised": self.anonymised,
        }

    @classmethod
    def from_written(cls, written: Mapping[str, Any]) -> Options:
        """Return what ``written`` gave. Raises ``TypeError``, ``ValueError`` or ``KeyError`` for anything else."""
        return cls(
            tuple(str(one) for one in written["upstream"]),
            None if written["gateway"] is None else str(written["gateway"]),
            tuple((str(name), str(value)) for name, value in dict(written["settings"]).items()),
            bool(written["redacted"]),
            float(written["context"]),
            None if written["id"] is None else str(written["id"]),
            bool(written.get("anonymised")),
        )


def write_bundle(
    folder: Path,
    paths: Sequence[str],
    everything: Findings,
    chosen: Findings,
    options: Options,
    texts: Mapping[str, Callable[[Slice], str]],
    version: str,
) -> None:
    """Write a bundle for *chosen* (of *everything* found in *paths*) into *folder*; both with their own addresses.

    *texts* are the other files by name, each written from the slice as it is handed on. Raises ``EvidenceError`` when
    no slice gives the same verdicts: redaction took away what they rest on.
    """
    notes = notes_of(chosen, options)
    made, how, causes = _faithful_slice(paths, everything, chosen, options, notes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made.copy_to(folder / EVIDENCE)
        for name, text in texts.items():
            (folder / name).write_text(text(made), encoding="utf-8", newline="\n")
        manifest = _manifest(folder, paths, made, chosen, options, notes, [EVIDENCE, *texts], version, how, causes)
        (folder / MANIFEST).write_text(
            json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=True) + "\n", encoding="ascii", newline="\n"
        )
    finally:
        made.close()


def drawn(
    paths: Sequence[str], everything: Findings, chosen: Findings, options: Options, told: Sequence[Failure]
) -> dict[str, Trace]:
    """Return what a report draws of *told* (the failures of *chosen* as they are shown), without writing a bundle.

    It comes from the slice that a bundle would hold. Raises ``EvidenceError`` as ``write_bundle`` does.
    """
    made, _, _ = _faithful_slice(paths, everything, chosen, options, {})
    try:
        return traces(made, told)
    finally:
        made.close()


def notes_of(found: Findings, options: Options) -> dict[Place, list[str]]:
    """Return the comments for the frames that *found* cites, as they may be written."""
    notes = merged([*map(failure_notes, found.failures), *map(incident_notes, found.incidents)])
    return {place: list(map(options.shown, lines)) for place, lines in notes.items()}


def section_notes(found: Findings, options: Options) -> list[str]:
    """Return what the file says of itself: a verdict a comment."""
    lines = [f"{one.id}: {one.kind}, confidence {one.confidence}: {one.summary}" for one in found.failures]
    return list(map(options.shown, lines))


def _faithful_slice(
    paths: Sequence[str], everything: Findings, chosen: Findings, options: Options, notes: Mapping[Place, list[str]]
) -> tuple[Slice, str, dict[str, list[str]]]:
    """Cut the smallest slice that gives the same verdicts.

    Returns with it how it was cut, and the causes found in it of failures whose causes rest on more than it holds.
    """
    section = section_notes(chosen, options)
    wanted = _wanted(paths, chosen, options)
    difference = Difference()
    for how in _ROUNDS:
        if how == "upstreams":
            wanted.neighbours(_in_need(difference, everything))
        wanted.everything = how == "everything"
        made = cut(paths, wanted, notes, section)
        try:
            options.hide(made)
            difference = compared_slice(made, everything, chosen, options)
        except BaseException:
            made.close()
            raise
        if not difference or (not difference.sentence() and not _in_need(difference, everything)):
            return made, how, difference.causes
        if how == "everything" and not difference.sentence():  # the rest of the causes went with what was overwritten
            return made, how, difference.causes
        made.close()
    hint = "; --no-redact keeps what it rests on" if options.redacted else ""
    raise EvidenceError(f"the evidence would not give the same verdicts: {difference.sentence()}{hint}")


def _in_need(difference: Difference, everything: Findings) -> list[Failure]:
    """Return the failures for whose sake the neighbours of their connections are worth taking along.

    For the causes alone not more than so many are: a slice is to be small.
    """
    if difference.sentence():
        return [one for one in everything.failures if one.id in {lost.id for lost in difference.lost}] or (
            everything.failures
        )
    upstreams = everything.summary.upstreams if everything.summary is not None else []
    busy = {one.upstream for one in upstreams if one.attempts > _MOST_NEIGHBOURS}
    return [one for one in everything.failures if one.id in difference.causes and one.connection.upstream not in busy]


def _wanted(paths: Sequence[str], chosen: Findings, options: Options) -> Wanted:
    wanted = Wanted()
    for failure in chosen.failures:
        wanted.failure(failure)
    for incident in chosen.incidents:
        wanted.incident(incident)
    if options.context:
        wanted.near(Frames(paths), chosen.failures, round(options.context * _SECOND_NS))
    return wanted


def compared_slice(made: Slice, everything: Findings, chosen: Findings, options: Options) -> Difference:
    """Read the slice and return in what it differs from *everything* found in its source."""
    made.stream.seek(0)
    again = Findings.of(options.for_slice().read(made.stream))
    return compared(again.verdicts(), everything.verdicts(), chosen.verdicts(), made.sources())


@record()
class Digests:
    """SHA-256 of what a slice holds: of the octets of some frames; short ones of every frame with its time stamp and
    length, and of the comments of each frame that has any, and of the rest of the file's.
    """

    octets: dict[int, str] = field(default_factory=dict)
    frames: list[str] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)
    file: str = ""


def digests_of(made_path: Path, frames: Iterable[int]) -> Digests:
    """Return the digests of the capture at *made_path*, those of the octets alone for *frames*.

    Raises ``CaptureError`` where it cannot be read at all; what follows damage has none.
    """
    wanted = set(frames)
    made = Digests()
    comments: dict[int, Any] = {}
    whole = hashlib.sha256()
    with open_source(made_path) as source:
        while (batch := source.read_batch()) is not None:
            columns = (memoryview(one)[: batch.count].tolist() for one in (batch.frame, batch.ts_ns, batch.length))
            for row, (frame, ts_ns, length) in enumerate(zip(*columns, strict=True)):
                start = batch.start[row]
                octets = bytes(batch.data[start : start + batch.captured[row]])
                if frame in wanted:
                    made.octets[frame] = hashlib.sha256(octets).hexdigest()
                head = f"{ts_ns} {length} ".encode()
                made.frames.append(hashlib.sha256(head + octets).hexdigest()[:_SHORT])
        for one in source.comments:
            digest = whole if one.kind != "frame" else comments.setdefault(one.number, hashlib.sha256())
            digest.update(f"{one.kind} {one.text}\0".encode())
    made.comments = {number: digest.hexdigest()[:_SHORT] for number, digest in comments.items()}
    made.file = whole.hexdigest()[:_SHORT]
    return made


def _manifest(
    folder: Path,
    paths: Sequence[str],
    made: Slice,
    chosen: Findings,
    options: Options,
    notes: Mapping[Place, list[str]],
    files: Iterable[str],
    version: str,
    how: str,
    causes: Mapping[str, list[str]],
) -> dict[str, Any]:
    numbers = {place: number for number, place in enumerate(made.places, 1) if place in notes}
    digests = digests_of(folder / EVIDENCE, numbers.values())
    return {
        "schema": SCHEMA,
        "tool": "wire502",
        "version": version,
        "options": options.for_slice().written(),
        "sources": [
            {"name": Path(path).name, "sha256": file_digest(path), "octets": Path(path).stat().st_size}
            for path in paths
        ],
        "files": {
            name: {"sha256": file_digest(folder / name), "octets": (folder / name).stat().st_size} for name in files
        },
        "cited": [
            {
                "file": place[0],
                "source_frame": place[1],
                "frame": number,
                "sha256": digests.octets[number],
                "comment": digests.comments.get(number),
            }
            for place, number in sorted(numbers.items())
        ],
        "frames": [" ".join(digests.frames[at : at + _A_LINE]) for at in range(0, len(digests.frames), _A_LINE)],
        "comments": digests.file,
        "verdicts": [_verdict(one, causes.get(one.id)) for one in chosen.failures],
        "incidents": [
            {
                "id": one.id,
                "outcome": one.outcome,
                "client_status": one.client_status,
                "file": one.file,
                "frame": one.frame,
            }
            for one in chosen.incidents
        ],
        "counts": {
            "frames": len(made.places),
            "source_frames": chosen.summary.frames if chosen.summary else None,
            "failures": len(chosen.failures),
            "incidents": len(chosen.incidents),
            "dropped": made.dropped,
        },
        "slice": how,
    }


def _verdict(failure: Failure, causes: list[str] | None) -> dict[str, Any]:
    """Return a verdict; *causes* are those found in the slice where they differ: some rest on more than it holds."""
    return {
        "id": failure.id,
        "kind": failure.kind,
        "at_fault": failure.at_fault,
        "file": failure.file,
        "frame": failure.frame,
        "masked": failure.masked,
        "causes": causes_of(failure),
        "causes_of_slice": causes_of(failure) if causes is None else causes,
    }
