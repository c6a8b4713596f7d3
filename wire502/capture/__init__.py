"""Octets to batches of frames, and back: the only stage that does input and output."""

from wire502.capture.merge import MergedSource, merge_sources
from wire502.capture.opening import open_source
from wire502.capture.source import Source
from wire502.capture.write import PcapngWriter, PcapWriter

__all__ = ["MergedSource", "PcapWriter", "PcapngWriter", "Source", "merge_sources", "open_source"]
