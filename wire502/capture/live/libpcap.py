"""Filter expressions (``tcp port 8080``) to programs, by the libpcap that tcpdump uses, where it is installed."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from functools import cache

from wire502.capture.live.bpf import FilterError, Program

ETHERNET, COOKED = 1, 113  # link types for which programs are compiled
_NO_MASK = 0xFFFF_FFFF  # PCAP_NETMASK_UNKNOWN
_NAMES = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so", "libpcap.A.dylib")
_VLAN = re.compile(r"\bvlan\b")


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("true", ctypes.c_ubyte),
        ("false", ctypes.c_ubyte),
        ("constant", ctypes.c_uint),
    )


class _Compiled(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction)))


def compile_filter(
    expression: str, link: int, snaplen: int, load: Callable[[], ctypes.CDLL | None] | None = None
) -> Program:
    """Return the program of *expression* for frames of the link type *link*; it captures *snaplen* octets of each.

    Raises ``FilterError`` for an expression that libpcap does not understand, and where there is no libpcap.
    """
    library = (load or _library)()
    if library is None:
        raise FilterError("needs libpcap, which is not installed: apt-get install libpcap0.8, or leave the filter out")
    if _VLAN.search(expression):
        # The kernel keeps tags beside the frame, where no expression compiled ahead looks.
        raise FilterError("cannot choose by VLAN: leave 'vlan' out, tagged frames are matched as if they had no tag")
    handle = library.pcap_open_dead(link, snaplen)
    if not handle:
        raise FilterError("cannot be compiled: libpcap is out of memory")
    compiled = _Compiled()
    try:
        if library.pcap_compile(handle, ctypes.byref(compiled), expression.encode(), 1, _NO_MASK):
            raise FilterError(_words(library.pcap_geterr(handle)))
        try:
            found = [compiled.instructions[place] for place in range(compiled.length)]
            return [(one.code, one.true, one.false, one.constant) for one in found]
        finally:
            library.pcap_freecode(ctypes.byref(compiled))
    finally:
        library.pcap_close(handle)


def _words(message: bytes | None) -> str:
    return "cannot be compiled: " + (message or b"libpcap does not say why").decode(errors="replace")


@cache
def _library() -> ctypes.CDLL | None:
    """Load libpcap; None where there is none."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_open_dead.argtypes = (ctypes.c_int, ctypes.c_int)
        library.pcap_compile.argtypes = (
            ctypes.c_void_p,
            ctypes.POINTER(_Compiled),
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint,
        )
        library.pcap_freecode.argtypes = (ctypes.POINTER(_Compiled),)
        library.pcap_geterr.restype = ctypes.c_char_p
        library.pcap_geterr.argtypes = library.pcap_close.argtypes = (ctypes.c_void_p,)
        return library
    return None
