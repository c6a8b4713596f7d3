"""Options listed under headings."""

from __future__ import annotations

from collections.abc import Mapping

import click


def sectioned(sections: Mapping[str, tuple[str, ...]]) -> type[click.Command]:
    """Return a class of commands whose options are listed by *sections*: heading to names; the others come last."""

    class Sectioned(click.Command):
        """A command whose options are listed under headings."""

        def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """Write the options, section by section; those of no section last."""
            options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
            records = {option.name: record for option in options if (record := option.get_help_record(ctx))}
            for title, names in sections.items():
                with formatter.section(title):
                    formatter.write_dl([records.pop(name) for name in names])
            with formatter.section("Other"):
                formatter.write_dl(list(records.values()))

    return Sectioned
