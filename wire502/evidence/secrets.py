"""What counts as a secret: the words of the setting ``redact``, ready for use.

A word is a part of the name of a header field (blanks, ``-`` and ``_`` in names do not matter), or one of the parts of
a message that have no name: ``query``, ``userinfo``, ``bodies``.
"""

from __future__ import annotations

from collections.abc import Iterable

from wire502.model.context import Context
from wire502.model.records import record

PARTS = ("query", "userinfo", "bodies")
# a word that is part of a name which holds no secret
_OPEN_NAMES = frozenset({b":authority", b"authority"})


@record(frozen=True)
class Secrets:
    """What is overwritten.

    *names*: parts of names of header fields, lower case, without ``-`` and ``_``; *query*: values of queries and of
    parameters in paths; *userinfo*: user and password of URLs; *bodies*: bodies, trailers, and all that is no HTTP/1.
    """

    names: tuple[bytes, ...] = tuple(word.replace("-", "").encode() for word in Context().redact if word not in PARTS)
    query: bool = True
    userinfo: bool = True
    bodies: bool = True

    @classmethod
    def of(cls, words: Iterable[str]) -> Secrets:
        """Return the secrets that *words* of the setting name."""
        words = list(words)
        names = tuple(_bare(word.lower().encode()) for word in words if word not in PARTS)
        return cls(tuple(name for name in names if name), *(part in words for part in PARTS))

    def field(self, name: bytes) -> bool:
        """Whether the header field *name* (lower case) holds a secret."""
        bare = _bare(name)
        return any(word in bare for word in self.names) and name not in _OPEN_NAMES


def _bare(name: bytes) -> bytes:
    return name.translate(None, b"-_ ")
