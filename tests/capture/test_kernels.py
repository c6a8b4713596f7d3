"""The kernels do the same compiled and uncompiled."""

from __future__ import annotations

import io
from contextlib import ExitStack
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.octets import Frame, frames_of_any_kind, pcap, pcapng, read, rows
from wire502.capture import PcapngWriter, merge, merge_cy, merge_sources, open_source, opening, pcap_cy, pcapng_cy
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.slow  # an uncompiled run would compare each kernel with itself


def uncompiled(kernel: ModuleType) -> Any:
    """Load the source of *kernel* beside the kernel that is in use."""
    name = kernel.__name__.rpartition(".")[2]
    loader = SourceFileLoader(f"uncompiled_{name}", str(Path(opening.__file__).with_name(f"{name}.py")))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    assert not module.is_compiled()
    return module


PCAP, PCAPNG, MERGE = (uncompiled(kernel) for kernel in (pcap_cy, pcapng_cy, merge_cy))
PCAPNG.DamagedBlock = pcapng_cy.DamagedBlock  # raised by pcapng.Blocks


def plain() -> ExitStack:
    """Replace the kernels by their sources while the returned context lasts."""
    stack = ExitStack()
    for module, name, value in (
        (opening, "PcapScanner", PCAP.PcapScanner),
        (pcapng_cy, "PcapngScanner", PCAPNG.PcapngScanner),
        (merge, "Merger", MERGE.Merger),
        (merge, "Head", MERGE.Head),
    ):
        stack.enter_context(patch.object(module, name, value))
    return stack


def outcome(octets: bytes) -> Any:
    try:
        return read(octets)
    except CaptureError as error:
        return str(error)


def rich(*, big: bool) -> bytes:
    """Return a pcapng file with blocks and options of every kind."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream, big=big, comments=["c"])
    writer.interface(resolution=6, name="a")
    writer.interface(resolution=0x80 + 20, snaplen=4, offset_s=3)
    writer.write(0, 5_000, b"abcde", 99, direction=1, comments=["x"], drops=2)
    writer.block(3, (7).to_bytes(4, "big" if big else "little") + b"abcd")
    writer.write(1, 2**61, b"abc", direction=2)
    writer.block(2, bytes(2) + b"\0\1" + bytes(16) + b"xyz")
    writer.block(0xBAD, b"abcd")
    writer.statistics(0, 9, dropped=4)
    writer.write(1, 10**10, b"")
    return stream.getvalue()


@given(frames_of_any_kind, st.booleans(), st.booleans())
def test_sound_captures(frames: list[Frame], big: bool, as_pcapng: bool) -> None:
    """Sound captures give equal columns."""
    octets = pcapng(frames, big=big) if as_pcapng else pcap(frames, big=big)
    compiled = outcome(octets)
    with plain():
        assert outcome(octets) == compiled


@given(
    st.sampled_from([rich(big=False), rich(big=True), pcap([Frame(9, b"abc", 5)] * 4)]),
    st.lists(st.tuples(st.integers(0, 500), st.binary(min_size=1, max_size=4)), max_size=5),
)
def test_broken_captures(octets: bytes, changes: list[tuple[int, bytes]]) -> None:
    """Broken captures give equal columns up to the same damage, said in the same words."""
    mutated = bytearray(octets)
    for at, value in changes:
        mutated[at : at + len(value)] = value
    compiled = outcome(bytes(mutated))
    with plain():
        assert outcome(bytes(mutated)) == compiled


@given(st.lists(frames_of_any_kind, min_size=2, max_size=4))
def test_merging(captures: list[list[Frame]]) -> None:
    """Merging gives equal columns."""

    def merged() -> Any:
        return rows(merge_sources(open_source(io.BytesIO(pcap(frames))) for frames in captures))

    compiled = merged()
    with plain():
        assert merged() == compiled
