"""The overview and an incident over real tables: what a person sees, whatever the log calls itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import pytest_asyncio

from shared.answers.causes import CausesQuery, read_causes
from shared.answers.incident_detail import ChangedIncident, UnknownIncident
from shared.answers.incidents import IncidentsQuery, read_incidents
from shared.page import PAGES, PageQuery, Visit
from shared.page.incidents import IncidentForm, act_on_incident
from shared.page.overview import overview_page
from shared.preflight import preflight
from shared.rules.rule import CUSTOMER, PARTNER, PASSWORD_ONLY, PLAIN, TECHNICIAN
from shared.store.flights import change_flight, read_flight
from tests.functions.asking import counted_requests
from tests.scan.harness import Rig, record, rig

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>=cmd|'/C calc'!A0 \u202egnp.exe 😀"


class Seen(HTMLParser):
    """The elements of a page, its attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest_asyncio.fixture
async def at(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Two slices of a day: a good sign-in, and two without MFA by somebody with a hostile name."""
    async with rig(azurite, monkeypatch, slice_minutes=1440, lookback_days=2) as made:
        bad = {**PASSWORD_ONLY, "appDisplayName": HOSTILE, "userDisplayName": HOSTILE, "userAgent": HOSTILE}
        made.log(
            record("good", NINE),
            record("bad", NINE + timedelta(hours=1), **bad),
            record("worse", NINE + timedelta(hours=2), **bad),
        )
        made.set_time(NINE.replace(hour=0) + timedelta(days=1, minutes=90))
        await made.work()
        yield made


def visit(at: Rig, here: str = "/", *, may_act: bool = True, key: str = "", query: object = None) -> Visit:
    path = {"id": key} if key else {}
    return Visit(at.app, PageQuery.model_validate(query or {}), path, here, may_act)


async def front(at: Rig, **query: object) -> str:
    (page,) = (page for page in PAGES if page.make is overview_page)
    return await page.show(visit(at, query=query))


async def incident_page(at: Rig, key: str, *, may_act: bool) -> str:
    (page,) = (page for page in PAGES if page.name == "page_incident")
    return await page.show(visit(at, f"/incidents/{key}", key=key, may_act=may_act))


async def the_incident(at: Rig) -> str:
    (item,) = (await read_incidents(at.app, IncidentsQuery())).items
    return item.id


async def test_the_sentence_says_what_is_wrong_and_what_it_rests_on(at: Rig) -> None:
    text = " ".join(Seen(await front(at, days="2")).text.split())
    assert "1 problem is open" in text
    assert "33.33 % of 3 sign-ins had MFA" in text
    assert "no channel is set up: nobody is told" in text
    assert "✓" not in text


async def test_what_the_first_scan_opened_and_what_of_it_is_closed_again_is_said(at: Rig) -> None:
    text = " ".join(Seen(await front(at, days="2")).text.split())
    assert "The first scan opened 1 incident in all scopes together. What changes" in text
    key = await the_incident(at)
    await act_on_incident(visit(at, key=key), IncidentForm(act="resolved", version="*"), by="jane@partner.example")
    text = " ".join(Seen(await front(at, days="2")).text.split())
    assert "The first scan opened 1 incident in all scopes together; 1 of them is closed again. What changes" in text


async def test_a_filter_does_not_make_the_sentence_say_that_nothing_happens(at: Rig) -> None:
    text = " ".join(Seen(await front(at, days="2", user="technician@partner.example")).text.split())
    assert "technician@partner.example: 1 problem is open" in text
    assert "none seen in the last day" not in text


async def test_what_is_acknowledged_and_goes_on_is_said(at: Rig) -> None:
    key = await the_incident(at)
    await act_on_incident(visit(at, key=key), IncidentForm(act="acknowledged", version="*"), by="jane@partner.example")
    assert "1 problem that is known is still happening" in Seen(await front(at, days="2")).text


async def test_no_name_of_the_log_becomes_markup(at: Rig) -> None:
    for page in (await front(at), await incident_page(at, await the_incident(at), may_act=True)):
        seen = Seen(page)
        assert not {"script", "img", "iframe", "style"} & set(seen.elements)
        assert not any(name.startswith("on") or name == "style" for name, _ in seen.attributes)
        assert "<script>alert(1)</script>" in seen.text
        assert all(
            not (v or "").lower().startswith(("javascript:", "http:")) for n, v in seen.attributes if n == "href"
        )


async def test_every_page_is_small_and_asks_little_of_storage(at: Rig) -> None:
    path = {"id": "interactive-without-mfa", "day": f"{NINE:%Y-%m-%d}"}
    ids = {
        "page_incident": await the_incident(at),
        "page_cause": (await read_causes(at.app, CausesQuery())).items[0].id,
        "page_customer": CUSTOMER,
        "page_technician": TECHNICIAN,
        "page_application": str(PLAIN["appId"]),
        "page_finding": "bad",
    }
    asked = {}
    for page in PAGES:
        if page.name in ("page_exception", "page_pack"):
            continue  # there is none
        query = page.query.model_validate({"days": "2"})
        look = Visit(at.app, query, {**path, "id": ids.get(page.name, path["id"])}, f"/{page.route}", may_act=True)
        await page.show(look)
        with counted_requests() as sent:
            html = await page.show(look)
        asked[page.name] = len(sent)
        assert len(html.encode()) <= 100_000
    assert {name: count for name, count in asked.items() if count > 12} == {}


async def test_every_id_stands_once_and_every_label_has_its_place(at: Rig) -> None:
    page = await front(at)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for named in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert named in ids
    assert {"first", "incidents", "people", "customers", "trend"} <= set(ids)


async def test_a_person_acts_on_what_they_saw_and_on_nothing_else(at: Rig) -> None:
    key = await the_incident(at)
    page = await incident_page(at, key, may_act=True)
    version = re.search(r'name="version" value="([^"]+)"', page)
    assert version
    form = IncidentForm(act="acknowledged", comment="old job", version=version[1].replace("&#34;", '"'))
    await act_on_incident(visit(at, key=key), form, by="jane@partner.example")
    after = Seen(await incident_page(at, key, may_act=False)).text
    assert "old job" in after
    assert "jane@partner.example" in after
    assert "needs the app role Operator" in after
    with pytest.raises(ChangedIncident):
        await act_on_incident(visit(at, key=key), form, by="jane@partner.example")
    with pytest.raises(UnknownIncident):
        await incident_page(at, "0" * 32, may_act=True)


async def test_before_anything_was_read_nothing_is_called_clean(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=1440, lookback_days=2) as made:
        text = Seen(await front(made)).text
        assert "The log is being read for the first time; nothing can be said yet." in text
        assert "✓" not in text


async def test_every_page_says_that_the_log_cannot_be_read_now(at: Rig) -> None:
    """Also where all of the period was read before it began."""
    control = (await at.tables()).control
    await change_flight(control, await read_flight(control, PARTNER), problem="refused", problem_since=at.now)
    for page in PAGES:
        if "{" not in page.route:
            look = Visit(at.app, page.query.model_validate({"days": "2"}), {}, f"/{page.route}", may_act=True)
            html = await page.show(look)
            trust = Seen(re.findall(r'<p class="trust.*?</p>', html, re.DOTALL)[0]).text
            assert trust.startswith("Take care: the sign-in log cannot be read now"), page.name


async def test_what_keeps_slices_unread_is_counted_by_kind(at: Rig) -> None:
    at.set_time(at.now + timedelta(days=3))
    text = Seen(await front(at)).text
    assert re.search(r"of the period was read \(.*3 slices not read yet", text)


async def test_setup_says_the_tenant_once_and_what_to_do_first(at: Rig) -> None:
    await preflight(at.app)
    setup = next(page for page in PAGES if page.name == "page_setup")
    text = Seen(await setup.show(visit(at, "/setup"))).text
    assert text.count(PARTNER) == 1
    assert text.index("Channels") < text.index("What is in order") < text.index("AuditLog.Read.All: the sign-in log")
