r"""Octets of the wire as text that is safe to keep, to write and to show.

The output contract: octets that are no UTF-8, and controls, appear as ``\xNN``; a target over 8192 octets is cut.
"""

from __future__ import annotations

import re

TEXT_LIMIT = 8192  # octets of one piece of wire text that a record keeps
MASK = "***"

# C0 and DEL are one octet; C1 (U+0080 to U+009F) is two in UTF-8 and is shown as the two that were on the wire.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)} | {
    code: f"\\xc2\\x{code:02x}" for code in range(0x80, 0xA0)
}
# re compiles these at their first use, and keeps them: most runs use none
_QUERY = r"\?\S+"
_USER_INFO = r"//[^/?#@\s]+@"
_PATH_PARAMETER = r"(;[^=;/?#\s]*=)[^;/?#\s]+"
_METHOD = r"[A-Z][A-Z_-]{1,23}"
_TARGET = r"[/*]|[A-Za-z][A-Za-z0-9+.-]*://|[0-9A-Za-z._\[\]:-]+:[0-9]|\Z"
_CUT_TAIL = r"…\S*"
_BETWEEN_PAIRS = r"([&;])"


def wire_text(octets: bytes | bytearray | memoryview, limit: int = TEXT_LIMIT) -> str:
    r"""Return at most *limit* of *octets* as text: UTF-8 as it stands, all else and controls as ``\xNN``.

    A character that the limit would split is left out whole.
    """
    kept = bytes(octets[:limit])
    if len(octets) > limit:
        kept = _without_split_character(kept)
    text = kept.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else text.translate(_CONTROLS)


def _without_split_character(octets: bytes) -> bytes:
    """Return *octets* without the beginning of a UTF-8 sequence (RFC 3629 section 3) at their end, if there is one."""
    for back in range(1, min(4, len(octets) + 1)):
        octet = octets[-back]
        if octet & 0xC0 != 0x80:  # a first octet, or ASCII
            needed = 4 if octet >= 0xF0 else 3 if octet >= 0xE0 else 2 if octet >= 0xC0 else 1
            return octets[:-back] if needed > back else octets
    return octets


def ordinary_request(method: str, target: str) -> bool:
    """Whether *method* and *target* look as in a request line, and not like a piece of a body that was taken for one.

    Methods are upper case words, targets a path, ``*``, a URL or an authority (RFC 9112 section 3.2), or cut before.
    """
    return re.fullmatch(_METHOD, method) is not None and re.match(_TARGET, target) is not None


def redact_target(target: str) -> str:
    """Return a request target with the values of its query, of parameters in its path, and user information masked.

    Path, names in the query and host stay: they are what an operator needs to find the request in a log.
    """
    path, mark, query = target.partition("?")
    if "@" in path:
        path = re.sub(_USER_INFO, f"//{MASK}@", path)
    if ";" in path:  # ;jsessionid= and its like
        path = re.sub(_PATH_PARAMETER, rf"\1{MASK}", path)
    return path + mark + "".join(map(_redact_pair, re.split(_BETWEEN_PAIRS, query)))


def _redact_pair(part: str) -> str:
    if part in ("", "&", ";"):
        return part
    name, equals, _value = part.partition("=")
    return f"{name}={MASK}" if equals else MASK


def redact_text(text: str) -> str:
    """Return a sentence with the queries that it quotes masked, as ``redact_target`` does.

    A sentence may quote a target cut in the middle (``…``): what follows the cut may be the end of a value, so it
    goes too. Rather too much is masked than too little.
    """
    if "@" in text:
        text = re.sub(_USER_INFO, f"//{MASK}@", text)
    if "…" in text:
        text = re.sub(_CUT_TAIL, "…", text)
    return re.sub(_QUERY, lambda match: redact_target(match[0]), text) if "?" in text else text
