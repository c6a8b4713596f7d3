"""No planted secret survives, wherever it was planted and however the capture cuts it, in any file that is written."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from struct import pack

import pytest

from tests.wire import Wire
from wire502.capture import PcapngWriter, open_source
from wire502.cli import main
from wire502.evidence import verify

SECRET = b"Zq7Kw3Xv9Pj2Lm"
PIECES = {SECRET[at : at + 5] for at in range(len(SECRET) - 4)}
TLS_KEYS, NAMES, CUSTOM, STATISTICS = 0x544C534B, 4, 0xBAD, 5
S = SECRET.decode()

REQUEST = (
    f"POST http://user:{S}@shop.example/pay;jsessionid={S}/x?a=1&token={S};b={S}&{S} HTTP/1.1\r\nHost: a\r\n"
    f"authorization: Basic {S}\r\nProxy-Authorization: Bearer\r\n {S}\r\n\t{S}\r\nCookie: a={S}; b={S}\r\n"
    f"X_Api_Key:{S}\r\nX-Auth-Token : {S}\r\nX-Amz-Security-Token: {S}\r\nX-Session-Id: {S}\r\nX-CSRF: {S}\r\n"
    f"Referer: https://h/?q={S}#at={S}\r\nDestination: //me:{S}@h/\r\nTransfer-Encoding: chunked\r\n\r\n"
    f"7;ext={S}\r\n{S[:7]}\r\n7\r\n{S[7:]}\r\ne\r\n{S}\r\n0\r\nX-Check: {S}\r\nPassword: {S}\r\n\r\n"
).encode()
ANSWER = (
    f"HTTP/1.1 103 Early Hints\r\nLink: </s?k={S}>\r\n\r\n"
    f"HTTP/1.1 200 OK\r\nSet-Cookie: s={S}; Path=/\r\nSet-Cookie2: {S}\r\nLocation: /x?code={S}#access_token={S}\r\n"
    f"WWW-Authenticate: Basic realm={S}\r\nX-Secret: {S}\r\nContent-Length: 60\r\n\r\n<p>{S}"
).encode()
OTHERS = {
    "tls": b"\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x03\x03" + SECRET * 2 + b"\x17\x03\x03\x00\x0e" + SECRET,
    "redis": b"*2\r\n$4\r\nAUTH\r\n$14\r\n" + SECRET + b"\r\n",
    "text": SECRET + b"\r\n",
    "binary": b"\x00\x01\x02\x00" + SECRET,
    "second request without a length": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET + b" " + SECRET + b"\r\n",
    "a method that is none": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET + b" /path HTTP/1.1\r\n\r\n",
}  # fmt: skip


def leaks(octets: bytes) -> list[bytes]:
    """Return the pieces of the secret that *octets* hold, plain, in hexadecimal or escaped."""
    return [piece for piece in sorted(PIECES) if piece in octets or piece.hex().encode() in octets.lower()]


def talk(request: bytes = REQUEST, answer: bytes = ANSWER, *, size: int = 1400) -> Wire:
    """Return a conversation that ends in a failure: segments of *size* octets, some sent again, some otherwise cut."""
    wire = Wire()
    conn = wire.connection("10.1.0.2:41000", "10.2.0.2:8080")
    conn.handshake()
    for side, octets in ((conn.client, request), (conn.server, answer)):
        sent = [side.send(octets[at : at + size]) for at in range(0, len(octets), size)]
        for number in sent[1::3]:
            side.retransmit(number)
    conn.server.reset()
    return wire


def written(capture: Path, folder: Path, *options: str) -> dict[str, bytes]:
    """Return every file and every output that is made of *capture*."""
    assert main(["report", str(capture), "-o", str(folder), *options]) in (0, 3)
    assert main(["mark", str(capture), "-o", str(folder / "marked.pcapng"), *options]) in (0, 3)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("size", [1, 3, 14, 100, 1400])
def test_no_secret_survives_in_http(size: int, tmp_path: Path) -> None:
    """Not in headers, targets, chunks, trailers, interim and final heads or bodies, whatever the segments."""
    files = written(talk(size=size).write(tmp_path / "in.pcap"), tmp_path / "b")

    assert {"report.md", "incident.json", "evidence.pcapng", "manifest.json", "marked.pcapng"} <= set(files)
    assert {name: leaks(octets) for name, octets in files.items() if leaks(octets)} == {}
    (tmp_path / "b" / "marked.pcapng").unlink()
    assert verify(tmp_path / "b") == []


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("both", [False, True], ids=["request", "both"])
def test_no_secret_survives_elsewhere(name: str, both: bool, tmp_path: Path) -> None:
    """Nor in what is no HTTP/1, or only looks like it at the beginning, in either direction."""
    wire = talk(OTHERS[name], OTHERS[name] if both else b"", size=9)
    out = tmp_path / "marked.pcapng"

    assert main(["mark", str(wire.write(tmp_path / "in.pcap")), "-o", str(out)]) == 0
    assert leaks(out.read_bytes()) == []


@pytest.mark.parametrize("form", ["markdown", "json", "csv", "junit", "slack"])
def test_no_format_holds_a_secret(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every format that is printed is as clean as the bundle; so are the short one and `read --redact`."""
    capture = str(talk().write(tmp_path / "in.pcap"))
    for command in (["report", capture, "--format", form, "--short"], ["read", capture, "--redact"],
                    ["read", capture, "--json", "--redact"]):  # fmt: skip
        assert main(command) == 0
        out = capsys.readouterr().out

        assert "rst_mid_body" in out.replace("\\", "")
        assert leaks(out.encode()) == []


def test_read_can_keep_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`read --report` writes a bundle of what it prints, free of secrets; a filter leaves the rest out."""
    capture = str(talk().write(tmp_path / "in.pcap"))

    assert main(["read", capture, "--report", str(tmp_path / "b")]) == 0
    assert "rst_mid_body" in capsys.readouterr().out
    assert verify(tmp_path / "b") == []
    assert not any(leaks(path.read_bytes()) for path in (tmp_path / "b").iterdir())
    assert main(["read", capture, "--report", str(tmp_path / "c"), "--kind", "connect_refused"]) == 0
    assert json.loads((tmp_path / "c" / "manifest.json").read_text())["verdicts"] == []
    assert main(["read", "-", "--report", str(tmp_path / "d")]) == 2


def everywhere(path: Path) -> Path:
    """Write a pcapng that holds the secret in every block and option that can hold text."""
    plain = talk().octets()
    source = path.with_suffix(".pcap")
    source.write_bytes(plain)
    with path.open("wb") as stream, open_source(source) as frames:
        writer = PcapngWriter(stream, comments=[f"password {S}"], application=f"tool {S}")
        writer.secrets(TLS_KEYS, b"CLIENT_RANDOM " + SECRET)
        writer.interface(1, name="eth0", comment=f"tap {S}")
        entry = b"\x0a\x02\x00\x02" + SECRET + b".example\0"
        writer.block(NAMES, pack("<HH", 1, len(entry)) + entry + bytes(-len(entry) % 4) + bytes(4))
        while (batch := frames.read_batch()) is not None:
            for row in range(batch.count):
                start = batch.start[row]
                octets = bytes(batch.data[start : start + batch.captured[row]])
                trailer = SECRET if row % 2 else b""
                writer.write(0, batch.ts_ns[row], octets + trailer, comments=[f"seen {S}"])
        writer.statistics(0, batch_end, received=20, comment=f"done {S}")
        writer.block(CUSTOM, pack("<I", 0xFFFF) + SECRET)
    return path


batch_end = 1_700_000_001 * 10**9


@pytest.mark.parametrize("options", [(), ("--no-redact",)], ids=["redacted", "open"])
def test_blocks_of_the_source_are_left_out(options: tuple[str, ...], tmp_path: Path) -> None:
    """Comments, names, keys and custom blocks of the source never get into a bundle; trailers of frames go, too.

    A marked copy in which nothing is hidden keeps the comments of frames, and those alone.
    """
    files = written(everywhere(tmp_path / "in.pcapng"), tmp_path / "b", *options)
    if options:
        for word in (b"password ", b"tool ", b"CLIENT_RANDOM ", b"tap ", b"seen ", b"done "):
            kept = ["marked.pcapng"] if word == b"seen " else []
            assert [name for name, octets in files.items() if word + SECRET in octets] == kept, word
        assert [name for name, octets in files.items() if SECRET + b".example" in octets] == []
    else:
        assert {name: leaks(octets) for name, octets in files.items() if leaks(octets)} == {}


def test_datagrams_and_quotes_lose_their_payload(tmp_path: Path) -> None:
    """What UDP, echo requests and the quotes of ICMP errors carry is gone, their checksums as right as before."""
    wire = talk()
    conn = wire.connections[0]
    quoted = conn.client.send(b"GET /?" + SECRET + b" HTTP/1.1\r\nCookie: " + SECRET + b"\r\n\r\n")
    wire.icmp_unreachable("203.0.113.1", quoted)
    out = tmp_path / "marked.pcapng"

    assert main(["mark", str(wire.write(tmp_path / "in.pcap")), "-o", str(out)]) == 0
    assert leaks(out.read_bytes()) == []


@pytest.mark.parametrize("seed", range(12))
def test_no_cut_saves_a_secret(seed: int, tmp_path: Path) -> None:
    """Nor does it survive segments of any size, lost, doubled, late or cut by the capture."""
    dice = Random(seed)
    wire = Wire()
    conn = wire.connection("10.1.0.2:41000", "10.2.0.2:8080")
    conn.handshake()
    for side, octets in ((conn.client, REQUEST), (conn.server, ANSWER)):
        at = 0
        while at < len(octets):
            size = dice.randint(1, 90)
            fate = dice.choice(["sent"] * 5 + ["missed", "twice", "swapped"])
            number = side.send(octets[at : at + size], drop=fate == "missed")
            if fate == "twice":
                side.retransmit(number)
            if fate == "swapped" and number > 1:
                wire.reorder(number, number - 1)
            at += size
    capture = wire.write(tmp_path / "in.pcap", snaplen=dice.choice([None, None, 60, 75, 90]))
    out = tmp_path / "out.pcapng"

    assert main(["mark", str(capture), "-o", str(out)]) in (0, 2)
    assert not out.exists() or leaks(out.read_bytes()) == []


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("+x-check2", b"Cookie: c"),
        ("-cookie", b"Cookie: " + SECRET),
        ("none", SECRET),
        ("cookie,bodies", b"/?q=" + SECRET),
    ],
)
def test_the_setting_says_what_goes(words: str, kept: bytes, tmp_path: Path) -> None:
    """The setting `redact` adds to the list, takes from it or replaces it; what it does not name stays."""
    request = b"GET /?q=" + SECRET + b" HTTP/1.1\r\nX-Check2: " + SECRET + b"\r\nCookie: " + SECRET + b"\r\n\r\n"
    capture = talk(request, b"").write(tmp_path / "in.pcap")
    assert main(["report", str(capture), "-o", str(tmp_path / "b"), "--set", f"redact={words}"]) == 0
    octets = (tmp_path / "b" / "evidence.pcapng").read_bytes()

    assert verify(tmp_path / "b") == []
    if words == "+x-check2":
        assert leaks(octets) == []
    else:
        assert kept in octets


@pytest.mark.parametrize("words", ["", "+a,b", "a b", "-nothing", "é"])
def test_a_wrong_list_is_refused(words: str, tmp_path: Path) -> None:
    """A list that cannot be meant is a usage error."""
    capture = talk().write(tmp_path / "in.pcap")

    assert main(["report", str(capture), "-o", str(tmp_path / "b"), "--set", f"redact={words}"]) == 2
