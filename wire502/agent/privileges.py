"""Rights: given up before the first packet is read, since what reads packets reads what anyone on the net wrote."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys

from wire502.errors import SettingError
from wire502.model.records import record

DEFAULT_USER = "nobody"
_NO_NEW_PRIVILEGES = 38
_AMBIENT, _CLEAR_ALL = 47, 4
_VERSION_3 = 0x2008_0522  # of the capability calls of Linux


@record(frozen=True)
class User:
    """Who the agent becomes."""

    name: str
    uid: int
    gid: int


def user(name: str) -> User:
    """Return the user *name* (``USER`` or ``USER:GROUP``). Raises ``SettingError`` when there is none."""
    import grp
    import pwd

    who, colon, group = name.partition(":")
    try:
        entry = pwd.getpwuid(int(who)) if who.isdecimal() else pwd.getpwnam(who)
    except KeyError:
        raise SettingError(f"there is no user {who!r} to become (-Z)") from None
    if not colon:
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid)
    try:
        found = grp.getgrgid(int(group)) if group.isdecimal() else grp.getgrnam(group)
    except KeyError:
        raise SettingError(f"there is no group {group!r} to belong to (-Z)") from None
    return User(entry.pw_name, entry.pw_uid, found.gr_gid)


def hand_over(descriptor: int, to: User | None) -> None:
    """Give the open file *descriptor* to *to*, who has to open it again later; devices and pipes stay whose they are.

    Raises ``OSError``.
    """
    if to is not None and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchown(descriptor, to.uid, to.gid)


def drop(to: User | None, *, keep: bool = False) -> None:
    """Become *to* (None: stay who we are), give up every capability, and never get one again; with *keep* do nothing.

    Raises ``OSError`` when that fails: going on with rights would be worse.
    """
    if keep:
        return
    if to is not None:
        os.setgroups([])
        os.setresgid(to.gid, to.gid, to.gid)
        os.setresuid(to.uid, to.uid, to.uid)
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)  # unknown to kernels that have none
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    if library.capset(header, bytes(24)):
        number = ctypes.get_errno()
        raise OSError(number, f"capabilities cannot be given up: {os.strerror(number)}")
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"rights cannot be locked: {os.strerror(number)}")
