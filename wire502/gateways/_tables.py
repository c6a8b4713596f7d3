"""The records of a gateway's table, and how its TOML becomes them.

Loading is strict: a key, kind, case or fact that nobody knows is a ``ValueError`` that names it, since a table with a
misspelt row would silently answer with the default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wire502.model.records import changed, field, record

KINDS = (
    "connect_refused connect_timeout connect_unreachable tls_alert tls_not_tls rst_mid_handshake fin_mid_handshake "
    "stall_mid_handshake rst_mid_request fin_mid_request stall_mid_request rst_before_response fin_before_response "
    "stall_before_response stale_keepalive invalid_status_line invalid_header header_too_large rst_mid_headers "
    "fin_mid_headers stall_mid_headers invalid_chunk rst_mid_body fin_mid_body stall_mid_body relayed_error "
    "gateway_abort client_abort no_attempt"
).split()
FACTS = frozenset("after_head before_request in_status_line post reset reused_client first_of_client".split())
OUTCOMES = frozenset("error cut closed_without_response passed retried pending gone unknown".split())
VERIFIED = frozenset("source observed documented memory".split())
GAP = "..."  # stands for variable text in a template

_ROW = frozenset("status client log flag words retries note source verified".split())
_BUT = _ROW | frozenset("when cases before since".split())
_SECTION = frozenset("source verified note".split())


@record(frozen=True)
class Case:
    """One way in which a kind can come about, as ``_cases.toml`` says it. ``kind`` is None where nothing failed."""

    name: str
    kind: str | None
    wire: str
    when: frozenset[str] = frozenset()
    why: tuple[str, ...] = ()


@record(frozen=True)
class Answer:
    """What a gateway makes of one kind of failure.

    ``status`` is what it sends itself; None with ``relayed`` when the upstream's own status goes out, None without
    when no status does (``outcome`` says what does) or nobody knows. ``logs`` are templates of the lines that it
    writes, the telling one first, with ``...`` for variable text; ``silent`` is True when it is known to write none.
    """

    kind: str
    status: int | None = None
    relayed: bool = False
    outcome: str = "unknown"
    logs: tuple[str, ...] = ()
    silent: bool = False
    flags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # what its manual or its status pages call this, written in no log
    retries: str = "unknown"
    note: str = ""
    source: str = ""
    verified: str = "unknown"

    @property
    def log(self) -> str | None:
        """The telling line, None when it is not known or there is none."""
        return self.logs[0] if self.logs else None

    @property
    def flag(self) -> str | None:
        """The flag of its access log, None when it has none."""
        return self.flags[0] if self.flags else None

    @property
    def known(self) -> bool:
        """Whether anything is known at all."""
        return self.outcome != "unknown"

    @property
    def status_text(self) -> str:
        """The status in a word for a table: a number, ``same`` (the upstream's own), ``none`` or ``unknown``."""
        if self.status is not None:
            return str(self.status)
        if not self.known:
            return "unknown"
        return "same" if self.relayed else "none"


@record(frozen=True)
class Variant:
    """A row under ``but``: another answer for these cases, facts or versions."""

    answer: Answer
    when: frozenset[str] = frozenset()
    cases: tuple[str, ...] = ()
    before: str | None = None  # versions below this one
    since: str | None = None  # this version and those above

    def fits(self, case: str | None, facts: frozenset[str], version: str | None) -> bool:
        """Whether it holds for this case, these facts and this version (None: the newest)."""
        if not self.when <= facts or (self.cases and case not in self.cases):
            return False
        if version is None:
            return self.before is None
        if self.before is not None and number(version) >= number(self.before):
            return False
        return self.since is None or number(version) >= number(self.since)


@record(frozen=True)
class Row:
    """A kind's row: the usual answer and its variants."""

    answer: Answer
    variants: tuple[Variant, ...] = ()

    def pick(self, case: str | None, facts: frozenset[str], version: str | None) -> Answer:
        """Return the variant that says the most of what is known, else the usual answer."""
        fitting = [one for one in self.variants if one.fits(case, facts, version)]
        if not fitting:
            return self.answer
        return max(fitting, key=lambda one: (bool(one.cases), len(one.when), one.before is not None)).answer


@record(frozen=True)
class Signs:
    """How a gateway is known by what it sends to its client."""

    server: tuple[str, ...] = ()  # beginnings of the Server field of its own pages
    via: tuple[str, ...] = ()  # parts of the Via field that it adds
    page: tuple[str, ...] = ()  # octets near the start of the body of its own pages
    whole: tuple[str, ...] = ()  # the whole body of its own pages, where that is a few bare words
    nameless: bool = False  # its own pages have no Server field
    keeps_server: bool = False  # a relayed response keeps the upstream's Server field
    note: str = ""


@record(frozen=True)
class Section:
    """Figures of one sort: seconds for timeouts and keep-alive, octets or counts for limits."""

    values: Mapping[str, float | str]
    note: str = ""
    source: str = ""
    verified: str = "unknown"


@record(frozen=True)
class Version:
    """A change of behaviour."""

    change: str
    before: str = ""
    since: str = ""
    verified: str = "unknown"


@record(frozen=True)
class Gateway:
    """One gateway's table. ``modules`` holds the rows by protocol to the upstream; ``http`` is always there."""

    name: str
    title: str
    basis: str
    signs: Signs
    timeouts: Section
    limits: Section
    keepalive: Section
    retries: str
    versions: tuple[Version, ...]
    notes: tuple[str, ...]
    modules: Mapping[str, Mapping[str, Row]]
    others: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)  # cases in which nothing failed

    def answer(
        self,
        kind: str,
        *,
        after_head: bool = False,
        post: bool = False,
        reset: bool = False,
        before_request: bool = False,
        in_status_line: bool = False,
        reused_client: bool | None = None,
        case: str | None = None,
        version: str | None = None,
        module: str = "http",
    ) -> Answer:
        """Return what this gateway makes of *kind*, given the facts of the attempt (see ``_cases.toml``).

        *version* None is the newest; *reused_client* None is not known. An unknown kind is a ``ValueError``; one that
        the table says nothing of gives an answer that is not ``known``.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no failure kind")
        row = self.modules.get(module, {}).get(kind) or self.modules["http"].get(kind)
        if row is None:
            return Answer(kind)
        given = {
            "after_head": after_head,
            "post": post,
            "reset": reset,
            "before_request": before_request,
            "in_status_line": in_status_line,
            "reused_client": reused_client is True,
            "first_of_client": reused_client is False,
        }
        return row.pick(case, frozenset(name for name, true in given.items() if true), version)

    @property
    def timeouts_ns(self) -> tuple[int, ...]:
        """Its default time limits in nanoseconds, each once, the shortest first."""
        return tuple(
            sorted({round(value * 1e9) for value in self.timeouts.values.values() if not isinstance(value, str)})
        )

    @property
    def header_limit(self) -> int | None:
        """The octets of a response head that it takes by default, None when there is no such limit or none is known."""
        value = self.limits.values.get("header")
        return None if value is None or isinstance(value, str) else int(value)

    def rows(self) -> Iterator[tuple[str, str, Variant]]:
        """Yield module, kind and answer of every row; the usual one has neither case nor fact nor version."""
        for module, rows in self.modules.items():
            for kind, row in rows.items():
                yield module, kind, Variant(row.answer)
                for one in row.variants:
                    yield module, kind, one


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare: ``v2.4.71-1`` is (2, 4, 71)."""
    match = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, match[0].split(".")[:4])) if match else ()


def cases_from(table: Mapping[str, Any]) -> dict[str, Case]:
    """Return the cases of ``_cases.toml`` by name. Raises ``ValueError``."""
    cases = {}
    for name, row in table.items():
        _known(name, row, {"kind", "wire", "when", "why"})
        kind = row.get("kind")
        if kind is not None and kind not in KINDS:
            raise ValueError(f"case {name}: {kind!r} is no failure kind")
        cases[name] = Case(name, kind, row["wire"], _facts(name, row), tuple(row.get("why", ())))
    return cases


def gateway_from(
    name: str, table: Mapping[str, Any], cases: Mapping[str, Case], parent: Callable[[str], Gateway]
) -> Gateway:
    """Return the gateway of a table read from TOML. Raises ``ValueError`` that names what is wrong.

    *parent* returns the gateway whose rows stand where a table that ``inherits`` has none.
    """
    _known(name, table, {"gateway", "recognise", "timeouts", "limits", "keepalive", "versions", "kinds", "other",
                         "modules"})  # fmt: skip
    head = table["gateway"]
    _known(name, head, {"title", "basis", "retries", "notes", "inherits"})
    tables = {"http": table, **table.get("modules", {})}
    modules, others = {}, {}
    for module, part in tables.items():
        where = name if module == "http" else f"{name}.{module}"
        if part is not table:
            _known(where, part, {"kinds", "other"})
        modules[module] = _rows(where, part.get("kinds", {}), cases)
        others[module] = {case: _other(f"{where}.other.{case}", case, row, cases)
                          for case, row in part.get("other", {}).items()}  # fmt: skip
    if "inherits" in head:
        above = parent(head["inherits"])
        modules = {key: {**above.modules.get(key, {}), **modules.get(key, {})} for key in {**above.modules, **modules}}
        others = {key: {**above.others.get(key, {}), **others.get(key, {})} for key in {**above.others, **others}}
    return Gateway(
        name=name,
        title=head["title"],
        basis=head["basis"],
        signs=signs_from(name, table),
        timeouts=_section(name, table, "timeouts"),
        limits=_section(name, table, "limits"),
        keepalive=_section(name, table, "keepalive"),
        retries=head["retries"],
        versions=tuple(_version(name, row) for row in table.get("versions", ())),
        notes=tuple(head.get("notes", ())),
        modules=modules,
        others={module: rows for module, rows in others.items() if rows},
    )


def _rows(where: str, table: Mapping[str, Any], cases: Mapping[str, Case]) -> dict[str, Row]:
    rows = {}
    for kind in sorted(table, key=lambda kind: KINDS.index(kind) if kind in KINDS else -1):
        if kind not in KINDS:
            raise ValueError(f"{where}: {kind!r} is no failure kind")
        row = table[kind]
        if "like" in row:  # the same as another kind's row
            _known(f"{where}.{kind}", row, {"like"})
            row = table[row["like"]]
        _known(f"{where}.{kind}", row, _ROW | {"but"})
        usual = _answer(f"{where}.{kind}", row, Answer(kind))
        variants = []
        for index, other in enumerate(row.get("but", ())):
            at = f"{where}.{kind}.but[{index}]"
            _known(at, other, _BUT)
            for case in other.get("cases", ()):
                if case not in cases or cases[case].kind not in (kind, row.get("like"), table[kind].get("like")):
                    raise ValueError(f"{at}: {case!r} is no case of {kind}")
            if not {"when", "cases", "before", "since"} & set(other):
                raise ValueError(f"{at}: nothing says when it holds")
            variants.append(
                Variant(
                    _answer(at, other, usual),
                    _facts(at, other),
                    tuple(other.get("cases", ())),
                    other.get("before"),
                    other.get("since"),
                )
            )
        rows[kind] = Row(usual, tuple(variants))
    return rows


def _other(where: str, case: str, row: Mapping[str, Any], cases: Mapping[str, Case]) -> Answer:
    if case not in cases or cases[case].kind is not None:
        raise ValueError(f"{where}: {case!r} is no case in which nothing failed")
    _known(where, row, _ROW)
    return _answer(where, row, Answer(""))


def _answer(where: str, row: Mapping[str, Any], usual: Answer) -> Answer:
    """Return *usual* with what *row* says otherwise."""
    changes: dict[str, Any] = {key: row[key] for key in ("retries", "note", "source", "verified") if key in row}
    if "status" in row:
        status = row["status"]
        if isinstance(status, str) and status not in ("relayed", "none", "unknown"):
            raise ValueError(f"{where}: status {status!r}")
        changes |= {"status": status if isinstance(status, int) else None, "relayed": status == "relayed"}
        if status == "unknown":
            changes["outcome"] = "unknown"
    if "client" in row:
        changes["outcome"] = row["client"]
    if "log" in row:
        silent = row["log"] == "nothing"
        if not silent and not isinstance(row["log"], list):
            raise ValueError(f'{where}: log is neither a list nor "nothing"')
        changes |= {"logs": () if silent else tuple(row["log"]), "silent": silent}
        if silent:
            changes["flags"] = ()
    if "words" in row:
        changes["words"] = tuple(row["words"])
    if "flag" in row:
        changes["flags"] = (row["flag"],) if isinstance(row["flag"], str) else tuple(row["flag"])
    made = changed(usual, **changes)
    if made.outcome not in OUTCOMES or made.verified not in VERIFIED | {"unknown"}:
        raise ValueError(f"{where}: client {made.outcome!r}, verified {made.verified!r}")
    if made.known and not (made.source and made.verified != "unknown"):
        raise ValueError(f"{where}: no source")
    return made


def signs_from(name: str, table: Mapping[str, Any]) -> Signs:
    """Return how the gateway *name* is known by its parsed *table*, or the beginning of one."""
    row = table["recognise"]
    _known(f"{name}.recognise", row, {"server", "via", "page", "whole", "nameless", "keeps_server", "note"})
    return Signs(
        tuple(row.get("server", ())),
        tuple(row.get("via", ())),
        tuple(row.get("page", ())),
        tuple(row.get("whole", ())),
        row.get("nameless", False),
        row.get("keeps_server", False),
        row.get("note", ""),
    )


def _section(name: str, table: Mapping[str, Any], key: str) -> Section:
    row = table.get(key, {})
    values = {field_: value for field_, value in row.items() if field_ not in _SECTION}
    for field_, value in values.items():
        if not isinstance(value, int | float) and value not in ("none", "unknown"):
            raise ValueError(f"{name}.{key}.{field_}: {value!r}")
    if values and row.get("verified") not in VERIFIED:
        raise ValueError(f"{name}.{key}: verified {row.get('verified')!r}")
    return Section(values, row.get("note", ""), row.get("source", ""), row.get("verified", "unknown"))


def _version(name: str, row: Mapping[str, Any]) -> Version:
    _known(f"{name}.versions", row, {"change", "before", "since", "verified"})
    return Version(row["change"], row.get("before", ""), row.get("since", ""), row["verified"])


def _facts(where: str, row: Mapping[str, Any]) -> frozenset[str]:
    facts = frozenset(row.get("when", ()))
    if facts - FACTS:
        raise ValueError(f"{where}: no such fact: {', '.join(sorted(facts - FACTS))}")
    return facts


def _known(where: str, row: Mapping[str, Any], keys: Sequence[str] | frozenset[str] | set[str]) -> None:
    strange = set(row) - set(keys)
    if strange:
        raise ValueError(f"{where}: no such key: {', '.join(sorted(strange))}")
