"""From a log line back to the kinds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.gateways import fits, flagged, holds, load, names

NGINX = (
    "2026/11/22 14:08:34 [error] 6012#6012: *3 {} while {}, client: 198.18.5.10, server: app.lab, "
    'request: "GET /t/1 HTTP/1.1", upstream: "http://198.18.6.2:9000/t/1", host: "app.lab"'
)
HAPROXY = '10.0.0.9:4242 [22/Nov/2026:14:10:36.611] fe be/s1 0/0/0/-1/9 {} 0 - - {} 2/2/0/0/0 0/0 "POST /t/1 HTTP/1.1"'
ENVOY = '[2026-11-22T14:10:36.611Z] "GET /t/1 HTTP/1.1" 503 {} - "-" 0 95 3 - "-" "curl" "1" "app.lab" "10.0.0.2:80"'
APACHE = "[Sun Nov 22 14:07:10.165457 2026] [proxy_http:error] [pid 31846:tid 31851] {}: [client 10.0.0.9:1] {}"
ALB = 'https 2026-11-22T14:10:36.611Z app/lb/50dc 10.0.0.9:2817 10.0.0.1:80 0.0 -1 -1 {} {} 34 366 "GET / HTTP/1.1"'


@pytest.mark.parametrize(
    ("text", "gateway", "kinds"),
    [
        (
            "upstream prematurely closed connection while reading response header from upstream",
            "nginx",
            {"fin_mid_request", "fin_before_response", "fin_mid_headers", "stale_keepalive"},
        ),
        (
            NGINX.format("upstream prematurely closed connection", "reading upstream"),
            "nginx",
            {"fin_mid_body", "invalid_header"},  # the latter before 1.23, when the wrong length won
        ),
        (NGINX.format("no live upstreams", "connecting to upstream"), "nginx", {"no_attempt"}),
        (NGINX.format("upstream sent too big header", "reading response header from upstream"), "nginx",
         {"header_too_large"}),
        ("upstream sent unsupported FastCGI protocol version: 72", "nginx", {"invalid_status_line"}),
        ("sC--", "haproxy", {"connect_timeout", "stall_mid_handshake"}),
        (HAPROXY.format("503", "sC--"), "haproxy", {"connect_timeout", "stall_mid_handshake"}),
        (HAPROXY.format("502", "PHVN"), "haproxy",
         {"invalid_status_line", "invalid_header", "header_too_large", "invalid_chunk", "rst_mid_headers",
          "fin_mid_headers"}),
        (HAPROXY.format("-1", "SD--"), "haproxy", {"rst_mid_request", "fin_mid_request"}),
        ("SD", "haproxy", {"rst_mid_request", "fin_mid_request", "rst_mid_body", "fin_mid_body", "invalid_chunk"}),
        ("UH", "envoy", {"no_attempt"}),
        (ENVOY.format("UF upstream_reset_before_response_started{connection_timeout}"), "envoy",
         {"connect_timeout", "stall_mid_handshake"}),
        (APACHE.format("(70007)The timeout specified has expired",
                       "AH01102: error reading status line from remote server 10.0.0.2:80"), "apache",
         {"stall_before_response", "stall_mid_headers"}),
        (ALB.format("504", "-"), "aws-alb", {"connect_timeout", "stall_before_response"}),
        (ALB.format("502", "502"), "aws-alb", {"relayed_error"}),
        ("Target.Timeout", "aws-alb", {"connect_timeout", "stall_before_response"}),
        ("The target response header exceeded 32 K for the entire response header", "aws-alb", {"header_too_large"}),
        ("http: proxy error: dial tcp 10.0.0.2:80: connect: connection refused", "go",
         {"connect_refused", "connect_unreachable"}),
        ("-   FetchError     first byte timeout", "varnish", {"stall_before_response"}),
        ("ERR_ZERO_SIZE_OBJECT", "squid", {"fin_mid_request", "fin_before_response", "stale_keepalive"}),
        ("Error: socket hang up", "node-http-proxy",
         {"fin_mid_request", "fin_before_response", "stall_before_response", "stale_keepalive", "fin_mid_headers",
          "stall_mid_headers"}),
    ],
)  # fmt: skip
def test_lines_and_flags(text: str, gateway: str, kinds: set[str]) -> None:
    """A log line, or a flag alone, leads to exactly the kinds that make this gateway write it."""
    found = [fit for fit in fits(text) if fit.gateway == gateway]

    assert {fit.kind for fit in found} == kinds
    assert all(fit.exact for fit in found)


def test_a_code_alone_fits_in_part() -> None:
    """A code leads to every line that carries it, and says that the rest of the line is missing."""
    found = fits("AH01102")

    assert {fit.gateway for fit in found} == {"apache"}
    assert {"rst_before_response", "stall_before_response", "stale_keepalive"} <= {fit.kind for fit in found}
    assert not any(fit.exact for fit in found)


@pytest.mark.parametrize("text", ["", " \n ", "GET", "nothing of the sort happened here", "XX--", "502", "a UC b"])
def test_other_text_fits_nothing(text: str) -> None:
    """Text that no gateway writes leads nowhere."""
    assert fits(text) == []


@pytest.mark.parametrize("name", names())
def test_every_line_leads_back(name: str) -> None:
    """Whatever line a table holds, its own kind is among those that fit it."""
    for module, kind, one in load(name).rows():
        for template in one.answer.logs:
            if len(template.replace("...", "")) >= 5:
                line = f"2026/11/22 [error] {template.replace('...', 'x7')}, client: 10.0.0.9"
                found = {(fit.gateway, fit.module, fit.kind) for fit in fits(line) if fit.exact}
                assert (name, module, kind) in found, template


@pytest.mark.parametrize(
    ("line", "flag", "shown"),
    [
        ("SH--", "SH--", True),
        ("SH", "SH--", True),
        ("fe be/s1 0/0/0/-1/9 502 0 - - SHVN 2/2", "SH--", True),
        ("sH--", "SH--", False),
        ("the SHip sank", "SH--", False),
        ("UC", "UC", True),
        ('"GET / HTTP/1.1" 503 UC,URX - 0', "UC", True),
        ("the UC of it", "UC", False),
        ("UCX", "UC", False),
        ("-1 502 - 34", "502 -", True),
        ("502 502", "502 -", False),
    ],
)
def test_flags(line: str, flag: str, shown: bool) -> None:
    """A flag is a word of its own in its place, whatever stands in its last two letters."""
    assert flagged(line, flag) is shown


PIECE = st.text(st.characters(codec="ascii", exclude_characters="."), min_size=1, max_size=8)


@given(st.lists(PIECE, min_size=1, max_size=5), st.text(max_size=20), st.text(max_size=20), st.data())
def test_a_filled_template_is_held(parts: list[str], before: str, after: str, data: st.DataObject) -> None:
    """Whatever fills the gaps of a template and stands around it, the line holds it."""
    filled = "".join(part + data.draw(st.text(max_size=9)) for part in parts[:-1]) + parts[-1]

    assert holds(f"{before}{filled}{after}", "...".join(parts))


@given(st.lists(PIECE, min_size=1, max_size=4), st.text(max_size=60))
def test_holding_is_what_a_regular_expression_says(parts: list[str], line: str) -> None:
    """Holding a template is the same as matching its parts with anything between them."""
    expected = re.search(".*?".join(map(re.escape, parts)), line, re.DOTALL) is not None

    assert holds(line, "...".join(parts)) is expected


@given(st.text(max_size=300))
def test_any_text_can_be_asked_for(text: str) -> None:
    """No text makes the search fail, and what fits is a row of a table."""
    for fit in fits(text):
        assert fit.template in (*fit.variant.answer.flags, *fit.variant.answer.logs, *fit.variant.answer.words)
