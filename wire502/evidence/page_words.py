"""The words of which gateways make their own error pages: they tell who wrote a page, and no secret is made of them.

Everything else on an error page is overwritten as any other body; a test holds that the list is enough for each page
by which ``gateways`` knows a product.
"""

from __future__ import annotations

import re

PAGE = 4096  # octets of a body that may tell who wrote it
_WORDS = frozenset(
    b"""
    a an and apache available backend bad be before body c cache caddy capacity center cloudflare complete connect
    connection could did didn disconnect doctype downtime dtd due en encountered envoy err error fail failed failure
    fetch from gateway guru h1 h2 h3 haproxy handle head headers healthy hop host hr html i iis in incomplete internal
    invalid is maintenance meditation misconfiguration next nginx no not o object openresty or out p parse proxy public
    read receive received request requested reset resp respond response retrieved returned server service size t
    temporarily the this time timely timeout title to traefik transitional unable unavailable upstream url varnish w3c
    was xhtml your zero 0 1
    """.split()
)
_WORD = re.compile(rb"[0-9A-Za-z]+")
_STATUS = re.compile(rb"[45]\d\d")


def page_words(octets: bytes, low: int, high: int) -> list[tuple[int, int]]:
    """Return begin and end of the words in ``octets[low:high]`` that may stay."""
    return [
        found.span()
        for found in _WORD.finditer(octets, low, high)
        if found[0].lower() in _WORDS or _STATUS.fullmatch(found[0])
    ]
