"""HTTP/1 as it should not be: requests, responses and chunk streams from a grammar that likes to slip."""

from __future__ import annotations

from random import Random

_METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"CONNECT", b"OPTIONS", b"get", b"G", b"PRI", b"M-SEARCH", b"X" * 30, b""]
_TARGETS = [b"/", b"/a?b=c", b"*", b"http://a/b", b"a:443", b"/a b", b"/\xff\x00", b"/" + b"x" * 900, b"", b"\t"]
_VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.10", b"http/1.1", b"", b"HTTP/1."]
_STATUSES = [b"200", b"204", b"304", b"100", b"101", b"103", b"199", b"206", b"302", b"404", b"408", b"500", b"502",
             b"503", b"999", b"099", b"2000", b"20", b"2x0", b"", b"000"]  # fmt: skip
_REASONS = [b" OK", b"", b" ", b" \xe2\x9c\x93", b"\tOK", b" a\x00b", b" " + b"r" * 500]
_ENDS = [b"\r\n"] * 12 + [b"\n", b"\r", b"\n\r", b"\r\r\n", b"", b"\0"]
_LENGTHS = [b"0", b"5", b"5", b"10", b"100", b"65536", b"9007199254740992", b"99999999999999999999999", b"-1", b"+5",
            b"5, 5", b"5,6", b"0x5", b"", b" 5 ", b"5 5", b"4294967296", b"9007199254740991"]  # fmt: skip
_SIZES = [b"0", b"1", b"5", b"a", b"A", b"00000005", b"ffffffffffffffff", b"7fffffffffffffff", b"fffffffffffffff",
          b"g", b"", b"-1", b"0x5", b" 5", b"5 ", b"5\t;a", b"5;a=\"b\n\"", b"5;" + b"x" * 300, b"10", b"1000"]  # fmt: skip  # noqa: E501
_FIELDS = [
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding:", b"Connection: close", b"Connection: keep-alive",
    b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"Host: a.example",
    b"Host:", b"X-Request-Id: abc\xff", b"Content-Type: text/event-stream", b"Content-Type: application/grpc", b": x",
    b"no colon", b" folded", b"\tfolded", b"A\x00B: c", b"A: b\x00c", b"A: b\rc", b"Server: \x1b[31m", b"Via: 1.1 a",
    b"X: " + b"y" * 700, b"X-Forwarded-For: 10.0.0.9", b"Trailer: A", b"traceparent: 00-" + b"0" * 32, b"A" * 400,
]  # fmt: skip
_FOREIGN = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", b"\x01\x01\x00\x01\x00\x08\x00\x00", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12), b"\r\n\r\n\0\r\nQUIT\n\x20\x00\xff\xff",
    b"PROXY " + b"x" * 200, b"\x15\x03\x03\x00\x02\x02\x28", b"220 mail ESMTP\r\n", b"\r\n" * 9, b"\0" * 40, b"HTTP/",
]  # fmt: skip


def request(rng: Random) -> bytes:
    """A request, mostly sound."""
    if rng.random() < 0.06:
        return rng.choice(_FOREIGN)
    if rng.random() < 0.5:
        line = b"GET /%d HTTP/1.1\r\n" % rng.randrange(4)
    else:
        line = b" ".join((_early(rng, _METHODS), _early(rng, _TARGETS), _early(rng, _VERSIONS))) + rng.choice(_ENDS)
    return line + _fields(rng) + rng.choice(_ENDS) + _body(rng)


def response(rng: Random) -> bytes:
    """A response, mostly sound."""
    if rng.random() < 0.05:
        return rng.choice(_FOREIGN)
    line = b"HTTP/1.1 200 OK\r\n"
    if rng.random() < 0.5:
        line = _early(rng, _VERSIONS) + b" " + rng.choice(_STATUSES) + rng.choice(_REASONS) + rng.choice(_ENDS)
    return line + _fields(rng) + rng.choice(_ENDS) + _body(rng)


def chunks(rng: Random) -> bytes:
    """A chunked body (RFC 9112 section 7.1), mostly sound."""
    parts = []
    for _ in range(rng.choice((1, 2, 3, 9, 40))):
        if rng.random() < 0.8:
            data = b"d" * rng.choice((1, 1, 2, 5, 16, 300))
            parts.append(b"%x\r\n%s\r\n" % (len(data), data))
        else:
            parts.append(rng.choice(_SIZES) + rng.choice(_ENDS) + b"hello" + rng.choice(_ENDS))
    if rng.random() < 0.8:
        parts.append(b"0" + rng.choice(_ENDS))
        parts += [rng.choice(_FIELDS) + rng.choice(_ENDS) for _ in range(rng.choice((0, 0, 0, 1, 3)))]
        parts.append(rng.choice(_ENDS))
    return b"".join(parts)


def mutated(rng: Random, octets: bytes) -> bytes:
    """The octets with a few of them wrong, gone or there twice."""
    data = bytearray(octets)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        if not data:
            break
        at = rng.randrange(len(data))
        what = rng.randrange(5)
        if what == 0:
            data[at] = rng.choice(b"\0\r\n :;,/0159afgHT\xff\x80\t\x1b") if rng.random() < 0.7 else rng.randrange(256)
        elif what == 1:
            del data[at : at + rng.choice((1, 1, 2, 20))]
        elif what == 2:
            data[at:at] = data[at : at + rng.choice((1, 2, 30))]
        elif what == 3:
            data[at:at] = rng.randbytes(rng.choice((1, 3, 20)))
        else:
            data[at:at] = rng.choice(
                (b"\r\n", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n")
            )
    return bytes(data)


def _early(rng: Random, items: list[bytes]) -> bytes:
    """One of the items, the first ones more often."""
    return items[min(rng.randrange(len(items)), rng.randrange(len(items)))]


def _fields(rng: Random) -> bytes:
    lines = [rng.choice(_FIELDS) for _ in range(rng.choice((0, 0, 1, 2, 4)))]
    if rng.random() < 0.6:
        lines.append(b"Content-Length: " + _early(rng, _LENGTHS))
    if rng.random() < 0.3:
        lines.append(b"Transfer-Encoding: chunked")
    rng.shuffle(lines)
    return b"".join(line + rng.choice(_ENDS) for line in lines)


def _body(rng: Random) -> bytes:
    what = rng.randrange(4)
    if what == 0:
        return b""
    if what == 1:
        return chunks(rng)
    return b"b" * rng.choice((0, 1, 5, 10, 100, 500))
