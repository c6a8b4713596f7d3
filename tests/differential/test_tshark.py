"""Stream numbers and HTTP status lines against tshark, over the samples and (with WIRE502_TRUTH) public captures.

tshark is asked twice, for it shows a response only when it has put it together: with heads put together from their
segments it misses heads that never end, without that it loses its place behind some bodies. What the first says,
wire502 has to say too; what wire502 says, one of the two has to. It is told which ports wire502 found HTTP on. Where
the two differ for a reason, ``EXPLAINED`` holds it.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.property.sources import known, name, samples
from wire502.api import ExchangeLine, Failure, Open, read
from wire502.errors import CaptureError

# Capture: what differs, and why wire502 is right, or which of the two cannot know.
EXPLAINED: dict[str, str] = {
    "healthy-ignored-reset": "tshark gives up on a connection at a RST that its receiver ignored",
    "healthy-tolerated": "tshark takes a head with a space in a field name for no HTTP at all",
    "stall-before-response": "the answer came after the gateway had given up: it answers nothing any more",
    "haproxy-busy_mix-snap": "tshark takes a head that the snap length cut for no HTTP, wire502 reads its status line",
    "OISF-suricata-verify/filestore-5408.pcap": "tshark counts the segments inside sFlow samples",
    "arkime-arkime/CVE-2018-6794.pcap": "a response on a connection that never had a request: no exchange",
    "zeek-zeek/http-09-content-length-confusion.pcap": "the server spoke before it was asked: no exchange",
}

# Differences that are wire502's own mistakes; a row that is no longer true fails.
AWAITED: dict[str, str] = {}


@dataclass
class Told:
    """What one of the two says: the stream of frames, and the final status lines by stream."""

    streams: dict[int, int] = field(default_factory=dict)
    statuses: Counter[tuple[int, int]] = field(default_factory=Counter)
    possible: Counter[tuple[int, int]] = field(default_factory=Counter)
    ports: set[str] = field(default_factory=set)


def by_wire502(path: Path) -> Told:
    """Return what wire502 says of *path*, healthy exchanges and client legs too."""
    told = Told()
    for result in read(path, all=True):
        if not isinstance(result, ExchangeLine | Failure | Open) or result.connection.stream < 0:
            continue  # not a connection: ARP without an answer, an error of the gateway's own
        connection = result.connection
        told.streams[connection.first_frame] = connection.stream
        if result.request is not None:
            told.streams[result.request.frame] = connection.stream
        if result.response is not None:
            told.streams[result.response.frame] = connection.stream
        if result.response is not None and result.response.status is not None:
            told.statuses[connection.stream, result.response.status] += 1
            told.ports.add(connection.upstream.rpartition(":")[2])
    return told


def by_tshark(program: str, path: Path, mine: Told) -> Told:
    """Return the same of tshark; interim responses are left out."""
    told = _asked(program, path, mine.ports, together="TRUE")
    told.possible = told.statuses
    if mine.statuses - told.statuses:
        told.possible = told.statuses | _asked(program, path, mine.ports, together="FALSE").statuses
    return told


def _asked(program: str, path: Path, ports: set[str], *, together: str) -> Told:
    command = [program, "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]
    command += ["-o", f"tcp.desegment_tcp_streams:{together}", "-o", f"http.desegment_headers:{together}"]
    command += ["-o", "http.desegment_body:FALSE", "-o", "tcp.reassemble_out_of_order:TRUE"]
    command += [part for port in sorted(ports) for part in ("-d", f"tcp.port=={port},http")]
    for name_ in ("frame.number", "tcp.stream", "http.response.code", "tcp.analysis.retransmission"):
        command += ["-e", name_]
    lines = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout.splitlines()
    told = Told()
    for line in lines:
        frame, streams, codes, again = line.split("\t")
        if not streams:
            continue
        told.streams[int(frame)] = int(streams.split(",")[-1])
        if codes and not again:
            final = [int(code) for code in codes.split(",") if int(code) >= 200 or int(code) == 101]
            told.statuses.update((told.streams[int(frame)], code) for code in final)
    return told


def public(folder: Path) -> list[Path]:
    """Return the public captures that are pcap or pcapng and whole."""
    suffixes = (".pcap", ".pcapng", ".cap")
    return [path for path in sorted(folder.rglob("*")) if path.suffix in suffixes and "malformed" not in path.parts]


def compare_streams(mine: Told, theirs: Told) -> list[tuple[int, int, int | None]]:
    """Return the frames of which the two say different streams."""
    return [
        (frame, stream, theirs.streams.get(frame))
        for frame, stream in mine.streams.items()
        if theirs.streams.get(frame) != stream
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", [pytest.param(path, id=name(path)) for path in [*samples(), *known()[::3]]])
def test_streams_and_statuses(tshark: str, path: Path) -> None:
    """Of samples and real gateways, both say the same streams of the frames that are named, and the same statuses."""
    mine = by_wire502(path)
    theirs = by_tshark(tshark, path, mine)

    assert [] == compare_streams(mine, theirs)
    if name(path) not in EXPLAINED:
        assert not theirs.statuses - mine.statuses, "tshark alone"
        assert not mine.statuses - theirs.possible, "wire502 alone"


@pytest.mark.slow
def test_public_captures(tshark: str, truth: Path) -> None:
    """Of public captures, both say the same, or the difference is explained."""
    folder = truth / "corpus"
    different = {}
    compared = 0
    for path in public(folder):
        try:
            mine = by_wire502(path)
        except CaptureError:
            continue
        if not mine.streams:
            continue
        theirs = by_tshark(tshark, path, mine)
        compared += len(mine.streams)
        streams = compare_streams(mine, theirs)
        lost, new = theirs.statuses - mine.statuses, mine.statuses - theirs.possible
        if streams or lost or new:
            different[path.relative_to(folder).as_posix()] = (streams[:5], dict(lost), dict(new))

    assert compared > 100
    assert {} == {key: what for key, what in different.items() if key not in EXPLAINED | AWAITED}
    assert set(AWAITED) <= set(different), "take what is mended out of AWAITED"
