"""Second tries that made a failure good, and addresses that nobody answers for."""

from __future__ import annotations

import pytest

from tests.engine.drive import failures, told
from tests.tcp.watch import GET, OK
from tests.wire import Wire

PATH = b"GET /%d HTTP/1.1\r\nHost: a\r\n%s\r\n"
ERROR = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"


def attempted(wire: Wire, port: int, request: bytes, answer: bytes | None, host: str = "10.0.0.2") -> None:
    """One connection, one request, and an answer (None: a reset)."""
    conn = wire.connection(f"10.0.0.1:{port}", f"{host}:8080")
    conn.handshake()
    conn.client.send(request)
    if answer is None:
        conn.server.reset()
    else:
        conn.server.send(answer)
    wire.sleep(0.05)


@pytest.mark.parametrize("answer", [None, ERROR])
def test_a_retry_made_it_good(answer: bytes | None) -> None:
    """The same request, asked elsewhere within a second and answered well, masks the failure."""
    wire = Wire()
    attempted(wire, 41000, PATH % (1, b""), answer)
    attempted(wire, 41001, PATH % (1, b""), OK, "10.0.0.3")
    (failure,) = failures(wire)
    assert failure.masked


@pytest.mark.parametrize(
    ("second", "after", "answer"),
    [
        (PATH % (2, b""), 0.0, OK),  # another request
        (PATH % (1, b""), 5.0, OK),  # too late
        (PATH % (1, b""), 0.0, ERROR),  # no success
        (PATH % (1, b"X-Request-ID: other\r\n"), 0.0, OK),  # another request, by its header
    ],
)
def test_no_retry(second: bytes, after: float, answer: bytes) -> None:
    """Another request, a late one, or one that failed too masks nothing."""
    wire = Wire()
    attempted(wire, 41000, PATH % (1, b"X-Request-ID: one\r\n" if b"other" in second else b""), None)
    wire.sleep(after)
    attempted(wire, 41001, second, answer, "10.0.0.3")
    assert not failures(wire)[0].masked


def test_several_candidates_mask_nothing() -> None:
    """When two like requests succeeded, either may be the retry: the failure stays, with a caveat."""
    wire = Wire()
    attempted(wire, 41000, GET, None)
    attempted(wire, 41001, GET, OK, "10.0.0.3")
    attempted(wire, 41002, GET, OK, "10.0.0.3")
    (failure,) = failures(wire)
    assert not failure.masked
    assert any("retry" in caveat for caveat in failure.caveats)


def test_an_error_is_compared_by_its_own_request() -> None:
    """A 5xx is masked by a retry of its own request, not of the one that came next on its connection."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(PATH % (1, b""))
    conn.server.send(ERROR)
    conn.client.send(PATH % (2, b""))
    conn.server.send(OK)
    attempted(wire, 41001, PATH % (2, b""), OK, "10.0.0.3")
    (failure,) = failures(wire)
    assert not failure.masked


def test_the_other_address_family() -> None:
    """A refused IPv6 attempt followed by an IPv4 success at once is masked."""
    wire = Wire()
    six = wire.connection("[2001:db8::1]:41000", "[2001:db8::2]:8080")
    six.client.syn()
    six.server.reset()
    attempted(wire, 41001, GET, OK)
    found = failures(wire)
    assert [failure.masked for failure in found if failure.kind == "connect_refused"] in ([], [True])


def known(wire: Wire) -> None:
    """Make 10.0.0.2 known as an upstream, as it is while all goes well."""
    attempted(wire, 40999, GET, OK)
    wire.sleep(5)


def test_nobody_answers_for_an_upstream() -> None:
    """Three questions for the address of a known upstream without an answer are a failure, at the last of them."""
    wire = Wire()
    known(wire)
    for _ in range(3):
        last = wire.arp_request("10.0.0.1", "10.0.0.2")
        wire.sleep(1)
    later = wire.connection("10.0.0.1:41001", "10.0.0.7:8080")
    wire.sleep(10)
    later.handshake()
    assert told(wire) == [("connect_unreachable", last)]


def test_nobody_answers_at_the_end_of_the_capture() -> None:
    """The same with nothing behind it but time."""
    wire = Wire()
    known(wire)
    for _ in range(3):
        last = wire.arp_request("10.0.0.1", "10.0.0.2")
        wire.sleep(1)
    wire.sleep(1)
    wire.arp_request("10.0.0.1", "10.0.0.55")
    assert told(wire) == [("connect_unreachable", last)]


@pytest.mark.parametrize("how", ["answered", "unknown", "once"])
def test_questions_that_are_no_failure(how: str) -> None:
    """A question that is answered, one for an address that is no upstream, and a single one are no failure."""
    wire = Wire()
    known(wire)
    for _ in range(1 if how == "once" else 3):
        wire.arp_request("10.0.0.1", "10.0.0.9" if how == "unknown" else "10.0.0.2")
        wire.sleep(0.5)
    if how == "answered":
        wire.arp_reply("10.0.0.2", "10.0.0.1")
    wire.sleep(10)
    attempted(wire, 41005, GET, OK, "10.0.0.3")
    assert told(wire) == []


def test_neighbour_solicitations() -> None:
    """The IPv6 form of the question counts alike."""
    wire = Wire()
    conn = wire.connection("[2001:db8::1]:40999", "[2001:db8::2]:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(OK)
    for _ in range(3):
        last = wire.neighbour_solicitation("2001:db8::1", "2001:db8::2")
        wire.sleep(1)
    wire.sleep(10)
    attempted(wire, 41005, GET, OK, "10.0.0.3")
    assert told(wire) == [("connect_unreachable", last)]
