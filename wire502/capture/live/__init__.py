"""Capture on network interfaces: a packet ring of Linux, or scapy's sockets; and inputs that are waited for."""

from wire502.capture.live.interfaces import ANY, Device, devices
from wire502.capture.live.source import LiveOptions, LiveSource, open_live

__all__ = ["ANY", "Device", "LiveOptions", "LiveSource", "devices", "open_live"]
