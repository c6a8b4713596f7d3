"""A bounded part of the hunt: the same inputs in every run. `scripts/fuzz.py` goes on from here."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts._fuzz import seeds, target
from scripts._fuzz.cli import read_back
from scripts._fuzz.hunt import Limits, examine, hunt
from scripts._fuzz.inputs import Input, Maker
from scripts._fuzz.smaller import smaller
from tests.wire import Wire
from wire502 import _build

FOUND = Path(__file__).parent / "found"
GENEROUS = Limits(seconds=60.0, ns_an_octet=1e6, free=30.0)  # CI may be slow; a quadratic path is slower still


@pytest.fixture(scope="module")
def maker() -> Maker:
    """Makes inputs from what every checkout has."""
    own = [frames for _, frames in seeds.tunnels()]
    return Maker([*own, *(seeds.frames_on_ethernet(wire) for _, wire in seeds.conversations())])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutated_captures_neither_crash_nor_hang_nor_grow(maker: Maker, seed: int) -> None:
    """Whatever is wrong with a capture, reading it ends, in bounded memory, with an answer that can be."""
    count = 1500 if any(_build.compiled_kernels().values()) else 300
    tally = hunt(maker, seed, 0, count, limits=GENEROUS)
    assert tally.count == count
    assert tally.findings == []


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_found_stays_mended(path: Path) -> None:
    """An input that broke something once breaks nothing now."""
    assert examine(read_back(path), GENEROUS)[1:] == ("", "")


def test_the_same_number_makes_the_same_input(maker: Maker) -> None:
    """An input is known by its seed and number, so that one that kills the process can be made again."""
    assert [maker.make(4, number) for number in range(40)] == [maker.make(4, number) for number in reversed(range(40))][
        ::-1
    ]
    assert maker.make(4, 1) != maker.make(5, 1)


def test_a_child_that_hangs_or_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch, maker: Maker) -> None:
    """The hunt names the input at which its child stopped, and goes on behind it."""

    def analyse(given: Input) -> int:
        if given is inputs[2]:
            raise SystemExit
        while given is inputs[5]:
            pass
        return 1

    inputs = [Input("any", [b""], {}, False, 0) for _ in range(8)]
    monkeypatch.setattr(target, "analyse", analyse)
    monkeypatch.setattr(maker, "make", lambda _seed, number: inputs[number], raising=False)
    tally = hunt(maker, 1, 0, 8, limits=Limits(seconds=1.0))
    assert [(finding.number, finding.what) for finding in tally.findings] == [(2, "exit status 1"), (5, "hang")]
    assert tally.count == 8


def test_a_reproducer_is_made_small() -> None:
    """Octets that do not matter for what broke are left out, and settings too."""
    given = Input("any", [b"x" * 500 + b"bad" + b"y" * 500, b"other"], {"hold": 1}, True, 7)
    small = smaller(given, lambda tried: any(b"bad" in octets for octets in tried.files))
    assert small == Input("any", [b"bad"], {}, False, 0)


def test_wrong_answers_are_noticed(tmp_path: Path) -> None:
    """Two failures of one exchange are a finding: the check on answers can fail."""
    wire = Wire()
    connection = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    connection.handshake()
    connection.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.server.reset()
    results = list(target.wire502.api.read(wire.write(tmp_path / "reset.pcap")))
    target.check(results)
    twin = type(results[0])(**{name: getattr(results[0], name) for name in results[0].__slots__})
    twin.id = "f2"
    with pytest.raises(target.Broken, match="failed twice"):
        target.check([results[0], twin, results[-1]])
