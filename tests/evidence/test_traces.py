"""What a report draws: the segments of an attempt, and the octets at its failure point, as the evidence holds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire import Wire
from wire502.cli import main
from wire502.evidence import Findings, Options, Trace, drawn
from wire502.model.trace import AGAIN, CLOSES, OPENS, RESETS

FOLDER = Path(__file__).parents[2] / "captures"
SECRET = "Zq7Kw3Xv9Pj2Lm"


def of(capture: Path, *, redacted: bool = True) -> tuple[Findings, dict[str, Trace]]:
    options = Options(redacted=redacted)
    found = Findings.of(options.read(str(capture)))
    return found, drawn([str(capture)], found, found, options, found.failures)


@pytest.mark.parametrize("capture", sorted(FOLDER.glob("*.pcap*")), ids=lambda path: path.stem)
def test_failure_points_of_tcp_are_drawn(capture: Path) -> None:
    """Wherever the failure point is a segment of the connection, the trace holds it, in order of time."""
    found, traces = of(capture)
    for failure in found.failures:
        trace = traces.get(failure.id)
        if trace is None or failure.kind in ("connect_unreachable", "no_attempt", "relayed_error"):
            continue
        assert failure.frame in {point.frame for point in trace.points}
        assert [point.time_ns for point in trace.points] == sorted(point.time_ns for point in trace.points)


def test_segments_are_what_was_sent(tmp_path: Path) -> None:
    """Handshake, request, a segment sent twice, half a body and a FIN: each with its offset, length and flags."""
    wire = Wire()
    conn = wire.connection("10.1.0.2:41000", "10.2.0.2:8080")
    conn.handshake()
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    conn.client.send(request)
    conn.server.ack()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"
    sent = conn.server.send(head + b"a" * 100)
    conn.server.retransmit(sent)
    conn.client.ack()
    fin = conn.server.fin()
    found, traces = of(wire.write(tmp_path / "in.pcap"))
    (failure,) = found.failures
    trace = traces[failure.id]
    flags = {point.frame: point.flags for point in trace.points}
    data = [(point.from_gateway, point.offset, point.length) for point in trace.points if point.length]

    assert data == [(True, 0, len(request)), (False, 0, len(head) + 100), (False, 0, len(head) + 100)]
    assert [bool(point.flags & AGAIN) for point in trace.points if point.length] == [False, False, True]
    assert sum(bool(point.flags & OPENS) for point in trace.points) == 2
    assert flags[fin] & CLOSES
    assert not any(point.flags & RESETS for point in trace.points)
    assert trace.holes == []


def test_octets_end_where_the_response_ended() -> None:
    """The mark stands behind the last octet that came; bodies are overwritten, unless that was not wanted."""
    capture = FOLDER / "fin-mid-body.pcap"
    for redacted in (True, False):
        found, traces = of(capture, redacted=redacted)
        (failure,) = found.failures
        octets = traces[failure.id].octets
        assert octets is not None
        offset, piece = octets.pieces[-1]
        assert octets.mark == failure.offset == offset + len(piece)
        assert not octets.from_gateway
        assert (b"xxxxxxxx" in piece) is redacted


def test_illegal_octet_is_marked() -> None:
    """Where an octet is to blame the mark stands on it, with octets on both sides."""
    found, traces = of(FOLDER / "invalid-chunk.pcap")
    octets = traces[found.failures[0].id].octets
    assert octets is not None
    assert octets.at_fault
    assert octets.mark == found.failures[0].offset
    assert any(offset <= octets.mark < offset + len(piece) for offset, piece in octets.pieces)


def test_page_holds_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is overwritten in the evidence is in no plot and no dump of the page, in text or in hexadecimal."""
    wire = Wire()
    conn = wire.connection("10.1.0.2:41000", "10.2.0.2:8080")
    conn.handshake()
    conn.client.send(f"GET /?token={SECRET} HTTP/1.1\r\nHost: a\r\nCookie: a={SECRET}\r\n\r\n".encode())
    conn.server.reset()
    capture = wire.write(tmp_path / "in.pcap")
    assert main(["report", str(capture), "--format", "html"]) == 0
    page = capsys.readouterr().out

    assert "rst_before_response" in page
    assert SECRET not in page
    assert SECRET.encode().hex() not in page


def test_page_holds_no_address_that_was_mapped(capsys: pytest.CaptureFixture[str]) -> None:
    """With --anonymise no address of the capture is in the page, and the segments are found all the same."""
    assert main(["report", str(FOLDER / "reset-before-response.pcapng"), "--format", "html", "--anonymise"]) == 0
    page = capsys.readouterr().out

    assert not [address for address in ("10.0.0.9", "10.1.0.2", "10.2.0.2") if address in page]
    assert '"rows":[[' in page
