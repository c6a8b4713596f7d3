"""What octets that are no HTTP/1 look like, told from the first few of them."""

from __future__ import annotations

PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
PROXY_V1 = b"PROXY "
PROXY_V1_LIMIT = 107  # octets, with CR LF (the PROXY protocol, section 2.1)

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"PRI * HTTP/2.0", "h2"),
    (b"SSH-", "ssh"),
    (PROXY_V1, "proxy"),
    (PROXY_V2, "proxy"),
    (b"AB\x00", "ajp"),
    (b"\x12\x34", "ajp"),
    (b"220 ", "smtp"),
    (b"220-", "smtp"),
    (b"+OK", "pop3"),
    (b"-ERR", "redis"),
    (b"+PONG", "redis"),
    (b"AMQP", "amqp"),
    (b"Traceback", "traceback"),
    (b"http/", "http"),
)


def name_of(octets: bytes) -> str | None:
    """Return what a stream that begins with *octets* (a few dozen will do) seems to be, None if unknown."""
    if len(octets) >= 3 and 0x14 <= octets[0] <= 0x18 and octets[1] == 3 and octets[2] <= 4:
        return "tls"
    if len(octets) >= 9 and octets[0] == 0 and octets[3] == 4 and octets[5:9] == b"\x00\x00\x00\x00":
        return "h2"  # a SETTINGS frame (RFC 9113 section 6.5)
    if len(octets) >= 8 and octets[0] == 1 and 1 <= octets[1] <= 11 and octets[7] == 0:
        return "fastcgi"
    if len(octets) >= 5 and octets[3] == 0 and octets[4] == 10 and octets[0] + (octets[1] << 8) < 4096:
        return "mysql"
    for prefix, name in _PREFIXES:
        if octets.startswith(prefix):
            return name
    if octets.lstrip()[:9].lower().startswith((b"<html", b"<!doctype", b"<?xml")):
        return "html"
    if octets.startswith(b"HTTP/"):
        return "http"
    if octets and all(32 <= octet < 127 or octet in (9, 10, 13) for octet in octets):
        return "text"
    return None


def preface_length(octets: bytes) -> int:
    """Return how many octets a PROXY protocol preface takes at the start of *octets*: 0 none, -1 not whole."""
    if octets.startswith(PROXY_V2):
        if len(octets) < 16:
            return -1
        return 16 + int.from_bytes(octets[14:16], "big")
    if octets.startswith(PROXY_V1):
        end = octets.find(b"\r\n", 0, PROXY_V1_LIMIT)
        return end + 2 if end >= 0 else -1 if len(octets) < PROXY_V1_LIMIT else 0
    return -1 if PROXY_V1.startswith(octets) or PROXY_V2.startswith(octets) else 0
