"""One input through the whole program, in this process, and what must hold of whatever comes out."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Sequence

import wire502.api
from scripts._fuzz.inputs import Input
from wire502.api import ExchangeLine, Failure, Open, Result, Summary
from wire502.errors import Wire502Error
from wire502.report import json as json_report
from wire502.report.text import TextReport

_FOREIGN = re.compile(r'\(stream\): is [^"]*')


class Broken(Exception):
    """Something that must hold of every answer does not."""


class Dribble(io.BytesIO):
    """A file that gives a few octets at a time."""

    def __init__(self, octets: bytes, most: int) -> None:
        super().__init__(octets)
        self._most = most

    def readinto1(self, view) -> int:  # type: ignore[no-untyped-def]
        return self.readinto(memoryview(view)[: self._most])


def analyse(given: Input) -> int:
    """Read an input and write every report of it; return a checksum of the answers.

    Raises ``Broken`` for an answer that cannot be, and whatever wire502 raises that is no ``Wire502Error``.
    """
    whole = answers(given, 0)
    if given.chop and _comparable(whole) != _comparable(again := answers(given, given.chop)):
        raise Broken(f"reads of {given.chop} octets change the answer: {_difference(whole, again)}")
    return zlib.crc32("\n".join(whole).encode())


def answers(given: Input, chop: int) -> list[str]:
    """Return the lines of JSON that an input comes to, or the error."""
    files = [Dribble(octets, chop) if chop else io.BytesIO(octets) for octets in given.files]
    try:
        reading = wire502.api.read(*files, all=given.everything, settings=given.settings)
        results = list(reading)
    except Wire502Error as error:
        return [str(error)]
    check(results)
    lines = [json_report.line(result, precision=9) for result in results]
    report = TextReport(inputs=reading.inputs, everything=given.everything)
    text = "".join(report.block(result) for result in results) + report.closing(results[-1])  # type: ignore[arg-type]
    for line in lines:
        json.loads(line)
        if not line.isascii() or "\n" in line:
            raise Broken(f"a line of JSON is not plain: {line!r}")
    if not text.replace("\n", "").isprintable():
        raise Broken("the report for people holds a control octet")
    return lines


def check(results: Sequence[Result]) -> None:
    """Raise ``Broken`` where results contradict each other."""
    if not results or not isinstance(results[-1], Summary):
        raise Broken("the summary is not the last word")
    summary = results[-1]
    if sum(isinstance(result, Summary) for result in results) != 1:
        raise Broken("more than one summary")
    if summary.gaps is None or summary.frames < 0 or summary.exchanges < 0 or summary.evicted < 0:
        raise Broken("a count below zero")
    idents: set[str] = set()
    judged: dict[tuple[int, int], str] = {}
    for result in results:
        if isinstance(result, Failure):
            if result.id in idents:
                raise Broken(f"two failures are called {result.id}")
            idents.add(result.id)
            # What has no number (a client's request without an attempt, a connection that is not HTTP) may fail often.
            where = (result.connection.stream, result.connection.exchange)
            if where in judged and where[0] >= 0 and where[1] > 0:
                raise Broken(f"exchange {where} failed twice: {judged[where]} and {result.kind}")
            judged[where] = result.kind
        if isinstance(result, Failure | Open | ExchangeLine) and not 0 < result.frame <= summary.frames + 2**20:
            raise Broken(f"frame {result.frame} of {summary.frames}")


def _comparable(lines: list[str]) -> list[str]:
    """The lines without the words for what is no capture: they tell as much as the first read held."""
    return [_FOREIGN.sub("(stream): is no capture", line) for line in lines]


def _difference(one: list[str], other: list[str]) -> str:
    for left, right in zip(one, other, strict=False):
        if left != right:
            at = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
            return f"... {left[max(0, at - 60) : at + 200]} | ... {right[max(0, at - 60) : at + 200]}"
    return f"{len(one)} lines | {len(other)} lines"
