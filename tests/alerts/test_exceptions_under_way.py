"""An exception that is approved while a slice is under way is not overtaken by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.basics.spelling import id_key
from shared.exceptions.life import Approver, approved
from shared.exceptions.model import Covers
from shared.incidents.tending import apply_exceptions
from shared.store.exceptions import write_step
from shared.store.incidents import history, read_incident, take_step
from tests.alerts.harness import Rig, key_of, rig, uuid_of
from tests.exceptions.test_model import ASKED

NAME = "technical exception e"


async def _silenced(b: Rig) -> None:
    table = (await b.app.tables()).incidents
    found = await read_incident(table, key_of("jane"))
    assert found is not None
    step = apply_exceptions(found[0], lambda _who, _facts: NAME, b.now)
    assert step is not None
    await take_step(table, step, found[1], b.now)


async def test_a_slice_that_read_the_exceptions_before_does_not_open_what_one_has_silenced(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        await _silenced(b)
        await b.found(at=b.now, accepts_now=lambda _who, _facts: NAME)
        assert (await b.incident()).opening == 1
        assert str((await b.incident()).state) == "silenced"
        await b.tick()
        assert b.got() == []


async def test_what_a_slice_opened_meanwhile_is_silenced_before_it_is_told(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        control = (await b.app.tables()).control
        covers = Covers(id_key(uuid_of("jane")), "", "", frozenset({"interactive-without-mfa"}))
        day = b.now.replace(hour=0, minute=0)
        asked = replace(ASKED, covers=covers, starts=day, ends=day + timedelta(days=28), requested_at=b.now)
        step = approved(asked, Approver("joe", "t/joe", is_person=True), "", "", b.now)
        await write_step(control, step, None)
        await b.tick()
        assert b.got() == []
        assert str((await b.incident()).state) == "silenced"
        actions = [line.action for line in await history((await b.app.tables()).incidents, key_of("jane"))]
        assert actions == ["opened", "silenced"]
