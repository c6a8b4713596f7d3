"""Filter programs of the kernel's packet filter ("classic BPF"): put together, adapted, written out.

A program is a list of instructions (code, jump if true, jump if false, constant). All jumps are relative, so programs
can be put one behind the other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

Instruction = tuple[int, int, int, int]
Program = list[Instruction]

MOST_INSTRUCTIONS = 4096  # the kernel takes no more
WHOLE = 262_144  # octets of a frame that are captured when nothing else is asked for

_LOAD, _LOAD_X, _RETURN = 0x00, 0x01, 0x06
_WORD, _BYTE = 0x00, 0x10
_ABSOLUTE, _INDIRECT, _HEADER_LENGTH = 0x20, 0x40, 0xA0
_JUMP_EQUAL = 0x15
_CLASS, _MODE = 0x07, 0xE0

# Loads beyond this offset ask the kernel about the frame, not the frame (linux/filter.h).
_ABOUT = 0xFFFF_F000
_ABOUT_PROTOCOL, _ABOUT_TYPE, _ABOUT_INTERFACE = _ABOUT, _ABOUT + 4, _ABOUT + 8
_OUTGOING = 4

COOKED_HEADER = 16  # octets of LINKTYPE_LINUX_SLL
_COOKED_TYPE, _COOKED_PROTOCOL = 0, 14


class FilterError(ValueError):
    """A filter that cannot be; the message says why."""


def accept(snaplen: int) -> Program:
    """Return the program that takes every frame, *snaplen* octets of it."""
    return [(_RETURN, 0, 0, snaplen)]


def uncooked(program: Sequence[Instruction]) -> Program:
    """Return a program that was compiled for LINKTYPE_LINUX_SLL as one for frames that begin at the network header.

    So the kernel shows frames where several interfaces are captured as one. Raises ``FilterError`` when the program
    asks for something of the cooked header that is not to be had there.
    """
    changed: Program = []
    for code, true, false, constant in program:
        k = constant
        if code & _CLASS in (_LOAD, _LOAD_X) and code & _MODE in (_ABSOLUTE, _INDIRECT, _HEADER_LENGTH) and k < _ABOUT:
            if k >= COOKED_HEADER:
                k -= COOKED_HEADER
            elif code & _MODE == _ABSOLUTE and k == _COOKED_PROTOCOL:
                k = _ABOUT_PROTOCOL
            elif code & _MODE == _ABSOLUTE and k == _COOKED_TYPE:
                k = _ABOUT_TYPE
            else:
                raise FilterError(
                    "asks for link-layer addresses, which do not exist where several interfaces are captured as one"
                )
        changed.append((code, true, false, k))
    return changed


def only_interfaces(indices: Sequence[int]) -> Program:
    """Return the beginning of a program that drops frames of all interfaces but these (at most 200)."""
    if len(indices) > 200:  # jumps reach 255 instructions
        raise FilterError("too many interfaces: capture on any")
    program: Program = [(_LOAD | _WORD | _ABSOLUTE, 0, 0, _ABOUT_INTERFACE)]
    for place, index in enumerate(indices):
        program.append((_JUMP_EQUAL, len(indices) - place, 0, index))
    return [*program, (_RETURN, 0, 0, 0)]


def once_on(loopback: int) -> Program:
    """Return the beginning of a program that drops the sent copy of what goes over the interface *loopback*.

    It shows every frame twice, sent and received.
    """
    return [
        (_LOAD | _BYTE | _ABSOLUTE, 0, 0, _ABOUT_TYPE),
        (_JUMP_EQUAL, 0, 3, _OUTGOING),
        (_LOAD | _WORD | _ABSOLUTE, 0, 0, _ABOUT_INTERFACE),
        (_JUMP_EQUAL, 0, 1, loopback),
        (_RETURN, 0, 0, 0),
    ]


def packed(program: Sequence[Instruction]) -> bytes:
    """Return the program as an array of ``struct sock_filter``. Raises ``FilterError`` when it is too long."""
    if len(program) > MOST_INSTRUCTIONS:
        raise FilterError(f"is too long: {len(program)} instructions, the kernel takes {MOST_INSTRUCTIONS}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
