"""What people have the app do is noted, and so are settings that changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions import ops
from functions.alerts import try_channel
from functions.http import Endpoint
from functions.ops import pause, rescan_period
from functions.self_test import start_test
from shared.app.app import App
from shared.ledger.register import Act, ActKind
from shared.operations.register import Actor, note_act, note_settings, note_settings_once
from shared.rules.rule import PARTNER
from shared.store.register import acts_until, page_of_acts, write_act
from shared.store.tables import Tables
from tests.functions.asking import app_over
from tests.maintenance.test_ops import command
from tests.scan.harness import NOON
from tests.settings import settings_for


async def acts(app: App) -> list[Act]:
    """The register, the newest entry first."""
    found, more = await page_of_acts((await app.tables()).control)
    assert not more
    return [act for _, act in found]


async def test_what_operators_do_stands_in_the_register(azurite: str) -> None:
    async with app_over(azurite, NOON) as app:
        period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
        assert (await command(rescan_period, app, period))[0] == 200
        assert (await command(pause, app, {"until": "2026-11-03T00:00:00Z"}))[0] == 200
        assert (await command(try_channel, app, {"channel": "nobody"}))[0] == 404, "what was refused was not done"
        noted = {act.kind: (act.by, act.detail) for act in await acts(app)}
        assert noted == {
            ActKind.RESCAN: ("local", {**period, "tenants": [PARTNER], "slices": 0}),
            ActKind.PAUSE: ("local", {"until": "2026-11-03T00:00:00Z"}),
        }


async def test_every_route_of_an_operator_says_who_and_a_dry_run_too(azurite: str) -> None:
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    asked: list[tuple[Endpoint, dict[str, Any], ActKind]] = [
        (ops.rescan_period, {**period, "dryRun": True}, ActKind.RESCAN),
        (ops.release_parked, {}, ActKind.RELEASE),
        (ops.replay_quarantine, period, ActKind.REPLAY),
        (ops.accept_quarantined, {**period, "reason": "it is broken"}, ActKind.ACCEPT_QUARANTINE),
        (ops.pause, {"until": "2026-11-03T00:00:00Z"}, ActKind.PAUSE),
        (try_channel, {"channel": "soc"}, ActKind.TRY_CHANNEL),
        (start_test, {}, ActKind.SELF_TEST),
    ]
    channels = {"soc": {"kind": "generic", "url": "http://127.0.0.1:9/x"}}
    async with app_over(azurite, NOON) as app:
        app = _app(await app.tables(), azurite, channels=channels)
        for endpoint, body, kind in asked:
            status, said = await command(endpoint, app, body)
            assert status < 300, said
            assert (kind, "local") in {(act.kind, act.by) for act in await acts(app)}, endpoint.name


async def test_the_newest_entry_comes_first_and_pages_go_on_where_one_ended(azurite: str) -> None:
    async with app_over(azurite, NOON) as app:
        table = (await app.tables()).control
        for n in range(5):
            await write_act(table, Act(f"{n:032x}", NOON + n * timedelta(seconds=1), ActKind.PAUSE, "ann", "t/a"))
        await write_act(table, Act(f"{0:032x}", NOON, ActKind.PAUSE, "mallory"))  # tried again: what stands, stands
        found, _ = await page_of_acts(table)
        assert [int(act.id, 16) for _, act in found] == [4, 3, 2, 1, 0]
        assert {act.by for _, act in found} == {"ann"}
        rest, _ = await page_of_acts(table, before=found[2][0])
        assert [int(act.id, 16) for _, act in rest] == [1, 0]
        first, end = acts_until(NOON + timedelta(seconds=1))
        assert [row async for row in table.range("register", first, end)] != []


def _app(tables: Tables, azurite: str, **settings: Any) -> App:
    made = settings_for(azurite, **settings)
    return App(made, clock=lambda: NOON, tables=tables)


async def test_settings_that_differ_from_before_are_noted_and_no_secret_with_them(azurite: str) -> None:
    async with app_over(azurite, NOON) as app:
        tables = await app.tables()

        def channel(url: str) -> dict[str, Any]:
            return {"soc": {"kind": "slack", "url": url, "minimum_severity": "low"}}

        first = _app(tables, azurite, channels=channel("http://127.0.0.1:9/secret-one"))
        assert not await note_settings(first), "the first start has nothing to differ from"
        assert not await note_settings(first)
        changed = _app(tables, azurite, channels=channel("http://127.0.0.1:9/secret-two"), lookback_days=20)
        await note_settings_once(changed)
        await note_settings_once(changed)
        (act,) = await acts(app)
        assert act.kind is ActKind.SETTINGS
        assert act.detail == {
            "LOOKBACK_DAYS": {"before": 30, "after": 20},
            "CHANNELS__SOC__URL": "changed",
        }
        rows = [str(row) async for row in tables.control.everything()]
        assert not any("secret-" in row for row in rows)


async def test_an_entry_says_who_by_id_too(azurite: str) -> None:
    async with app_over(azurite, NOON) as app:
        await note_act(app, ActKind.REDELIVER, Actor("ann", "t/a"), alert="1-soc-x")
        (act,) = await acts(app)
        assert (act.by, act.by_id, act.detail) == ("ann", "t/a", {"alert": "1-soc-x"})
