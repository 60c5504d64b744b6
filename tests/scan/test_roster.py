"""Roster and customers are judged as they were at the time of the sign-in, through the tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.operations.slices import rescan
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.directory import save_directory
from tests.scan.harness import DIRECTORY, Rig, rig
from tests.scan.stories import EARLY, MINUTE, RICH, SEVEN, WIDTH, weak

GUEST = {"homeTenantId": "66666666-6666-6666-6666-666666666666"}  # so that only the roster makes a partner's user
PLAIN_ACCESS = {"crossTenantAccessType": "none"}  # so that only the list of customers makes a customer


def directory(**bounds: object) -> DirectoryFile:
    """The sample's, with these bounds on its technician and its customer."""
    return DirectoryFile(
        partner_tenant_id=PARTNER,
        customers=[Customer.model_validate({"tenantId": CUSTOMER, **bounds})],
        delegated_admins=[DelegatedAdmin.model_validate({"userId": TECHNICIAN, **bounds})],
    )


@pytest.mark.parametrize("members", [GUEST, PLAIN_ACCESS], ids=["roster", "customers"])
async def test_a_sign_in_is_judged_by_who_was_who_at_its_time(
    azurite: str, monkeypatch: pytest.MonkeyPatch, members: dict[str, object]
) -> None:
    bounds = {"from": SEVEN.isoformat(), "to": (SEVEN + 10 * MINUTE).isoformat()}
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, directory=directory(**bounds)) as desk:
        desk.log(
            weak("before", SEVEN - MINUTE, **members),
            weak("from", SEVEN, **members),
            weak("last", SEVEN + 9 * MINUTE, **members),
            weak("to", SEVEN + 10 * MINUTE, **members),
        )
        await desk.work()
        assert await desk.findings() == ["from", "last"]
        assert (await desk.head(RICH)).records == 4


async def test_who_leaves_the_roster_changes_nothing_of_the_past(desk: Rig) -> None:
    desk.log(weak("a", SEVEN, **GUEST), weak("b", EARLY, **GUEST))
    await desk.work()
    left = directory(to=RICH.end.isoformat())
    await save_directory((await desk.tables()).directory, left, desk.now)
    desk.pass_time(timedelta(hours=8))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await desk.findings() == ["a"]


async def test_a_new_directory_judges_old_slices_only_when_they_are_read_again(desk: Rig) -> None:
    desk.log(weak("a", SEVEN, **GUEST))
    await desk.work()
    nobody = DIRECTORY.model_copy(update={"delegated_admins": []})
    version = await save_directory((await desk.tables()).directory, nobody, desk.now)
    assert await desk.work() == 0
    assert await desk.findings() == ["a"]
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await desk.findings() == []
    assert f"directory {version}" in (await desk.head(RICH)).versions


async def test_without_a_roster_nothing_is_called_clean(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as desk:
        table = (await desk.tables()).directory
        for row in [dict(row) async for row in table.everything()]:
            await table.write(("delete", row))
        desk.log(weak("a", SEVEN))
        await desk.work()
        head = await desk.head(RICH)
        assert "No roster" in head.problem
        assert (head.attempts, await desk.coverage()) == (0, 0)
        await save_directory(table, DIRECTORY, desk.now)
        desk.pass_time(5 * MINUTE)
        await desk.work()
        assert (await desk.findings(), await desk.coverage()) == (["a"], 1)
