"""States, flags and messages that stand in no row of a table."""

from __future__ import annotations

import pytest

from wire502.gateways import KINDS, fits, said

# Lines as gateways write them: whoever reads a log at night may ask for the meaning of any of these.
LINES = [
    'connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: a, request: "GET / HTTP/1.1"',  # noqa: E501
    "upstream timed out (110: Connection timed out) while connecting to upstream",
    "upstream timed out (110: Connection timed out) while reading response header from upstream",
    "recv() failed (104: Connection reset by peer) while reading response header from upstream",
    "no live upstreams while connecting to upstream",
    "upstream sent too big header while reading response header from upstream",
    "upstream prematurely closed connection while reading upstream",
    "connect() to 10.0.0.2:80 failed (99: Cannot assign requested address) while connecting to upstream",
    "app.example could not be resolved (3: Host not found)",
    "writev() failed (32: Broken pipe) while sending request to upstream",
    "sendfile() failed (104: Connection reset by peer) while sending request to upstream",
    "an upstream response is buffered to a temporary file /var/cache/nginx/1 while reading upstream",
    "upstream server temporarily disabled while connecting to upstream",
    "epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too",
    "1024 worker_connections are not enough while connecting to upstream",
    *("SC-- sC-- SH-- sH-- SD-- sD-- PH-- CC-- CH-- CD-- cD-- cR-- LR-- PC-- RC-- sQ-- SQ-- CR-- PR-- PD--".split()),
    *("LH-- IH-- DH-- KD-- cH-- CQ-- UH UF UO NR NC URX DC DT UT UC UR LR DI FI RL UAEX SI DPE UPE OM DF".split()),
    "upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111}",
    "upstream_reset_before_response_started{connection_termination}",
    "no_healthy_upstream",
    "response_timeout",
    "(111)Connection refused: AH00957: http: attempt to connect to 10.9.1.2:9999 (10.9.1.2:9999) failed",
    "(70007)The timeout specified has expired: AH01102: error reading status line from remote server a:80",
    "AH00959: ap_proxy_connect_backend disabling worker for (10.0.0.2:80) for 60s",
    "AH00940: HTTP: disabled connection for (10.9.1.2:80)",
    "AH01114: HTTP: failed to make connection to backend: 10.9.1.2",
    "(20014)Internal error (specific information not available): [client 10.0.0.9:1] AH01110: error reading response",
    "AH01095: prefetch request body failed to 10.0.0.2:80 (10.0.0.2) from 10.0.0.9 ()",
    "Target.Timeout",
    "Target.ResponseCodeMismatch",
    "Elb.InternalError",
    "'502 Bad Gateway' caused by: dial tcp 10.0.0.2:80: connect: connection refused",
    "'500 Internal Server Error' caused by: net/http: HTTP/1.x transport connection broken: malformed HTTP status code",
    '{"level":"error","msg":"net/http: timeout awaiting response headers","status":504}',
    "FetchError     no backend connection",
    "FetchError     backend a: fail errno 111 (Connection refused)",
    "FetchError     first byte timeout",
    "ERR_ZERO_SIZE_OBJECT",
    "TCP_MISS_ABORTED/000 0 GET http://app/ - HIER_DIRECT/10.0.0.2 -",
    "TCP connection to 10.9.1.2/9999 failed",
    "CONNECT: attempt fail [CONNECTION_ERROR] to 10.9.1.2:9999 for host='a' connection_result=Connection refused [111]",
    "CONNECT: could not connect to 10.9.1.2 for 'http://a/' (setting last failure time) connect_result=111",
    "(gw_backend.c.274) establishing connection failed: socket: tcp:10.9.1.2:9999: Connection refused",
    "(gw_backend.c.960) all handlers for /dead/1? on  are down.",
    "[lib/core/proxy.c] in request:/rst/1:I/O error (head)",
    "Error: connect ECONNREFUSED 10.0.0.2:80",
    "Error: getaddrinfo ENOTFOUND app.example",
    "http: proxy error: dial tcp: lookup app.example: no such host",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_has_a_meaning(line: str) -> None:
    """A line that a gateway writes over an upstream is known: by a row of a table, or by what its words mean."""
    assert said(line) or any(fit.exact for fit in fits(line))


@pytest.mark.parametrize(
    ("text", "gateway", "kinds"),
    [
        ("CC--", "haproxy", ("client_abort",)),
        ("RC--", "haproxy", ("no_attempt",)),
        ('10.0.0.9:1 [22/Nov/2026:20:33:55.653] f a/s1 0/9/-1/-1/9 503 204 - - sQNN 2/2/1/1/0 0/0 "GET / HTTP/1.1"',
         "haproxy", ("no_attempt",)),
        ('[2026-11-22T20:33:55.000Z] "GET / HTTP/1.1" 503 UO 0 81 0 - "-" "c" "id" "a" "-"', "envoy", ("no_attempt",)),
        ("could not be resolved (3: Host not found)", "nginx", ("no_attempt",)),
    ],
)  # fmt: skip
def test_what_a_word_says(text: str, gateway: str, kinds: tuple[str, ...]) -> None:
    """A state, flag or message names its gateway and the kinds of failure beside which it is seen."""
    assert [(one.gateway, one.kinds) for one in said(text)] == [(gateway, kinds)]


@pytest.mark.parametrize("text", ["----", "hello", "GET /CD-- HTTP/1.1 is no state", "an HTTP DC", "UF is here", ""])
def test_what_says_nothing(text: str) -> None:
    """A normal end, and letters that merely look like a state or a flag, mean nothing."""
    assert said(text) == []


def test_kinds_are_kinds() -> None:
    """Every kind that a word names is one of the vocabulary."""
    words = [one for line in LINES for one in said(line)]
    assert len(words) > 40
    assert {kind for one in words for kind in one.kinds} <= set(KINDS)
