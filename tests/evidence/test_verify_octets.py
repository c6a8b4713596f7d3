"""A bundle in which one octet is another does not verify, and where it is gets said."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from wire502.cli import main
from wire502.evidence import verify
from wire502.evidence.slices import cut
from wire502.evidence.verifying import source_places

SAMPLE = Path(__file__).parents[2] / "captures" / "reset-before-response.pcapng"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "b"
    assert main(["report", str(SAMPLE), "-o", str(folder)]) == 0
    return folder


def changed(bundle: Path, folder: Path, name: str, at: int, bit: int = 1) -> list[str]:
    """Return what verify says of a copy of *bundle* in which one bit of *name* is another."""
    folder.mkdir(exist_ok=True)
    for path in bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    octets = bytearray((folder / name).read_bytes())
    octets[at] ^= bit
    (folder / name).write_bytes(octets)
    return verify(folder)


def blocks(octets: bytes) -> list[tuple[int, int, int]]:
    """Return kind, begin and end of each block of a pcapng file."""
    found, at = [], 0
    while at < len(octets):
        size = int.from_bytes(octets[at + 4 : at + 8], "little")
        found.append((int.from_bytes(octets[at : at + 4], "little"), at, at + size))
        at += size
    return found


def test_every_frame_is_watched(bundle: Path, tmp_path: Path) -> None:
    """An octet of a frame, cited or not, its time stamp or its length changed: the file is named, and the frame."""
    octets = (bundle / "evidence.pcapng").read_bytes()
    packets = [(begin, end) for kind, begin, end in blocks(octets) if kind == 6]
    for number, (begin, _) in enumerate(packets, 1):
        size = int.from_bytes(octets[begin + 20 : begin + 24], "little")
        for at in (begin + 16, begin + 24, begin + 28, begin + 28 + size // 2, begin + 27 + size):
            wrong = changed(bundle, tmp_path / "c", "evidence.pcapng", at)

            assert "evidence.pcapng was changed" in wrong
            assert any(re.search(rf"evidence\.pcapng: frame {number}\b.* was changed", one) for one in wrong), wrong


def test_comments_are_watched(bundle: Path, tmp_path: Path) -> None:
    """A changed letter of a packet's comment is named with the frame, of the file's comment and tail as such."""
    octets = (bundle / "evidence.pcapng").read_bytes()
    point = octets.index(b"FAILURE POINT")
    section, tail = octets.index(b"rst_before_response, confidence"), octets.rindex(b"wire502-source 1")

    assert any("the comment of frame" in one for one in changed(bundle, tmp_path / "c", "evidence.pcapng", point))
    for at in (section, tail + 18):
        wrong = changed(bundle, tmp_path / "c", "evidence.pcapng", at)
        assert any("the comment of the file" in one for one in wrong), wrong


@pytest.mark.parametrize("bit", [1, 0x80])
def test_no_octet_of_the_evidence_is_free(bundle: Path, bit: int, tmp_path: Path) -> None:
    """Whatever octet of the evidence changes, in headers, lengths, options or padding, verify says so and lives."""
    size = (bundle / "evidence.pcapng").stat().st_size
    for at in range(0, size, 67):
        wrong = changed(bundle, tmp_path / "c", "evidence.pcapng", at, bit)

        assert any(one.startswith("evidence.pcapng") for one in wrong), at


@pytest.mark.parametrize("name", ["report.md", "incident.json"])
def test_other_files_are_named(bundle: Path, name: str, tmp_path: Path) -> None:
    """An octet of another file changed: that file is named and no other."""
    assert changed(bundle, tmp_path / "c", name, 20) == [f"{name} was changed"]


def test_missing_frames_are_named(bundle: Path, tmp_path: Path) -> None:
    """A file that was cut short is named with the first frame that is not there."""
    folder = tmp_path / "c"
    changed(bundle, folder, "report.md", 0)
    octets = (folder / "evidence.pcapng").read_bytes()
    packets = [begin for kind, begin, _ in blocks(octets) if kind == 6]
    (folder / "evidence.pcapng").write_bytes(octets[: packets[4]])

    assert any("frame 5 and what follows it" in one for one in verify(folder))


def test_blocks_follow_each_other(bundle: Path) -> None:
    """Every block of the evidence ends where the next one begins, with its length at both ends."""
    octets = (bundle / "evidence.pcapng").read_bytes()
    found = blocks(octets)

    assert all(one[2] == other[1] for one, other in pairwise(found))
    assert all(octets[begin + 4 : begin + 8] == octets[end - 4 : end] for _, begin, end in found)


def test_capinfos_finds_no_fault(bundle: Path, tshark: str) -> None:
    """Wireshark's tool reads the whole file without a word of complaint, and counts the frames that we count."""
    capinfos = Path(tshark).with_name("capinfos")
    if not capinfos.exists():
        pytest.skip("capinfos is not installed")
    done = subprocess.run([capinfos, "-Mc", bundle / "evidence.pcapng"], capture_output=True, text=True, check=True)
    places = source_places(bundle / "evidence.pcapng")

    assert not [line for line in done.stderr.splitlines() if "root" not in line]
    assert f"Number of packets:   {len(places)}" in done.stdout


def test_a_slice_is_read_from_its_beginning(tmp_path: Path) -> None:
    """The same frames are cut twice in the same octets."""
    one, two = (cut([SAMPLE], None, {}, ["a"]) for _ in range(2))
    with one.stream, two.stream:
        one.copy_to(tmp_path / "one")
        two.copy_to(tmp_path / "two")

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
