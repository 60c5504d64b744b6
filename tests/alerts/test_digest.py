"""What a digest says beside its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.alerts.digest_sections import DigestView, mixed_rules
from shared.incidents import acts
from shared.ledger.counts import FORMAT
from shared.ledger.days import Day, Totals
from shared.rules.rule import CUSTOMER
from shared.store.incidents import read_incident, take_step
from shared.store.packing import pack
from shared.store.rollup_rows import CUSTOMERS
from shared.store.rollup_rows import PARTNER as ROLLUPS
from shared.store.tables import SCHEMA, keys, upsert
from tests.alerts.harness import Rig, key_of, receiver, rig
from tests.alerts.test_holding import _problem

DAY = timedelta(days=1)


async def test_a_period_of_several_versions_of_the_rules_says_so(azurite: str) -> None:
    async with rig(azurite) as b:
        days = [Day(b.now, Totals(), (), rules_versions={version: n}) for version, n in (("1", 3), ("2", 1))]
        channel = b.app.settings.channels["soc"]
        view = DigestView(await b.app.tables(), channel, b.now, b.now + DAY, days, [])
        made = await mixed_rules(view)
        assert made is not None
        assert "run a rescan (python -m local ops rescan)" in made.title
        assert made.lines == ["version 1: 3 slices", "version 2: 1 slices"]
        assert await mixed_rules(replace(view, days=days[:1])) is None


async def _acknowledge(b: Rig, who: str) -> None:
    table = (await b.app.tables()).incidents
    found = await read_incident(table, key_of(who))
    assert found is not None
    await take_step(table, acts.acknowledge(found[0], "hanna@partner.example", "", b.now), found[1], b.now)


async def test_what_people_did_and_what_closed_by_quiet_stand_in_the_digest_alone(azurite: str) -> None:
    members = {"soc": {"digest": "daily", "digest_at": "08:00"}}
    async with rig(azurite, receiver(), channels=members, incident_quiet_days=1, lookback_days=1) as b:
        await _problem(b, refused=True)
        await b.found("ann")
        await b.found("bob")
        await b.tick()
        await _acknowledge(b, "ann")
        await b.tick(after=timedelta(hours=20))  # 08:01 of the next day
        sections = {one["id"]: one for one in b.got()[-1].json["data"]["sections"]}
        assert sections["acts"]["lines"] == ["acknowledged by hanna@partner.example: ann@partner.example · An app"]
        assert "closed" not in sections
        await b.tick(after=DAY)
        assert b.types() == ["incident.opened", "incident.opened", "digest.daily", "digest.daily"]
        closed = {one["id"]: one for one in b.got()[-1].json["data"]["sections"]}
        assert "acts" not in closed
        await b.tick(after=DAY)
        closed = {one["id"]: one for one in b.got()[-1].json["data"]["sections"]}
        assert (closed["closed"]["title"], closed["closed"]["total"]) == ("Closed by quiet", 2)


async def test_a_customer_for_whose_line_a_day_had_no_room_is_not_told_as_none(azurite: str) -> None:
    members = {"soc": {"digest": "daily", "digest_at": "08:00", "customers": CUSTOMER}}
    async with rig(azurite, receiver(), channels=members, lookback_days=1) as b:
        await _problem(b, refused=True)
        rollups = (await b.app.tables()).rollups
        row = {**keys(ROLLUPS, CUSTOMERS.row_key(b.now)), "v": SCHEMA, "format": FORMAT, "trimmed": True}
        await rollups.write(upsert({**row, **pack("lines", {"lines": {}})}))
        await b.tick(after=timedelta(hours=20))  # 08:01 of the next day
        (digest,) = [got.json["data"] for got in b.got() if got.json["type"] == "digest.daily"]
        assert digest["compliance"]["percent"] is None
        assert [line for line in digest["toDo"] if line.startswith("On 1 day there were more customers")]
