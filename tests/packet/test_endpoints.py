"""Addresses and endpoints as text, and back."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.model.endpoints import address_text, endpoint_text, parse_endpoint

HALF = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("text", "high", "low", "port"),
    [
        ("10.0.0.1:80", 0, 0xFFFF_0A000001, 80),
        ("10.0.0.1", 0, 0xFFFF_0A000001, None),
        ("[2001:db8::1]:443", 0x20010DB8_00000000, 1, 443),
        ("[2001:db8::1]", 0x20010DB8_00000000, 1, None),
        ("2001:db8::1", 0x20010DB8_00000000, 1, None),
        ("::ffff:10.0.0.1", 0, 0xFFFF_0A000001, None),
        ("::1", 0, 1, None),
        ("[::]:65535", 0, 0, 65535),
    ],
)
def test_endpoint_is_parsed(text: str, high: int, low: int, port: int | None) -> None:
    """Both families are understood with and without a port."""
    assert parse_endpoint(text) == (high, low, port)


@pytest.mark.parametrize(
    "text",
    [
        "", ":", ":80", "10.0.0", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:+80", "10.0.0.1:8 0",
        "10.0.0.1:٣", "10.0.0.256", "010.0.0.1", "localhost", "localhost:80", "[::1", "[::1]80", "[::1]:", "::1]:80",
        "[10.0.0.1]:80", "fe80::1%eth0", "[fe80::1%1]:80", "::1::", "2001:db8::1:99999", "10.0.0.1:80:80", "[]:80",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """Whatever is no endpoint raises ValueError with the text in one line."""
    with pytest.raises(ValueError) as raised:
        parse_endpoint(text)
    assert repr(text) in str(raised.value)
    assert "\n" not in str(raised.value)


@given(HALF, HALF, st.integers(1, 65535))
def test_ipv6_text_comes_back(high: int, low: int, port: int) -> None:
    """Text of any address and port parses to the same address and port."""
    assert parse_endpoint(endpoint_text(high, low, port)) == (high, low, port)
    assert parse_endpoint(address_text(high, low)) == (high, low, None)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 0xDB8, 0xFFFF]), min_size=8, max_size=8))
def test_ipv6_text_is_the_shortest(groups: list[int]) -> None:
    """The first of the longest runs of zeros is left out, and nothing else."""
    high, low = (int("".join(f"{group:04x}" for group in half), 16) for half in (groups[:4], groups[4:]))
    if (high, low >> 32) != (0, 0xFFFF):
        assert address_text(high, low) == str(ipaddress.IPv6Address(high << 64 | low))


@given(st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_mapped_address_is_ipv4_text(address: int, port: int) -> None:
    """A mapped address reads as IPv4."""
    assert endpoint_text(0, 0xFFFF << 32 | address, port) == f"{ipaddress.IPv4Address(address)}:{port}"
