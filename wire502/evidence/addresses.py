"""Addresses in the place of addresses: prefixes stay prefixes, classes stay classes, and nobody can go back.

Two addresses that share their first n bits still share them, and no more (the property of Crypto-PAn, Xu et al. 2002):
each bit is flipped or not by a keyed hash of the bits before it. Along the prefixes that mean something (private,
loopback, link-local, multicast, ...) nothing is flipped, so that an address stays in its class and none gets into
another. Text in packets has a length that must not change; where the new address does not fit, another of as many
digits, made from the same key, stands in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any, TypeVar

R = TypeVar("R")

# prefixes that stay as they are, with all that lies in front of them
_KEPT4 = (
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "127.0.0.1/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "224.0.0.0/24", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
_KEPT6 = (
    "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "fc00::/7", "fe80::/64", "ff00::/12",
    *(f"ff{flags}{scope:x}::/16" for flags in "013" for scope in range(16)),
)  # fmt: skip
_KEPT_MAC = ((0, 48), (2**48 - 1, 48), (0x01005E << 24, 24), (0x3333 << 32, 16), (0x0180C2 << 24, 24))
_V4, _V6, _MAC = b"wire502 ipv4", b"wire502 ipv6", b"wire502 mac"
_ROUTERS = bytes((224, 0, 0))  # 224.0.0.0/24 and its like: all hosts, all routers
_MAPPED, _NAT64 = bytes(10) + b"\xff\xff", bytes.fromhex("0064ff9b") + bytes(8)

# IPv4, also with dashes as in names of hosts; and runs in which IPv6 or a MAC may stand, to be looked at closer
_IPV4_TEXT = r"(?<![\d.])(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)|(?<!\d)(?<!\d-)\d{1,3}(?:-\d{1,3}){3}(?!\d|-\d)"
_RUN = r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"
_IPV4 = re.compile(_IPV4_TEXT)
_ADDRESS = re.compile(f"{_RUN}|{_IPV4_TEXT}")
_ADDRESS_OCTETS = re.compile(_ADDRESS.pattern.encode())
_MAC_TEXT = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_MOST_GROUPS = 3  # that are tried without, at either end of a run
_NUMBERS = re.compile(r"[0-9A-Fa-f]+")
# the first octets of what means something: as text they stay, and nothing else becomes one of them
_SPECIAL_FIRST = frozenset({0, 10, 100, 127, 169, 172, 192, *range(224, 256)})
_SPECIAL_TWO = tuple(map(IPv4Network, ("100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")))


class Addresses:
    """Maps addresses by *key*, octets of any length; the same key maps the same, always."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=32, person=b"wire502 key").digest()
        self._known: dict[bytes, bytes] = {}
        self._flips: dict[bytes, bytes] = {}
        self._fixed = {_V4: _kept4(), _V6: _kept6(), _MAC: _above((value, 48, bits) for value, bits in _KEPT_MAC)}

    def mapped(self, address: bytes) -> bytes:
        """Return another address of the same length: 4 octets are IPv4, 16 IPv6, 6 a MAC."""
        known = self._known.get(address)
        if known is None:
            known = self._map(address)
            if len(self._known) < 1 << 20:
                self._known[address] = known
        return known

    def _map(self, address: bytes) -> bytes:
        if address[:3] == _ROUTERS or (len(address) == 16 and address[0] == 0xFF and not any(address[2:14])):
            return address  # a group that every host knows
        if len(address) == 16 and address[:12] in (_MAPPED, _NAT64):
            return address[:12] + self._map(address[12:])
        if len(address) == 16 and address[:2] == b"\x20\x02":  # 6to4 holds an IPv4 address
            return address[:2] + self._map(address[2:6]) + self._tree(address, _V6)[6:]
        if len(address) == 6:
            mapped = self._tree(address, _MAC)
            return bytes((mapped[0] & 0xFC | address[0] & 3,)) + mapped[1:]
        return self._tree(address, _V4 if len(address) == 4 else _V6)

    def _tree(self, address: bytes, family: bytes) -> bytes:
        """Walk down the bits: each is flipped or not by what was before it."""
        fixed = self._fixed[family]
        out = bytearray()
        before = 0
        for index, octet in enumerate(address):
            flips = self._octet(family, address[:index])
            node, made = 1, 0
            for shift in range(7, -1, -1):
                bit = octet >> shift & 1
                flip = flips[node >> 3] >> (node & 7) & 1
                if (index * 8 + 7 - shift, before) in fixed or (family is _MAC and index == 0 and shift < 2):
                    flip = 0
                made = made << 1 | bit ^ flip
                node = node << 1 | bit
                before = before << 1 | bit
            out.append(made)
        return bytes(out)

    def _octet(self, family: bytes, prefix: bytes) -> bytes:
        """Return 256 bits: for each node of the tree of the octet behind *prefix* whether it flips."""
        name = family + prefix
        flips = self._flips.get(name)
        if flips is None:
            flips = blake2b(name, digest_size=32, key=self._key).digest()
            if len(self._flips) < 1 << 20:
                self._flips[name] = flips
        return flips

    # -- text

    def text(self, text: str) -> str:
        """Return *text* with every address in it mapped, whatever its length becomes."""
        return _ADDRESS.sub(lambda found: self._found(found, text, self._exact), text)

    def wire(self, octets: bytes) -> bytes:
        """Return *octets* with every address that stands in them as text mapped, at equal length."""
        if _ADDRESS_OCTETS.search(octets) is None:
            return octets
        return self.wire_text(octets.decode("latin-1")).encode("latin-1")

    def wire_text(self, text: str) -> str:
        """Return text of the wire as ``wire`` leaves it in the packets."""
        return _ADDRESS.sub(lambda found: self._found(found, text, self._fitting), text)

    def _found(self, found: re.Match[str], text: str, change: Callable[[str], str]) -> str:
        """Return what was found with the address in it changed, if there is one."""
        run = found[0]
        if ":" not in run:
            return change(run)
        low, high = 0, len(run)
        if found.start() and text[found.start() - 1].isalnum():  # the first group is the end of a word
            low = run.index(":")
        if found.end() < len(text) and text[found.end()].isalnum():
            high = run.rindex(":") + 1
        for begin, end in _within(run, low, high):
            if _parsed(run[begin:end]) is not None or _MAC_TEXT.fullmatch(run[begin:end]):
                return run[:begin] + change(run[begin:end]) + run[end:]
        return _IPV4.sub(lambda inner: change(inner[0]), run)

    def _exact(self, text: str) -> str:
        address = _parsed(text)
        if address is None:
            return self._otherwise(text)
        mapped = self.mapped(address.packed)
        return str(IPv4Address(mapped)) if len(mapped) == 4 else str(IPv6Address(mapped))

    def _fitting(self, text: str) -> str:
        address = _parsed(text)
        if address is None:
            return self._otherwise(text)
        exact = self._exact(text)
        if len(exact) == len(text):
            return exact
        if isinstance(address, IPv4Address):
            return self._digits(text)
        if address.is_loopback or address.is_unspecified:
            return text
        head, dot, _ = text.partition(".")
        if dot:
            cut = head.rfind(":") + 1
            return text[:cut] + self._digits(text[cut:])
        return self._hex(text, kept=4 if address.is_link_local or address.is_multicast or address.is_private else 0)

    def _otherwise(self, text: str) -> str:
        """Return a MAC, or an IPv4 address with dashes, as another; anything else as it is."""
        if _MAC_TEXT.fullmatch(text):
            mapped = self.mapped(bytes.fromhex(text.replace(":", ""))).hex(":")
            return mapped.upper() if text.isupper() else mapped
        dotted = text.replace("-", ".")
        return self._fitting(dotted).replace(".", "-") if "-" in text and _parsed(dotted) is not None else text

    def _digits(self, text: str) -> str:
        """Return an IPv4 address with as many digits in each part, in the same class; no part stays that may go."""
        if text == "127.0.0.1":
            return text
        parts = text.split(".")
        address = IPv4Address(".".join(str(int(part)) for part in parts))
        special = [int(parts[0]) in _SPECIAL_FIRST, any(address in network for network in _SPECIAL_TWO)]
        made: list[str] = []
        for index, part in enumerate(parts):
            if index < 2 and special[index]:
                made.append(part)
                continue
            low, high = (0, 10) if len(part) == 1 else (10, 100) if len(part) == 2 else (100, 256)
            choices = [one for one in range(low, high) if index or one not in _SPECIAL_FIRST]
            if int(parts[0]) == 192 and index == 1 and 168 in choices:
                choices.remove(168)
            number = int(part)
            place = choices.index(number) if number in choices else number
            shift = 1 + self._number(b"digits", ".".join(parts[:index]), len(part)) % (len(choices) - 1)
            made.append(f"{choices[(place + shift) % len(choices)]:0{len(part)}d}")
        return ".".join(made)

    def _hex(self, text: str, kept: int) -> str:
        """Return an IPv6 address with as many digits in each group, the first *kept* digits as they were."""

        def group(found: re.Match[str]) -> str:
            part = found[0]
            if found.start() < kept:
                return part
            low, high = (0 if len(part) == 1 else 16 ** (len(part) - 1)), 16 ** len(part)
            shift = 1 + self._number(b"hex", text[: found.start()].lower(), len(part)) % (high - low - 1)
            made = f"{low + (int(part, 16) - low + shift) % (high - low):x}"
            return made.zfill(len(part)).upper() if part.isupper() else made.zfill(len(part))

        return _NUMBERS.sub(group, text)

    def _number(self, kind: bytes, before: str, size: int) -> int:
        """Return a keyed number that depends on what stands before."""
        return int.from_bytes(self._octet(b"wire502 " + kind, f"{size} {before}".encode())[:8], "big")

    # -- records

    def record(self, record: R) -> R:
        """Return a copy of *record* (of ``model``) in which every address is another."""
        mapped: R = _walked(record, self.text, self.wire_text)
        return mapped


def _walked(value: Any, text: Callable[[str], str], wire: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_walked(item, text, wire) for item in value]
    if isinstance(value, dict):
        return {key: _walked(item, text, wire) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for one in fields(value):
            if one.init:
                on_wire = one.name in ("target", "host", "id") and not hasattr(value, "kind")
                changed[one.name] = _walked(getattr(value, one.name), wire if on_wire else text, wire)
        return replace(value, **changed)
    return value


def _within(run: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of what may be an address between *low* and *high* of *run*, the longest first."""
    begins, ends = [low], [high]
    for _ in range(_MOST_GROUPS):
        begins.append(run.find(":", begins[-1], high) + 1 or high)
        ends.append(max(run.rfind(":", low, ends[-1]), run.rfind(".", low, ends[-1]), low))
    pairs = {(begin, end) for begin in begins for end in ends if end - begin > 1}
    yield from sorted(pairs, key=lambda pair: (pair[0] - pair[1], pair))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that *text* is; leading zeros do not matter."""
    try:
        if ":" in text:
            return IPv6Address(text)
        return IPv4Address(".".join(str(int(part)) for part in text.split(".")))
    except ValueError:
        return None


def _above(prefixes: Any) -> frozenset[tuple[int, int]]:
    """Return the inner nodes (depth, bits before) that lead to *prefixes* (value, width, bits): nothing flips there."""
    return frozenset((depth, value >> (width - depth)) for value, width, bits in prefixes for depth in range(bits))


def _kept4() -> frozenset[tuple[int, int]]:
    split = (prefix.split("/") for prefix in _KEPT4)
    return _above((int(IPv4Address(address)), 32, int(bits)) for address, bits in split)


def _kept6() -> frozenset[tuple[int, int]]:
    split = (prefix.split("/") for prefix in _KEPT6)
    return _above((int(IPv6Address(address)), 128, int(bits)) for address, bits in split)
