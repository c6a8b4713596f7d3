"""The table of settings, and what people may write for a value, an address, a moment."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.api import Moment
from wire502.cli.moments import parse
from wire502.errors import SettingError
from wire502.model.context import Context
from wire502.settings import SETTINGS, assignments, context, endpoint


def test_table_covers_the_context() -> None:
    """Every value that goes down is a setting or an argument of its own, and every setting goes somewhere."""
    arguments = {"upstreams", "gateway", "keep_exchanges", "live"}

    assert {setting.field for setting in SETTINGS} | arguments == {field.name for field in fields(Context)}
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_defaults_survive_their_own_spelling() -> None:
    """The default as it is listed, set by hand, changes nothing."""
    assert context({setting.name: setting.default_text for setting in SETTINGS}) == Context()
    assert context() == Context()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60s", 60 * 10**9),
        ("500ms", 5 * 10**8),
        ("1.5 min", 90 * 10**9),
        ("2", 2 * 10**9),
        ("0.000000001", 1),
        ("1h", 36 * 10**11),
    ],
)
def test_times(text: str, expected: int) -> None:
    """Times have a unit; without one they are seconds."""
    assert expected == context({"hold": text}).hold_ns


def test_sizes_and_lists() -> None:
    """Sizes take binary and decimal units, time limits a list."""
    made = context({"max_head": "4MiB", "header_limit": "8kB", "gateway_timeouts": "30s, 500ms"})

    assert (4 << 20, 8000, (30 * 10**9, 5 * 10**8)) == (made.max_head, made.header_limit, made.gateway_timeouts_ns)
    assert context({"header_limit": "none"}).header_limit is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hold", "-1s", "is no number"),
        ("hold", "5 parsecs", "is no unit"),
        ("hold", "9" * 30, "too large"),
        ("hold", "", "is no number"),
        ("hold", "nan", "is no number"),
        ("max_connections", "0", "at least 1"),
        ("max_connections", "10s", "is no unit"),
        ("max_head", "none", "cannot be none"),
        ("max_haed", "1", "did you mean max_head"),
    ],
)
def test_mistakes_are_explained(name: str, value: str, message: str) -> None:
    """A wrong value is refused with the name of the setting and the reason."""
    with pytest.raises(SettingError, match=message) as caught:
        context({name: value})

    assert name in str(caught.value)


def test_assignments() -> None:
    """NAME=VALUE texts become a mapping; dashes in the name are as good as underscores."""
    assert {"first_byte_deadline": "30s"} == assignments(["first-byte-deadline = 30s"])
    with pytest.raises(SettingError, match="NAME=VALUE"):
        assignments(["hold"])


@given(st.text(max_size=30))
def test_no_text_breaks_a_parser(text: str) -> None:
    """Whatever stands there, a value, an address or a moment is understood or refused, never a crash."""
    for name in ("hold", "max_head", "max_closed", "gateway_timeouts"):
        with suppress(SettingError):
            context({name: text})
    with suppress(SettingError):
        endpoint(text)
    assert parse(text) is None or isinstance(parse(text), Moment)


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_endpoints_of_ipv4(address: object, port: int) -> None:
    """An IPv4 endpoint is the mapped address in two halves, and matches its own text with any port if it has none."""
    made = endpoint(f"{address}:{port}")

    assert (0, 0xFFFF_0000_0000 | int(address), port) == (made.high, made.low, made.port)  # type: ignore[call-overload]
    assert made.matches(f"{address}:{port}")
    assert endpoint(str(address)).matches(f"{address}:{port}")
    assert not made.matches(f"{address}:{port % 65535 + 1}")


@given(st.ip_addresses(v=6), st.integers(1, 65535))
def test_endpoints_of_ipv6(address: object, port: int) -> None:
    """An IPv6 endpoint is read with brackets and a port, or bare."""
    made = endpoint(f"[{address}]:{port}")

    assert int(address) == made.high << 64 | made.low  # type: ignore[call-overload]
    assert made.matches(f"[{address}]:{port}")
    assert endpoint(str(address)).port is None


DAY = 1_795_305_600  # 2026-11-22


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T12:04:31.871Z", Moment((DAY + 43_471) * 10**9 + 871_000_000)),
        ("2026-11-22 12:04", Moment((DAY + 43_440) * 10**9)),
        ("2026-11-22", Moment(DAY * 10**9)),
        ("2026-11-22T13:04:31+01:00", Moment((DAY + 43_471) * 10**9)),
        ("12:04:31.000000001", Moment(43_471 * 10**9 + 1, of_day=True)),
        ("12:04", Moment(43_440 * 10**9, of_day=True)),
        ("25:00", None),
        ("12", None),
        ("", None),
        ("Z", None),
        ("2026-13-01", None),
        ("yesterday", None),
    ],
)
def test_moments(text: str, expected: Moment | None) -> None:
    """Dates, times of day and RFC 3339 times are understood to the nanosecond, and nothing else is."""
    assert expected == parse(text)
