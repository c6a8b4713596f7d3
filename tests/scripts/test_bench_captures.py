"""The benchmark's captures hold what their truth files say, as told by readers that share no code with them."""

from __future__ import annotations

import io
import itertools
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dpkt
import pytest

from scripts._bench import legs
from scripts._bench.failures import KINDS
from scripts._bench.make import make, write_capture
from scripts._bench.measure import run
from tests.scripts import _conversations as conversations
from tests.scripts._conversations import ACK, FIN, RST, SYN, Seen, Talk

FRAMES = 20_000
PROFILES = ("small", "mixed", "bulk")
BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench.py"


@pytest.fixture(scope="module", params=PROFILES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("bench") / "capture.pcap"
    return path, make(path, path.with_suffix(".json"), request.param, FRAMES, seed=7)


@pytest.fixture(scope="module")
def talks(made: tuple[Path, dict[str, Any]]) -> list[Talk]:
    return conversations.read(made[0])


def _octets(name: str, frames: int, seed: int, **options: Any) -> tuple[bytes, dict[str, Any]]:
    out = io.BytesIO()
    truth = write_capture(out, name, frames, seed, **options)
    return out.getvalue(), truth


@pytest.mark.parametrize("name", PROFILES)
def test_same_seed_same_octets(name: str) -> None:
    """The same seed gives the same octets and the same truth, another seed gives others."""
    first, again, other = _octets(name, 3000, 3), _octets(name, 3000, 3), _octets(name, 3000, 4)
    assert first == again
    assert first[0] != other[0]


def test_every_kind_is_planted(made: tuple[Path, dict[str, Any]]) -> None:
    """Even a capture of 20,000 frames holds every kind of planted failure, each with a frame inside the capture."""
    _, truth = made
    assert set(truth["kinds"]) == set(KINDS)
    assert all(1 <= failure["frame"] <= truth["frames"] for failure in truth["failures"])


def test_only_planted_requests_fail(made: tuple[Path, dict[str, Any]], talks: list[Talk]) -> None:
    """The requests without a complete good answer and the connections without one are those of the truth file."""
    _, truth = made
    bad: set[tuple[str, str, str | None]] = set()
    for talk in talks:
        if not any(frame.flags & ACK and not frame.flags & RST for frame in talk.frames if not frame.upward):
            bad.add((talk.gateway, talk.upstream, None))
            continue
        if not any(frame.upward and frame.payload for frame in talk.frames):
            continue  # a health check
        asked = conversations.requests(talk.stream(True))
        ended = any(frame.flags & FIN for frame in talk.frames if not frame.upward)
        statuses = conversations.answers(talk.from_upstream(), [method for method, _ in asked], ended)
        good = [status < 500 for status in statuses] + [False] * (len(asked) - len(statuses))
        bad |= {
            (talk.gateway, talk.upstream, target) for (_, target), fine in zip(asked, good, strict=True) if not fine
        }
    planted = {(failure["gateway"], failure["upstream"], failure["target"]) for failure in truth["failures"]}
    assert bad == planted
    assert len(planted) == len(truth["failures"])


def test_truth_frames_are_what_their_kinds_say(made: tuple[Path, dict[str, Any]], talks: list[Talk]) -> None:
    """Each truth frame carries the flags, the sender and the place in its conversation that its kind demands."""
    _, truth = made
    owner = {frame.number: (talk, frame) for talk in talks for frame in talk.frames}
    for failure in truth["failures"]:
        talk, frame = owner[failure["frame"]]
        assert (talk.gateway, talk.upstream) == (failure["gateway"], failure["upstream"])
        assert _fits(failure["kind"], talk, frame, failure["request_frame"]), failure


def _fits(kind: str, talk: Talk, frame: Seen, request: int | None) -> bool:
    event, _, where = kind.partition("_")
    up = [each for each in talk.frames if not each.upward]
    if kind == "connect_refused":
        return not frame.upward and frame.flags == RST | ACK and frame.ack == talk.frames[0].seq + 1 & 0xFFFFFFFF
    if kind == "connect_timeout":
        return frame.flags == SYN and frame is talk.frames[-1] and len(talk.frames) == 4 and not up
    asked = next(each for each in talk.frames if each.number == request)
    assert asked.payload
    assert asked.upward
    if kind == "stale_keepalive":
        ends = [each for each in up if each.flags & (FIN | RST)]
        if frame is not ends[0] or any(each.payload for each in up if each.number > asked.number):
            return False
        return frame.seq == asked.ack if not frame.flags & ACK else (asked.seq - frame.ack) % 2**32 < 2**31
    response = conversations.Talk(talk.gateway, talk.upstream, [e for e in talk.frames if e.number >= asked.number])
    octets = response.stream(False, asked.ack)
    octets = octets.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if kind == "relayed_error":
        return not frame.upward and frame.payload.startswith(b"HTTP/1.1 5")
    if kind == "invalid_status_line":
        return not frame.upward and frame.payload.startswith((b"Traceback", b"HTTP/1.1 abc", b"x0 OK"))
    if kind == "invalid_chunk":
        return not frame.upward and frame.payload in {b"zz9\r\nwrong\r\n", b"5\r\nhelloXX\r\n"}
    in_phase = {
        "before_response": not octets,
        "mid_headers": bool(octets) and b"\r\n\r\n" not in octets,
        "mid_body": b"\r\n\r\n" in octets,
    }[where]
    if event == "stall":
        data = [each for each in talk.frames if each.payload]
        until = next(each for each in talk.frames if each.upward and each.flags & (FIN | RST))
        wait = until.time - frame.time
        above = wait % 0.5
        asks = where == "before_response"
        return in_phase and frame is data[-1] and frame.upward == asks and wait >= 1 and above <= max(0.05, wait * 0.02)
    ends = [each for each in talk.frames if each.flags & (FIN | RST)]
    wanted = RST if event == "rst" else FIN
    return in_phase and not frame.upward and frame is ends[0] and bool(frame.flags & wanted)


def test_traffic_is_varied(made: tuple[Path, dict[str, Any]], talks: list[Talk]) -> None:
    """Connections interleave, begin mid-connection, cross 2^32; about 1 % of data segments are disturbed."""
    _, truth = made
    assert sum(not talk.frames[0].flags & SYN for talk in talks) >= 2
    assert any(
        talk.frames[0].seq > 2**32 - 4000 and talk.frames[-1].seq < 2**31 for talk in talks if len(talk.frames) > 3
    )
    share = (truth["lost"] + truth["reordered"]) / truth["data_segments"]
    assert 0.005 < share < 0.015
    inside = sum(other.frames[0].number < talk.frames[-1].number for talk, other in itertools.pairwise(talks))
    assert inside > len(talks) // 2


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_finds_every_checksum_right(made: tuple[Path, dict[str, Any]]) -> None:
    """Tshark, asked to verify checksums, reads every frame as TCP with a good one."""
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    fields = ["-T", "fields", "-e", "tcp.checksum.status", "-e", "ip.checksum.status"]
    done = subprocess.run(
        ["tshark", "-n", "-r", made[0], *checks, *fields], capture_output=True, text=True, check=True
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == made[1]["frames"]
    assert set(lines) == {"1\t1", "1\t"}  # IPv6 has no header checksum


def test_formats_hold_the_same_packets() -> None:
    """Pcapng, nanoseconds and a snapshot length change the file, not the packets or the truth."""
    plain, truth = _octets("small", 2000, 5)
    packets = list(dpkt.pcap.Reader(io.BytesIO(plain)))
    nanos, same = _octets("small", 2000, 5, nanos=True, pcapng=True)
    assert same["failures"] == truth["failures"]
    others = list(dpkt.pcapng.Reader(io.BytesIO(nanos)))
    assert [frame for _, frame in others] == [frame for _, frame in packets]
    assert all(abs(float(a) - float(b)) < 2e-6 for (a, _), (b, _) in zip(others, packets, strict=True))
    short = list(dpkt.pcap.Reader(io.BytesIO(_octets("small", 2000, 5, snaplen=96)[0])))
    assert [frame for _, frame in short] == [frame[:96] for _, frame in packets]


def test_offload_frames_pass_the_mtu() -> None:
    """A large segment size gives frames above 1514 octets and still the right ends."""
    octets, truth = _octets("bulk", 5000, 2, mss=32000)
    assert max(len(frame) for _, frame in dpkt.pcap.Reader(io.BytesIO(octets))) > 20_000
    assert truth["failures"]


def test_ten_packets_are_ten() -> None:
    """The profile for measuring the start-up has ten frames and no failure."""
    octets, truth = _octets("ten", 10, 1)
    assert truth["frames"] == len(list(dpkt.pcap.Reader(io.BytesIO(octets)))) == 10
    assert truth["failures"] == []


def test_open_connections_stay_open() -> None:
    """The profile for memory has as many connections as asked for and closes none."""
    octets, truth = _octets("open", 6000, 1)
    assert truth["connections"] == 1000
    ends = [
        dpkt.ethernet.Ethernet(frame).data.data.flags & (FIN | RST) for _, frame in dpkt.pcap.Reader(io.BytesIO(octets))
    ]
    assert not any(ends)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    """Four times as many frames take no more memory than their larger stock of body text."""
    peaks = []
    for frames in (65_536, 262_144):
        words = ["make", "--profile", "small", "--frames", str(frames), "--out", "/dev/null"]
        done = run([sys.executable, str(BENCH), *words, "--truth", str(tmp_path / "truth.json")])
        assert done.status == 0
        peaks.append(done.rss_mb)
    assert peaks[1] - peaks[0] < 3 * (262_144 - 65_536) * 16 / 2**20


def test_both_legs_hold_what_one_leg_holds(tmp_path: Path) -> None:
    """The capture of both legs is that of the upstream leg and as many requests of clients, each failure a 502."""
    failed = [legs.write(tmp_path / name, 400, both=name == "both") for name in ("one", "both")]
    one, both = ((tmp_path / name).read_bytes() for name in ("one", "both"))
    assert failed == [4, 4]
    assert (one.count(b"GET /item/"), both.count(b"GET /item/")) == (400, 800)
    assert (one.count(b" 502 "), both.count(b" 502 ")) == (0, 4)
