"""The HTML page in a real browser: it works with mouse and keyboard, complains of nothing, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.report import browser, samples
from tests.report.browser import Browser, Page
from tests.report.test_html import HOSTILE, page
from wire502.model.verdict import Failure, Incident, Time

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason="chromium is not installed")
MANY = 5_000


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as one:
        yield one


def cases() -> tuple[list[Failure], list[Incident]]:
    """A few failures of several kinds, one of them hostile, and an incident."""
    failures = [samples.reset_before_response(), samples.short_body(), samples.stall(), samples.refused()]
    failures = [replace(one, id=f"f{number}") for number, one in enumerate(failures, 1)]
    hostile = samples.hostile()
    assert hostile.request is not None
    hostile.request.target = hostile.summary = hostile.connection.upstream = HOSTILE
    hostile.causes[0].name = hostile.causes[0].because[0].note = hostile.caveats[0] = HOSTILE
    incident = replace(samples.incident(), attempts=["f1"], verdict="f1")
    return [*failures, replace(hostile, id="f5")], [incident]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "report.html"
    failures, incidents = cases()
    path.write_text(page(*failures, incidents=incidents), "utf-8")
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "report.html"
    one, other = samples.reset_before_response(), samples.short_body()
    found = [
        replace(one if number % 2 else other, id=f"f{number}", time=Time(one.time + number * 1_000_000))
        for number in range(1, MANY + 1)
    ]
    path.write_text(page(*found), "utf-8")
    return path


def at_peace(page: Page, path: Path) -> None:
    """Demand that nothing was complained of, and nothing asked for but the page itself."""
    assert page.complaints() == []
    assert {address.partition("#")[0] for address in page.requests()} == {path.as_uri()}


def rows(page: Page) -> int:
    number: int = page.run("document.querySelectorAll('.cases tbody tr[data-at]').length")
    return number


def test_every_case_draws_itself_in_silence(chromium: Browser, few: Path) -> None:
    """Each case, hostile ones too, shows ladder, plot and octets, in both colours; no error, no request."""
    for dark in (False, True):
        page = chromium.open(few, dark=dark)
        for ident in page.run("[...document.querySelectorAll('.cases tbody a')].map(one => one.getAttribute('href'))"):
            page.run(f"location.hash = {ident!r}")
            page.until("document.querySelector('#case h2')")
            assert page.run("document.querySelectorAll('#case .ladder, #case .octets').length") == 2
            assert page.run("document.querySelectorAll('#case svg[role=img]').length") == 1
        at_peace(page, few)


def test_hostile_text_is_shown_and_does_nothing(chromium: Browser, few: Path) -> None:
    """Markup of the wire is read, not run: no element of it exists, its text is on the page."""
    page = chromium.open(few, "#id=f5")
    page.until("document.querySelector('#case h2')")

    assert page.run("document.querySelectorAll('img, iframe, object, embed, link, base, form[action]').length") == 0
    assert page.run("document.scripts.length") == 2
    assert "<script>alert(1)</script>" in page.run("document.querySelector('#case').textContent")
    assert not page.run("/[\\u202a-\\u202e\\u2066-\\u2069\\u0000-\\u0008\\u001b]/.test(document.body.textContent)")
    at_peace(page, few)


def test_policy_stops_what_would_leave(chromium: Browser, few: Path) -> None:
    """Even a script that ran in the page could load and send nothing."""
    page = chromium.open(few)

    assert page.run("fetch('http://198.51.100.1/').then(() => 'sent', () => 'stopped')") == "stopped"
    assert (
        page.run("(() => { try { document.body.innerHTML = '<b>'; return 'set'; } catch { return 'stopped'; } })()")
        == "stopped"
    )
    assert [one for one in page.requests() if "198.51.100.1" in one] == []


def test_filters_are_in_the_address(chromium: Browser, few: Path) -> None:
    """Choosing and typing filters the list and the address; the address alone brings the same view back."""
    page = chromium.open(few)
    whole = rows(page)
    page.run(
        "(() => { const kind = document.querySelector('[name=kind]'); kind.value = 'fin_mid_body';"
        " kind.dispatchEvent(new Event('change')); })()"
    )
    assert page.run("location.hash") == "#kind=fin_mid_body"
    assert 0 < rows(page) < whole
    again = chromium.open(few, "#kind=fin_mid_body&sort=-time")
    assert rows(again) == rows(page)
    assert again.run("document.querySelector('[name=kind]').value") == "fin_mid_body"
    assert again.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    again.click("#count .chip")
    assert rows(again) == whole
    again.click("#filters [name=q]")
    again.call("Input.insertText", text="no such thing")
    again.until("document.querySelector('.empty')")
    assert again.run("document.querySelector('#count').textContent").startswith("0 of ")
    at_peace(again, few)


def test_mouse_and_keyboard_open_a_case(chromium: Browser, few: Path) -> None:
    """A click on a row opens it; arrows and Enter do so too; Escape leads back to the row."""
    page = chromium.open(few)
    page.click(".cases tbody tr[data-at='1'] .kind")
    page.until("!document.querySelector('#case').hidden")
    page.press("Escape")
    page.until("document.querySelector('#case').hidden")
    assert page.run("document.activeElement.closest('tr').dataset.at") == "1"
    page.press("ArrowDown")
    assert page.run("document.activeElement.closest('tr').dataset.at") == "2"
    page.press("Enter")
    page.until("!document.querySelector('#case').hidden")
    assert page.run("document.activeElement.id") == "case"
    assert "id=" in page.run("location.hash")
    at_peace(page, few)


def test_themes_can_be_chosen(chromium: Browser, few: Path) -> None:
    """The page follows the system's colours, and the button chooses others."""
    page = chromium.open(few, dark=True)
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.run(paper)
    page.click("#theme")

    assert page.run("document.documentElement.dataset.theme") == "light"
    assert page.run(paper) != dark
    page.click("#theme")
    assert page.run(paper) == dark


def test_five_thousand_cases_are_a_handful_of_elements(chromium: Browser, many: Path) -> None:
    """Only rows that can be seen exist: few elements for 5,000 cases, wherever one scrolls to."""
    page = chromium.open(many)
    assert page.run("document.querySelector('.cases').getAttribute('aria-rowcount')") == str(MANY + 1)
    for place in (0, 0.5, 1):
        page.run(
            f"(() => {{ const list = document.querySelector('#list');"
            f" list.scrollTop = list.scrollHeight * {place}; }})()"
        )
        page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert rows(page) < 60
        assert page.run("document.querySelectorAll('*').length") < 3_000
    page.run("document.querySelector('.cases tbody a').focus()")
    page.press("End")
    assert page.run("document.activeElement.closest('tr').dataset.at") == str(MANY - 1)
    at_peace(page, many)


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_wider_than_the_window(chromium: Browser, few: Path, width: int) -> None:
    """On a phone, a tablet and a desk nothing has to be scrolled sideways."""
    page = chromium.open(few, "#id=f2", width=width)
    page.until("document.querySelector('#case h2')")

    assert page.run("document.documentElement.scrollWidth") <= width


def test_everything_has_a_name(chromium: Browser, few: Path) -> None:
    """Controls, pictures and regions have accessible names; one h1; tables have heads."""
    page = chromium.open(few, "#id=f1")
    page.until("document.querySelector('#case h2')")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    wanted = {"button", "link", "textbox", "searchbox", "combobox", "img", "checkbox", "region", "article"}
    nameless = [
        node["role"]["value"]
        for node in tree
        if not node.get("ignored") and node["role"]["value"] in wanted and not node.get("name", {}).get("value")
    ]

    assert nameless == []
    assert page.run("document.querySelectorAll('h1').length") == 1
    assert page.run("[...document.querySelectorAll('table')].every(one => one.tHead || one.querySelector('th'))")
    assert page.run("document.querySelectorAll('main, header, footer').length") == 3


def test_it_prints(chromium: Browser, few: Path) -> None:
    """Printed, it is a document of a few pages."""
    page = chromium.open(few, "#id=f1")
    made = page.call("Page.printToPDF", printBackground=True)

    assert made["data"].startswith("JVBERi")  # %PDF
    at_peace(page, few)
