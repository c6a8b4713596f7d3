"""Lines of logs, format by format."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.gateways import LogLine, parse
from wire502.gateways._loglines import LINE

AT = 1_795_356_636_000_000_000  # 2026-11-22T14:10:36Z
MS = 1_000_000
NGINX = (
    "2026/11/22 14:10:36 [error] 6012#6012: *3 connect() failed (111: Connection refused) while connecting to upstream,"
    ' client: 10.0.0.9, server: app.lab, request: "GET /t/1?q HTTP/1.1", upstream: "http://10.0.0.2:9000/x/1?q",'
    ' host: "app.lab"'
)
APACHE = (
    "[Sun Nov 22 14:10:36.165457 2026] [proxy_http:error] [pid 31846:tid 31851] (70007)The timeout specified has "
    "expired: [client 10.0.0.9:4242] AH01102: error reading status line from remote server 10.0.0.2:80"
)
HAPROXY = (
    "Nov 22 14:10:36 lb haproxy[14]: 10.0.0.9:4242 [22/Nov/2026:14:10:36.611] fe be/s1 0/0/0/-1/9 502 209 - - SH-- "
    '2/2/0/0/0 0/0 {app.lab} "POST /t/1 HTTP/1.1"'
)
ENVOY = (
    '[2026-11-22T14:10:36.611Z] "GET /t/1 HTTP/2" 503 UF,URX upstream_reset{connection_timeout} - "-" 0 95 30 - "-" '
    '"curl" "1" "app.lab" "10.0.0.2:80"'
)
ALB = (
    "https 2026-11-22T14:10:36.611000Z app/lb/50dc 10.0.0.9:2817 10.0.0.2:80 0.001 2.0 -1 504 - 34 366 "
    '"GET https://app.lab:443/t/1?q HTTP/1.1" "curl" ECDHE TLSv1.2 arn "Root=1" "app.lab" "arn" 0 '
    '2026-11-22T14:10:34.1Z "forward" "-" "Target.Timeout" "10.0.0.2:80" "-" "-" "-"'
)
COMBINED = '10.0.0.9 - bob [22/Nov/2026:15:10:36 +0100] "GET /t/1 HTTP/1.1" 502 157 "http://1.2.3.4:5/" "curl/8"'
CUSTOM = (
    '2026-11-22T14:10:36+00:00 1795356636.512 10.0.0.9:4242 "GET /t/1 HTTP/1.1" 502 314 rt=0.500 '
    'uaddr="10.0.0.2:9000" ustatus="502"'
)
EVERY = [NGINX, APACHE, HAPROXY, ENVOY, ALB, COMBINED, CUSTOM]


def read(line: str, zone_s: int = 0) -> LogLine:
    found = parse(line, zone_s)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (NGINX, LogLine("nginx error", AT, AT + 1000 * MS, False, "10.0.0.9", frozenset({"10.0.0.2:9000"}), "GET",
                        ("/t/1?q", "/x/1?q"), None,
                        "connect() failed (111: Connection refused) while connecting to upstream", "failure")),
        (HAPROXY, LogLine("haproxy", AT + 611 * MS, AT + 620 * MS, False, "10.0.0.9:4242", frozenset(), "POST",
                          ("/t/1",), 502, "SH--", "failure")),
        (ENVOY, LogLine("envoy", AT + 611 * MS, AT + 641 * MS, False, None, frozenset({"10.0.0.2:80"}), "GET",
                        ("/t/1",), 503, "UF,URX", "failure")),
        (ALB, LogLine("alb", AT - 1390 * MS, AT + 611 * MS, False, "10.0.0.9:2817", frozenset({"10.0.0.2:80"}), "GET",
                      ("/t/1?q",), 504, "Target.Timeout", "failure")),
        (COMBINED, LogLine("access", AT, AT + 1000 * MS, True, "10.0.0.9", frozenset({"1.2.3.4:5"}), "GET", ("/t/1",),
                           502, "", "failure")),
        (CUSTOM, LogLine("access", AT + 12 * MS, AT + 512 * MS, False, "10.0.0.9:4242", frozenset({"10.0.0.2:9000"}),
                         "GET", ("/t/1",), 502, "", "failure")),
    ],
)  # fmt: skip
def test_every_format(line: str, expected: LogLine) -> None:
    """Each format gives its time, client, endpoints, request, status and message."""
    assert read(line) == expected


def test_apache_error_lines() -> None:
    """An Apache error line gives module, client, backend and message; where it says, the target without its query."""
    found = read(APACHE)
    returned = read(
        "[Sun Nov 22 14:10:36.2 2026] [proxy:error] [pid 1:tid 2] [client 10.0.0.9:1] AH00898: Error reading from "
        "remote server returned by /t/1"
    )

    assert (found.format, found.client, found.endpoints) == ("apache error", "10.0.0.9:4242", {"10.0.0.2:80"})
    assert found.first_ns == found.last_ns == AT + 165_457_000
    assert found.says.startswith("(70007)The timeout specified has expired: AH01102: error reading")
    assert returned.targets == ("/t/1",)
    assert returned.first_ns == AT + 200 * MS


@pytest.mark.parametrize(
    ("line", "alarm"),
    [
        (NGINX.replace("[error]", "[debug]"), ""),
        (NGINX.replace("[error]", "[info]"), "perhaps"),
        ('2026/11/22 14:10:36 [error] 6#6: *3 open() "/x" failed, client: 10.0.0.9, request: "GET / HTTP/1.1"', ""),
        (APACHE.replace("proxy_http:error", "proxy_http:debug"), ""),
        (APACHE.replace("proxy_http:error", "core:error"), "perhaps"),
        (HAPROXY.replace("SH--", "----").replace(" 502 ", " 200 "), ""),
        (HAPROXY.replace("SH--", "SD--").replace(" 502 ", " 200 "), "failure"),
        (HAPROXY.replace("SH--", "LR--").replace(" 502 ", " 301 "), ""),
        (ENVOY.replace("503 UF,URX", "200 -"), ""),
        (ENVOY.replace("503 UF,URX", "200 UPE"), "failure"),
        (ALB.replace(" 504 - ", " 200 200 "), ""),
        (COMBINED.replace(" 502 ", " 404 "), ""),
        (COMBINED.replace(" 502 ", " 499 "), "failure"),
    ],
)
def test_only_failures_alarm(line: str, alarm: str) -> None:
    """A line raises an alarm if its level, status or flag tells of a failure towards an upstream."""
    assert read(line).alarm == alarm


def test_zones() -> None:
    """Times that name no zone are moved by the one that is given, those that name theirs are not."""
    for line in (NGINX, APACHE, HAPROXY):
        assert read(line).first_ns - read(line, 7200).first_ns == 7200 * 1000 * MS
    for line in (ENVOY, ALB, COMBINED, CUSTOM):
        assert read(line) == read(line, 7200)


@pytest.mark.parametrize(
    "line", ["", " ", "hello", "[", '"GET / HTTP/1.1" 200', "2026/11/22 14:10:36 [error]", "\x00" * 9]
)
def test_other_text_is_none(line: str) -> None:
    """A line that has no known shape, or no time, is not understood."""
    assert parse(line) is None


def test_mixed_lines_stand_alone() -> None:
    """What a line gives does not depend on the lines before it."""
    alone = [read(line) for line in EVERY]

    assert [read(line) for line in EVERY[::-1]] == alone[::-1]


@given(st.sampled_from(EVERY), st.integers(0, 400), st.integers(0, 40), st.text(max_size=40))
def test_damaged_lines_never_raise(line: str, at: int, gone: int, put: str) -> None:
    """A line that was cut, or in which anything stands, is read or refused."""
    found = parse(line[:at] + put + line[at + gone :])

    assert found is None or found.first_ns <= found.last_ns


@pytest.mark.parametrize(
    "piece",
    ["a", '"', "[", "1", "1.", ": ", '"A ', '"GET /', "10.0.0.9:", "[22/Nov/2026:14:10:36", "2026-11-22T14:10:36",
     " 0/0", "[client ", ", client: ", "::", "https 2026-11-22T14:10:36Z ", "ff:", "[::1]"],
)  # fmt: skip
def test_hostile_lines_cost_their_length(piece: str) -> None:
    """A line of 16,384 characters made to mislead the patterns is done with soon: squared, it would take minutes."""
    line = piece * (LINE // len(piece) + 1)
    for prefix in ("", "[Sun Nov 22 14:10:36 2026] [proxy:error] ", "2026/11/22 14:10:36 [error] 1#1: ", CUSTOM[:60]):
        began = time.process_time()
        parse(prefix + line)

        assert time.process_time() - began < 2
