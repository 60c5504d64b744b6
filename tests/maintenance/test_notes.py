"""What the night notes in yesterday's roll-up, and what it leaves open because nobody knew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.ledger.days import Noted
from shared.ledger.slices import DAY, midnight
from shared.maintenance.notes import note_yesterday
from shared.store.days import note_day, partner_days
from tests.people.harness import HOUR, Office, office, people
from tests.people.test_policies import MFA_FOR_ALL


async def noted(at: Office) -> Noted:
    yesterday = midnight(at.rig.now) - DAY
    days = [day async for day in partner_days((await at.rig.tables()).rollups, yesterday, yesterday)]
    return days[0].noted if days else Noted()


async def test_enforcement_enrolment_and_the_number_of_people_stand_in_the_day(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        narrow = {**MFA_FOR_ALL, "id": "2" * 32, "conditions": {**MFA_FOR_ALL["conditions"]}}  # type: ignore[dict-item]
        narrow["conditions"]["users"] = {  # type: ignore[index]
            "includeUsers": ["All"],
            "excludeUsers": ["3" * 32],
            "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "serviceProvider,b2bCollaborationGuest"},
        }
        at.directory.policies.conditional_access = [MFA_FOR_ALL, narrow]
        await at.refresh()
        await note_yesterday(at.rig.app)
        found = await noted(at)
        file = await at.file()
        assert file is not None
        n = len({admin.user_id for admin in file.delegated_admins})
        assert found.roster == n > 0
        assert found.posture is not None
        assert found.posture["mfaEnforced"] == "yes"
        assert (found.posture["enforcedFor"], found.posture["notEnforcedFor"]) == (n, 0)
        assert (found.posture["exclusions"], found.posture["broadExclusions"]) == (3, 2)
        assert found.posture["legacyBlocked"] == "no"
        assert found.posture["admins"] == n
        assert isinstance(found.posture["registered"], int)
        assert found.policies is not None
        at.directory.policies.conditional_access = []
        at.pass_time(6 * HOUR)
        await at.refresh()
        await note_yesterday(at.rig.app)
        changed = await noted(at)
        assert changed.posture is not None
        assert changed.posture["mfaEnforced"] == "no"
        assert changed.policies != found.policies


async def test_what_was_read_long_ago_is_not_noted_as_todays(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.directory.policies.conditional_access = [MFA_FOR_ALL]
        await at.refresh()
        at.pass_time(timedelta(days=5))
        await note_yesterday(at.rig.app)
        assert await noted(at) == Noted()


async def test_a_later_night_takes_nothing_away(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        yesterday = midnight(at.rig.now) - DAY
        await note_day((await at.rig.tables()).rollups, yesterday, Noted(roster=7, policies="abc"))
        await note_yesterday(at.rig.app)  # no directory of the last days: nothing is known
        found = await noted(at)
        assert (found.policies, found.posture) == ("abc", None)
