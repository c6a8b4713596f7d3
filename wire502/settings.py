"""The settings: one table that the command line, the documents and the library read.

A setting's default stands once, in ``model.context.Context``; here are its name, its unit and its meaning. Below
``api`` nobody sees this table: ``context()`` turns it into plain values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from wire502.errors import SettingError
from wire502.model.context import Context
from wire502.model.records import default_of, record

Unit = Literal["time", "octets", "count", "times", "words"]

_LARGEST = 2**62
_WORD = r"[+-]?[!#$%&'*.^_`|~0-9a-z][!#$%&'*.^_`|~0-9a-z-]{0,63}"
_NUMBER = r"(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)"
# [address]:port, or address:port with a single colon; anything else is an address or nothing
_ENDPOINT = r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?"
_TIMES = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SIZES = {
    "": 1,
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "KiB": 1 << 10,
    "K": 1 << 10,
    "MB": 1_000_000,
    "MiB": 1 << 20,
    "M": 1 << 20,
    "GB": 1_000_000_000,
    "GiB": 1 << 30,
    "G": 1 << 30,
}


@record(frozen=True)
class Setting:
    """One row of the table; ``field`` is its place in ``Context``."""

    name: str
    unit: Unit
    meaning: str

    @property
    def field(self) -> str:
        """Return the name of the field of ``Context``: times are nanoseconds there."""
        return f"{self.name}_ns" if self.unit in ("time", "times") else self.name

    @property
    def default(self) -> Any:
        """Return the default, in the unit of ``Context``."""
        return default_of(Context, self.field)

    @property
    def default_text(self) -> str:
        """Return the default as a user would write it."""
        return _written(self.default, self.unit)

    def parse(self, text: str) -> int | tuple[int, ...] | tuple[str, ...] | None:
        """Return the value of *text* in ``Context``'s units. Raises ``ValueError`` with a reason."""
        if self.unit == "words":
            return _words(text, self.default)
        if text.lower() == "none":
            if self.default not in (None, ()):
                raise ValueError("cannot be none: memory has to be bounded")
            return self.default  # type: ignore[no-any-return]
        if self.unit == "times":
            return tuple(_quantity(part, _TIMES, "s, ms, min") for part in text.split(","))
        if self.unit == "time":
            return _quantity(text, _TIMES, "s, ms, min")
        number = _quantity(text, _SIZES, "KiB, MiB") if self.unit == "octets" else _quantity(text, {"": 1}, "")
        if number < 1:
            raise ValueError("must be at least 1")
        return number


SETTINGS: tuple[Setting, ...] = (
    Setting("connect_deadline", "time", "a SYN unanswered for so long is a connect that timed out"),
    Setting("first_byte_deadline", "time", "a response of which nothing came for so long after the request is a stall"),
    Setting("response_deadline", "time", "a response in which nothing moves for so long is a stall"),
    Setting("settle", "time", "how long a closed connection is watched for what belongs to the close"),
    Setting("hold", "time", "how long a verdict waits, in capture time, for the client's answer before it is printed"),
    Setting("history", "time", "how long healthy exchanges are remembered, to link retries and legs"),
    Setting("history_rows", "count", "how many healthy exchanges are remembered at most"),
    Setting("max_connections", "count", "open connections kept (262,144 of them unpacked); the idlest ones go first"),
    Setting("rest_after", "time", "open connections idle for so long are packed small, until their next segment ..."),
    Setting("rest_from", "count", "... while more of them than this are not"),
    Setting("closed_linger", "time", "how long a closed connection is remembered, for late frames"),
    Setting("max_closed", "count", "closed connections remembered at most"),
    Setting("max_head", "octets", "size of a request's or response's head that is still read"),
    Setting("max_out_of_order", "octets", "octets of one connection that may wait for a missing segment"),
    Setting("max_buffered", "octets", "octets that may wait for missing segments in all connections together"),
    Setting("max_pipelined", "count", "requests of one connection that may wait for their responses"),
    Setting("gateway_timeouts", "times", "time limits of the gateway, as in its configuration: 30s,60s"),
    Setting("header_limit", "octets", "largest response head that the gateway takes, as in its configuration"),
    Setting("ring_size", "octets", "live: memory in which the kernel keeps packets until they are read (-B, in KiB)"),
    Setting("snaplen", "octets", "live: octets of each packet that are captured (-s)"),
    Setting("evidence_memory", "octets", "live: memory in which the latest packets are kept for --evidence"),
    Setting("evidence_window", "time", "live: how far back from a failure its packets are taken, while they are kept"),
    Setting("evidence_after", "time", "live: how long after a failure packets still belong to its evidence"),
    Setting("evidence_every", "time", "live: failures of one kind, cause and upstream make no second bundle so soon"),
    Setting("evidence_most", "count", "live: bundles made in an hour at most"),
    Setting("evidence_quota", "octets", "live: size of all bundles together; the oldest go first"),
    Setting(
        "redact",
        "words",
        "what evidence overwrites: fields with such a word in their name, and the parts `query`, `userinfo`, `bodies`; "
        "`+word,-word` changes the list",
    ),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def context(
    settings: Mapping[str, str | float] | None = None,
    *,
    upstream: Iterable[str] = (),
    gateway: str | None = None,
    keep_exchanges: bool = False,
) -> Context:
    """Return the ``Context`` for *settings* (name to value), the rest at their defaults.

    A value is text as a user writes it (``500ms``, ``4MiB``) or a number in seconds, octets or pieces. *upstream*
    holds ``ADDR[:PORT]`` texts, *gateway* is ``NAME[:VERSION]``. Raises ``SettingError``.
    """
    values: dict[str, Any] = {}
    for name, value in (settings or {}).items():
        setting = _BY_NAME.get(name)
        if setting is None:
            raise SettingError(f"no setting is called {name!r}{near_miss(name, _BY_NAME)}; see: wire502 settings")
        try:
            values[setting.field] = setting.parse(str(value))
        except ValueError as error:
            raise SettingError(f"setting {name}: {error}") from None
    ends = tuple((end.high, end.low, end.port) for end in map(endpoint, upstream))
    return Context(**values, upstreams=ends, gateway=gateway, keep_exchanges=keep_exchanges)


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as a mapping, the last one of a name. Raises ``SettingError``."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"{text!r} is no NAME=VALUE; see: wire502 settings")
        values[name.strip().replace("-", "_")] = value.strip()
    return values


def _words(text: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of *text*: a list of its own, or (each with + or -) what is changed about the default."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == ["none"]:
        return ()
    changes = [word for word in words if word[0] in "+-"]
    if not words or (changes and len(changes) < len(words)):
        raise ValueError("wants words with commas between, either all with + or - before them or none")
    for word in words:
        if re.fullmatch(_WORD, word) is None:
            raise ValueError(f"{word!r} is no part of the name of a header field")
    if not changes:
        return tuple(dict.fromkeys(words))
    removed = {word[1:] for word in changes if word[0] == "-"}
    if unknown := removed.difference(default):
        raise ValueError(f"{min(unknown)!r} is not in the list")
    added = [word[1:] for word in changes if word[0] == "+"]
    return tuple(dict.fromkeys(word for word in (*default, *added) if word not in removed))


def _quantity(text: str, units: Mapping[str, int], examples: str) -> int:
    match = re.fullmatch(_NUMBER, text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no number{f' with a unit ({examples})' if examples else ''}")
    if match[2] not in units:
        known = f" (known: {examples})" if examples else ""
        raise ValueError(f"{match[2]!r} is no unit here{known}")
    whole, _, fraction = match[1].partition(".")
    scale = units[match[2]]
    # in integers: a double would lose the nanoseconds of a long time
    fraction = fraction[:18] or "0"
    value = int(whole[:20]) * scale + int(fraction) * scale // int(f"1{'0' * len(fraction)}")
    if value > _LARGEST or len(whole) > 20:
        raise ValueError(f"{text} is too large")
    return value


def _written(value: int | tuple[Any, ...] | None, unit: Unit) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return ",".join(item if isinstance(item, str) else _written(item, "time") for item in value)
    if unit == "time":
        return f"{value // 10**9}s" if value % 10**9 == 0 else f"{value // 10**6}ms"
    if unit == "octets":
        for name in ("GiB", "MiB", "KiB"):
            if value % _SIZES[name] == 0:
                return f"{value // _SIZES[name]}{name}"
    return str(value)


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` when one of *known* looks like *word*, else nothing."""
    from difflib import get_close_matches  # only when something is wrong

    matches = get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""


@record(frozen=True)
class Endpoint:
    """An address, as text and in ``Segments``' two halves, and a port, None for any."""

    text: str
    high: int
    low: int
    port: int | None

    def matches(self, end: str) -> bool:
        """Whether the endpoint text *end* (``10.0.0.2:8080``, ``[::1]:80``) is this one."""
        address, _, port = end.rpartition(":")
        return address == self.text and (self.port is None or port == str(self.port))


def endpoint(text: str) -> Endpoint:
    """Return the endpoint that ``ADDR``, ``ADDR:PORT`` or ``[ADDR]:PORT`` names. Raises ``SettingError``."""
    from ipaddress import IPv4Address, ip_address  # 3 ms of start-up that few need

    match = re.fullmatch(_ENDPOINT, text)
    port = int(match[3]) if match and match[3] else None
    try:
        parsed = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        parsed = None
    if parsed is None or (port is not None and not 0 < port < 65536):
        raise SettingError(f"{text!r} is no address; write 10.0.0.2, 10.0.0.2:8080 or [2001:db8::2]:8080")
    if isinstance(parsed, IPv4Address):
        return Endpoint(str(parsed), 0, 0xFFFF_0000_0000 | int(parsed), port)
    return Endpoint(f"[{parsed}]", int(parsed) >> 64, int(parsed) & (2**64 - 1), port)
