"""The days: blocks of the heads, the partner's of the blocks, whatever order they are made in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.ledger.counts import FORMAT, Counts, Protocol, Seen
from shared.ledger.counts_json import mark_of
from shared.ledger.days import Day, Noted
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice
from shared.ledger.trimming import REST
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import Severity
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.outcome import Outcome
from shared.signin.traits import Identity, Scope
from shared.store.customer_quarters import customer_days, write_customer_quarters
from shared.store.days import (
    days_of_apps,
    days_of_customers,
    days_of_groups,
    days_of_pairs,
    days_of_users,
    note_day,
    partner_days,
)
from shared.store.ledger import Claim, heads_of_day, new_head, read_head
from shared.store.packing import pack
from shared.store.rollups import block_marks, day_marks, expired, roll_up, roll_up_partner
from shared.store.tables import SCHEMA, Tables, etag_of, insert, keys
from tests.functions.asking import counted_requests

DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=6)
AGES = (timedelta(0), timedelta(minutes=15), timedelta(hours=1))
QUARTER = timedelta(minutes=15)


def slice_of(tenant: str, number: int) -> Slice:
    return Slice(tenant, DAY + number * QUARTER, QUARTER)


async def put(tables: Tables, head: Head) -> None:
    """Have the ledger hold that head."""
    if await read_head(tables.slices, head.slice) is None:
        await tables.slices.write(new_head(head.slice, NOW, "0" * 20))
    claim = await Claim.take(tables.slices, head.slice, owner="o", send_id="s", now=NOW, lease=QUARTER)
    assert claim is not None
    await claim.write([], NOW, replace(head, owner="o", generation=claim.head.generation))


def sign_in(
    user: str = "u", customer: str = "c", app: str = "a", verdict: Verdict = Verdict.COMPLIANT, **more: str
) -> Seen:
    good = verdict is Verdict.COMPLIANT
    evidence = {Verdict.COMPLIANT: Evidence.PROVEN, Verdict.UNKNOWN: Evidence.UNKNOWN}.get(verdict, Evidence.NONE)
    fits = () if good else (("interactive-without-mfa", Severity.HIGH),)
    strength = Strength(more.get("strength", "app")) if good else None
    why = Why.NO_SESSION if verdict is Verdict.UNKNOWN else None
    assessment = Assessment(
        Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, evidence, verdict, fits, why=why, strength=strength
    )
    return Seen(assessment, user, f"{user}@x", customer, app, app.upper(), more.get("protocol", Protocol.SILENT))


def counted(seen: Iterable[Seen]) -> Counts:
    counts = Counts()
    for one in seen:
        counts.add(one)
    return counts


def done(slice_: Slice, *seen: Seen, **columns: int) -> Head:
    counts = counted(seen).to_json()
    return Head(
        slice_,
        settled=AGES[-1],
        whole=True,
        counts=counts,
        counts_mark=mark_of(counts),
        versions="rules 2, decoder 1, directory x, policy standard",
        **columns,  # type: ignore[arg-type]
    )


async def add_up(tables: Tables, tenant: str = "a") -> None:
    await roll_up(tables.slices, tables.rollups, tenant, NOW, AGES)


async def day_of(tables: Tables) -> Day:
    (day,) = [day async for day in partner_days(tables.rollups, DAY, NOW)]
    return day


async def test_the_partners_day_is_the_sum_of_its_tenants(tables: Tables) -> None:
    one = sign_in()
    heads = [
        done(slice_of("a-a", 0), *[one] * 3, quarantined=1),
        done(slice_of("a-a", 50), *[one] * 4),
        done(slice_of("b-b", 0), *[one] * 5, quarantined=2, accepted_quarantine=2),
    ]
    for head in heads:
        await put(tables, head)
    await add_up(tables, "a-a")
    await add_up(tables, "b-b")
    day = await day_of(tables)
    assert (day.day, day.quarantined, day.accepted_quarantine, len(day.reach)) == (DAY, 3, 2, 3)
    assert day.counts.scopes["customer"].verdicts == {"compliant": 12}
    assert day.rules_versions == {"2": 3}
    await put(tables, done(slice_of("a-a", 50)))
    await add_up(tables, "a-a")
    assert (await day_of(tables)).counts.scopes["customer"].verdicts == {"compliant": 8}


async def test_what_counts_as_complete(tables: Tables) -> None:
    heads = [
        Head(slice_of("a", 0), settled=AGES[-1], whole=True),  # sealed
        Head(slice_of("a", 1), settled=AGES[0], whole=True, records=1),  # its next age is overdue by now
        Head(slice_of("a", 2), settled=None, whole=False),
        Head(slice_of("a", 3), settled=AGES[-1], whole=False),
        Head(slice_of("a", 4), settled=AGES[-1], whole=True, consistent=False),
        Head(slice_of("a", 5), settled=AGES[-1], whole=True, state=SliceState.PARKED),
        Head(slice_of("a", 6), settled=AGES[-1], whole=True, state=SliceState.SPLIT),
        Head(slice_of("a", 7), settled=AGES[-1], whole=True, quarantined=1),
        Head(slice_of("a", 8), settled=AGES[-1], whole=True, quarantined=1, accepted_quarantine=1),
    ]
    for head in heads:
        await put(tables, head)
    await add_up(tables)
    reach = (await day_of(tables)).reach
    assert [r.is_complete(NOW) for r in reach] == [True, *[False] * 6, True]  # a split slice is none
    overdue = slice_of("a", 1).end + AGES[1] + timedelta(minutes=15)
    assert [reach[1].is_complete(at) for at in (overdue, overdue + timedelta(seconds=1))] == [True, False]


async def test_every_kind_of_line_is_kept_by_day(tables: Tables) -> None:
    seen = [
        sign_in("u1", "c1", "a1", strength="phone"),
        sign_in("u1", "c1", "a1", strength="phishing-resistant"),
        sign_in("u1", "c2", "a1", Verdict.NON_COMPLIANT, protocol="ropc"),
        sign_in("u2", "c1", "a2", Verdict.UNKNOWN),
    ]
    await put(tables, done(slice_of("a", 0), *seen))
    await add_up(tables)
    (users,) = [day async for day in days_of_users(tables.rollups, DAY, NOW)]
    assert users.lines["customer"]["u1"].strength == {"phone": 1, "phishing-resistant": 1}
    assert users.lines["customer"]["u1"].weakest == "phone"
    assert users.names == {"u1": "u1@x", "u2": "u2@x"}
    (apps,) = [day async for day in days_of_apps(tables.rollups, DAY, NOW)]
    assert {p: line.total for p, line in apps.lines["customer"]["a1"].items()} == {"silent": 2, "ropc": 1}
    (pairs,) = [day async for day in days_of_pairs(tables.rollups, DAY, NOW)]
    assert {u: {c: v and v.total for c, v in pairs.lines.of_user(u).items()} for u in pairs.lines.users} == {
        "u1": {"c1": 2, "c2": 1},
        "u2": {"c1": 1},
    }
    (customers,) = [day async for day in days_of_customers(tables.rollups, DAY, NOW)]
    assert customers.lines["customer"]["c2"].verdicts.non_compliant == 1
    (groups,) = [day async for day in days_of_groups(tables.rollups, DAY, NOW)]
    assert sorted((g.user, g.verdict, g.why, n) for g, n in groups.lines.items()) == [
        ("u1", "non-compliant", None, 1),
        ("u2", "unknown", "no-session", 1),
    ]
    assert not any(day.trimmed for day in (users, apps, pairs, customers, groups))
    assert (await day_of(tables)).trimmed == frozenset()


async def test_a_read_that_changes_no_count_adds_up_no_line_again(tables: Tables) -> None:
    await put(tables, done(slice_of("a", 0), sign_in()))
    await put(tables, done(slice_of("a", 60), sign_in()))
    await add_up(tables)
    before = {row["RowKey"]: row.metadata["etag"] async for row in tables.rollups.range("partner", "", "~")}
    await put(tables, replace(done(slice_of("a", 0), sign_in()), settled=timedelta(days=1)))
    await add_up(tables)
    after = {row["RowKey"]: row.metadata["etag"] async for row in tables.rollups.range("partner", "", "~")}
    assert {key for key in after if after[key] != before[key]} == {"day-20261102"}
    assert (await day_of(tables)).counts.scopes["customer"].verdicts == {"compliant": 2}


async def test_one_slice_that_changed_reads_its_own_block_only(tables: Tables) -> None:
    for number in (0, 30, 60, 90):
        await put(tables, done(slice_of("a", number), sign_in()))
    await add_up(tables)
    blocks = {row["RowKey"]: row.metadata["etag"] async for row in tables.rollups.range("day-20261102", "", "~")}
    assert [*blocks] == ["block-a-00", "block-a-02", "block-a-05", "block-a-07"]
    await put(tables, done(slice_of("a", 30), sign_in(), sign_in()))
    await add_up(tables)
    now = {row["RowKey"]: row.metadata["etag"] async for row in tables.rollups.range("day-20261102", "", "~")}
    assert [key for key in now if now[key] != blocks[key]] == ["block-a-02"]
    assert (await day_of(tables)).counts.scopes["customer"].verdicts == {"compliant": 5}
    assert (await day_marks(tables.rollups))[DAY].is_of(
        block_marks([head async for head in heads_of_day(tables.slices, "a", DAY)]), "a"
    )


async def test_a_day_of_any_size_fits_its_rows(tables: Tables) -> None:
    """Tens of thousands of names and every slice with a problem of its own: the sums and the coverage stay exact."""
    many = [f"{i * 2654435761 % 2**64:032x}" for i in range(12_000)]
    seen = [sign_in(key, key, key, Verdict.NON_COMPLIANT) for key in many]
    for number in range(40):
        problem = f"{number * 2654435761 % 2**64:064x}" * 15
        head = done(slice_of("a", number), *(seen if number == 0 else ()))
        await put(tables, replace(head, problem=problem))
    await add_up(tables)
    day = await day_of(tables)
    assert day.counts.scopes["customer"].verdicts == {"non-compliant": len(many)}
    assert len(day.reach) == 40
    assert {"users", "groups", "pairs"} <= day.trimmed
    (users,) = [of async for of in days_of_users(tables.rollups, DAY, NOW)]
    assert users.trimmed
    assert sum(line.non_compliant for line in users.lines["customer"].values()) == len(many)
    assert users.lines["customer"][REST].non_compliant > 0
    (groups,) = [of async for of in days_of_groups(tables.rollups, DAY, NOW)]
    assert sum(groups.lines.values()) == len(many)
    (row,) = [row async for row in tables.rollups.range("partner", "day-", "day-~")]
    assert sum(len(value) for value in row.values() if isinstance(value, bytes)) < 8_000


async def test_making_a_day_twice_changes_nothing_but_its_etag(tables: Tables) -> None:
    await put(tables, done(slice_of("a", 0), sign_in()))
    rows = []
    for _ in range(2):
        await add_up(tables)
        await roll_up_partner(tables.rollups, DAY)
        rows.append([dict(row) async for row in tables.rollups.everything()])
    assert rows[0] == rows[1]


async def test_a_day_of_version_1_is_read_as_it_is_and_then_recomputed(tables: Tables) -> None:
    """Its lines and its tenants' days go; what it never recorded is not 0."""
    counts = {"scopes": {"customer": {"verdicts": {"compliant": 2}, "users": {"u": [2, 0, 0]}}}, "names": {"u": "n"}}
    reach = [["a", int(DAY.timestamp()), int((DAY + QUARTER).timestamp()), True, None, False, "", True, 0]]
    columns = {"v": SCHEMA, "fingerprint": "x", "quarantined": 0, **pack("counts", counts), **pack("reach", reach)}
    await tables.rollups.write(insert({**keys("partner", "day-20261102"), **columns}))
    await tables.rollups.write(insert({**keys("day-20261102", "tenant-a"), **columns}))
    old = await day_of(tables)
    assert (old.format, old.counts.scopes["customer"].verdicts) == (1, {"compliant": 2})
    assert old.counts.scopes["customer"].partial
    assert [r.is_complete(NOW) for r in old.reach] == [True]
    marks = (await day_marks(tables.rollups))[DAY]
    assert marks.is_old
    assert not marks.is_of({}, "a")

    head = replace(done(slice_of("a", 0)), counts=counts, counts_mark="")  # the ledger's head is of version 1 as well
    await put(tables, head)
    await add_up(tables)
    new = await day_of(tables)
    assert (new.format, new.counts.scopes["customer"].verdicts) == (FORMAT, {"compliant": 2})
    assert new.counts.scopes["customer"].partial
    assert new.counts.scopes["customer"].strength == {}
    keys_left = [row["RowKey"] async for row in tables.rollups.everything()]
    assert "tenant-a" not in keys_left
    (row,) = [row async for row in tables.rollups.range("partner", "day-", "day-~")]
    assert "counts0" not in row


async def test_one_customers_days_stand_in_a_row_a_quarter(tables: Tables) -> None:
    seen = [sign_in("u", "c" * 32), sign_in("u", "no guid |", "a", Verdict.UNKNOWN)]
    await put(tables, done(slice_of("a", 0), *seen))
    await add_up(tables)
    assert (await day_marks(tables.rollups))[DAY].quarters_due
    await write_customer_quarters(tables.rollups, DAY)
    assert not (await day_marks(tables.rollups))[DAY].quarters_due
    (day,) = await customer_days(tables.rollups, "c" * 32, DAY, NOW)
    assert (day.day, day.scopes["customer"].evidence) == (DAY, {"proven": 1})
    (hostile,) = await customer_days(tables.rollups, "no guid |", DAY, NOW)
    assert hostile.scopes["customer"].why == {"no-session": 1}

    async def etags() -> list[str]:
        return [etag_of(row) async for row in tables.rollups.between("customer-", "customer-~", "", "~")]

    before = await etags()
    await write_customer_quarters(tables.rollups, DAY)
    assert await etags() == before  # nothing differs, nothing is written
    await put(tables, done(slice_of("a", 0), seen[0]))
    await add_up(tables)
    await write_customer_quarters(tables.rollups, DAY)
    assert await customer_days(tables.rollups, "no guid |", DAY, NOW) == []
    with counted_requests() as sent:
        await customer_days(tables.rollups, "c" * 32, DAY - timedelta(days=399), DAY)
    assert len(sent) == 6  # a request a quarter


async def test_what_the_night_notes_stays_when_the_day_is_added_up_again(tables: Tables) -> None:
    await note_day(tables.rollups, DAY, Noted(posture={"registered": 36}, roster=39, policies="ab12"))
    await put(tables, done(slice_of("a", 0), sign_in()))
    await add_up(tables)
    await note_day(tables.rollups, DAY, Noted(roster=40))
    assert (await day_of(tables)).noted == Noted(posture={"registered": 36}, roster=40, policies="ab12")


async def test_retention_finds_every_row_of_the_days_before(tables: Tables) -> None:
    await put(tables, done(slice_of("a", 0), sign_in("u", "c" * 32)))
    await add_up(tables)
    await write_customer_quarters(tables.rollups, DAY)
    assert [row async for row in expired(tables.rollups, DAY)] == []
    gone = {row["RowKey"] async for row in expired(tables.rollups, DAY + timedelta(days=1))}
    kept = {row["RowKey"] async for row in tables.rollups.everything()} - gone
    assert kept == {"c" * 32}  # its quarter is not over
    every = {row["RowKey"] async for row in expired(tables.rollups, DAY + timedelta(days=90))}
    assert every == gone | kept
