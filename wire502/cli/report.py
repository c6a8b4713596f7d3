"""``wire502 report``: a folder of evidence that goes into an incident report."""

from __future__ import annotations

from pathlib import Path

import click

from wire502.cli.evidence import no_pipe, reading_options
from wire502.cli.terminal import say


@click.command("report", short_help="Write a bundle of evidence for a ticket.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", required=True, help="The folder to write into; made if it is not there.")
@click.option("--id", "ident", metavar="ID", help="This failure or incident only: f3, i1.")
@click.option("--context", type=click.FloatRange(0, 86_400), default=0, metavar="N",
              help="Take other connections to the same upstream along, N seconds around each failure.")  # fmt: skip
@click.option("--no-redact", is_flag=True, help="Leave secrets in: the bundle is for you alone.")
@click.option("--upstream", metavar="ADDR[:PORT]", multiple=True, help="This is an upstream, whatever it looks like.")
@click.option("--gateway", metavar="NAME[:VERSION]", help="What the gateway is (see: wire502 gateways).")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting (see: wire502 settings).")
def command(
    captures: tuple[str, ...],
    output: str,
    ident: str | None,
    context: float,
    no_redact: bool,
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
) -> int:
    """Write a bundle of evidence: a report, the packets that prove it, and what is needed to check both.

    \b
    Examples:
      wire502 report capture.pcap -o incident
      wire502 report capture.pcap -o incident --id f3 --context 5
      wire502 verify incident

    The folder holds report.md, incident.json, evidence.pcapng (the connections concerned, with a comment on every
    cited frame) and manifest.json. Secrets are overwritten unless --no-redact is given, and the verdicts are derived
    again from what was written. The same capture gives the same bundle, octet for octet.

    Exit status: 0 written, 2 nothing could be read or written, 3 read in part.
    """  # noqa: D301 - click's \b keeps the lines as they are
    from wire502 import __version__
    from wire502.api import Result
    from wire502.cli.evidence import findings, shown
    from wire502.evidence import write_bundle
    from wire502.report.json import line
    from wire502.report.markdown import markdown

    no_pipe(captures)
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{output} is a file; -o wants a folder")
    options = reading_options(upstream, gateway, settings, redacted=not no_redact, context=context, ident=ident)
    everything, precision, status = findings(captures, options)
    everything = shown(everything, options)
    chosen = everything if ident is None else everything.only(ident)
    names = [Path(path).name for path in captures]
    if everything.summary is not None:
        everything.summary.inputs = names

    def report() -> str:
        return markdown(chosen.failures, chosen.incidents, chosen.summary, inputs=names, redacted=options.redacted)

    def incident() -> str:
        records: list[Result] = [*chosen.failures, *chosen.incidents, *([chosen.summary] if chosen.summary else [])]
        return "".join(f"{line(one, precision=precision)}\n" for one in records)

    texts = {"report.md": report, "incident.json": incident}
    write_bundle(folder, captures, everything, chosen, options, texts, __version__)
    failed = f"{len(chosen.failures)} failure{'' if len(chosen.failures) == 1 else 's'}"
    say(f"wrote the evidence for {failed} to {output}; check it with: wire502 verify {output}")
    return status
