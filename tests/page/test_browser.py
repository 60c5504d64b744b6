"""The page in a real browser: every page and every state, wide and narrow, light and dark, whatever names say."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from shared.page import PAGES
from tests.page.browser import invalid, looking, running_browser
from tests.page.site import READER, Site, look_at, sited


@pytest.fixture(scope="module")
def site(azurite: str) -> Iterator[Site]:
    with sited(azurite) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found


def test_every_page_is_sound(site: Site, browser: Browser, tmp_path: Path) -> None:
    """axe finds nothing, html-validate neither, the policy is not broken, nothing of a name runs, and no page is wider
    than the window: at three widths, light and dark."""
    pages: list[tuple[str, str]] = []
    with looking(browser) as context:
        paths = site.links(context)
        assert len(paths) >= len(PAGES) - 2  # there is no exception here, and no pack
        for number, path in enumerate(paths):
            look = look_at(context, site, path)
            assert (path, look.violations(), look.complaints, look.overflow()) == (path, [], [], 0)
            assert look.page.title() != "ran"
            answer = context.request.get(site.address + path)
            assert (answer.status, len(answer.body()) <= 100_000) == (200, True), path
            pages.append((f"{number:02d}", answer.text()))
            look.page.close()
    for width, scheme, some in ((360, "dark", paths), (768, "light", paths[::3])):
        with looking(browser, width=width, scheme=scheme) as context:
            for path in some:
                look = look_at(context, site, path)
                contrast = look.violations("color-contrast")  # what colours can change
                assert (path, contrast, look.complaints, look.overflow()) == (path, [], [], 0)
                assert (path, look.narrow_cells()) == (path, [])
                look.page.close()
    assert invalid(pages, tmp_path) == []


def test_the_statement_is_sound(site: Site, browser: Browser, tmp_path: Path) -> None:
    """At every width, with names that nobody should trust; a table that is wider than a phone is reached by keys."""
    site.show("full")
    for width in (360, 768, 1440):
        with looking(browser, width=width) as context:
            look = look_at(context, site, "/api/statement?month=2026-11&format=html")
            assert (width, look.violations(), look.complaints, look.overflow()) == (width, [], [], 0)
            assert look.page.title() != "ran"
            page = look.page.content()
    assert invalid([("statement", page)], tmp_path) == []


@pytest.mark.parametrize("path", ["/causes", "/posture", "/portals", "/customers"])
def test_what_policies_and_places_are_called_is_shown_as_text(site: Site, browser: Browser, path: str) -> None:
    """Names of policies, groups, places, domains, applications and customers with a script, text that turns round, an
    emoji, a formula, or 10 kB long."""
    site.show("full")
    for width in (360, 768):
        with looking(browser, width=width) as context:
            look = look_at(context, site, path)
            assert "<script>document.title='ran'</script><img src=x" in look.text
            assert (look.page.title() != "ran", look.complaints, look.overflow()) == (True, [], 0)
            assert look.page.locator("main img, main script").count() == 0


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("first", ("The log is being read for the first time", "Your first hour", "0 of")),
        (
            "part",
            (
                "Not known yet|Nothing (found|open), not everything read|Action needed",
                "was not read to its end|Your first",
            ),
        ),
        ("paused", ("Alerts are paused until 03 Nov 2026 06:30 UTC by jane@partner.example", "nobody is told")),
        ("denied", ("The sign-in log cannot be read since", "AuditLog.Read.All", "look at Setup")),
        ("down", ("Service Unavailable", "The app's storage did not answer", "Try again in a minute")),
    ],
)
def test_each_state_says_what_happens_and_what_to_do(
    site: Site, browser: Browser, tmp_path: Path, state: str, says: tuple[str, ...]
) -> None:
    site.show(state)
    with looking(browser, width=768) as context:
        look = look_at(context, site, "/")
        complaints = [c for c in look.complaints if "503" not in c]
        assert (look.violations(), complaints, look.overflow()) == ([], [], 0)
        for words in says:
            assert re.search(words, look.text), words
        assert "✓" not in look.text
        assert invalid([(state, look.page.content())], tmp_path) == []


def test_who_may_only_read_is_told_whom_to_ask(site: Site, browser: Browser) -> None:
    site.show("reader")
    with looking(browser) as context:
        look = look_at(context, site, "/")
        assert "Unauthorized" in look.text
        assert "Sign in with your work account" in look.text
        context.set_extra_http_headers({"X-MS-CLIENT-PRINCIPAL": READER})
        look = look_at(context, site, "/incidents")
        with look.page.expect_navigation():
            look.page.click("main tbody a")
        assert "needs the app role Operator" in " ".join(look.page.inner_text("main").split())
        assert look.page.query_selector("button[name=act]") is None
        refused = context.request.post(
            look.page.url.partition("?")[0] + "/act", form={"act": "acknowledged", "version": "*"}
        )
        assert refused.status == 403


def test_with_keys_the_page_is_one_sentence(site: Site, browser: Browser) -> None:
    site.show("key")
    with looking(browser) as context:
        for path in ("/", "/incidents", "/audit"):
            answer = context.request.get(site.address + path)
            assert answer.headers["content-type"].startswith("text/plain")
            assert "AUTH_MODE easyauth" in answer.text()


def test_a_person_with_a_keyboard_acts_on_an_incident(site: Site, browser: Browser) -> None:
    """From the overview to an incident, a comment and an acknowledgement, by keys alone."""
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/")
        page = look.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#main"
        link = page.locator("#incidents tbody a").first
        link.focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.locator("form.act input[name=comment]").first.focus()
        page.keyboard.type(f"known {'<b>'} job")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "acknowledged"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        text = " ".join(page.inner_text("main").split())
        assert "acknowledged by local: known <b> job" in text
        assert look.complaints == []


def test_a_form_of_another_site_is_refused_and_an_old_one_too(site: Site, browser: Browser) -> None:
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/incidents?state=open,acknowledged")
        with look.page.expect_navigation():
            look.page.click("main tbody a")
        address = look.page.url.partition("?")[0] + "/act"
        version = look.page.get_attribute("input[name=version]", "value") or ""
        form: dict[str, str | float | bool] = {"act": "comment", "comment": "x", "version": version}
        foreign = {"Origin": "https://evil.example"}
        assert context.request.post(address, form=form, headers=foreign).status == 403
        assert context.request.post(address, form=form, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
        assert context.request.post(address, data="{}", headers={"Content-Type": "application/json"}).status == 415
        assert context.request.post(address, form={**form, "act": "explode"}).status == 400
        assert context.request.post(address, form=form, headers={"Origin": site.address}).status == 200
        late = context.request.post(address, form=form)
        assert late.status == 409
        assert "Somebody changed it while you looked at it" in late.text()


def test_a_cause_is_acknowledged_with_all_its_incidents(site: Site, browser: Browser) -> None:
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/causes")
        with look.page.expect_navigation():
            look.page.click("main ol a")
        with look.page.expect_navigation():
            look.page.click("button[value=acknowledged]")
        rows = look.page.locator("main tbody tr").all_inner_texts()
        assert rows
        assert all("acknowledged" in row for row in rows)


def test_a_cause_says_whose_step_it_is_and_takes_an_owner(site: Site, browser: Browser) -> None:
    """A form that somebody filled in before another one did is refused."""
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/causes")
        assert re.search("Step of: (partner admin|owner of the application|customer's admin)", look.text)
        with look.page.expect_navigation():
            look.page.click("main ol a")
        late = look_at(context, site, look.page.url.removeprefix(site.address)).page
        for page, words in ((look.page, "Looks after it ada@partner.example"), (late, "Somebody changed it while you")):
            page.click("text=Snooze or assign")
            page.fill("input[name=assignee]", "ada@partner.example")
            with page.expect_navigation():
                page.click("button[value=assign]")
            assert words in " ".join(page.inner_text("main").split())


def test_an_auditor_who_may_only_read_asks_for_a_pack(site: Site, browser: Browser) -> None:
    """The form leads to the pack's page, which says how far it is; without a key it says what is missing."""
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/audit")
        with look.page.expect_navigation():
            look.page.click('main button:has-text("Have it packed")')
        assert re.search("/audit/packs/[0-9a-f]{32}$", look.page.url)
        text = " ".join(look.page.inner_text("main").split())
        assert "Evidence pack of 2026-11" in text
        assert "It is being built; look again in a minute." in text
        assert (look.violations(), look.complaints, look.overflow()) == ([], [], 0)
        with look.page.expect_navigation():
            look.page.click("a.button")
        wrong = context.request.post(f"{site.address}/audit/packs", form={"month": "2026-13", "customer": ""})
        assert wrong.status == 400
        assert look_at(context, site, "/audit/packs/none").page.inner_text("h1") == "Not Found"
        site.show("reader")
        context.set_extra_http_headers({"X-MS-CLIENT-PRINCIPAL": READER})
        answer = context.request.post(f"{site.address}/audit/packs", form={"month": "2026-10"})
        assert answer.status == 409
        assert "PACK_KEY" in answer.text()


def test_a_token_is_checked_and_not_kept(site: Site, browser: Browser) -> None:
    site.show("full")
    parts = (
        json.dumps({"alg": "RS256", "typ": "JWT", "kid": "k"}),
        json.dumps({"aud": "https://x", "ver": "1.0"}),
        "s",
    )
    secret = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    with looking(browser) as context:
        look = look_at(context, site, "/token")
        look.page.fill("textarea", secret)
        with look.page.expect_navigation():
            look.page.click("button")
        assert "refused" in look.page.inner_text("main")
        assert secret not in look.page.content()
        look.page.fill("textarea", "not a token")
        with look.page.expect_navigation():
            look.page.click("button")
        assert look.page.get_by_role("alert").inner_text()
        assert look.violations() == []


def test_the_filter_goes_on_through_links_and_forms(site: Site, browser: Browser) -> None:
    site.show("full")
    with looking(browser, width=360) as context:
        look = look_at(context, site, "/?user=technician%40partner.example&days=7")
        page = look.page
        assert page.locator("details.filter").get_attribute("open") is not None
        with page.expect_navigation():
            page.click("nav >> text=Incidents")
        assert "user=technician%40partner.example" in page.url
        assert "days=7" in page.url
        page.locator("details.filter input[name=days]").fill("2")
        with page.expect_navigation():
            page.click("details.filter button")
        assert "days=2" in page.url
        assert "Last 2 days" in page.inner_text("details.filter summary")
        wrong = look_at(context, site, "/?days=9999")
        assert "Change the filter or the address" in wrong.text
        unknown = look_at(context, site, "/customers/nobody")
        assert "no such customer" in unknown.text


def test_it_prints(site: Site, browser: Browser, tmp_path: Path) -> None:
    site.show("full")
    with looking(browser) as context:
        look = look_at(context, site, "/")
        pdf = look.page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert pdf.startswith(b"%PDF")
        look.page.emulate_media(media="print")
        assert not look.page.locator("nav").is_visible()
        assert look.page.locator("#sentence").is_visible()
        assert look.page.locator("#trust").is_visible()


def test_it_works_without_javascript(site: Site, browser: Browser) -> None:
    """The page brings no script at all."""
    site.show("full")
    with looking(browser, axe=False) as context:
        look = look_at(context, site, "/")
        assert look.page.locator("script").count() == 0
        policy = context.request.get(site.address).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
