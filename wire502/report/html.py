"""Findings as one HTML page that needs nothing else: no network, no other file, no right to send anything anywhere.

What the page shows is data in it (``_html_data``); a script without dependencies draws it, and only what is looked at.
Text of the wire is made harmless three times: controls and bidirectional overrides are escaped here, the data cannot
end its element, and the script sets text, never markup; a content security policy holds it to that. A pure function of
its arguments. Needs jinja2 (the extra ``report``).
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wire502.errors import Wire502Error
from wire502.model.trace import Trace
from wire502.model.verdict import Failure, Incident, Summary
from wire502.report._html_data import overview, page_data

if TYPE_CHECKING:
    from jinja2 import Environment

HOW_TO_GET = "report.html needs jinja2: pip install 'wire502[report]'"
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class NoTemplatesError(Wire502Error):
    """jinja2 is not installed."""


def available() -> bool:
    """Whether what this format needs is installed."""
    try:
        import jinja2  # noqa: F401 - asked for, not used
    except ModuleNotFoundError:
        return False
    return True


def html(
    failures: Sequence[Failure],
    incidents: Sequence[Incident],
    summary: Summary | None,
    *,
    inputs: Sequence[str],
    redacted: bool,
    traces: Mapping[str, Trace] | None = None,
) -> str:
    """Return the page on *failures* and *incidents*; *summary* is that of the whole capture *inputs*.

    *traces* by the ids of failures are what plots and octets are drawn from. Raises ``NoTemplatesError`` without
    jinja2.
    """
    page = _templates()
    script, style = _source(page, "page.js"), _source(page, "page.css")
    data = page_data(failures, incidents, summary, inputs=inputs, redacted=redacted, traces=traces or {})
    return page.get_template("page.html").render(
        **overview(failures, incidents, summary, inputs=inputs, redacted=redacted),
        policy=_policy(script, style),
        script=script,
        style=style,
        data=json.dumps(data, ensure_ascii=True, separators=(",", ":"), sort_keys=True).translate(_UNSAFE),
    )


def _templates() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError:
        raise NoTemplatesError(HOW_TO_GET) from None
    loader = PackageLoader("wire502.report", "_page")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip


def _source(page: Environment, name: str) -> str:
    """Return one of the package's own files as it is."""
    assert page.loader is not None, "set above"  # noqa: S101 - for the type checker
    return page.loader.get_source(page, name)[0]


def _policy(script: str, style: str) -> str:
    """Return a policy under which this script and this style work and nothing else does, nor is anything loaded."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_digest(script)}",
            f"style-src {_digest(style)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
