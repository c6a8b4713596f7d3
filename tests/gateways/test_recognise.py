"""Whose page is it?"""

from __future__ import annotations

import pytest

from wire502.gateways import load, names, recognise, signs

NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx%b</center>\r\n</body>\r\n</html>\r\n"
)
HAPROXY = (
    b"<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n"
)
APACHE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html><head>\n'
    b"<title>502 Proxy Error</title>\n</head><body>\n<h1>Proxy Error</h1>\n<p>The proxy server received an invalid\r\n"
    b"response from an upstream server.<br />\r\n"
)
ALB = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"</body>\r\n</html>\r\n"
)
ENVOY = b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"
PLAIN = b"<html><head><title>502 Bad Gateway</title></head><body>502 from the origin side</body></html>"


@pytest.mark.parametrize(
    ("status", "server", "via", "body", "name", "confidence"),
    [
        (502, "nginx/1.22.1", None, NGINX % b"/1.22.1", "nginx", "high"),
        (504, "nginx", None, NGINX % b"", "nginx", "high"),
        (502, None, None, NGINX % b"", "ingress-nginx", "high"),
        (502, None, None, HAPROXY, "haproxy", "high"),
        (503, "Apache/2.4.71 (Debian) OpenSSL/3.0.22", None, APACHE, "apache", "high"),
        (502, "awselb/2.0", None, ALB, "aws-alb", "high"),
        (503, "envoy", None, ENVOY, "envoy", "high"),
        (503, "Varnish", "1.1 cache (Varnish/7.1)", b"<h1>Error 503 Backend fetch failed</h1>", "varnish", "high"),
        (502, None, None, b"Bad Gateway", "traefik", "medium"),
        (504, "envoy", None, b"upstream request timeout", "envoy", "high"),
        (502, "app/1.4", "1.1 Caddy", b"", "caddy", "medium"),
        (502, "Caddy", None, b"", "caddy", "high"),
        (502, "nginx/1.22.1", None, b"", "nginx", "medium"),
        (502, "Apache", None, PLAIN, "apache", "low"),
    ],
)
def test_pages_are_recognised(
    status: int, server: str | None, via: str | None, body: bytes, name: str, confidence: str
) -> None:
    """An error page names its gateway; a Server field alone, which may be the upstream's, does so less surely."""
    assert recognise(status, server, via, body)[0] == (name, confidence)


@pytest.mark.parametrize(
    ("server", "body"), [(None, b""), ("app/1.4", PLAIN), ("cloudfront-like", b"\xff\x00" * 4096), ("", b"nginx")]
)
def test_strangers_are_not(server: str | None, body: bytes) -> None:
    """A response without a sign of any gateway is nobody's."""
    assert recognise(502, server, None, body) == []


def test_a_page_under_another_name_is_not_sure() -> None:
    """A page of one gateway under another Server field is a relayed one, or edited: never high."""
    assert ("nginx", "low") in recognise(502, "app/1.4", None, NGINX % b"/1.22.1")


def test_signs_are_those_of_the_tables() -> None:
    """How gateways are known is the same whether it is read by itself or with the whole of a table."""
    assert {name: load(name).signs for name in names()} == dict(signs())
