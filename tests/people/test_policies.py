"""The tenant's policies are read with the directory and kept dated; what could not be read is told, never empty."""

from __future__ import annotations

import pytest

from shared.posture.cover import mfa_coverage
from shared.posture.policies import Policies, PolicyVerdict, blocks_legacy
from shared.posture.reading import policies_of
from shared.store.policies import KeptPolicies, load_policies
from tests.people.harness import HOUR, Office, broken, office, people

MFA_FOR_ALL: dict[str, object] = {
    "id": "11111111-0000-4000-8000-000000000001",
    "displayName": "MFA for all <script>",
    "state": "enabled",
    "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}


async def kept(at: Office) -> KeptPolicies:
    found = await load_policies((await at.rig.tables()).directory)
    assert found is not None
    return found


async def policies(at: Office) -> Policies:
    found = await kept(at)
    return policies_of(found.parts, found.read_at)


async def test_they_are_read_with_the_roster(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.directory.policies.conditional_access = [MFA_FOR_ALL]
        await at.refresh()
        found = await policies(at)
        assert [p.name for p in found.conditional_access or ()] == ["MFA for all <script>"]
        assert found.security_defaults is False
        assert [(d.domain, d.mfa) for d in found.domains or () if d.federated] == [("fed.partner.example", "accepted")]
        file = await at.file()
        assert file is not None
        assert [*file.federated_domains] == ["fed.partner.example"]


async def test_versions_are_kept_and_only_when_something_changed(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        first = await kept(at)
        at.pass_time(6 * HOUR)
        await at.refresh()
        second = await kept(at)
        assert (second.since, second.fingerprint) == (first.since, first.fingerprint)
        assert second.read_at > first.read_at
        at.directory.policies.conditional_access = [MFA_FOR_ALL]
        at.pass_time(6 * HOUR)
        await at.refresh()
        assert (await kept(at)).since > first.since
        rows = [row["RowKey"] async for row in (await at.rig.tables()).directory.everything()]
        assert len([key for key in rows if str(key).startswith("version-") and len(str(key)) == 28]) == 2


@pytest.mark.parametrize(
    ("refused", "missing"),
    [
        ("identity/conditionalAccess/policies", {"conditionalAccess"}),
        ("domains", {"domains"}),
        ("domains/", {"federation"}),
    ],
)
async def test_a_part_that_is_refused_leaves_the_others(
    azurite: str, monkeypatch: pytest.MonkeyPatch, refused: str, missing: set[str]
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.directory.policies.refused = {refused}
        await at.refresh()
        found = await kept(at)
        assert found.problems.keys() == missing
        assert "grant the app's identity the application permission" in next(iter(found.problems.values()))
        assert not missing & found.parts.keys()


async def test_without_a_licence_nothing_is_called_open_or_closed(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.directory.policies.licensed = False
        await at.refresh()
        found = await policies(at)
        assert found.conditional_access is None
        assert blocks_legacy(found) is PolicyVerdict.CANNOT_TELL
        assert mfa_coverage(found, []).answer is PolicyVerdict.CANNOT_TELL


async def test_where_graph_does_not_answer_what_was_known_stands(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        first = await kept(at)
        at.pass_time(6 * HOUR)
        at.fail(broken(path="/v1.0/domains", times=100))
        await at.refresh()
        assert await kept(at) == first
        file = await at.file()
        assert file is not None
        assert [*file.federated_domains] == ["fed.partner.example"]


async def test_somebody_who_forbids_it_is_not_asked_for_domains(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READ_FEDERATION", "false")
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        found = await kept(at)
        assert not {"domains", "federation"} & {*found.parts, *found.problems}
