"""No change makes reading dearer unnoticed: instructions counted by valgrind, beside those recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts._bench import instructions
from wire502._build import choice, compiled_kernels


@pytest.mark.slow
def test_reading_is_not_dearer_than_recorded(tmp_path: Path) -> None:
    """Neither the start, nor the kernels, nor all the rest costs 15 % more instructions than when last recorded."""
    if why := instructions.available():
        pytest.skip(f"{why}: instructions are not counted")
    if choice() == "off" or not all(compiled_kernels().values()):
        pytest.skip("the kernels are not compiled: their instructions are not counted")
    now = instructions.count(tmp_path)

    worse = instructions.dearer(now, instructions.recorded(), instructions.environment())
    advice = "if it is worth it: scripts/bench.py instructions --record"
    assert not worse, "\n".join([*worse, str(instructions.environment()), advice])


def test_dearer_is_said() -> None:
    """A figure 16 % over the recorded one is named, one 14 % over is not; a case that was not counted is."""
    here = {"python": "3.11"}
    record = {
        "environment": here,
        "figures": {"ten packets": {"all": 100}, "small": {"kernels": 100, "all": 100}, "mixed": {"all": 1}},
    }
    now = {"ten packets": {"all": 114}, "small": {"kernels": 116, "all": 100}}

    assert instructions.dearer(now, record, here) == [
        "small, kernels: 116 instructions, 100 recorded: 1.16 times",
        "mixed, all: not counted",
    ]


def test_another_compiler_is_given_room() -> None:
    """Beside figures of another compiler only what costs half as much again is said."""
    record = {"environment": {"compiler": "gcc 12"}, "figures": {"small": {"kernels": 100, "all": 100}}}
    now = {"small": {"kernels": 149, "all": 151}}

    assert instructions.dearer(now, record, {"compiler": "gcc 14"}) == [
        "small, all: 151 instructions, 100 recorded: 1.51 times"
    ]


def test_counts_stand_by_object(tmp_path: Path) -> None:
    """Of a profile the instructions inside each object are counted, not those of the calls that it makes."""
    profile = tmp_path / "callgrind.out"
    profile.write_text(
        "# callgrind format\nevents: Ir\n\nob=(1) /usr/lib/libc.so\nfn=(1) one\n0 7\n+2 3\n"
        "cob=(2) /x/decode_cy.so\ncfn=(2) two\ncalls=3 0\n0 1000\n* 5\n\n"
        "ob=(2)\nfn=(2)\n0 900\n\nob=(1)\nfn=(3)\n-1 1\n",
        encoding="utf-8",
    )

    assert instructions.by_object(profile) == {"/usr/lib/libc.so": 16, "/x/decode_cy.so": 900}
