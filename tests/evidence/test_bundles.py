"""Bundles of real and made captures: faithful, free of secrets, the same each time, and open to being checked."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.property.transform import load
from tests.wire import Wire
from wire502.api import Failure, read
from wire502.capture import PcapngWriter, open_source
from wire502.cli import main
from wire502.evidence import EvidenceError, verify
from wire502.evidence.verifying import source_places

FOLDER = Path(__file__).parents[2] / "captures"
CAPTURES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".pcap", ".pcapng"))
SAMPLE = FOLDER / "reset-before-response.pcapng"
SECRET = b"Zq7Kw3Xv9Pj2Lm"


def bundle(capture: Path, folder: Path, *options: str) -> Path:
    assert main(["report", str(capture), "-o", str(folder), *options]) in (0, 3)
    return folder


def verdicts(path: Path) -> list[tuple[Any, ...]]:
    found = [one for one in read(str(path)) if isinstance(one, Failure)]
    return sorted((one.kind, one.frame, one.at_fault) for one in found)


@pytest.mark.parametrize("redacted", [True, False], ids=["redacted", "open"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_slice_gives_the_verdicts_of_its_source(capture: Path, redacted: bool, tmp_path: Path) -> None:
    """The evidence alone, read without options, gives each failure of its source at the same packet."""
    made = bundle(capture, tmp_path / "b", *([] if redacted else ["--no-redact"]))
    places = dict(enumerate(source_places(made / "evidence.pcapng"), 1))
    again = [(kind, places[frame][1], fault) for kind, frame, fault in verdicts(made / "evidence.pcapng")]

    assert sorted(again) == verdicts(capture)
    assert verify(made) == []


def test_same_capture_same_octets(tmp_path: Path) -> None:
    """A bundle written twice is the same, file by file and octet by octet."""
    one, two = bundle(SAMPLE, tmp_path / "one"), bundle(SAMPLE, tmp_path / "two")
    files = sorted(path.name for path in one.iterdir())

    assert files == ["evidence.pcapng", "incident.json", "manifest.json", "report.html", "report.md"]
    assert [(one / name).read_bytes() for name in files] == [(two / name).read_bytes() for name in files]
    assert str(tmp_path) not in (one / "manifest.json").read_text()


def test_report_begins_with_the_verdict(tmp_path: Path) -> None:
    """The first line of report.md names upstream, time, frame and confidence; the other files agree with it."""
    made = bundle(SAMPLE, tmp_path / "b")
    first = (made / "report.md").read_text("utf-8").splitlines()[0]
    records = [json.loads(line) for line in (made / "incident.json").read_text().splitlines()]

    assert first.startswith("10.2.0.2:8080 reset the connection")
    assert "2026-11-22T12:00:00.481146Z, failure point frame 19" in first
    assert first.endswith("confidence high.")
    assert [record["type"] for record in records] == ["failure", "incident", "summary"]
    assert records[0]["frame"] == 19


def test_one_failure_alone(tmp_path: Path) -> None:
    """With --id the bundle holds that failure and no other; an unknown id is a usage error that names known ones."""
    capture = FOLDER / "stale-reset.pcap"
    made = bundle(capture, tmp_path / "b", "--id", "f1")
    manifest = json.loads((made / "manifest.json").read_text())

    assert [one["id"] for one in manifest["verdicts"]] == ["f1"]
    assert main(["report", str(capture), "-o", str(tmp_path / "c"), "--id", "f99"]) == 2
    assert not (tmp_path / "c").exists()


def test_a_changed_octet_is_named(tmp_path: Path) -> None:
    """Verify names the file that was changed, and in the evidence the cited frame."""
    made = bundle(SAMPLE, tmp_path / "b")
    evidence = made / "evidence.pcapng"
    octets = bytearray(evidence.read_bytes())
    place = octets.index(b"GET /cart HTTP/1.1")  # in the client's request, which is cited
    octets[place + 5] ^= 1
    evidence.write_bytes(octets)
    (made / "report.md").write_text("nothing happened\n")
    wrong = verify(made)

    assert "report.md was changed" in wrong
    assert "evidence.pcapng was changed" in wrong
    assert any("evidence.pcapng: frame 15 (frame 15 of the source) was changed" in one for one in wrong)
    assert main(["verify", str(made)]) == 1


def test_another_verdict_is_noticed(tmp_path: Path) -> None:
    """A manifest that claims what the packets do not show is found out, even when its hashes are right."""
    made = bundle(SAMPLE, tmp_path / "b")
    path = made / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["verdicts"][0]["kind"] = "fin_before_response"
    path.write_text(json.dumps(manifest))

    assert verify(made) == ["evidence.pcapng does not show f1: fin_before_response at frame 19 of the source"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": 1, "files": 3}', "[" * 100_000])
def test_a_damaged_manifest_is_refused(text: str, tmp_path: Path) -> None:
    """What is no manifest is an error of one line, never a traceback."""
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(EvidenceError):
        verify(tmp_path)


def test_manifest_leads_out_of_no_folder(tmp_path: Path) -> None:
    """A manifest that names a file elsewhere does not make verify read it."""
    made = bundle(SAMPLE, tmp_path / "b")
    path = made / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["../secret"] = {"sha256": "", "octets": 0}
    path.write_text(json.dumps(manifest))

    assert any("is no name of a file" in one for one in verify(made))


def test_tshark_lists_the_cited_frames(tmp_path: Path, tshark: str) -> None:
    """Wireshark's reader finds a comment on exactly the frames that the manifest cites, at their original times."""
    made = bundle(SAMPLE, tmp_path / "b", "--no-redact")
    manifest = json.loads((made / "manifest.json").read_text())

    def asked(path: Path, filter_: str, field: str) -> list[str]:
        command = [tshark, "-r", str(path), "-Y", filter_, "-T", "fields", "-e", field]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    commented = asked(made / "evidence.pcapng", "frame.comment", "frame.number")
    assert [int(number) for number in commented] == [one["frame"] for one in manifest["cited"]]
    for one in manifest["cited"]:
        here = asked(made / "evidence.pcapng", f"frame.number == {one['frame']}", "frame.time_epoch")
        assert here == asked(SAMPLE, f"frame.number == {one['source_frame']}", "frame.time_epoch")


def test_mark_keeps_every_frame(tmp_path: Path) -> None:
    """A marked capture has the frames of its source under their numbers, so its verdicts are the same."""
    out = tmp_path / "marked.pcapng"

    assert main(["mark", str(SAMPLE), "-o", str(out)]) == 0
    assert verdicts(out) == verdicts(SAMPLE)
    assert b"FAILURE POINT, rst_before_response" in out.read_bytes()


def test_mark_does_not_write_over_its_input(tmp_path: Path) -> None:
    """The file that is read cannot be the one that is written."""
    copy = Path(shutil.copy(SAMPLE, tmp_path / "c.pcapng"))
    before = copy.read_bytes()

    assert main(["mark", str(copy), "-o", str(copy)]) == 2
    assert copy.read_bytes() == before


def secretive(*, split: int) -> Wire:
    """Return a capture whose requests and responses hold SECRET in every place where secrets stand."""
    wire = Wire()
    conn = wire.connection("10.1.0.2:41000", "10.2.0.2:8080")
    conn.handshake()
    first = (
        b"POST /pay?user=1&token=" + SECRET + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + SECRET
        + b"\r\nCookie: a=" + SECRET + b"\r\nX-Api-Key:" + SECRET
        + b"\r\nReferer: http://u:" + SECRET + b"@h/?q=" + SECRET
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n" + SECRET[:7] + b"\r\n7\r\n" + SECRET[7:] + b"\r\n"
        + b"e\r\n" + SECRET + b"\r\n0\r\n\r\n"
    )  # fmt: skip
    parts = [first[at : at + split] for at in range(0, len(first), split)]
    for number, part in enumerate(parts):
        frame = conn.client.send(part)
        if number % 3 == 1:
            wire.duplicate(frame)
    conn.server.ack()
    conn.server.send(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: s=" + SECRET + b"; Path=/\r\nLocation: /x?code=" + SECRET
        + b"#access_token=" + SECRET + b"\r\nContent-Length: 400\r\n\r\n<p>" + SECRET
    )  # fmt: skip
    conn.server.reset()
    return wire


@pytest.mark.parametrize("split", [5, 11, 64, 1400])
def test_no_secret_survives(split: int, tmp_path: Path) -> None:
    """No secret of a head, a query, a URL or a body is in any file, however segments cut it; verdicts stay."""
    capture = secretive(split=split).write(tmp_path / "in.pcap")
    assert verdicts(capture), "the capture has to show a failure"
    made = bundle(capture, tmp_path / "b")
    assert main(["mark", str(capture), "-o", str(tmp_path / "b" / "marked.pcapng")]) == 0

    for path in made.iterdir():
        octets = path.read_bytes()
        assert [piece for at in range(len(SECRET) - 3) if (piece := SECRET[at : at + 4]) in octets] == [], path.name
    places = dict(enumerate(source_places(made / "evidence.pcapng"), 1))
    again = [(kind, places[frame][1], fault) for kind, frame, fault in verdicts(made / "evidence.pcapng")]
    assert again == verdicts(capture)


def test_secrets_stay_when_asked_for(tmp_path: Path) -> None:
    """With --no-redact the packets are those of the source."""
    capture = secretive(split=1400).write(tmp_path / "in.pcap")

    assert SECRET in (bundle(capture, tmp_path / "b", "--no-redact") / "evidence.pcapng").read_bytes()


def test_checksums_stay_what_they_were(tmp_path: Path, tshark: str) -> None:
    """After redaction every TCP checksum that was right is right, and nothing else about headers differs."""
    capture = secretive(split=64).write(tmp_path / "in.pcap")
    made = bundle(capture, tmp_path / "b")
    fields = ["tcp.checksum.status", "tcp.seq_raw", "tcp.len", "frame.len", "frame.time_epoch"]

    def asked(path: Path) -> str:
        command = [tshark, "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-T", "fields"]
        command += [part for name in fields for part in ("-e", name)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert asked(made / "evidence.pcapng") == asked(capture)


@pytest.mark.parametrize("redacted", [True, False])
def test_mark_keeps_comments_where_nothing_is_hidden(redacted: bool, tmp_path: Path) -> None:
    """Comments of the source stay on their frames, before those of a verdict; not where they may tell a secret."""
    frames = load(FOLDER / "fin-mid-body.pcap")
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface()
    for number, frame in enumerate(frames, 1):
        writer.write(0, frame.time_ns, frame.octets, frame.length, comments=[f"mine {number}"] if number % 2 else [])
    source, once, twice = (tmp_path / name for name in ("source.pcapng", "once.pcapng", "twice.pcapng"))
    source.write_bytes(stream.getvalue())
    hide = () if redacted else ("--no-redact",)
    assert main(["mark", str(source), "-o", str(once), *hide]) == 0
    assert main(["mark", str(once), "-o", str(twice), *hide]) == 0

    expected = [] if redacted else [f"mine {number}" for number in range(1, len(frames) + 1, 2)]
    for path in (once, twice):
        found: dict[int, list[str]] = {}
        with open_source(path) as opened:
            while opened.read_batch() is not None:
                pass
            for comment in opened.comments:
                if comment.kind == "frame":
                    found.setdefault(comment.number, []).append(comment.text)
        assert [text for texts in found.values() for text in texts if text.startswith("mine")] == expected
        assert sum("FAILURE POINT" in text for texts in found.values() for text in texts) == 1
        if not redacted:
            assert all(texts[0] == f"mine {number}" for number, texts in found.items() if number % 2)
