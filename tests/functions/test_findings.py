"""The list of findings over real tables: its order, its pages, its filters and what it costs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from functions.answers import findings
from functions.incidents import incidents
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.incidents.findings import Finding
from shared.incidents.model import Facts, Incident, Who
from shared.ledger.slices import partition_of
from shared.rules.rule import CUSTOMER, PARTNER, Severity
from shared.store.findings import finding_row
from shared.store.incident_rows import incident_columns
from tests.functions.asking import app_over, ask, counted_requests, pages, write_rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
OTHER = "44444444-4444-4444-4444-444444444444"
CROWDED = datetime(2026, 10, 20, 11, tzinfo=UTC)
_FITS = (
    (("interactive-without-mfa", Severity.HIGH),),
    (("legacy-auth", Severity.CRITICAL), ("interactive-without-mfa", Severity.HIGH)),
    (("mfa-evidence-unknown", Severity.LOW),),
    (("device-code", Severity.MEDIUM),),
)


def _drawing(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - samples


def _finding(number: int, at: datetime, draw: random.Random) -> Finding:
    user = draw.randrange(4)
    return Finding(
        id=f"{number:08d}-0000-0000-0000-000000000000" if number % 7 else f"odd id/{number}",
        at=at,
        scope=draw.choice(("customer", "partner-center", "partner-tenant")),
        evidence=draw.choice(("none", "unknown")),
        verdict=draw.choice(("non-compliant", "unknown")),
        code=0,
        interactive=True,
        fits=draw.choice(_FITS),
        user=f"{user:032x}",
        user_name=f"Person{user}@partner.example",
        user_display_name=f"Person {user}",
        customer=draw.choice((id_key(CUSTOMER), id_key(OTHER))),
        app=f"{draw.randrange(3):032x}",
        app_name="An app",
        resource_name="A resource",
        client="Browser",
        user_agent="agent",
        ip="192.0.2.1",
        session_id="session",
        token_id="token",
        correlation_id="correlation",
    )


@dataclass(frozen=True)
class Held:
    app: App
    in_order: list[tuple[str, Finding]]  # newest first, with the tenant whose log it is of

    def expected(self, fits: Callable[[Finding], bool]) -> list[tuple[str, str]]:
        return [(f"{f.at:%Y-%m-%dT%H:%M:%S}", f.id) for _, f in self.in_order if fits(f)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held(azurite: str) -> AsyncIterator[Held]:
    """Findings of two tenants: some in half an hour, some in sixty days, some at the same time."""
    draw = _drawing(5)
    of_partner = [_finding(2000 + n, CROWDED + timedelta(seconds=draw.randrange(-900, 900)), draw) for n in range(60)]
    of_partner += [_finding(3000 + n, NOW - timedelta(seconds=draw.randrange(1, 5_184_000)), draw) for n in range(60)]
    of_partner.append(_finding(4000, datetime(2026, 10, 31, tzinfo=UTC), draw))  # a midnight
    of_partner.append(_finding(4001, NOW - timedelta(microseconds=1), draw))
    of_other = [_finding(2000 + n, of_partner[n].at, draw) for n in range(30)]  # the same sign-ins, seen there
    of_other += [_finding(5000 + n, CROWDED, draw) for n in range(20)]
    async with app_over(azurite, NOW, PARTNER, OTHER) as app:
        rows = []
        for tenant, of_tenant in ((PARTNER, of_partner), (OTHER, of_other)):
            rows += [(tenant, finding_row(partition_of(tenant, f.at), f), f) for f in of_tenant]
        await write_rows((await app.tables()).slices, [row for _, row, _ in rows])
        rows.sort(key=lambda r: (r[0] == OTHER, r[1]["RowKey"]))
        rows.sort(key=lambda r: r[2].at, reverse=True)
        yield Held(app, [(tenant, finding) for tenant, _, finding in rows])


def _seen(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["signedInAt"][:19], item["id"]) for item in items]


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("limit=1000", lambda _: True),
        ("limit=17", lambda _: True),
        ("limit=1&from=2026-10-25", lambda f: f.at >= datetime(2026, 10, 25, tzinfo=UTC)),
        ("limit=100&rule=legacy-auth", lambda f: "legacy-auth" in f.rules),
        ("limit=100&rule=legacy-auth,device-code&severity=critical", lambda f: "legacy-auth" in f.rules),
        ("limit=250&severity=medium", lambda f: f.severity >= Severity.MEDIUM),
        ("limit=90&user=PERSON2@partner.example", lambda f: f.user == f"{2:032x}"),
        ("limit=90&user=00000000-0000-0000-0000-000000000003", lambda f: f.user == f"{3:032x}"),
        (f"limit=500&customer={OTHER}&app={1:032X}", lambda f: f.customer == id_key(OTHER) and f.app == f"{1:032x}"),
        ("limit=500&scope=customer,partner-center", lambda f: f.scope != "partner-tenant"),
        ("limit=500&evidence=none&verdict=unknown", lambda f: f.evidence == "none" and f.verdict == "unknown"),
        ("limit=500&customer=CUSTOMER&app=an%20APP", lambda f: f.customer == id_key(CUSTOMER)),
        ("limit=500&severity=CRITICAL&scope=Guest", lambda _: False),
        ("limit=500&scope=all", lambda _: True),
        (f"limit=1000&from={_iso(CROWDED + timedelta(seconds=1))}", lambda f: f.at > CROWDED),
        (f"limit=7&from={_iso(CROWDED + timedelta(seconds=1))}", lambda f: f.at > CROWDED),
        (f"limit=500&to={_iso(CROWDED)}", lambda f: f.at < CROWDED),
        (
            f"limit=9&from={_iso(CROWDED - timedelta(minutes=9))}&to={_iso(CROWDED)}",
            lambda f: CROWDED - timedelta(minutes=9) <= f.at < CROWDED,
        ),
        ("from=2026-10-31&to=2026-11-01", lambda f: f.at.date().isoformat() == "2026-10-31"),
        ("from=2026-11-02T12:00:00Z", lambda _: False),
        ("from=2027-01-01&to=2028-01-01", lambda _: False),
    ],
)
async def test_every_finding_that_fits_comes_once_and_newest_first(
    held: Held, query: str, fits: Callable[[Finding], bool]
) -> None:
    assert _seen(await pages(findings, held.app, query)) == held.expected(fits)


async def test_a_second_with_more_findings_than_a_request_gives_is_listed_whole(azurite: str) -> None:
    draw = _drawing(3)
    crowd = [_finding(n, CROWDED, draw) for n in range(1020)]
    crowd += [_finding(n, CROWDED + timedelta(minutes=draw.randrange(-600, 600)), draw) for n in range(3000, 3040)]
    rows = [finding_row(partition_of(PARTNER, f.at), f) for f in crowd]
    async with app_over(azurite, NOW) as app:
        await write_rows((await app.tables()).slices, rows)
        in_order = sorted(zip(rows, crowd, strict=True), key=lambda r: r[0]["RowKey"])
        in_order.sort(key=lambda r: r[1].at, reverse=True)
        expected = [f.id for _, f in in_order]
        with counted_requests() as sent:
            assert [item["id"] for item in await pages(findings, app, "limit=600")] == expected
        assert len(sent) < 90


async def test_a_page_of_many_findings_asks_for_little_more_than_it_shows(azurite: str) -> None:
    """However many there are: 900 in the last hours would all come with the first request."""
    draw = _drawing(6)
    made = [_finding(n, NOW - timedelta(seconds=1 + 30 * n), draw) for n in range(900)]
    async with app_over(azurite, NOW) as app:
        await write_rows((await app.tables()).slices, [finding_row(partition_of(PARTNER, f.at), f) for f in made])
        with counted_requests() as sent:
            shown = (await ask(findings, app, "limit=20")).json["items"]
        asked = [request for request in sent if "top=" in request]  # coverage asks the same table for heads
        assert [item["id"] for item in shown] == [f.id for f in made[:20]]
        assert 0 < len(asked) <= 3


@pytest.mark.soak  # a minute of writing and reading; test_a_second_with_more_… is its small sister
async def test_a_slice_with_20_000_findings_takes_no_call_more_than_ten_requests(azurite: str) -> None:
    """Half of them in one second, the rest over a quarter of an hour: what a spray by a password flow leaves."""
    draw = _drawing(4)
    start = datetime(2026, 10, 20, 11, tzinfo=UTC)
    crowd = [_finding(n, start + timedelta(minutes=7), draw) for n in range(10_000)]
    crowd += [_finding(n, start + timedelta(seconds=draw.randrange(900)), draw) for n in range(10_000, 20_000)]
    async with app_over(azurite, NOW) as app:
        await write_rows((await app.tables()).slices, [finding_row(partition_of(PARTNER, f.at), f) for f in crowd])
        with counted_requests() as sent:
            listed = await pages(findings, app, "limit=1000")
        assert sorted(item["id"] for item in listed) == sorted(f.id for f in crowd)
        times = [item["signedInAt"] for item in listed]
        assert times == sorted(times, reverse=True)
        assert len(sent) < 400, len(sent)


async def test_a_name_that_nobody_knows_is_told_and_not_an_empty_list(held: Held) -> None:
    for query, said in (
        ("user=nobody", "no such person"),
        ("customer=Adatum%20Foods", "no such customer"),
        (f"app={'9' * 32}", "no such application"),
    ):
        for endpoint in (findings, incidents):
            reply = await ask(endpoint, held.app, query)
            assert (reply.status, reply.json["detail"]) == (404, said), query
    assert (await ask(findings, held.app, "cause=nobody")).json["detail"] == "no such cause"
    known = await ask(findings, held.app, f"customer={CUSTOMER}&from=2026-11-02T11:59:59.999999Z")
    assert known.status == 200


async def test_every_list_says_its_period_and_how_much_was_read(held: Held) -> None:
    shown = (await ask(findings, held.app, "from=2026-10-01&to=2026-10-08")).json
    assert shown["period"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-10-08T00:00:00Z"}
    assert (shown["coverage"]["percent"], shown["coverage"]["completeSlices"]) == (0.0, 0)


async def test_the_findings_of_an_incident(held: Held) -> None:
    app = held.app
    finding = held.in_order[40][1]
    key = next(iter(finding.incidents()))
    findings_of = [(tenant, f) for tenant, f in held.in_order if key in f.incidents()]
    assert (await ask(findings, app, f"incident={key}")).status == 404
    assert (await ask(findings, app, "incident=nonsense")).json["detail"] == "no such incident"
    facts = Facts(
        count=len(findings_of),
        first=min(f.at for _, f in findings_of),
        last=max(f.at for _, f in findings_of),
        rules=frozenset(finding.rules),
        severity=3,
        announceable=3,
    )
    incident = Incident(key, Who(finding.user, finding.user_name, finding.customer, finding.app, ""), facts)
    await write_rows((await app.tables()).incidents, [incident_columns(incident)])
    listed = await pages(findings, app, f"incident={key.upper()}&limit=3")
    assert _seen(listed) == [(f"{f.at:%Y-%m-%dT%H:%M:%S}", f.id) for _, f in findings_of]
    assert all(key in item["incidentIds"] for item in listed)


async def test_rules_are_named_with_what_to_do(held: Held) -> None:
    page = (await ask(findings, held.app, "limit=50")).json
    named = {rule for item in page["items"] for rule in item["rules"]}
    assert set(page["ruleTexts"]) == named
    assert all(text["title"] and text["first"] and text["whatToDo"] for text in page["ruleTexts"].values())


async def test_a_quiet_stretch_of_years_is_looked_through_in_a_few_calls(azurite: str) -> None:
    async with app_over(azurite, NOW) as app:
        old = _finding(1, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), _drawing(1))
        await write_rows((await app.tables()).slices, [finding_row(partition_of(PARTNER, old.at), old)])
        with counted_requests() as sent:
            assert [item["id"] for item in await pages(findings, app, "")] == [old.id]
        assert len(sent) < 40


async def test_more_tenants_than_one_group_are_gone_through_group_by_group(azurite: str) -> None:
    tenants = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(1, 11)]
    async with app_over(azurite, NOW, *tenants) as app:
        draw = _drawing(2)
        rows, expected = [], []
        for group in (tenants[:4], tenants[4:8], tenants[8:]):
            made = [(t, _finding(n * 10, NOW - timedelta(hours=n), draw)) for n, t in enumerate(group, 1)]
            rows += [finding_row(partition_of(t, f.at), f) for t, f in made]
            expected += [f.id for _, f in made]
        await write_rows((await app.tables()).slices, rows)
        assert [item["id"] for item in await pages(findings, app, "")] == expected


async def test_an_item_says_what_an_auditor_needs(held: Held) -> None:
    (item,) = await pages(findings, held.app, "from=2026-11-02T11:59:59.999999Z")
    newest = held.in_order[0][1]
    assert item == {
        "id": "00004001-0000-0000-0000-000000000000",
        "signedInAt": "2026-11-02T11:59:59.999999Z",
        "scope": newest.scope,
        "evidence": newest.evidence,
        "verdict": newest.verdict,
        "rules": [*newest.rules],
        "severity": newest.severity.label,
        "why": None,
        "strength": None,
        "interactive": True,
        "resultCode": 0,
        "userId": f"00000000-0000-0000-0000-{int(newest.user, 16):012x}",
        "userPrincipalName": newest.user_name,
        "userDisplayName": newest.user_display_name,
        "customerId": CUSTOMER if newest.customer == id_key(CUSTOMER) else OTHER,
        "customerName": "Customer" if newest.customer == id_key(CUSTOMER) else None,
        "appId": f"00000000-0000-0000-0000-{int(newest.app, 16):012x}",
        "appName": "An app",
        "resourceName": "A resource",
        "clientApp": "Browser",
        "userAgent": "agent",
        "ipAddress": "192.0.2.1",
        "sessionId": "session",
        "uniqueTokenIdentifier": "token",
        "correlationId": "correlation",
        "cause": None,
        "causeId": None,
        "incidentIds": [*newest.incidents()],
    }


async def test_a_cursor_goes_on_with_its_own_question_alone(held: Held) -> None:
    cursor = (await ask(findings, held.app, "limit=5&severity=high")).json["cursor"]
    for query in ("limit=5", "limit=5&severity=low", "limit=5&severity=high&to=2026-11-01"):
        assert (await ask(findings, held.app, f"{query}&cursor={cursor}")).wrong == ["cursor"]
    for nonsense in ("x", "%20", "=", "a" * 1000, quote("é"), cursor[:-1], cursor + "A"):
        reply = await ask(findings, held.app, f"limit=5&severity=high&cursor={nonsense}")
        assert (reply.status, reply.wrong) == (400, ["cursor"])
    for query in ("limit=6&severity=high", "severity=high&format=csv"):  # the page may change, the question not
        assert (await ask(findings, held.app, f"{query}&cursor={cursor}")).status == 200


async def test_csv_gives_the_same_pages(held: Held) -> None:
    rows: list[tuple[str, str]] = []
    query = f"limit=20&format=csv&from={_iso(CROWDED + timedelta(seconds=1))}"
    cursor = ""
    while True:
        reply = await ask(findings, held.app, query + cursor)
        assert (reply.status, reply.kind) == (200, "text/csv")
        assert reply.headers["Content-Disposition"] == 'attachment; filename="findings.csv"'
        rows += [(row["signedInAt"][:19], row["id"]) for row in reply.rows]
        if "X-Next-Cursor" not in reply.headers:
            break
        cursor = f"&cursor={reply.headers['X-Next-Cursor']}"
    assert rows == held.expected(lambda f: f.at > CROWDED)


async def test_rows_of_a_newer_version_of_the_app_are_left_alone(azurite: str) -> None:
    async with app_over(azurite, NOW) as app:
        one, two = (_finding(n, NOW - timedelta(hours=1), _drawing(n)) for n in (1, 2))
        newer = {**finding_row(partition_of(PARTNER, two.at), two), "v": 2, "user": 7}
        await write_rows((await app.tables()).slices, [finding_row(partition_of(PARTNER, one.at), one), newer])
        assert [item["id"] for item in await pages(findings, app, "")] == [one.id]
