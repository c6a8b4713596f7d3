"""One benchmark capture and its truth, from a profile, a number of frames and a seed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from .capture import Capture
from .failures import KINDS
from .life import live
from .profiles import PROFILES, Profile

_FULL = 1_000_000  # frames for which the profiles are meant


def scaled(name: str, frames: int) -> Profile:
    """The profile for a capture of that length: a short one gets smaller downloads and is doomed more often, so that
    each kind of failure still fits in.
    """
    profile = PROFILES[name]
    if profile.leave_open:
        return replace(profile, most=max(1, frames // profile.frames_each))
    if name == "bulk" and frames < _FULL:
        share = max(0.02, frames / _FULL)
        bodies = tuple((weight, int(least * share), int(most * share)) for weight, least, most in profile.bodies)
        uploads = (int(profile.uploads[0] * share), int(profile.uploads[1] * share))
        profile = replace(profile, bodies=bodies, uploads=uploads, frames_each=int(profile.frames_each * share) + 20)
    if profile.fail_every:
        connections = frames // profile.frames_each
        profile = replace(profile, fail_every=max(3, min(profile.fail_every, connections // (2 * len(KINDS)))))
    return profile


def write_capture(
    out: IO[bytes], name: str, frames: int, seed: int,
    *, nanos: bool = False, pcapng: bool = False, snaplen: int = 262144, mss: int = 1448,
) -> dict[str, Any]:  # fmt: skip
    """Write about `frames` frames of profile `name` to `out`; the truth, as `make` writes it.

    The same arguments give the same octets. `mss` up to 64000 makes frames as segmentation offload shows them.
    """
    capture = Capture(
        out, scaled(name, frames), frames, seed, nanos=nanos, pcapng=pcapng, snaplen=snaplen, mss=mss
    )  # fmt: skip
    capture.run(live)
    out.flush()
    failures = sorted(capture.failures, key=lambda failure: (failure["frame"], failure["gateway"]))
    return {
        "format": "bench-truth/1",
        "profile": name,
        "seed": seed,
        "frames": capture.written,
        "octets": capture.octets,
        "connections": capture.started,
        **capture.counts,
        "kinds": dict(sorted(Counter(failure["kind"] for failure in failures).items())),
        "failures": failures,
    }


def make(path: Path, truth_path: Path, name: str, frames: int, seed: int, **options: Any) -> dict[str, Any]:
    """Write a capture and its truth file; the truth."""
    with path.open("wb", buffering=0) as out:
        truth = write_capture(out, name, frames, seed, **options)
    truth_path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth
