"""Octets to batches of frames, and back: the only stage that does input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wire502.capture.opening import open_source
from wire502.capture.source import Source

if TYPE_CHECKING:
    from wire502.capture.merge import MergedSource, merge_sources
    from wire502.capture.write import PcapngWriter, PcapWriter

__all__ = ["MergedSource", "PcapWriter", "PcapngWriter", "Source", "merge_sources", "open_source"]

_HOMES = {"MergedSource": "merge", "merge_sources": "merge", "PcapWriter": "write", "PcapngWriter": "write"}


def __getattr__(name: str) -> object:
    """Load what writes and what merges when it is first used: reading one capture needs neither."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def preload() -> None:
    """Load all that is otherwise loaded with the first file that needs it: its format, words for what is wrong."""
    import select  # noqa: F401
    import shlex  # noqa: F401

    from wire502.capture import compressed, pcapng, pcapng_cy  # noqa: F401
