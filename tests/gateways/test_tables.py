"""The tables of the gateways: whole, sourced, and in a few rows known by heart."""

from __future__ import annotations

import re

import pytest

from wire502.gateways import FACTS, KINDS, VERIFIED, Answer, cases, load, names
from wire502.gateways._tables import cases_from, gateway_from, number
from wire502.kinds import kind_names

ALL = names()
KNOWN = {"status": 502, "client": "error", "source": "x.c", "verified": "source"}


def table(**kinds: object) -> dict[str, object]:
    return {"gateway": {"title": "X", "basis": "", "retries": ""}, "recognise": {}, "kinds": kinds}


def made(**kinds: object) -> object:
    return gateway_from("x", table(**kinds), cases(), load)


def test_the_gateways() -> None:
    """There is a table for every gateway that the documents promise."""
    assert set(ALL) == {
        "apache", "aws-alb", "caddy", "envoy", "go", "h2o", "haproxy", "ingress-nginx", "lighttpd", "nginx",
        "node-http-proxy", "squid", "traefik", "trafficserver", "varnish",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_row_has_a_source(name: str) -> None:
    """Each row that claims something says where that was read or seen."""
    gateway = load(name)
    answers = [one.answer for _, _, one in gateway.rows()]
    answers += [answer for rows in gateway.others.values() for answer in rows.values()]

    assert answers
    assert [answer for answer in answers if answer.known and not (answer.source and answer.verified in VERIFIED)] == []


@pytest.mark.parametrize("name", ALL)
def test_templates_are_in_our_own_form(name: str) -> None:
    """No template holds a placeholder of the source that it was read in, and none is empty."""
    for _, kind, one in load(name).rows():
        for template in (*one.answer.logs, *one.answer.words):
            assert re.search(r"%[a-zA-Z*.]", template) is None, (kind, template)
            assert len(template.replace("...", "").strip()) >= 3, (kind, template)


@pytest.mark.parametrize("name", ALL)
def test_an_answer_fits_its_outcome(name: str) -> None:
    """An error has a status of its own, a cut body has that of the upstream, a silent close has none."""
    for _, kind, one in load(name).rows():
        answer = one.answer
        if answer.outcome == "error":
            assert (answer.status or 0) >= 400, kind
        elif answer.outcome in ("cut", "retried"):
            assert answer.relayed, kind
        elif answer.outcome == "closed_without_response":
            assert answer.status is None, kind
            assert not answer.relayed, kind


@pytest.mark.parametrize("name", ALL)
def test_every_kind_can_be_asked_for(name: str) -> None:
    """A kind without a row has an answer that says that it is not known, and a word that is no kind is refused."""
    gateway = load(name)
    for kind in {*KINDS, *kind_names()}:
        answer = gateway.answer(kind)
        assert answer.kind == kind
        assert answer.known == (kind in gateway.modules["http"])
    with pytest.raises(ValueError, match="no failure kind"):
        gateway.answer("rst")


def test_kinds_are_those_of_the_vocabulary() -> None:
    """Every kind that can be judged may have a row."""
    assert set(kind_names()) <= set(KINDS)


def test_cases_name_kinds_and_facts() -> None:
    """Every case tells how the wire shows it, every kind has a case that stands for the usual way."""
    assert all(case.wire for case in cases().values())
    assert set().union(*(case.when for case in cases().values())) <= FACTS
    usual = {case.kind for case in cases().values() if not case.when}
    assert set(KINDS) - usual == {"gateway_abort"}  # the same as client_abort, seen from one leg


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"connect_lost": KNOWN}, "'connect_lost' is no failure kind"),
        ({"connect_refused": KNOWN | {"statsu": 1}}, "no such key: statsu"),
        ({"connect_refused": KNOWN | {"status": "maybe"}}, "status 'maybe'"),
        ({"connect_refused": KNOWN | {"client": "angry"}}, "client 'angry'"),
        ({"connect_refused": KNOWN | {"source": ""}}, "no source"),
        ({"connect_refused": KNOWN | {"verified": "sure"}}, "verified 'sure'"),
        ({"connect_refused": KNOWN | {"log": "a line"}}, "log is neither"),
        ({"connect_refused": KNOWN | {"but": [{"when": ["tuesday"]}]}}, "no such fact: tuesday"),
        ({"connect_refused": KNOWN | {"but": [{"cases": ["chunked-fin"]}]}}, "no case of connect_refused"),
        ({"connect_refused": KNOWN | {"but": [{"status": 503}]}}, "nothing says when it holds"),
    ],
)
def test_a_wrong_table_is_refused(wrong: dict[str, object], said: str) -> None:
    """A misspelt key, kind, case, fact or value is an error that names it, not a default."""
    made(connect_refused=KNOWN)
    with pytest.raises(ValueError, match=re.escape(said)):
        made(**wrong)


def test_a_wrong_case_is_refused() -> None:
    """A case of a kind that does not exist is an error."""
    with pytest.raises(ValueError, match="'nothing' is no failure kind"):
        cases_from({"a": {"kind": "nothing", "wire": "x"}})


@pytest.mark.parametrize(
    ("gateway", "kind", "facts", "status", "outcome", "text"),
    [
        ("nginx", "connect_timeout", {}, 504, "error", "upstream timed out (110: Connection timed out) while con"),
        ("nginx", "stale_keepalive", {}, None, "retried", "upstream prematurely closed connection while reading resp"),
        ("nginx", "stale_keepalive", {"post": True}, 502, "error", "upstream prematurely closed connection while read"),
        ("nginx", "invalid_status_line", {}, None, "passed", "upstream sent no valid HTTP/1.0 header"),
        ("nginx", "invalid_header", {"case": "cl-conflicting"}, 502, "error", "upstream sent duplicate header line"),
        ("nginx", "invalid_header", {"case": "cl-conflicting", "version": "nginx/1.22.1"}, None, "cut", "upstream pre"),
        ("nginx", "fin_before_response", {"module": "fastcgi"}, 502, "error", "upstream prematurely closed connection"),
        ("haproxy", "connect_timeout", {}, 503, "error", "sC--"),
        ("haproxy", "tls_alert", {}, 503, "error", "SC--"),
        ("haproxy", "rst_before_response", {"reused_client": False}, 502, "error", "SH--"),
        ("haproxy", "rst_before_response", {"reused_client": True}, None, "closed_without_response", ""),
        ("haproxy", "fin_mid_headers", {}, 502, "error", "PH--"),
        ("haproxy", "fin_mid_headers", {"version": "2.6.12"}, 502, "error", "SH--"),
        ("envoy", "rst_before_response", {}, 503, "error", "UC"),
        ("envoy", "fin_mid_headers", {}, 502, "error", "UPE"),
        ("envoy", "stall_before_response", {}, 504, "error", "UT"),
        ("apache", "stall_before_response", {}, 502, "error", "(70007)The timeout specified has expired: "),
        ("apache", "tls_not_tls", {}, 500, "error", "AH00898: Error during SSL Handshake"),
        ("apache", "invalid_header", {}, 500, "error", "AH02429"),
        ("apache", "rst_before_response", {"before_request": True}, 503, "error", "(104)Connection reset by peer: "),
        ("caddy", "connect_timeout", {}, 502, "error", "dial tcp"),
        ("caddy", "stall_before_response", {}, 504, "error", "net/http: timeout awaiting response headers"),
        ("go", "stall_before_response", {}, 502, "error", "http: proxy error: net/http: timeout awaiting"),
        ("go", "fin_mid_body", {}, None, "closed_without_response", "httputil: ReverseProxy read error"),
        ("go", "fin_mid_body", {"after_head": True}, None, "cut", "httputil: ReverseProxy read error"),
        ("traefik", "invalid_status_line", {}, 500, "error", "net/http: HTTP/1.x transport connection broken"),
        ("traefik", "connect_timeout", {}, 504, "error", "dial tcp"),
        ("varnish", "stall_before_response", {}, 503, "error", "FetchError...first byte timeout"),
        ("squid", "fin_before_response", {}, 502, "error", "ERR_ZERO_SIZE_OBJECT"),
        ("trafficserver", "rst_before_response", {}, 502, "error", "ERR_CONNECT_FAIL"),
        ("h2o", "stall_before_response", {}, 502, "error", "in request:...:I/O timeout"),
        ("lighttpd", "fin_before_response", {}, 500, "error", "response not received, request sent:"),
        ("node-http-proxy", "fin_mid_body", {}, None, "pending", ""),
        ("aws-alb", "connect_timeout", {}, 504, "error", "504 -"),
        ("ingress-nginx", "no_attempt", {}, 503, "error", ""),
        ("ingress-nginx", "header_too_large", {}, 502, "error", "upstream sent too big header"),
        ("ingress-nginx", "fin_mid_body", {}, None, "cut", "upstream prematurely closed connection while reading up"),
    ],
)  # fmt: skip
def test_golden_rows(
    gateway: str, kind: str, facts: dict[str, object], status: int | None, outcome: str, text: str
) -> None:
    """What these gateways do was read in their source or seen on a run, and the tables say so."""
    answer = load(gateway).answer(kind, **facts)  # type: ignore[arg-type]

    assert (answer.status, answer.outcome) == (status, outcome)
    assert (answer.flag or answer.log or "").startswith(text)
    assert bool(text) == bool(answer.flag or answer.log)


def test_the_newest_version_is_meant() -> None:
    """Without a version rows of old versions do not count; between two bounds the version decides."""
    gateway = made(
        connect_refused=KNOWN | {"but": [{"before": "1.10", "status": 503}, {"since": "2.0", "status": 500}]}
    )
    assert isinstance(gateway, type(load("nginx")))
    asked = {version: gateway.answer("connect_refused", version=version).status for version in
             (None, "1.9.9", "1.10", "1.10.1", "v2.0-rc1", "2.1")}  # fmt: skip

    assert asked == {None: 500, "1.9.9": 503, "1.10": 502, "1.10.1": 502, "v2.0-rc1": 500, "2.1": 500}
    assert number("no number") == ()


def test_what_is_not_known_says_so() -> None:
    """An answer without a row claims neither status nor log."""
    answer = load("aws-alb").answer("rst_mid_headers")

    assert answer == Answer("rst_mid_headers")
    assert (answer.known, answer.status_text, answer.log, answer.flag) == (False, "unknown", None, None)


def test_figures_for_the_judge() -> None:
    """Default time limits come in nanoseconds, each once, and a head's limit in octets."""
    assert load("nginx").timeouts_ns == (60_000_000_000,)
    assert load("varnish").timeouts_ns == (3_500_000_000, 60_000_000_000)
    assert load("haproxy").timeouts_ns == ()
    assert (load("nginx").header_limit, load("apache").header_limit) == (4096, None)
