"""Checks a bundle without its source: nothing was changed, and its packets still give its verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wire502.capture import open_source
from wire502.errors import CaptureError
from wire502.evidence.bundle import EVIDENCE, MANIFEST, SCHEMA, EvidenceError, Findings, Options, digests_of
from wire502.evidence.cited import Place
from wire502.evidence.slices import TAIL, places_of
from wire502.evidence.source import file_digest

_MOST_MANIFEST = 256 << 20
_MOST_NAMED = 20  # changed frames that are told one by one


def verify(folder: Path) -> list[str]:
    """Return what is wrong with the bundle in *folder*, a sentence each; nothing when all is as it was written.

    Raises ``EvidenceError`` when there is no bundle that could be checked.
    """
    manifest = _manifest(folder)
    wrong: list[str] = []
    try:
        wrong += _files(folder, manifest)
        if (folder / EVIDENCE).is_file():
            wrong += _frames(folder, manifest)
            wrong += _verdicts(folder, manifest)
    except CaptureError as error:
        return [*wrong, f"{EVIDENCE}: {error.reason}"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"{MANIFEST} is not as wire502 writes it: {error}") from error
    return wrong


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise EvidenceError(f"{folder} is no bundle: it holds no {MANIFEST}")
    if path.stat().st_size > _MOST_MANIFEST:
        raise EvidenceError(f"{MANIFEST} is too large to be one")
    try:
        manifest = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{MANIFEST} is no JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise EvidenceError(f"{MANIFEST} is not of schema {SCHEMA}: another version of wire502 wrote it")
    return manifest


def _files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    wrong = []
    for name, said in sorted(manifest["files"].items()):
        if Path(name).name != name or name in ("", ".", ".."):
            wrong.append(f"{name!r} is no name of a file in the bundle")
        elif not (folder / name).is_file():
            wrong.append(f"{name} is missing")
        elif file_digest(folder / name) != said["sha256"]:
            wrong.append(f"{name} was changed")
    return wrong


def _frames(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Name each frame that is not as it was written, and comments likewise."""
    said = {int(one["frame"]): one for one in manifest["cited"]}
    digests = digests_of(folder / EVIDENCE, said)
    expected = [digest for line in manifest["frames"] for digest in str(line).split()]
    changed = [
        number
        for number, (now, was) in enumerate(zip(digests.frames, expected, strict=False), 1)
        if now != was or (number in said and digests.octets.get(number) != said[number]["sha256"])
    ]
    wrong = [f"{EVIDENCE}: frame {number}{_cited(said.get(number))} was changed" for number in changed[:_MOST_NAMED]]
    if len(changed) > _MOST_NAMED:
        wrong.append(f"{EVIDENCE}: and {len(changed) - _MOST_NAMED} more frames were changed")
    first = min(len(digests.frames), len(expected)) + 1
    if len(digests.frames) < len(expected):
        wrong.append(f"{EVIDENCE}: frame {first} and what follows it, {len(expected) - first + 1} frames, is missing")
    elif len(digests.frames) > len(expected):
        wrong.append(f"{EVIDENCE}: frame {first} was added")
    wrong += [
        f"{EVIDENCE}: the comment of frame {number}{_cited(one)} was changed"
        for number, one in sorted(said.items())
        if number <= len(digests.frames) and digests.comments.get(number) != one["comment"]
    ]
    wrong += [
        f"{EVIDENCE}: a comment was put to frame {number}" for number in sorted(digests.comments.keys() - said.keys())
    ]
    if digests.file != manifest["comments"]:
        wrong.append(f"{EVIDENCE}: the comment of the file, or its list of source frames, was changed")
    return wrong


def _cited(one: dict[str, Any] | None) -> str:
    return "" if one is None else f" (frame {one['source_frame']} of the source)"


def source_places(path: Path) -> list[Place]:
    """Return which frames of its source the slice at *path* holds, by its machine-readable tail.

    Raises ``ValueError`` when the tail is damaged.
    """
    with open_source(path) as source:
        while source.read_batch() is not None:
            pass
        pieces = [
            comment.text.removeprefix(TAIL)
            for comment in source.comments
            if comment.kind == "statistics" and comment.text.startswith(TAIL)
        ]
    return places_of(" ".join(pieces))


def _verdicts(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Read the slice again and compare what comes out with what the manifest says."""
    try:
        source = dict(enumerate(source_places(folder / EVIDENCE), 1))
    except ValueError:
        return [f"{EVIDENCE}: its list of source frames is damaged"]
    options = Options.from_written(manifest["options"])
    again = Findings.of(options.read(str(folder / EVIDENCE)))
    failures = {
        (source.get(one.frame), one.kind, one.at_fault, one.masked, tuple(sorted(cause.name for cause in one.causes)))
        for one in again.failures
    }
    incidents = {(source.get(one.frame), one.outcome, one.client_status) for one in again.incidents}
    wrong = []
    for one in manifest["verdicts"]:
        place = (one["file"], one["frame"])
        if (place, one["kind"], one["at_fault"], one["masked"], tuple(one["causes_of_slice"])) not in failures:
            wrong.append(f"{EVIDENCE} does not show {one['id']}: {one['kind']} at frame {one['frame']} of the source")
    wrong += [
        f"{EVIDENCE} does not show {one['id']} at frame {one['frame']} of the source"
        for one in manifest["incidents"]
        if ((one["file"], one["frame"]), one["outcome"], one["client_status"]) not in incidents
    ]
    return wrong
