"""``wire502 report``: a folder of evidence that goes into an incident report, or a report in one of many formats."""

from __future__ import annotations

import sys

import click

from wire502.cli.bundling import FORMATS
from wire502.cli.evidence import anonymising, no_pipe, reading_options
from wire502.cli.terminal import say


@click.command("report", short_help="Write a bundle of evidence for a ticket.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", help="The folder for the bundle; made if it is not there.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Print the report in this format, no bundle needed.")
@click.option("--short", is_flag=True, help="Print the report in less than 3,000 characters, for a chat.")
@click.option("--id", "ident", metavar="ID", help="This failure or incident only: f3, i1.")
@click.option("--context", type=click.FloatRange(0, 86_400), default=0, metavar="N",
              help="Take other connections to the same upstream along, N seconds around each failure.")  # fmt: skip
@click.option("--no-redact", is_flag=True, help="Leave secrets in: the bundle is for you alone.")
@anonymising
@click.option("--second-opinion", is_flag=True, help="Ask tshark about each cited frame (needs the extra tshark).")
@click.option("--upstream", metavar="ADDR[:PORT]", multiple=True, help="This is an upstream, whatever it looks like.")
@click.option("--gateway", metavar="NAME[:VERSION]", help="What the gateway is (see: wire502 gateways).")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting (see: wire502 settings).")
def command(
    captures: tuple[str, ...],
    output: str | None,
    form: str | None,
    short: bool,
    ident: str | None,
    context: float,
    no_redact: bool,
    anonymised: bool,
    key: str | None,
    second_opinion: bool,
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
) -> int:
    """Write a bundle of evidence: a report, the packets that prove it, and what is needed to check both.

    \b
    Examples:
      wire502 report capture.pcap -o incident
      wire502 report capture.pcap -o incident --id f3 --context 5 --anonymise
      wire502 report capture.pcap --short
      wire502 report capture.pcap --format junit > wire502.xml
      wire502 verify incident

    The folder holds report.md, report.html (the same as one page to look into and to print, which loads nothing;
    needs the extra `report`), incident.json, evidence.pcapng (the connections concerned, with a comment on every
    cited frame) and manifest.json. Secrets are overwritten unless --no-redact is given, and the verdicts are derived
    again from what was written. The same capture gives the same bundle, octet for octet; with --anonymise only if
    --key is given, since another key is drawn each time.

    Exit status: 0 written, 2 nothing could be read or written, 3 read in part.
    """  # noqa: D301 - click's \b keeps the lines as they are
    from wire502.cli.bundling import Report, folder_for
    from wire502.cli.evidence import findings

    if output is None and form is None and not short:
        raise click.UsageError("-o DIR says where the bundle goes; --short or --format print a report without one")
    if second_opinion and output is None:
        raise click.UsageError("--second-opinion becomes part of a bundle: -o DIR says where that goes")
    if output is not None:
        no_pipe(captures)
    folder = None if output is None else folder_for(output)
    options = reading_options(
        upstream,
        gateway,
        settings,
        redacted=not no_redact,
        context=context,
        ident=ident,
        anonymised=anonymised,
        key=key,
    )
    tshark = None
    if second_opinion:  # better known before a large capture is read
        from wire502.evidence import tshark_version

        tshark = tshark_version()
    everything, precision, status = findings(captures, options)
    report = Report(captures, everything, options, precision)
    if folder is not None:
        say(report.write(folder, tshark=tshark))
        if options.anonymised and key is None:
            say("the addresses were mapped with a key that is gone now: the next bundle will have others (see: --key)")
    for name in ([form] if form is not None else []) + (["short"] if short else []):
        sys.stdout.write(report.text(name))
    return status
