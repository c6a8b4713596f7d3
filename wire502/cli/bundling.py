"""Writes a bundle, and tells what was written: what `report` and `read --report` have in common. No command itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wire502.cli.evidence import anonymous, shown

if TYPE_CHECKING:
    from wire502.api import Result
    from wire502.evidence import Findings, Options, Slice, Trace
    from wire502.report.json import Precision

FORMATS = ("markdown", "html", "json", "csv", "junit", "slack")


def folder_for(output: str) -> Path:
    """Return the folder to write into. Raises a usage error for a file."""
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{output} is a file; a folder is wanted")
    return folder


class Report:
    """What was found in *captures*, as it may be shown: *everything*, and what the report is about (*chosen*)."""

    def __init__(
        self,
        captures: Sequence[str],
        everything: Findings,
        options: Options,
        precision: Precision,
        chosen: Findings | None = None,
    ) -> None:
        self.captures = captures
        self.options = options
        self.precision: Precision = precision
        self.names = [Path(path).name for path in captures]
        if everything.summary is not None:
            everything.summary.inputs = self.names
        self.everything = shown(everything, options)
        chosen = self.everything if chosen is None else shown(chosen, options)
        self.chosen = chosen if options.ident is None else chosen.only(options.ident)
        self.told = anonymous(self.chosen, options)
        self.remarks: list[str] = []  # what is to be said of the evidence

    def text(self, name: str, traces: Mapping[str, Trace] | None = None) -> str:
        """Return the report in the format *name* of ``FORMATS``, or ``short``; *traces* are what ``html`` draws."""
        if name == "json":
            return self._lines()
        if name == "html" and traces is None:
            traces = self._traces()
        from importlib import import_module

        write: Callable[..., str] = getattr(import_module(f"wire502.report.{name}"), name)
        told, redacted = self.told, self.options.redacted
        more: dict[str, Any] = {"traces": traces} if name == "html" else {}
        if name == "markdown":
            more = {"remarks": self.remarks, "anonymised": self.options.anonymised}
        return write(told.failures, told.incidents, told.summary, inputs=self.names, redacted=redacted, **more)

    def _traces(self) -> dict[str, Trace]:
        """Return what can be drawn of the failures; nothing of a pipe, which cannot be read twice."""
        from wire502.evidence import EvidenceError, drawn

        if not all(map(Path.is_file, map(Path, self.captures))):
            return {}
        try:
            return drawn(self.captures, self.everything, self.chosen, self.options, self.told.failures)
        except EvidenceError:  # a page without plots is still a report; a bundle would be refused
            return {}

    def _lines(self) -> str:
        from wire502.report.json import line

        told = self.told
        records: list[Result] = [*told.failures, *told.incidents, *([told.summary] if told.summary else [])]
        return "".join(f"{line(one, precision=self.precision)}\n" for one in records)

    def write(self, folder: Path, *, tshark: str | None = None) -> str:
        """Write the bundle; return the sentence that says so. *tshark*: the version whose opinion is asked."""
        from wire502 import __version__
        from wire502.evidence import EVIDENCE, second_opinion, traces, write_bundle
        from wire502.report.html import HOW_TO_GET, available

        texts: dict[str, Callable[[Slice], str]] = {}
        if tshark is not None:

            def ask(_made: Slice) -> str:
                opinion = second_opinion(folder / EVIDENCE, self.told, tshark)
                self.remarks.append(opinion.sentence)
                return opinion.text

            texts["second-opinion.txt"] = ask
        texts |= {"report.md": lambda _made: self.text("markdown"), "incident.json": lambda _made: self._lines()}
        if available():
            texts["report.html"] = lambda made: self.text("html", traces(made, self.told.failures))
        write_bundle(folder, self.captures, self.everything, self.chosen, self.options, texts, __version__)
        count = len(self.chosen.failures)
        failed = f"{count} failure{'' if count == 1 else 's'}"
        told = "".join(f"; {remark}" for remark in [*self.remarks, *([] if available() else [HOW_TO_GET])])
        return f"wrote the evidence for {failed} to {folder}{told}; check it with: wire502 verify {folder}"
