"""The list of incidents over real tables."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from functions.answers import summary
from functions.incidents import incidents
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.incidents.findings import incident_key
from shared.incidents.model import ALL_SCOPES, Facts, Incident, IncidentState, Who
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN
from shared.store.incident_rows import incident_columns
from shared.wire.models import shown_id
from tests.functions.asking import app_over, ask, counted_requests, pages, write_rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
_STATES = ("open", "open", "acknowledged", "resolved")


def _incident(number: int, key: str, last: datetime, draw: random.Random) -> Incident:
    facts = Facts(
        number + 1,
        last - timedelta(hours=1),
        last,
        frozenset({draw.choice(("legacy-auth", "device-code"))}),
        draw.randint(1, 4),
        0,
        draw.choice((frozenset({"customer"}), frozenset({"partner-center", "partner-tenant"}))),
    )
    who = Who(
        draw.choice((id_key(TECHNICIAN), "b" * 32)), "Technician@partner.example", id_key(CUSTOMER), "c" * 32, "App"
    )
    if number % 5 == 0:
        who = Who(who.user, who.user_name, "", "", "")  # about the user alone
        facts = replace(facts, customers=frozenset({"d" * 32, id_key(CUSTOMER)} if number % 10 else {"d" * 32}))
    return Incident(key, who, facts, state=IncidentState(draw.choice(_STATES)))


@dataclass(frozen=True)
class Held:
    app: App
    in_order: list[Incident]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held(azurite: str) -> AsyncIterator[Held]:
    """Two hundred incidents, some seen last at the same time."""
    draw = random.Random(11)  # noqa: S311 - samples
    made = [_incident(n, incident_key(str(n)), NOW - timedelta(minutes=draw.randrange(90)), draw) for n in range(200)]
    async with app_over(azurite, NOW, PARTNER) as app:
        rows = [incident_columns(i) for i in made]
        for row in rows[-20:]:
            del row["scopes"]  # as an older version of the app wrote them
        made[-20:] = [replace(i, facts=replace(i.facts, scopes=ALL_SCOPES)) for i in made[-20:]]
        await write_rows((await app.tables()).incidents, rows)
        yield Held(app, sorted(made, key=lambda i: (i.facts.last, i.key), reverse=True))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("limit=1000", lambda _: True),
        ("limit=9", lambda _: True),
        ("state=open", lambda i: i.state == "open"),
        ("state=acknowledged,resolved&limit=30", lambda i: i.state in ("acknowledged", "resolved")),
        ("state=silenced", lambda _: False),
        ("severity=high", lambda i: i.facts.severity >= 3),
        ("rule=legacy-auth&limit=50", lambda i: "legacy-auth" in i.facts.rules),
        (
            f"user={TECHNICIAN}&customer={CUSTOMER}",
            lambda i: i.who.user == id_key(TECHNICIAN) and id_key(CUSTOMER) in i.customers,
        ),
        ("user=technician@PARTNER.example&limit=150", lambda _: True),
        (f"customer={PARTNER}", lambda _: False),
        (f"customer={CUSTOMER}", lambda i: id_key(CUSTOMER) in i.customers),
        ("scope=customer", lambda i: "customer" in i.facts.scopes),
        ("scope=partner-tenant,partner-center&state=open", lambda i: i.state == "open" and len(i.facts.scopes) > 1),
    ],
)
async def test_every_incident_that_fits_comes_once_and_those_seen_last_come_first(
    held: Held, query: str, fits: Callable[[Incident], bool]
) -> None:
    items = await pages(incidents, held.app, query)
    assert [item["id"] for item in items] == [i.key for i in held.in_order if fits(i)]


async def test_an_item_tells_whose_incident_it_is(held: Held) -> None:
    first = held.in_order[0]
    item = (await ask(incidents, held.app, "limit=1")).json["items"][0]
    alone = not first.who.customer
    assert item == {
        "id": first.key,
        "state": first.state,
        "reason": None,
        "severity": ("low", "medium", "high", "critical")[first.facts.severity - 1],
        "rules": sorted(first.facts.rules),
        "scopes": sorted(first.facts.scopes),
        "count": first.facts.count,
        "firstSeenAt": f"{first.facts.first:%Y-%m-%dT%H:%M:%SZ}",
        "lastSeenAt": f"{first.facts.last:%Y-%m-%dT%H:%M:%SZ}",
        **dict.fromkeys(("openedAt", "raisedAt", "resolvedAt", "snoozedUntil", "assignee", "dueOn")),
        "userId": TECHNICIAN if first.who.user == id_key(TECHNICIAN) else "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb",
        "userPrincipalName": "Technician@partner.example",
        "customerId": None if alone else CUSTOMER,
        "customerName": None if alone else "Customer",
        "customers": [
            {"customerId": shown_id(key), "customerName": "Customer" if key == id_key(CUSTOMER) else None}
            for key in sorted(first.customers)
        ],
        "appId": None if alone else "cccccccc-cccc-cccc-cccc-cccccccccccc",
        "appName": None if alone else "App",
    }


async def test_the_list_says_how_many_there_are(held: Held) -> None:
    still_open = sum(i.state == "open" for i in held.in_order)
    assert (await ask(incidents, held.app, "limit=5&state=open")).json["total"] == still_open


async def test_a_customers_summary_counts_those_about_a_user_alone_too(held: Held) -> None:
    shown = (await ask(summary, held.app, f"scope=all&customer={CUSTOMER}")).json["incidents"]
    there = [i for i in held.in_order if id_key(CUSTOMER) in i.customers and i.state == "open"]
    assert shown["open"] == len(there) > sum(bool(i.who.customer) for i in there)


async def test_a_cursor_goes_on_with_its_own_question_alone(held: Held) -> None:
    cursor = (await ask(incidents, held.app, "limit=5&state=open")).json["cursor"]
    for query in ("limit=5", "limit=5&state=resolved"):
        reply = await ask(incidents, held.app, f"{query}&cursor={cursor}")
        assert (reply.status, reply.wrong) == (400, ["cursor"])
    assert (await ask(incidents, held.app, f"limit=7&state=open&cursor={cursor}")).status == 200


@pytest.mark.parametrize("scopes", ["customer", "partner-center,customer", "partner-tenant"])
async def test_the_summary_counts_the_open_ones_of_its_scopes_in_few_requests(held: Held, scopes: str) -> None:
    await held.app.directory()
    with counted_requests() as sent:
        shown = (await ask(summary, held.app, f"scope={scopes}")).json["incidents"]
    assert len(sent) <= 12  # of the shards, days, directory, posture and exceptions
    still_open = [
        i.facts.severity
        for i in held.in_order
        if i.state == "open" and not i.facts.scopes.isdisjoint(scopes.split(","))
    ]
    assert shown["open"] == len(still_open) > 0
    assert list(shown["bySeverity"].values()) == [still_open.count(s) for s in (4, 3, 2, 1)]
    of_scopes = [i for i in held.in_order if not i.facts.scopes.isdisjoint(scopes.split(","))]
    assert shown["acknowledged"] == sum(i.state == "acknowledged" for i in of_scopes) > 0
    assert shown["stillHappening"] == sum(i.state != "resolved" for i in of_scopes), "an acknowledged one counts"
    assert shown["openAll"] == sum(i.state == "open" for i in held.in_order)
    assert sum(sum(by.values()) for by in shown["byState"].values()) == len(of_scopes)


async def test_more_incidents_than_a_request_gives_are_listed_window_by_window(azurite: str) -> None:
    draw = random.Random(12)  # noqa: S311 - samples
    made = [_incident(n, f"{n % 2}{n:031x}"[:1] + f"{n:04x}" + "0" * 27, NOW, draw) for n in range(1020)]
    async with app_over(azurite, NOW, PARTNER) as app:
        await write_rows((await app.tables()).incidents, [incident_columns(i) for i in made])
        first = (await ask(incidents, app, "limit=1000")).json
        assert (first["items"], first["cursor"] is None) == ([], False)  # too many for one look: the next is narrower
        items = await pages(incidents, app, "limit=1000")
        assert len(items) == len(made)
        assert {item["id"] for item in items} == {i.key for i in made}
