"""A healthy exchange as ``--all`` tells it, and who takes it down.

One record is filled again for each of them; a ``Pen`` makes of it what its caller wants: the ``ExchangeLine`` that the
library hands out, or a line of a format at once, without an object for each.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

METHOD_LIMIT, HOST_LIMIT, ID_LIMIT = 64, 512, 256  # octets that are told; of a target model.text.TEXT_LIMIT


@cython.final
@cython.cclass
class Healthy:
    """A complete exchange: frames with the numbers of their files, times in ns since 1970 UTC, sizes in octets.

    Its texts stand in *head*, the request's, each from ``_at`` to before ``_end``; a host or an id that is not there is
    at -1. ``status`` is 0 for none, ``expected`` (the length that the response announced) -1, ``duration_ns`` -1.
    """

    client: bool
    frame: int
    file: int
    time: int
    stream: int
    gateway_high: int
    gateway_low: int
    gateway_port: int
    upstream_high: int
    upstream_low: int
    upstream_port: int
    first_frame: int
    number: int
    reused: bool
    first_file: int
    head: bytes
    method_at: int
    method_end: int
    target_at: int
    target_end: int
    host_at: int
    host_end: int
    id_at: int
    id_end: int
    answer_frame: int
    answer_time: int
    status: int
    head_bytes: int
    body_bytes: int
    expected: int
    answer_file: int
    duration_ns: int
    first_byte_ns: int

    def __init__(self) -> None:
        self.head = b""
        if not cython.compiled:  # C fields start as zero
            for name in type(self).__annotations__:
                if name != "head":
                    setattr(self, name, 0)


@cython.cclass
class Pen:
    """Takes down healthy exchanges among the *results* of the engine, times with *precision* (6 or 9) digits."""

    results: list[object]
    precision: int

    def __init__(self) -> None:
        self.results = []
        self.precision = 6

    @cython.ccall
    def write(self, told: Healthy) -> cython.int:
        """Append to ``results`` what is made of *told*, which is valid for this call only."""
        raise NotImplementedError

    def settle(self) -> None:
        """Finish what was appended to ``results``: they are handed out now."""


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
