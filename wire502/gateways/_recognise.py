"""Which gateway wrote a response: by the octets of its own error page, its Server field, and Via."""

from __future__ import annotations

from collections.abc import Mapping

from wire502.gateways._tables import Signs
from wire502.model.verdict import CONFIDENCES, Confidence

BODY = 4096  # octets of a body that are looked at


def rank(
    gateways: Mapping[str, Signs], status: int | None, server: str | None, via: str | None, body: bytes
) -> list[tuple[str, Confidence]]:
    """Return the gateways that may have sent a response, the likeliest first.

    ``high``: the page is its own and the Server field agrees; ``medium``: one of the two, or Via names it; ``low``:
    only a Server field that might be the upstream's.
    """
    page = body[:BODY].decode("latin-1").lower()
    found: list[tuple[Confidence, int, str]] = []
    for name, signs in gateways.items():
        named = server is not None and any(server.lower().startswith(one.lower()) for one in signs.server)
        shown = max((len(one) for one in signs.page if one.lower() in page), default=0)
        bare = any(page.strip() == one.lower() for one in signs.whole)
        telling = shown or (bare and page.strip())  # an empty page alone tells nothing
        passed = via is not None and any(one.lower() in via.lower() for one in signs.via)
        sure: Confidence | None = None
        if (shown and (named or (server is None and signs.nameless))) or (bare and named):
            sure = "high"
        elif (telling and server is None) or passed or (named and not signs.keeps_server and (status or 0) >= 400):
            sure = "medium"
        elif named or shown:
            sure = "low"
        if sure is not None:
            found.append((sure, shown + 8 * (named + bare) + 4 * passed, name))
    found.sort(key=lambda one: (-CONFIDENCES.index(one[0]), -one[1], one[2]))
    return [(name, sure) for sure, _, name in found]
