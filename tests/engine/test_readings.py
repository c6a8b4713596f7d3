"""PROXY prefaces, and what speaks for each reading of an error without an attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.gateway import Gateway, head, last_words
from wire502.model.preface import V2, client_of
from wire502.model.verdict import Cause

MINE, OTHERS = "10.0.9.9:50001", "10.0.9.9:50002"


def version_1(client: str) -> bytes:
    """A preface in words."""
    address, _, port = client.rpartition(":")
    return f"PROXY TCP4 {address} 10.0.0.1 {port} 80\r\n".encode()


def version_2(client: str) -> bytes:
    """A preface in octets."""
    address, _, port = client.rpartition(":")
    ends = bytes(map(int, address.split("."))) + bytes([10, 0, 0, 1]) + int(port).to_bytes(2, "big") + b"\x00\x50"
    return V2 + b"\x21\x11" + len(ends).to_bytes(2, "big") + ends


@pytest.mark.parametrize("preface", [version_1, version_2])
@pytest.mark.parametrize("apart", [True, False])
def test_a_preface_names_the_client(preface: Callable[[str], bytes], apart: bool) -> None:
    """Of two clients that ask the same at once, the one is taken whom the PROXY preface names."""
    scene = Gateway()
    mine, other = scene.asks(), scene.asks()
    names = [f"10.0.9.9:{50_001 + number}" for number in range(2)]
    frames = {}
    for name, conn in zip(names, (mine, other), strict=True):
        tried = scene.connection()
        tried.handshake()
        start = preface(name)
        if apart:
            tried.client.send(start[:9])
            tried.client.send(start[9:])
            tried.client.send(head("/cart"))
        else:
            tried.client.send(start + head("/cart"))
        tried.server.ack()
        frames[tried.server.reset()] = conn
    wanted = {frame: scene.answers(conn) for frame, conn in frames.items()}
    failures, incidents, _ = last_words(scene.results())
    assert {one.frame: one.client.frame for one in failures if one.client} == wanted
    assert all(one.client is not None and "proxy-protocol" in one.client.link.by for one in failures)
    assert len(incidents) == 2


@pytest.mark.parametrize(
    "preface",
    [b"", b"PROXY UNKNOWN\r\n", b"PROXY TCP4 10.0.0.9 10.0.0.1 99999 80\r\n", b"PROXY TCP4 nobody 10.0.0.1 1 80\r\n",
     V2, V2 + b"\x20\x00\x00\x00", V2 + b"\x21\x11\x00\x0c\x0a\x00", V2 + b"\x21\x31\x00\x02\x00\x00"],
)  # fmt: skip
def test_a_preface_that_names_nobody(preface: bytes) -> None:
    """A preface without a client, cut short or wrong, names none."""
    assert client_of(preface) is None


def test_an_address_of_version_6() -> None:
    """IPv6 clients are named by both versions."""
    ends = bytes.fromhex("20010db8" + "00" * 11 + "09") + bytes(16) + b"\xc3\x51\x00\x50"
    binary = V2 + b"\x21\x21" + len(ends).to_bytes(2, "big") + ends
    assert client_of(b"PROXY TCP6 2001:db8::9 2001:db8::1 50001 80\r\n") == client_of(binary)
    assert client_of(binary) == (0x20010DB800000000, 9, 50001)


def told(page: bytes, fields: bytes = b"", failed: bool = False) -> Cause:
    """The cause that is found for an error that the gateway made of itself."""
    scene = Gateway()
    scene.well()
    if failed:
        refused = scene.connection("10.0.1.2:8081")
        before = scene.asks("/before")
        refused.client.syn()
        refused.server.reset()
        scene.answers(before, 503)
    asked = scene.asks("/nowhere")
    length = b"Content-Length: %d\r\n" % len(page)
    asked.server.send(b"HTTP/1.1 503 Service Unavailable\r\n" + fields + length + b"\r\n" + page)
    scene.wire.sleep(5)
    scene.well()
    failures = last_words(scene.results())[0]
    (cause,) = next(one.causes for one in failures if one.kind == "no_attempt")
    return cause


@pytest.mark.parametrize(
    ("page", "fields", "reading"),
    [
        (b"no healthy upstream", b"", "no live upstream"),
        (
            b"upstream connect error or disconnect/reset before headers. reset reason: overflow",
            b"",
            "a circuit breaker",
        ),
        (b"<p>Unable to determine IP address from host name</p>", b"", "a name that did not resolve"),
        (b"sorry", b"X-Squid-Error: ERR_DNS_FAIL 0\r\n", "a name that did not resolve"),
        (b"sorry", b"Age: 12\r\n", "a cached failure"),
        (b"sorry", b"X-Cache: HIT from edge\r\n", "a cached failure"),
    ],
)
def test_the_answer_speaks(page: bytes, fields: bytes, reading: str) -> None:
    """The gateway's own page or fields tell why it asked nobody."""
    cause = told(page, fields)
    assert cause.name == "no_upstream_available"
    assert cause.confidence == "high"
    assert any(item.note.startswith(f"for {reading}: ") for item in cause.because)


def test_failures_before_speak() -> None:
    """Failures shortly before speak for upstreams that were marked down; the frame of the last one is cited."""
    cause = told(b"sorry", failed=True)
    assert cause.confidence == "medium"
    assert [item.note.partition(":")[0] for item in cause.because[1:]] == ["for no live upstream"]


@pytest.mark.parametrize("fields", [b"", b"Age: 0\r\n", b"X-Cache: MISS from edge\r\n"])
def test_nothing_speaks(fields: bytes) -> None:
    """Where nothing speaks for any reading, none is claimed, and the log of the gateway is advised."""
    cause = told(b"sorry", fields)
    assert (cause.confidence, len(cause.because)) == ("low", 1)
    assert cause.advice is not None
    assert "error log" in cause.advice
