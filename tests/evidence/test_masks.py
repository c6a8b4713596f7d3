"""What is overwritten in a stream, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.evidence.http_masks import Masker, Values
from wire502.evidence.secrets import Secrets
from wire502.evidence.slices import places_of, ranges
from wire502.gateways import load, names


def masked(octets: bytes, *, whole: bool = True, methods: list[bytes] | None = None) -> bytes:
    return bytes(Masker(octets, [], [0], Values(), whole=whole, methods=methods).run())


PIECES = [
    b"GET /?a=b HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Cookie: x\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n",
    b"5\r\n",
    b"hello",
    b"0\r\n\r\n",
    b"\x00\xff",
    b"\x16\x03\x01",
    b"PROXY TCP4\r\n",
]
ANY = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12).map(b"".join)


@given(ANY, st.booleans(), st.none() | st.just([b"HEAD"]), st.data())
def test_any_octets_keep_their_length(
    octets: bytes, whole: bool, methods: list[bytes] | None, data: st.DataObject
) -> None:
    """Whatever the stream holds, and whatever is missing in it, as many octets come out as went in."""
    places = sorted(data.draw(st.sets(st.integers(0, len(octets)), max_size=3)))
    holes = [(place, data.draw(st.integers(1, 1 << 40))) for place in places]

    assert len(Masker(octets, holes, [0], Values(), whole=whole, methods=methods).run()) == len(octets)


def test_framing_stays() -> None:
    """Start line, names of fields, lengths and chunk sizes stay; values of secret fields and bodies go."""
    framing = b"Server: s\r\nTransfer-Encoding: chunked\r\n\r\n"
    octets = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n c=d\r\n" + framing + b"3;e=f\r\nabc\r\n0\r\n\r\n"
    expected = b"HTTP/1.1 200 OK\r\nSet-Cookie: xxx\r\nxxxx\r\n" + framing + b"3;x=x\r\nxxx\r\n0\r\n\r\n"

    assert masked(octets) == expected


def test_equal_values_stay_equal() -> None:
    """Two requests with different query values still differ, and two with the same are still the same."""
    lines = _targets([b"aaaa", b"bbbb", b"aaaa"])

    assert lines[0] == lines[2] != lines[1]
    assert b"aaaa" not in lines[0]


def _targets(values: list[bytes]) -> list[bytes]:
    octets = b"".join(b"GET /p?q=" + value + b" HTTP/1.1\r\n\r\n" for value in values)
    return masked(octets).split(b"\r\n\r\n")[:-1]


def test_a_response_to_head_has_no_body() -> None:
    """The octets behind the head that answers HEAD are the next response, not a body."""
    octets = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"

    assert masked(octets, methods=[b"HEAD", b"GET"]) == octets


@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x02\x00\x01\x00\x01secret", b"SSH-2.0-secret\r\n"])
def test_other_protocols_keep_their_first_octets(octets: bytes) -> None:
    """What is no HTTP/1 can still be told by its first octets, and shows no more."""
    kept = 9 if octets[0] == 22 else 4  # header and type of a TLS record; the name of the protocol
    assert masked(octets)[:kept] == octets[:kept]
    assert b"secret" not in masked(octets)


def test_a_line_with_a_hole_is_masked() -> None:
    """Behind a hole in a line of a head there may be any field: it goes, up to the end of the line."""
    octets = b"GET / HTTP/1.1\r\nCoo: secret\r\n\r\n"
    out = Masker(octets, [(19, 3)], [0], Values(), whole=True, methods=None).run()

    assert out == b"GET / HTTP/1.1\r\nCoo: xxxxxx\r\n\r\n"


def test_a_line_that_begins_behind_a_hole_is_masked() -> None:
    """What follows a hole between two lines need not be a line's beginning: it may be the end of a secret."""
    octets = b"GET / HTTP/1.1\r\nb=Secret1\r\nHost: h\r\n\r\n"
    out = Masker(octets, [(16, 9)], [0, 16], Values(), whole=True, methods=None).run()

    assert out == b"GET / HTTP/1.1\r\nx=Xxxxxx0\r\nXxxx: x\r\n\r\n"


def test_heads_that_were_cut_stay_apart() -> None:
    """Where every segment is cut inside its head, each start line stays: nothing is taken for a body."""
    heads = [b"HTTP/1.1 204 No Content\r\nDa", b"HTTP/1.1 302 Found\r\nDate: M", b"HTTP/1.1 200 OK\r\nDate: Mo"]
    begins = [0, len(heads[0]), len(heads[0] + heads[1])]
    holes = [(begin, 40) for begin in begins[1:]]
    out = Masker(b"".join(heads), holes, begins, Values(), whole=True, methods=None).run()

    assert [out[begin : begin + 12] for begin in begins] == [head[:12] for head in heads]


def test_a_request_cut_before_its_version_stays_a_request() -> None:
    """A method and the beginning of a target are kept at a hole, words of a body that look alike are not."""
    assert masked(b"GET /cart?a=secret") == b"GET /cart?a=xxxxx0"
    assert masked(b"GET / HTTP/1.1\r\n\r\nsecret words") == b"GET / HTTP/1.1\r\n\r\nxxxxxx xxxxx"


@pytest.mark.parametrize("page", [b"<html><b>secret", b"<!DOCTYPE x>secret", b"Traceback (secret)"])
def test_a_page_instead_of_an_answer_is_still_one(page: bytes) -> None:
    """What tells a page or a traceback stays also behind other responses; what it says goes."""
    before = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    out = masked(before + page)

    assert out.startswith(before + page[:5])
    assert b"secret" not in out


def test_the_list_of_secrets_can_be_changed() -> None:
    """Fields are secret by the words of the setting, the parts without a name when it names them."""
    octets = b"GET /?q=1 HTTP/1.1\r\nX-Tenant: t\r\nCookie: c\r\n\r\n"
    secrets = Secrets.of(["tenant"])
    out = bytes(Masker(octets, [], [0], Values(), whole=True, methods=None, secrets=secrets).run())

    assert out == b"GET /?q=1 HTTP/1.1\r\nX-Tenant: x\r\nCookie: c\r\n\r\n"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50)), max_size=40))
def test_source_frames_can_be_read_back(places: list[tuple[int, int]]) -> None:
    """The machine-readable list of source frames gives back what was written."""
    assert places_of(ranges(places)) == places


@pytest.mark.parametrize("name", names())
def test_error_pages_stay_known(name: str) -> None:
    """By every page that tells a gateway, whole or part of it, the masked page still tells it; other words go."""
    signs = load(name).signs
    for sign in (*signs.page, *signs.whole):
        page = sign.encode("latin-1") + b" secret Zq7Kw3 1234"
        head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(page)
        out = masked(head + page)

        assert sign.lower() in out.decode("latin-1").lower()
        assert b"secret" not in out
        assert b"Zq7Kw3" not in out
