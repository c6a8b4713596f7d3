"""Other addresses in the place of addresses: in headers, quotes and text, with the same verdicts."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import Wire
from wire502.api import Failure, read
from wire502.capture import open_source
from wire502.cli import main
from wire502.evidence import Addresses, verify
from wire502.evidence.checksums import folded
from wire502.evidence.layers import SUPPORTED, layout
from wire502.evidence.verifying import source_places

FOLDER = Path(__file__).parents[2] / "captures"
CAPTURES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".pcap", ".pcapng"))
KEY = b"a key that is long enough"
MAP = Addresses(KEY)

v4 = st.integers(0, 2**32 - 1).map(lambda number: number.to_bytes(4, "big"))
v6 = st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16, "big"))
macs = st.binary(min_size=6, max_size=6)


@pytest.fixture
def key(tmp_path: Path) -> str:
    (tmp_path / "key").write_bytes(KEY + b"\n")
    return str(tmp_path / "key")


def shared(one: bytes, other: bytes) -> int:
    """Return how many bits two addresses share at their beginning."""
    different = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) * 8 - different.bit_length()


# addresses


@given(st.data(), st.sampled_from([v4, v6, macs]))
def test_prefixes_stay_prefixes(data: st.DataObject, kind: st.SearchStrategy[bytes]) -> None:
    """Two addresses share as many bits afterwards as before, so no two become one."""
    one = data.draw(kind)
    cut = data.draw(st.integers(0, len(one) * 8))
    other = data.draw(kind)
    mask = (1 << (len(one) * 8 - cut)) - 1
    other = (int.from_bytes(one, "big") & ~mask | int.from_bytes(other, "big") & mask).to_bytes(len(one), "big")
    if any(address[:2] == b"\x20\x02" or address[:12] == bytes(10) + b"\xff\xff" for address in (one, other)):
        return  # these hold an IPv4 address, which is mapped as one

    assert shared(MAP.mapped(one), MAP.mapped(other)) == shared(one, other)


@given(v4 | v6)
def test_classes_stay_classes(address: bytes) -> None:
    """Loopback, link-local, multicast, private and reserved addresses stay such, and no other becomes one."""
    one, other = map(ipaddress.ip_address, (address, MAP.mapped(address)))
    for name in ("is_loopback", "is_link_local", "is_multicast", "is_unspecified"):
        assert getattr(one, name) == getattr(other, name), name
    if one.version == 4:
        ranges = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "240.0.0.0/4")
        for network in map(ipaddress.ip_network, ranges):
            assert (one in network) == (other in network)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "::1", "ff02::1", "ff02::2"]
)
def test_what_everybody_has_stays(address: str) -> None:
    """Loopback, the unspecified and broadcast address, and groups that every host knows say nothing, and stay."""
    assert MAP.text(address) == MAP.wire_text(address) == address


def test_another_key_another_map() -> None:
    """The same key gives the same addresses, another one others; an address does not stay by chance everywhere."""
    texts = [f"10.{number}.7.9" for number in range(50)]

    assert [Addresses(KEY).text(text) for text in texts] == [MAP.text(text) for text in texts]
    assert [Addresses(KEY + b"!").text(text) for text in texts] != [MAP.text(text) for text in texts]
    assert all(MAP.text(text) != text for text in texts)


@given(st.binary(max_size=60) | st.from_regex(rb"[0-9a-f.: \[\]-]{0,60}", fullmatch=True))
def test_text_of_the_wire_keeps_its_length(octets: bytes) -> None:
    """Whatever octets there are, as many come out, and nothing but what can be an address has changed."""
    out = MAP.wire(octets)

    assert len(out) == len(octets)
    changed = {one for one, other in zip(octets, out, strict=True) if one != other}
    assert changed <= set(b"0123456789abcdefABCDEF")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("X-Forwarded-For: 203.0.113.7, 198.51.100.2", ["203.0.113.7", "198.51.100.2"]),
        ('Forwarded: for="[2001:db8:85a3::8a2e]:4711";by=203.0.113.43', ["2001:db8:85a3::8a2e", "203.0.113.43"]),
        ("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443", ["192.0.2.1", "192.0.2.9"]),
        ("Location: http://198.51.100.9:8080/a", ["198.51.100.9"]),
        ("Host: ip-10-20-30-40.ec2.internal", ["10-20-30-40"]),
        ("::ffff:203.0.113.9", ["203.0.113.9"]),
        ("Reached: 2001:db8:9::1.", ["2001:db8:9::1"]),
        ("No: 2001:db8:9::1: refused", ["2001:db8:9::1"]),
        ("Ip: peer:2001:db8:9::1,port:80", ["2001:db8:9::1"]),
        ("Via: 203.0.113.9:80:x", ["203.0.113.9"]),
        ("Host: 203.0.113.9.nip.io", ["203.0.113.9"]),
        ("Mac: 02:42:ac:11:00:02", ["02:42:ac:11:00:02"]),
    ],
)
def test_addresses_in_text_are_found(text: str, hidden: list[str]) -> None:
    """Addresses in the usual fields are others afterwards, in packets and in reports; the words around them stay."""
    for out in (MAP.wire(text.encode()).decode(), MAP.text(text)):
        assert not [one for one in hidden if one in out], out
        assert out.split(" ")[0].split(":")[0] == text.split(" ")[0].split(":")[0] or text.startswith("::ffff")


@pytest.mark.parametrize(
    "text", ["12:34:56", "HTTP/1.1", "2026-11-22T12:04:31.880Z", "1.2.3", "std::vector", "x::y", "1.2.3.4.5"]
)
def test_what_is_no_address_stays(text: str) -> None:
    """Times, versions and names are no addresses."""
    assert MAP.text(text) == MAP.wire_text(text) == text


# frames


def frames(path: Path) -> list[tuple[bytes, int, int]]:
    """Return octets, link type and length of each frame."""
    found = []
    with open_source(path) as source:
        while (batch := source.read_batch()) is not None:
            for row in range(batch.count):
                start = batch.start[row]
                octets = bytes(batch.data[start : start + batch.captured[row]])
                found.append((octets, source.interfaces[batch.interface[row]].linktype, batch.length[row]))
    return found


def right(octets: bytes, linktype: int, length: int) -> list[bool]:
    """Return of each checksum over captured octets whether it is right."""
    said = []
    for one in layout(octets, linktype, length).sums:
        if one.whole and not one.quoted:
            ends = b""
            if one.ends is not None:
                source, target, size = one.ends
                ends = octets[source : source + size] + octets[target : target + size]
                ends += one.wire.to_bytes(4, "big") + one.protocol.to_bytes(4, "big")
            said.append(folded(octets[one.low : one.high], folded(ends)) == 0xFFFF)
    return said


@pytest.mark.parametrize("redacted", [True, False], ids=["redacted", "open"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_anonymised_captures_tell_the_same(capture: Path, redacted: bool, tmp_path: Path, key: str) -> None:
    """A marked copy with other addresses has the same verdicts, the same checksums right, and no address of before."""
    out = tmp_path / "marked.pcapng"
    assert main(["mark", str(capture), "-o", str(out), "--key", key, *([] if redacted else ["--no-redact"])]) in (0, 3)

    def verdicts(path: Path) -> list[tuple[Any, ...]]:
        found = [one for one in read(str(path)) if isinstance(one, Failure)]
        return sorted((one.kind, one.frame, one.at_fault, one.masked) for one in found)

    assert verdicts(out) == verdicts(capture)
    before, after = frames(capture), frames(out)
    octets = out.read_bytes()
    assert len(before) == len(after)
    for was, now in zip(before, after, strict=True):
        assert right(*was) == right(*now)
        for at, size in layout(*was).addresses:
            address = was[0][at : at + size]
            if MAP.mapped(address) != address:
                assert address not in octets
                if size == 4:
                    text = str(ipaddress.IPv4Address(address)).encode()
                    assert not re.search(rb"(?<![\d.])" + re.escape(text) + rb"(?![\d.])", octets)


def test_bundle_with_a_key(tmp_path: Path, key: str) -> None:
    """With a key a bundle is reproducible, verifies, and none of its files holds an address; a report says so."""
    capture = FOLDER / "reset-before-response.pcapng"
    for name in ("one", "two"):
        assert main(["report", str(capture), "-o", str(tmp_path / name), "--key", key, "--upstream", "10.2.0.2"]) == 0
    one, two = tmp_path / "one", tmp_path / "two"
    places = source_places(one / "evidence.pcapng")

    assert [(one / path.name).read_bytes() for path in two.iterdir()] == [path.read_bytes() for path in two.iterdir()]
    assert verify(one) == []
    assert {place[1] for place in places} >= {15, 17, 19, 20}
    for path in one.iterdir():
        octets = path.read_bytes()
        for address in ("10.2.0.2", "10.1.0.2", "10.0.0.9"):
            assert address.encode() not in octets, path.name
            assert ipaddress.ip_address(address).packed not in octets, path.name
    assert "addresses were mapped" in (one / "report.md").read_text()
    told = json.loads((one / "incident.json").read_text().splitlines()[0])
    assert told["connection"]["upstream"] == MAP.text("10.2.0.2:8080")
    assert MAP.text("10.2.0.2:8080").encode() in (one / "evidence.pcapng").read_bytes()  # in the comments


def test_without_a_key_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that nobody knows maps otherwise each time, and the user hears of it."""
    capture = str(FOLDER / "reset-before-response.pcapng")
    for name in ("one", "two"):
        assert main(["report", capture, "-o", str(tmp_path / name), "--anonymise"]) == 0

    assert "the next bundle will have others" in capsys.readouterr().err
    assert (tmp_path / "one" / "report.md").read_text() != (tmp_path / "two" / "report.md").read_text()
    assert verify(tmp_path / "one") == verify(tmp_path / "two") == []


@pytest.mark.parametrize("octets", [b"", b"short"])
def test_a_poor_key_is_refused(octets: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that can be guessed is a usage error, and so is one that is not there."""
    (tmp_path / "key").write_bytes(octets)
    capture = str(FOLDER / "reset-before-response.pcapng")

    assert main(["report", capture, "-o", str(tmp_path / "b"), "--key", str(tmp_path / "key")]) == 2
    assert main(["report", capture, "-o", str(tmp_path / "b"), "--key", str(tmp_path / "none")]) == 2
    assert "too short" in capsys.readouterr().err


def around(*, ipv6: bool) -> Wire:
    """Return a refused path: an ICMP error that quotes a SYN, address requests, and a request with addresses in it."""
    gateway, upstream, router = (
        ("2001:db8:1::2", "2001:db8:2::2", "2001:db8:9::1") if ipv6 else ("192.0.2.77", "198.51.100.88", "203.0.113.99")
    )
    wire = Wire()
    ends = [f"[{gateway}]:41000", f"[{upstream}]:80"] if ipv6 else [f"{gateway}:41000", f"{upstream}:80"]
    first = wire.connection(*ends)
    quoted = first.client.syn()
    wire.icmp_unreachable(router, quoted)
    ends[0] = ends[0].replace("41000", "41001")
    second = wire.connection(*ends)
    second.handshake()
    text = f"GET /a?to={upstream} HTTP/1.1\r\nHost: {upstream}\r\nX-Forwarded-For: {router}\r\n"
    text += f"X-Real-IP: {gateway}\r\n\r\n"
    for at in range(0, len(text), 7):  # addresses over the borders of segments
        second.client.send(text[at : at + 7].encode())
    second.server.ack()
    second.server.reset()
    (wire.neighbour_solicitation if ipv6 else wire.arp_request)(gateway, upstream)
    return wire


@pytest.mark.parametrize("redacted", [True, False], ids=["redacted", "open"])
@pytest.mark.parametrize("ipv6", [False, True], ids=["v4", "v6"])
def test_quotes_and_text_are_mapped(ipv6: bool, redacted: bool, tmp_path: Path, key: str) -> None:
    """No address is left in ICMP quotes, ARP and neighbour messages, or in fields cut by segments; verdicts stay."""
    capture = around(ipv6=ipv6).write(tmp_path / "in.pcap")
    made = tmp_path / "b"
    assert main(["report", str(capture), "-o", str(made), "--key", key, *([] if redacted else ["--no-redact"])]) == 0
    hosts = (
        ("2001:db8:1::2", "2001:db8:2::2", "2001:db8:9::1") if ipv6 else ("192.0.2.77", "198.51.100.88", "203.0.113.99")
    )

    assert verify(made) == []
    kinds = {one["kind"] for one in json.loads((made / "manifest.json").read_text())["verdicts"]}
    assert kinds == {"connect_unreachable", "rst_before_response"}
    stream = b"".join(octets[-7:] for octets, _, _ in frames(made / "evidence.pcapng"))
    for path in made.iterdir():
        for host in hosts:
            assert ipaddress.ip_address(host).packed not in path.read_bytes(), path.name
            assert host.encode() not in path.read_bytes() + stream, path.name


def test_wireshark_reads_what_was_mapped(tmp_path: Path, key: str, tshark: str) -> None:
    """Wireshark finds the same checksums right and the same protocols as before, quotes included."""
    capture = around(ipv6=False).write(tmp_path / "in.pcap")
    out = tmp_path / "out.pcapng"
    assert main(["mark", str(capture), "-o", str(out), "--key", key]) == 0
    fields = ["ip.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "frame.protocols", "tcp.len"]
    checks = [part for one in ("ip", "tcp") for part in ("-o", f"{one}.check_checksum:TRUE")]

    def asked(path: Path) -> str:
        command = [tshark, "-r", str(path), *checks, "-T", "fields", *(part for one in fields for part in ("-e", one))]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert asked(out) == asked(capture)


# hostile frames


@given(st.binary(max_size=200), st.sampled_from(sorted(SUPPORTED)), st.integers(0, 300))
def test_any_frame_can_be_walked(octets: bytes, linktype: int, more: int) -> None:
    """No frame makes the walk fail or leave the frame, whatever its headers claim."""
    found = layout(octets, linktype, len(octets) + more)

    assert all(0 <= at and at + size <= len(octets) for at, size in found.addresses)
    assert all(low <= len(octets) and high <= len(octets) for low, high in [*found.blanks, *found.fillers])
    assert all(one.low <= one.at and one.at + 2 <= one.high <= len(octets) for one in found.sums)


@given(st.integers(0, 60), st.integers(0, 255), st.sampled_from(CAPTURES[:6]))
def test_a_changed_frame_can_be_walked(at: int, value: int, capture: Path) -> None:
    """Nor does a frame of which one octet is another."""
    for octets, linktype, length in frames(capture)[:8]:
        changed = octets[:at] + bytes((value,)) + octets[at + 1 :]
        found = layout(changed, linktype, length)

        assert all(one.low <= one.at and one.at + 2 <= one.high <= len(changed) for one in found.sums)
