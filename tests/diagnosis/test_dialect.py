"""A failure in the words of the gateway at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.report import samples
from wire502.diagnosis.dialect import answers, facts, views
from wire502.gateways import load, names
from wire502.model.verdict import ClientRef, Evidence, Failure, Link, RequestRef, ResponseRef, Time

TIME = Time(0)


def failure(kind: str, **changes: Any) -> Failure:
    return replace(samples.reset_before_response(), kind=kind, client=None, **changes)


def client(outcome: Any, status: int | None) -> ClientRef:
    return ClientRef(8, 0, TIME, outcome, status, "10.0.0.9:1", 3, Link(1.0, [], None))


def request(method: str) -> RequestRef:
    return RequestRef(4, TIME, method, "/", None, None)


def response(status: int | None) -> ResponseRef:
    return ResponseRef(5, TIME, status, 100, 20, 50)


def test_the_gateway_is_named() -> None:
    """A view has the status and the line of the gateway that was named, and agrees with that answer."""
    view = views(failure("rst_before_response"), "nginx", client("error", 502))["nginx"]

    assert view.status == 502
    assert view.log == "recv() failed (104: Connection reset by peer) while reading response header from upstream"
    assert view.agrees is True


@pytest.mark.parametrize("name", [None, "", "iis", "nginx-plus:30"])
def test_unknown_gateways_say_nothing(name: str | None) -> None:
    """Without a gateway that is known there is no view."""
    assert views(failure("rst_before_response"), name, client("error", 502)) == {}


def test_what_is_not_known_is_not_said() -> None:
    """A gateway whose table has no row for the kind has no view."""
    assert views(failure("rst_mid_headers"), "aws-alb", client("error", 502)) == {}


@pytest.mark.parametrize(
    ("gateway", "kind", "got", "agreed"),
    [
        ("nginx", "rst_before_response", None, None),
        ("nginx", "rst_before_response", client("pending", None), None),
        ("nginx", "rst_before_response", client("error", 504), False),
        ("nginx", "rst_before_response", client("cut", 200), False),
        ("haproxy", "rst_before_response", client("error", 502), True),
        ("haproxy", "rst_before_response", client("closed_without_response", None), True),
        ("haproxy", "stall_before_response", client("closed_without_response", None), False),
        ("nginx", "fin_mid_body", client("cut", 200), True),
        ("nginx", "fin_mid_body", client("reset", None), True),
        ("nginx", "fin_mid_body", client("error", 502), False),
        ("nginx", "client_abort", client("closed_without_response", None), None),
        ("nginx", "relayed_error", client("error", 200), True),
        ("nginx", "invalid_status_line", client("closed_without_response", None), True),
        ("nginx", "invalid_status_line", client("error", 502), False),
        ("nginx", "stale_keepalive", client("complete", 200), True),
        ("nginx", "stale_keepalive", client("error", 502), None),
        ("go", "stall_mid_body", client("cut", 200), None),
    ],
)
def test_agreement(gateway: str, kind: str, got: ClientRef | None, agreed: bool | None) -> None:
    """The client's answer agrees, disagrees, or proves nothing."""
    known = {} if kind in ("invalid_status_line", "rst_before_response") else {"response": response(200)}

    assert views(failure(kind, request=request("GET"), **known), gateway, got)[gateway].agrees is agreed


def test_another_attempt_s_answer_is_no_disagreement() -> None:
    """The answer to a failure that a retry made good proves nothing of this attempt."""
    made_good = failure("connect_refused", masked=True)

    assert views(made_good, "nginx", client("complete", 200))["nginx"].agrees is None


def test_the_upstream_s_own_status_goes_out() -> None:
    """A relayed error has the status that the upstream sent, and a cut body that of its head."""
    assert views(failure("relayed_error", response=response(503)), "haproxy", None)["haproxy"].status == 503
    assert views(failure("fin_mid_body", response=response(206)), "nginx", None)["nginx"].status == 206


def test_a_version_may_be_named() -> None:
    """The flag is that of the version that was named."""
    cut = failure("fin_mid_headers", response=response(200))

    assert views(cut, "haproxy", None)["haproxy"].log == "PH--"
    assert views(cut, "haproxy:2.6.12", None)["haproxy"].log == "SH--"


def test_methods_matter() -> None:
    """A POST on a stale connection is not repeated, a GET is."""
    stale = failure("stale_keepalive", ladder=[])

    assert views(replace(stale, request=request("POST")), "nginx", client("error", 502))["nginx"].agrees is True
    assert views(replace(stale, request=request("GET")), "nginx", None)["nginx"].status is None


def test_the_reset_is_seen_on_the_ladder() -> None:
    """A close that the ladder shows as an RST has the line of a reset."""
    with_reset = failure("stale_keepalive", frame=6)
    known = facts(with_reset)

    assert (known["reset"], known["post"]) == (True, False)
    assert (views(with_reset, "nginx", None)["nginx"].log or "").startswith("recv() failed (104:")


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ("NUL in a field value", 502),
        ("blank before the colon", 500),
        ("Content-Length is no number", 502),
        ("control octet in a field value", 500),
    ],
)
def test_the_violation_decides(note: str, status: int) -> None:
    """The words of the evidence choose the case, where a gateway tells cases apart."""
    broken = failure("invalid_header", evidence=[Evidence(6, note)], response=response(200))

    assert views(broken, "apache", None)["apache"].status == status


def test_a_reset_before_the_request_is_a_failed_connect() -> None:
    """Where no request was sent, httpd and nginx speak of connecting."""
    early = failure("rst_before_response", request=None)

    assert views(early, "apache", None)["apache"].status == 503
    assert (views(early, "nginx", None)["nginx"].log or "").startswith("connect() failed (104:")


@pytest.mark.parametrize("name", names())
def test_every_gateway_has_a_word_on_every_sample(name: str) -> None:
    """Any failure can be put to any gateway, and the first answer is the one without a guess."""
    for result in samples.everything():
        if isinstance(result, Failure):
            found = answers(load(name), result)
            assert found
            assert all(answer.kind == result.kind for answer in found)
            assert set(views(result, name, result.client)) <= {name}
