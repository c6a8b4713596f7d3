"""Lines of gateways' logs, each told by its own shape: nginx, HAProxy, Envoy, Apache and ALB, error and access logs.

``parse`` looks at one line alone, so files may be mixed, cut or rotated. Custom access formats are read as far as they
hold a quoted request line, a status behind it and a time. Every pattern is bounded: a hostile line costs its length.
"""

from __future__ import annotations

import re
from calendar import timegm
from functools import lru_cache

from wire502.model.records import record

LINE = 16_384  # characters of a line that are looked at
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
_LONGEST_S = 86_400.0  # a longer duration is a number that means something else
_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,42}\]?)"
_ENDPOINT = re.compile(r"(?<![\w.:\[])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5}(?![\d.])")
_ADDRESS = re.compile(r"(?<![\w.:\[])(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\]:\d{1,5})(?![\w.])")
_REQUEST = re.compile(r'"([A-Z][A-Z_-]{0,19}) (\S{1,8192}) HTTP/\d')
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ([+-]\d{4}))?")
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"
)  # RFC 3339 section 5.6, its zone optional
_EPOCH = re.compile(r"(?<![\w.])(1\d{9})\.(\d{3,9})(?![\w.])")
_NGINX = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) \[([a-z]{1,8})\] \d{1,10}#\d{1,10}: (?:\*\d{1,20} )?")
_NGINX_CLIENT = re.compile(r", client: ([0-9a-fA-F.:\[\]]{2,53})")
_NGINX_UPSTREAM = re.compile(r', upstream: "\w{1,10}://([^/"\s]{1,260})([^"\s]{0,8192})')
_APACHE = re.compile(
    r"\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\] "
    r"\[(?:(\w{0,40}):)?([a-z]{1,6}\d?)\] "
)
_APACHE_CLIENT = re.compile(r"\[(?:client|remote) ([0-9a-fA-F.:\[\]]{2,53})\] ?")
_APACHE_BRACKET = re.compile(r"\[pid [^\]]{1,60}\] ")
_APACHE_TARGET = re.compile(r"\breturned by (/\S{0,8192})")
_BACKEND = re.compile(r"\bto make connection to backend: ([0-9a-fA-F.:\[\]]{2,53})$")
_HAPROXY = re.compile(
    rf"({_IP}):(\d{{1,5}}) \[({_CLF.pattern})\] (\S{{1,256}}) ([^\s/]{{1,256}})/(\S{{1,256}}) "
    r"(?:\+?-?\d{1,9}/){2,5}\+?(-?\d{1,9}) (-?\d{1,3}) \+?\d{1,20} "
)
_FRONTEND = re.compile(r'\d\] [^"\[]')  # what sets HAProxy's lines apart from most others, found quickly
_HAPROXY_STATE = re.compile(r"(?<= )([CSPRLUDIKcs-][RQCHDLT-](?:[NIDVEOU-][NIUPRD-])?) (?=\+?\d{1,9}/)")
_ENVOY = re.compile(
    r"\[?(" + _ISO.pattern + r')\] "([A-Z-][A-Z_-]{0,19}) (\S{1,8192}) [^\s"]{1,12}" (\d{1,3}) (\S{1,64}) '
)
_ENVOY_TOOK = re.compile(r"(?<= )\d{1,15} \d{1,15} (\d{1,9}) (?:\d{1,9}|-) ")
_ENVOY_FLAGS = re.compile(r"-|[A-Z][A-Za-z0-9]{0,7}(?:,[A-Z][A-Za-z0-9]{0,7}){0,12}")
_ALB = re.compile(
    r"(?:https?|h2|grpcs|wss?) (" + _ISO.pattern + r") (\S{1,256}) (\S{1,53}) (\S{1,53}) "
    r"(-?[\d.]{1,20}) (-?[\d.]{1,20}) (-?[\d.]{1,20}) (\d{3}|-) (\d{3}|-) \d{1,20} \d{1,20} "
)
_ALB_REASON = re.compile(r'"((?:Target|AuthInvalid|Lambda|Redirect)[A-Za-z.]{1,60})"')
_STATUS = re.compile(r'[^"]{0,20}" "?(\d{1,3}|-)(?![\w.])')
_TOOK = re.compile(r"\b(?:rt|request_time|rtime|duration)[=:]\"?(\d{1,6}\.\d{1,9})(?![\w.])")

FORMATS = {
    "nginx error": ("nginx", "ingress-nginx"),
    "apache error": ("apache",),
    "haproxy": ("haproxy",),
    "envoy": ("envoy",),
    "alb": ("aws-alb",),
    "access": ("nginx", "apache", "ingress-nginx"),  # by their default format nobody can tell them apart
}
NO_STATUS = frozenset({-1, 0, 9})  # HAProxy, Envoy and ALB; nginx writes 009 for an answer without status line


@record(frozen=True)
class LogLine:
    """What one line says. Times are ns since 1970 UTC: the line speaks of something from *first_ns* to *last_ns*."""

    format: str
    first_ns: int
    last_ns: int
    begun: bool  # the time that is written is that of the request's arrival, and how long it took is not known
    client: str | None  # ADDRESS or ADDRESS:PORT
    endpoints: frozenset[str]  # every other ADDR:PORT in it: upstreams, and the gateway's own end
    method: str | None
    targets: tuple[str, ...]  # of the client's request first, then that of the upstream's, where that is another
    status: int | None
    says: str  # the message, or the flag; "" when there is neither
    alarm: str  # "failure": it speaks of one; "perhaps": if its words are known; "": it does not


def parse(line: str, zone_s: int = 0) -> LogLine | None:
    """Return what *line* says, None when it has none of the known shapes.

    *zone_s* is how many seconds the gateway's clock is ahead of UTC, for the formats that do not say so.
    """
    line = line[:LINE]
    if line[:1] == "[" and (match := _APACHE.match(line)):
        return _apache(line, match, zone_s)
    if match := _NGINX.search(line[:160]):
        return _nginx(line, match, zone_s)
    if match := _ALB.match(line):
        return _alb(line, match)
    if _FRONTEND.search(line, 0, 2048) and (match := _HAPROXY.search(line[:2048])):
        return _haproxy(line, match, zone_s)
    if (match := _ENVOY.search(line)) and _ENVOY_FLAGS.fullmatch(match[13]):
        return _envoy(line, match, zone_s)
    return _access(line, zone_s)


def _nginx(line: str, match: re.Match[str], zone_s: int) -> LogLine:
    at = _second(match[1], match[2], match[3], match[4], match[5], match[6]) - zone_s * SECOND_NS
    says, _, fields = line[match.end() :].partition(", client: ")
    fields = f", client: {fields}" if fields else ""
    client, asked, upstream = (one.search(fields) for one in (_NGINX_CLIENT, _REQUEST, _NGINX_UPSTREAM))
    targets = (_path(asked[2]),) if asked else ()
    endpoints: frozenset[str] = frozenset()
    if upstream:
        endpoints = frozenset({upstream[1]})
        if upstream[2] and upstream[2] not in targets:
            targets = (*targets, upstream[2])
    level = match[7]
    about = bool(upstream) or "upstream" in says
    alarm = ""
    if about:
        alarm = "failure" if level in ("error", "crit", "alert", "emerg") else "perhaps" if level != "debug" else ""
    return LogLine(
        "nginx error", at, at + SECOND_NS, False, client[1] if client else None, endpoints,
        asked[1] if asked else None, targets, None, says[:512], alarm,
    )  # fmt: skip


def _apache(line: str, match: re.Match[str], zone_s: int) -> LogLine:
    month, day, hour, minute, second, fraction, year, module, level = match.groups()
    number = _MONTHS.get(month, 0)
    at = _second(year, f"{number:02}", day, hour, minute, second) + _fraction(fraction) - zone_s * SECOND_NS
    rest = _APACHE_BRACKET.sub("", line[match.end() :], count=1)
    client = _APACHE_CLIENT.search(rest)
    says = _APACHE_CLIENT.sub("", rest, count=1)
    target = _APACHE_TARGET.search(rest)
    alarm = ""
    if level in ("error", "crit", "alert", "emerg", "warn"):
        alarm = "failure" if (module or "").startswith("proxy") and level != "warn" else "perhaps"
    endpoints = frozenset([*_ENDPOINT.findall(says[:1024]), *_BACKEND.findall(says[:1024])])
    return LogLine(
        "apache error", at, at + (SECOND_NS if fraction is None else 0), False, client[1] if client else None,
        endpoints, None, (target[1],) if target else (), None, says[:512], alarm,
    )  # fmt: skip


def _haproxy(line: str, match: re.Match[str], zone_s: int) -> LogLine:
    at = _clf(_CLF.match(match[3]), zone_s)
    took = int(match[15])
    status = int(match[16])
    rest = line[match.end() - 1 :]
    state = _HAPROXY_STATE.search(rest)
    asked = _REQUEST.search(rest)
    flag = state[1] if state else ""
    normal = flag[:1] in ("", "-", "L") and 0 <= status < 500
    return LogLine(
        "haproxy", at, at + max(took, 0) * MS_NS, took < 0, f"{match[1]}:{match[2]}",
        frozenset(_ENDPOINT.findall(rest[:512])), asked[1] if asked else None,
        (_path(asked[2]),) if asked else (), status, flag, "" if normal else "failure",
    )  # fmt: skip


def _envoy(line: str, match: re.Match[str], zone_s: int) -> LogLine:
    at = _iso(_ISO.match(match[1]), zone_s)
    rest = line[match.end() - 1 :]
    took = _ENVOY_TOOK.search(rest)
    status, flags = int(match[12]), match[13]
    normal = 0 < status < 500 and flags == "-"
    return LogLine(
        "envoy", at, at + (int(took[1]) * MS_NS if took else 0), took is None, None,
        frozenset(_ENDPOINT.findall(rest)), match[10], (_path(match[11]),), status, "" if flags == "-" else flags,
        "" if normal else "failure",
    )  # fmt: skip


def _alb(line: str, match: re.Match[str]) -> LogLine:
    at = _iso(_ISO.match(match[1]), 0)
    spent = [float(text) if text.count(".") < 2 and text.strip(".-") else -1.0 for text in match.group(13, 14, 15)]
    took = min(sum(part for part in spent if part > 0), _LONGEST_S)
    asked = _REQUEST.search(line, match.end() - 1)
    status = 0 if match[16] == "-" else int(match[16])
    reason = _ALB_REASON.search(line, match.end())
    says = reason[1] if reason else f"{match[16]} {match[17]}"
    failed = status >= 500 or status in (0, 460, 463)
    return LogLine(
        "alb", at - round(took * SECOND_NS), at, False, match[11], frozenset(_ENDPOINT.findall(match[12])),
        asked[1] if asked else None, (_path(asked[2]),) if asked else (), status, says,
        "failure" if failed else "",
    )  # fmt: skip


def _access(line: str, zone_s: int) -> LogLine | None:
    asked = _REQUEST.search(line)
    if asked is None:
        return None
    head = line[: asked.start()]
    # the time may stand behind the request, but then it is one of those of custom formats
    at, precise = _time(head, zone_s)
    if at is None:
        at, precise = _time(line[asked.end() : asked.end() + 1024], zone_s)
    code = _STATUS.match(line, asked.end())
    if at is None or code is None:
        return None
    client = _ADDRESS.search(head) or _client_v6(head)
    rest = line[code.end() : code.end() + 2048]
    took = _TOOK.search(rest)
    lasted = round(min(float(took[1]), _LONGEST_S) * SECOND_NS) if took else 0
    status = 0 if code[1] == "-" else int(code[1])
    return LogLine(
        "access", at - lasted, at + (0 if precise else SECOND_NS), took is None, client[0] if client else None,
        frozenset(_ENDPOINT.findall(rest)), asked[1], (_path(asked[2]),), status, "",
        "failure" if status >= 499 or status in NO_STATUS else "",
    )  # fmt: skip


def _client_v6(head: str) -> re.Match[str] | None:
    return re.match(r"[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,42}(?= )", head)


def _path(target: str) -> str:
    """Return a target without scheme and authority: HTTP/2 and ALB write the whole URL."""
    if not target.startswith(("http://", "https://", "ws://", "wss://")):
        return target
    slash = target.find("/", target.find("//") + 2)
    return target[slash:] if slash >= 0 else "/"


def _time(text: str, zone_s: int) -> tuple[int | None, bool]:
    """Return the most precise time in *text*, and whether it is finer than a second."""
    if match := _EPOCH.search(text):
        return int(match[1]) * SECOND_NS + _fraction(match[2]), True
    if match := _ISO.search(text):
        return _iso(match, zone_s), match[7] is not None
    if match := _CLF.search(text):
        return _clf(match, zone_s), match[7] is not None
    return None, False


def _iso(match: re.Match[str] | None, zone_s: int) -> int:
    if match is None:
        return 0
    zone = match[8]
    ahead = zone_s if zone is None else 0 if zone == "Z" else _zone(zone.replace(":", ""))
    at = _second(match[1], match[2], match[3], match[4], match[5], match[6])
    return at + _fraction(match[7]) - ahead * SECOND_NS


def _clf(match: re.Match[str] | None, zone_s: int) -> int:
    if match is None:
        return 0
    day, month, year, hour, minute, second, fraction, zone = match.groups()
    at = _second(year, f"{_MONTHS.get(month, 0):02}", day, hour, minute, second)
    return at + _fraction(fraction) - (zone_s if zone is None else _zone(zone)) * SECOND_NS


def _zone(text: str) -> int:
    """Return ``+0130`` in seconds."""
    return (int(text[1:3]) * 3600 + int(text[3:5]) * 60) * (-1 if text[0] == "-" else 1)


def _fraction(digits: str | None) -> int:
    return int(digits.ljust(9, "0")) if digits else 0


@lru_cache(maxsize=16)
def _second(year: str, month: str, day: str, hour: str, minute: str, second: str) -> int:
    """Return ns since 1970; neighbouring lines share their second. Numbers out of range carry over."""
    months = int(year) * 12 + max(int(month), 1) - 1
    days = timegm((months // 12, months % 12 + 1, 1, 0, 0, 0)) // 86_400 + int(day) - 1 if months >= 12 else 0
    return (days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second)) * SECOND_NS
