"""The statement of a month, sealed once: the same hash and figures for ever, and no name of who was erased."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from functions.statement import statement
from shared.ledger.register import ActKind
from shared.maintenance.erase import erase_person
from shared.operations.register import Actor, note_act, shown_time
from shared.operations.slices import rescan
from shared.rules.rule import CUSTOMER, PASSWORD_ONLY, TECHNICIAN
from shared.statement.freezing import seal_due_months
from shared.statement.sealing import canonical, digest
from shared.store.statements import final_months
from tests.functions.asking import Reply, ask, counted_requests
from tests.scan.harness import Rig, record
from tests.statement.story import (
    COLLEAGUE,
    HOSTILE,
    NOW,
    OTHER,
    QUIET,
    SEPTEMBER,
    note_every_night,
    renew_customers,
    september,
    story,
)

ANN = Actor("ann", "t/ann")


async def asked(at: Rig, query: str = "", status: int = 200) -> Any:
    reply = await ask(statement, at.app, f"month=2026-09{query}")
    assert reply.status == status, reply.text
    return reply.json


async def page(at: Rig, query: str) -> Reply:
    reply = await ask(statement, at.app, f"month=2026-09{query}")
    assert reply.status == 200, reply.text
    return reply


@pytest.fixture
async def at(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with story(azurite, monkeypatch) as made:
        yield made


async def test_a_month_is_provisional_until_it_is_sealed(at: Rig) -> None:
    await renew_customers(at.app)
    before = await asked(at)
    assert [(c["kind"], c["signIns"], c["gaps"], c["people"]) for c in before["sealed"]["causes"]] == [
        ("customer-side", 3, 1, 2)
    ]
    assert "Why sign-ins without MFA were possible" in (await page(at, "&format=html")).text
    assert "causes,customer-side,3," in (await page(at, "&format=csv")).text
    assert (await asked(at, f"&customer={CUSTOMER}"))["sealed"]["causes"] is None
    await what_no_night_noted_is_said_to_be_not_recorded(at)
    await one_customer_sees_nothing_of_another(at)
    await it_takes_few_requests(at)
    assert before["state"] == "provisional"
    assert before["heading"] == "Provisional statement of September 2026"
    assert "Provisional" in before["firstPage"][0]
    assert await seal_due_months(at.app) == [SEPTEMBER.replace(month=8), SEPTEMBER]
    after = await asked(at)
    assert (after["state"], after["heading"]) == ("final", "Statement of September 2026")
    volatile = {"state", "names", "generatedAt", "previous"}
    assert {k: v for k, v in before["sealed"].items() if k not in volatile} == {
        k: v for k, v in after["sealed"].items() if k not in volatile
    }
    assert after["sealed"]["previous"]["month"] == "2026-08"
    assert await seal_due_months(at.app) == [], "once"


async def test_a_sealed_month_as_everybody_reads_it(at: Rig) -> None:
    await note_every_night(at.app)
    await seal_due_months(at.app)
    await it_says_what_the_log_says(at)
    await one_customer_sees_nothing_of_another(at)
    await the_hash_is_of_what_is_shown(at)
    await the_page_and_the_csv_are_harmless(at)
    await it_takes_few_requests(at)
    await wrong_months_are_refused(at)


async def it_says_what_the_log_says(at: Rig) -> None:
    shown = await asked(at)
    sealed = shown["sealed"]
    figures = sealed["figures"]
    assert (figures["total"], figures["compliant"], figures["nonCompliant"]) == (6, 3, 3)
    assert figures["compliancePercent"] == 50.0
    assert sum(figures["byEvidence"].values()) == 6
    assert figures["byRule"]["password-flow"] == 1
    assert sealed["coverage"]["percent"] == 100.0
    assert [day["coveragePercent"] for day in sealed["days"]] == [100.0] * 30
    assert sealed["gaps"] == []
    assert sealed["rulesVersions"] == {"2": 30} or len(sealed["rulesVersions"]) == 1
    assert sealed["roster"] == {"people": 2, "customers": 3}
    by_name = {c["customerName"]: c["figures"]["total"] for c in sealed["customers"]}
    assert by_name == {"Contoso": 4, HOSTILE: 2, "Fabrikam": 0}
    assert {i["customerName"] for i in sealed["incidents"]} >= {"Contoso", HOSTILE}
    assert {person["userName"] for person in shown["people"]} == {
        "technician@partner.example",
        "colleague@partner.example",
    }
    assert "partner.example" not in json.dumps(sealed), "people are numbers in it"
    assert TECHNICIAN not in json.dumps(sealed)
    answers = {q["id"]: q["answer"] for q in shown["opening"]}
    assert answers == {
        "mfa-enforced": "partly",
        "no-legacy-sign-ins": "no",
        "no-broad-exclusions": "yes",
        "everybody-enrolled": "yes",
    }
    assert shown["firstPage"] == []


async def what_no_night_noted_is_said_to_be_not_recorded(at: Rig) -> None:
    shown = await asked(at)
    answers = {q["id"]: q["answer"] for q in shown["opening"]}
    assert answers["mfa-enforced"] == answers["no-broad-exclusions"] == answers["everybody-enrolled"] == "not-recorded"


async def one_customer_sees_nothing_of_another(at: Rig) -> None:
    shown = await asked(at, "&customer=Contoso")
    text = json.dumps(shown)
    assert shown["sealed"]["customer"] == {"customerId": CUSTOMER, "customerName": "Contoso"}
    assert (shown["sealed"]["figures"]["total"], shown["sealed"]["figures"]["nonCompliant"]) == (4, 2)
    assert OTHER not in text
    assert "evil.example" not in text
    assert "colleague" not in text
    quiet = await asked(at, f"&customer={QUIET}")
    assert quiet["sealed"]["figures"]["total"] == 0
    assert (await ask(statement, at.app, "month=2026-09&customer=Nobody")).status == 404


async def test_an_erased_person_is_gone_and_hash_and_figures_stay(at: Rig) -> None:
    await seal_due_months(at.app)
    before, all_before = await asked(at, f"&customer={CUSTOMER}"), await asked(at)
    assert [p["userName"] for p in before["people"]] == ["technician@partner.example"]
    await erase_person(at.app, TECHNICIAN, ANN, force=True)
    after, all_after = await asked(at, f"&customer={CUSTOMER}"), await asked(at)
    for old, new in ((before, after), (all_before, all_after)):
        assert (old["sha256"], old["sealed"]) == (new["sha256"], new["sealed"])
        assert "technician@partner.example" not in json.dumps(new)
        assert TECHNICIAN not in json.dumps(new)
    assert after["people"] == []
    assert [p["userName"] for p in all_after["people"]] == ["colleague@partner.example"]
    html = (await page(at, f"&customer={CUSTOMER}&format=html")).text
    assert "technician@" not in html
    assert before["sha256"] in html


async def the_hash_is_of_what_is_shown(at: Rig) -> None:
    for query in ("", f"&customer={CUSTOMER}"):
        shown = await asked(at, query)
        assert digest(canonical(shown["sealed"])) == shown["sha256"]
        assert digest((await page(at, f"{query}&format=sealed")).text.encode()) == shown["sha256"]
    (august, september_) = await final_months((await at.tables()).control)
    assert september_.sha256 == (await asked(at))["sha256"]
    assert (await asked(at))["sealed"]["previous"]["sha256"] == august.sha256


async def test_two_who_seal_at_once_seal_one(at: Rig) -> None:
    other = at.worker()
    await asyncio.gather(seal_due_months(at.app), seal_due_months(other))
    assert len(await at.app.statements.names("names/2026-09-")) == 1
    shown = await asked(at)
    assert [m.sha256 for m in await final_months((await at.tables()).control)][1] == shown["sha256"]
    assert len(shown["people"]) == 2


async def test_after_a_rescan_it_shows_what_was_sealed_and_today_apart(at: Rig) -> None:
    await seal_due_months(at.app)
    before = await asked(at)
    assert before["today"] is None
    at.pass_time(NOW - NOW.replace(hour=3))
    at.correct(record("good", september(2), **PASSWORD_ONLY))
    await rescan(at.app, at.settings.partner_tenant_id, september(1, 0), september(3, 0))
    period = {"from": shown_time(september(1, 0)), "to": shown_time(september(3, 0))}
    await note_act(at.app, ActKind.RESCAN, ANN, **period)
    await at.work()
    await renew_customers(at.app)
    after = await asked(at)
    assert (after["sha256"], after["sealed"]) == (before["sha256"], before["sealed"])
    assert after["today"]["figures"]["nonCompliant"] == 4
    assert "rescan on 2026-10-12" in after["today"]["reason"]
    of_customer = await asked(at, f"&customer={CUSTOMER}")
    assert of_customer["today"]["figures"]["nonCompliant"] == 3
    html = (await page(at, "&format=html")).text
    assert "What the same month says today" in html


async def test_a_gap_stands_on_the_first_page(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with story(azurite, monkeypatch, lookback_days=13) as at:
        await seal_due_months(at.app)
        shown = await asked(at)
        assert shown["state"] == "final"
        (told,) = shown["firstPage"]
        assert told.startswith("Gap in coverage: 3.33 % of the log was read (1 of 30 pieces).")
        assert "before the monitor was installed (29 days)" in told
        assert {q["id"]: q["answer"] for q in shown["opening"]}["no-legacy-sign-ins"] == "partly"
        html = (await page(at, "&format=html")).text
        assert html.index("Gap in coverage") < html.index("What insurers ask")


async def the_page_and_the_csv_are_harmless(at: Rig) -> None:
    html = await page(at, "&format=html")
    assert html.kind == "text/html"
    assert "<script" not in html.text
    assert "&lt;script&gt;" in html.text
    policy = html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    csv = await page(at, "&format=csv")
    assert csv.kind == "text/csv"
    for row in csv.rows:
        for cell in row.values():
            for part in cell.split(";"):
                assert not part.lstrip(" \"'").startswith(("=", "+", "-", "@")) or part.lstrip().startswith("'"), cell
    assert {row["section"] for row in csv.rows} >= {"insurers", "headline", "coverage", "incidents", "names", "limits"}


async def wrong_months_are_refused(at: Rig) -> None:
    for month in ("2026-13", "2026-9", "september", "2027-01", "1999-12"):
        reply = await ask(statement, at.app, f"month={month}")
        assert reply.status == 400, month
        assert reply.wrong == ["month"]
    assert (await ask(statement, at.app, "month=2025-01")).wrong == ["month"], "not kept any more"
    assert (await ask(statement, at.app, "")).json["sealed"]["month"] == "2026-09"


async def it_takes_few_requests(at: Rig) -> None:
    await asked(at)
    for query in ("", f"&customer={CUSTOMER}", f"&customer={CUSTOMER}&format=html"):
        with counted_requests() as sent:
            await page(at, query)
        assert 0 < len(sent) <= 10, (query, sent)


async def test_a_month_waits_for_its_last_re_read(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with story(azurite, monkeypatch, lookback_days=13, read_ages_minutes="0,20160") as at:
        assert SEPTEMBER not in await seal_due_months(at.app)
        assert (await asked(at))["state"] == "provisional"
        at.pass_time(14 * (NOW.replace(day=13) - NOW))
        await at.work()
        assert SEPTEMBER in await seal_due_months(at.app)


async def test_names_are_forgotten_with_the_findings_and_the_statement_stays(at: Rig) -> None:
    await seal_due_months(at.app)
    before = await asked(at)
    at.pass_time(400 * (NOW.replace(day=13) - NOW))
    await seal_due_months(at.app)
    after = await asked(at)
    assert (after["sha256"], after["people"], after["today"]) == (before["sha256"], [], None)
    assert COLLEAGUE not in json.dumps(after)
