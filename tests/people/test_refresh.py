"""The refresh over real HTTP and real storage: what it finds, what cuts it off, and that nothing gets worse by it."""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from local.graph_server.control import Fault, LicenceFault, NextLinkFault, RepeatedPageFault, TruncatedFault
from local.sample.model import People
from local.sample.people import GLOBAL_ADMINISTRATOR
from shared.app.app import App
from shared.maintenance.erase import erase_person
from shared.operations.register import Actor
from shared.people.refresh import refresh_directory
from shared.rules.rule import AT_HOME, PARTNER, PASSWORD_ONLY
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.agenda import read_agenda
from shared.store.tables import Tables
from tests.maintenance.test_ops import mentions, spellings
from tests.people.harness import (
    DAY,
    HOUR,
    NOON,
    Office,
    broken,
    group,
    office,
    people,
    registration,
    relationship,
    tenant,
    user,
    without,
)
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import record

MINUTE = timedelta(minutes=1)
JOINED = people({1: [user(1), user(2), user(3)], 9: [user(1)]})


async def test_the_first_refresh_gives_no_dates(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served = people(eligible={1: [user(3)]})
    async with office(azurite, monkeypatch, served) as at:
        await at.refresh()
        assert await at.roster() == {"01": [(None, None)], "02": [(None, None)], "03": [(None, None)]}
        assert await at.customers() == {"01": [(None, None)], "02": [(None, None)]}
        file = await at.file()
        assert file is not None
        roles = {admin.user_id[-2:]: admin.roles for admin in file.delegated_admins}
        assert roles == {"01": ["AdminAgents", "Global Administrator", "Group 1"], "02": ["Group 1"], "03": ["Group 1"]}
        names = {admin.user_principal_name for admin in file.delegated_admins}
        assert names == {f"user{n}@partner.example" for n in (1, 2, 3)}
        state = await at.state()
        assert (state.problem, state.run, state.last_began, state.last_completed) == ("", "", NOON, NOON)


async def test_everybody_is_found_however_they_come_by_their_rights(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directly, by a group in a group, eligible for either, by a group that is eligible, by a role, by a group that
    holds a role, eligible for a role, by a further group."""
    served = people(
        {
            1: [user(1), group(2)],
            2: [user(2)],
            3: [user(3)],
            4: [user(4)],
            5: [user(5)],
            6: [user(99)],
        },
        eligible={1: [user(6), group(3)], 2: [user(7)], 3: [user(8)]},
        roles={GLOBAL_ADMINISTRATOR: [user(9), group(4)]},
        relationships=[relationship(1), relationship(3, [group(6)], status="terminated", ends=NOON - 95 * DAY)],
    )
    async with office(azurite, monkeypatch, served, further_group_ids=group(5)) as at:
        at.directory.eligible_for_role = {GLOBAL_ADMINISTRATOR: (user(10),)}
        await at.refresh()
        assert sorted(await at.roster()) == ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"]
        technicians = (await at.lists())["technicians"]
        assert {k: (t[5], t[6]) for k, t in technicians.items() if k in ("03", "06", "10")} == {
            "03": ([], ["Group 1"]),
            "06": ([], ["Group 1"]),
            "10": ([], ["Global Administrator"]),
        }
        assert {k: t[7] for k, t in technicians.items() if k in ("01", "05", "08", "09")} == {
            "01": 1,  # customer 1, by group 1
            "05": 0,  # a further group reaches what no relationship tells
            "08": 1,
            "09": 0,
        }


async def test_a_relationship_that_is_over_is_dated_by_its_end(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = relationship(3, status="terminated", activated=NOON - 50 * DAY, ends=NOON - 5 * DAY)
    async with office(azurite, monkeypatch, people(relationships=[relationship(1), gone])) as at:
        await at.refresh()
        assert await at.customers() == {"01": [(None, None)], "03": [(None, NOON - 5 * DAY)]}


async def test_periods_over_several_refreshes(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served = people()
    async with office(azurite, monkeypatch, served) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(JOINED)
        await at.refresh()
        assert (await at.roster())["03"] == [(NOON, None)], "since the refresh before"
        at.pass_time(6 * HOUR)
        at.serve(without(JOINED, user(2), user(3)))
        await at.refresh()
        assert (await at.roster()) == {
            "01": [(None, None)],
            "02": [(None, NOON + 12 * HOUR)],
            "03": [(NOON, NOON + 12 * HOUR)],
        }
        at.pass_time(6 * HOUR)
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(JOINED)
        await at.refresh()
        assert (await at.roster())["03"] == [(NOON, NOON + 12 * HOUR), (NOON + 18 * HOUR, None)], "a second period"
        at.pass_time(6 * HOUR)
        await at.refresh()
        assert len((await at.roster())["03"]) == 2, "the same people change nothing"


async def test_a_newcomer_counts_from_the_sources_earlier_date(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eligible for AdminAgents since 5 January 2026, as the local Graph says; a customer since the activation."""
    new = relationship(3, activated=NOON - 2 * DAY)
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(people(eligible={9: [user(4)]}, relationships=[relationship(1), relationship(2), new]))
        await at.refresh()
        ((since, _),) = (await at.roster())["04"]
        assert since is not None
        assert since.isoformat() == "2026-01-05T08:00:00+00:00"
        assert (await at.customers())["03"] == [(NOON - 2 * DAY, None)]


async def test_customers_come_and_go(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        short = relationship(4, status="terminated", activated=NOON + 2 * HOUR, ends=NOON + 4 * HOUR)
        ended = relationship(2, status="terminated", ends=NOON + HOUR)
        at.serve(people(relationships=[relationship(1), ended, short]))
        await at.refresh()
        assert await at.customers() == {
            "01": [(None, None)],
            "02": [(None, NOON + 6 * HOUR)],  # the first complete refresh without it
            "04": [(NOON + 2 * HOUR, NOON + 4 * HOUR)],  # came and went between the two
        }
        at.pass_time(6 * HOUR)
        await at.refresh()
        assert len(await at.customers()) == 3


async def test_a_directory_file_is_what_the_first_refresh_goes_on_from(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = DirectoryFile(
        partner_tenant_id=PARTNER,
        delegated_admins=[
            DelegatedAdmin(user_id=user(1), from_=NOON - DAY),
            DelegatedAdmin(user_id=user(8), user_principal_name="gone@partner.example"),
        ],
        customers=[Customer(tenant_id=tenant(1), display_name="Old name")],
        federated_domains=["fed.partner.example"],
    )
    async with office(azurite, monkeypatch, people(), file=file) as at:
        at.pass_time(HOUR)
        await at.refresh()
        assert await at.roster() == {
            "01": [(NOON - DAY, None)],
            "02": [(NOON, None)],
            "08": [(None, NOON + HOUR)],
        }
        found = await at.file()
        assert found is not None
        assert found.federated_domains == ["fed.partner.example"]
        assert {c.display_name for c in found.customers} == {"Customer 1", "Customer 2"}


# --- sign-ins of newcomers --------------------------------------------------------------------------------------------


async def test_a_newcomer_has_the_slices_since_read_again(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people(), slice_minutes=240) as at:
        await at.refresh()
        at.rig.set_time(NOON + 4 * HOUR)
        bad = {**AT_HOME, **PASSWORD_ONLY, "userId": user(3), "homeTenantId": "99" * 16}
        at.rig.log(record("before", NOON - HOUR, **bad), record("since", NOON + HOUR, **bad), at=NOON)
        await at.rig.work()
        assert await at.rig.findings() == [], "nobody knows them yet"
        at.rig.set_time(NOON + 8 * HOUR)
        await at.rig.work()
        at.serve(JOINED)
        await at.refresh()
        at.rig.reads.clear()
        await at.rig.work()
        assert await at.rig.findings() == ["since"]
        assert {s.start for s in at.rig.reads} == {NOON, NOON + 4 * HOUR}
        await at.refresh()
        assert await at.rig.work() == 0, "the same people make nothing due"


async def test_a_leaver_changes_nothing_of_the_past(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people(), slice_minutes=240) as at:
        await at.refresh()
        bad = {**AT_HOME, **PASSWORD_ONLY, "userId": user(2), "homeTenantId": "99" * 16}
        at.rig.log(record("then", NOON + HOUR, **bad), record("later", NOON + 7 * HOUR, **bad), at=NOON)
        at.rig.set_time(NOON + 6 * HOUR)
        at.serve(without(people(), user(2)))
        await at.refresh()
        at.rig.set_time(NOON + 9 * HOUR)
        await at.rig.work()
        assert await at.rig.findings() == ["then"], "read for the first time only after they left"


# --- cut off ----------------------------------------------------------------------------------------------------------


async def _in_the_end(at: Office) -> tuple[object, object]:
    """The directory, but for user names, which come with the report; and the lists."""
    file = await at.file()
    nameless = [a.model_copy(update={"user_principal_name": None}) for a in file.delegated_admins] if file else []
    return file and file.model_copy(update={"delegated_admins": nameless}), await at.lists()


LAYERED = people(eligible={1: [user(3)], 9: [group(1)]})


async def test_cut_off_behind_every_single_request_it_gets_there(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, LAYERED, page_size=1) as at:
        nothing = await at.rig.copy()
        await at.refresh()
        clean, every = await _in_the_end(at), len(at.asked())
        assert every > 20, "too small a partner shows nothing"
        await at.rig.restore(nothing)
        requests = 0
        for _ in range(every):
            at.heal()
            at.fail(broken(1, times=1000))
            await at.refresh(scheduled=False)
            answered = [r for r in at.rig.graph.requests() if r["status"] == 200 and "/v1.0/" in str(r["path"])]
            requests += len(answered)
            at.asked()
            if (await at.state()).run:
                assert await at.file() is None, "half a roster was published"
                assert (await at.state()).problem or (await at.state("registrations")).problem
            at.pass_time(6 * MINUTE)
        at.heal()
        await at.refresh(scheduled=False)
        assert requests <= every, "something was asked twice"
        assert (await at.file()) is not None
        await at.refresh()  # policies and federated domains that were not read come with the next refresh
        assert await _in_the_end(at) == clean
        states = [await at.state(), await at.state("registrations")]
        assert [(s.problem, s.run) for s in states] == [("", ""), ("", "")]


@pytest.mark.soak
async def test_cut_off_at_any_request_to_graph_it_goes_on(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, LAYERED, page_size=1) as at:
        nothing = await at.rig.copy()
        await at.refresh()
        clean, every = await _in_the_end(at), len(at.asked())
        assert every > 20, "too small a partner shows nothing"
        for skip in range(every - 1):  # the last one, security defaults, cuts nothing off
            await at.rig.restore(nothing)
            at.rig.set_time(NOON)
            at.fail(broken(skip))
            await at.refresh(scheduled=False)
            states = [await at.state(), await at.state("registrations")]
            assert any(s.problem for s in states), f"nothing shows that request {skip} failed"
            assert await at.file() is None or not states[0].problem, "half a roster was published"
            first = len(at.asked())
            await at.refresh(scheduled=False)
            assert at.asked() == [], "it waits first"
            at.pass_time(6 * MINUTE)
            await at.refresh(scheduled=False)
            assert await _in_the_end(at) == clean, skip
            states = [await at.state(), await at.state("registrations")]
            assert [(s.problem, s.run) for s in states] == [("", ""), ("", "")]
            assert first + len(at.asked()) <= every + 2, "it began anew instead of going on"


@pytest.mark.parametrize(
    ("status", "path"),
    [(401, "/delegatedAdminCustomers"), (403, "/accessAssignments"), (500, "/transitiveMembers"), (502, "/roleAssign")],
)
async def test_an_error_never_empties_the_roster(
    azurite: str, monkeypatch: pytest.MonkeyPatch, status: int, path: str
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        before = await _in_the_end(at)
        at.pass_time(6 * HOUR)
        at.serve(without(people(), user(2)))
        at.fail(broken(status=status, path=path, times=100))
        await at.refresh()
        file, lists = await _in_the_end(at)
        assert file == before[0]
        assert isinstance(lists, dict)
        assert "02" in lists["technicians"]
        state = await at.state()
        assert state.problem
        assert (state.since, state.last_completed) == (NOON + 6 * HOUR, NOON)
        at.heal()
        at.pass_time(HOUR)
        await at.refresh(scheduled=False)
        assert (await at.roster())["02"] == [(None, NOON + 7 * HOUR)]
        assert (await at.state()).problem == ""


FAULTS: dict[str, Fault] = {
    "cut off": TruncatedFault(kind="truncated", path="/v1.0/tenantRelationships"),
    "round in a circle": RepeatedPageFault(kind="repeated-page", path="/delegatedAdminCustomers", times=9),
    "elsewhere": NextLinkFault(kind="next-link", path="/delegatedAdminCustomers", url="https://evil.example/v1.0/x"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_an_answer_that_makes_no_sense_is_no_roster(
    azurite: str, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    async with office(azurite, monkeypatch, people(), page_size=1) as at:
        at.fail(fault)
        await at.refresh()
        assert await at.file() is None
        assert (await at.state()).problem
        at.heal()
        at.pass_time(HOUR)
        await at.refresh(scheduled=False)
        assert sorted(await at.roster()) == ["01", "02"]


@pytest.mark.parametrize(
    ("served", "what"),
    [
        (people({1: [], 9: []}, roles={}), "nobody"),
        (people(relationships=[]), "no customer"),
        (people({1: [], 9: []}, roles={}, relationships=[]), "nobody"),
    ],
    ids=["nobody", "no customers", "nothing"],
)
async def test_shrinking_to_nothing_is_refused(
    azurite: str, monkeypatch: pytest.MonkeyPatch, served: People, what: str
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        before = await at.file()
        at.pass_time(6 * HOUR)
        at.serve(served)
        await at.refresh()
        assert await at.file() == before
        state = await at.state()
        assert what in state.problem
        assert state.last_completed == NOON
        at.asked()
        at.pass_time(10 * MINUTE)
        await at.refresh(scheduled=False)
        assert at.asked() == [], "it does not hammer"
        at.serve(people())
        at.pass_time(6 * HOUR)
        await at.refresh()
        assert (await at.state()).problem == ""
        assert await at.roster() == {"01": [(None, None)], "02": [(None, None)]}


async def test_without_the_report_the_roster_comes_all_the_same(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the other way round: a tenant without a premium licence, then a missing permission for the groups."""
    async with office(azurite, monkeypatch, people()) as at:
        at.fail(LicenceFault(kind="licence", path="/userRegistrationDetails", times=9))
        await at.refresh()
        assert sorted(await at.roster()) == ["01", "02"]
        lists = await at.lists()
        assert lists["accounts"] is None
        assert lists["technicians"]["01"][10:12] == (None, None), "nobody said anything of MFA"
        assert "licence" in (await at.state("registrations")).problem
        at.heal()
        at.pass_time(HOUR)
        at.fail(broken(status=403, path="/transitiveMembers", times=99))
        await at.refresh()
        problem = (await at.state()).problem
        assert "GroupMember.Read.All" in problem
        lists = await at.lists()
        assert lists["technicians"]["01"][10:12] == (True, True), "what was read is shown"


async def test_without_a_licence_for_pim_nobody_is_eligible(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people(eligible={1: [user(3)]})) as at:
        at.directory.pim = False
        await at.refresh()
        assert sorted(await at.roster()) == ["01", "02"]
        state = await at.state()
        assert state.problem == ""
        assert any("PIM" in note for note in state.notes)


async def test_a_further_group_that_is_not_there_is_told(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people(), further_group_ids=f"{group(77)},{group(9)}") as at:
        await at.refresh()
        state = await at.state()
        assert state.problem == ""
        assert state.last_completed == NOON
        assert [group(77) in note and group(9) not in note for note in state.notes] == [True]


async def test_security_defaults_that_may_not_be_read_are_unknown(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.fail(broken(status=403, path="/policies/", times=9))
        await at.refresh()
        state = await at.state("registrations")
        assert state.problem == ""
        assert any("Policy.Read.All" in note for note in state.notes)


async def test_nothing_is_done_while_another_worker_refreshes(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at, CutProxy(azurite) as proxy:
        dying = at.rig.worker(proxy.connection, retries=0)
        await dying.tables()
        proxy.begin(Cut(12, Loss.ANSWER, Aftermath.CRASH))
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            await refresh_directory(dying, scheduled=True)
        at.asked()
        await at.refresh()
        assert at.asked() == [], "the lease of the dead worker still holds"
        at.pass_time(at.rig.app.lease)
        await at.refresh(scheduled=False)
        assert sorted(await at.roster()) == ["01", "02"]


async def test_a_tick_begins_the_very_first_refresh_and_no_other(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh(scheduled=False)
        assert sorted(await at.roster()) == ["01", "02"]
        at.asked()
        at.pass_time(DAY)
        await at.refresh(scheduled=False)
        assert at.asked() == []
    file = DirectoryFile(partner_tenant_id=PARTNER, delegated_admins=[DelegatedAdmin(user_id=user(1))])
    async with office(azurite, monkeypatch, people(), file=file) as at:
        await at.refresh(scheduled=False)
        assert (await at.lists())["technicians"].keys() == {"01", "02"}, "a loaded file lacks what the lists show"
        at.asked()
        at.pass_time(DAY)
        await at.refresh(scheduled=False)
        assert at.asked() == []


async def test_pages_that_are_too_old_are_not_gone_on_with(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.fail(broken(status=403, path="/transitiveMembers", times=1))
        await at.refresh()
        assert (await at.state()).began == NOON
        at.pass_time(7 * HOUR)
        at.serve(JOINED)
        await at.refresh()
        assert sorted(await at.roster()) == ["01", "02", "03"]
        assert (await at.state()).last_began == NOON + 7 * HOUR


async def test_a_run_that_takes_hours_counts_from_its_beginning(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.fail(broken(status=403, path="/userRegistrationDetails"), broken(status=403, path="/groups/"))
        await at.refresh()
        at.pass_time(2 * HOUR)
        await at.refresh(scheduled=False)
        at.pass_time(4 * HOUR)
        at.serve(JOINED)
        await at.refresh()
        assert (await at.roster())["03"] == [(NOON, None)], "who came while the first one ran may have been missed"


# --- storage ----------------------------------------------------------------------------------------------------------


# Both slices are made due by one transaction.
_DECIDING = re.compile(r"RowKey='(version'|due-|source-roster)|PartitionKey='policies'")


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["deciding", "every"])
async def test_a_worker_that_dies_at_a_write_loses_nothing(
    azurite: str, monkeypatch: pytest.MonkeyPatch, every: bool
) -> None:
    """The refresh with a newcomer, whose slices must be read again, by a process that dies after each of its writes:
    in the short run after those that name the new directory, make slices due and say how the roster stands."""
    async with office(azurite, monkeypatch, people(), slice_minutes=240) as at, CutProxy(azurite) as proxy:
        await at.refresh()
        at.rig.set_time(NOON + 8 * HOUR)
        await at.rig.work()
        at.serve(JOINED)
        before = await at.rig.copy()
        dying = at.rig.worker(proxy.connection, retries=0)
        await dying.tables()
        proxy.begin()
        await refresh_directory(dying, scheduled=True)
        writes = [n for n in proxy.writes if every or _DECIDING.search(proxy.requests[n - 1])]
        clean = (await at.roster(), await _marked(at))
        assert clean == (
            {"01": [(None, None)], "02": [(None, None)], "03": [(NOON, None)]},
            {NOON, NOON + 4 * HOUR},
        )
        assert len(writes) > 5
        for number in writes:
            await at.rig.restore(before)
            at.rig.set_time(NOON + 8 * HOUR)
            proxy.begin(Cut(number, Loss.ANSWER, Aftermath.CRASH))
            with pytest.raises((ServiceRequestError, ServiceResponseError)):
                await refresh_directory(dying, scheduled=True)
            at.pass_time(at.rig.app.lease)
            await at.refresh(scheduled=False)
            if (await at.state()).last_began == NOON:  # it died before it noted that it began
                await at.refresh()
            assert (await at.roster())["03"] == [(NOON, None)], number
            assert await _marked(at) >= clean[1], f"cut at write {number}: slices were not made due"
            state = await at.state()
            assert (state.run, state.problem, state.due_since) == ("", "", None)
            partitions = {row["PartitionKey"] async for row in (await at.rig.tables()).directory.everything()}
            assert not [p for p in partitions if p.startswith("run-")], "pages stayed behind"


async def _marked(at: Office) -> set[object]:
    control = (await at.rig.tables()).control
    return {s.start for s in (await read_agenda(control, PARTNER)).marked}


async def test_a_worker_that_lost_its_lease_publishes_nothing(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held back at the very write that names the new directory, while another one refreshes."""
    async with office(azurite, monkeypatch, people()) as at, CutProxy(azurite) as proxy:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(JOINED)
        before = await at.rig.copy()
        slow = at.rig.worker(proxy.connection)
        await slow.tables()
        proxy.begin()
        await refresh_directory(slow, scheduled=True)
        pointer = next(n for n, r in enumerate(proxy.requests, 1) if r.startswith("P") and "RowKey='version'" in r)
        await at.rig.restore(before)
        at.rig.set_time(NOON + 6 * HOUR)
        proxy.hold(pointer)
        working = asyncio.ensure_future(refresh_directory(slow, scheduled=True))
        await proxy.held.wait()
        at.pass_time(at.rig.app.lease)
        at.serve(without(people(), user(2)))
        await at.refresh()
        found, state = await at.file(), await at.state()
        assert found is not None
        proxy.release()
        await working
        assert await at.file() == found
        assert await at.state() == state


async def test_a_long_refresh_pauses_before_its_function_is_ended(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, LAYERED, page_size=1) as at:
        times = itertools.count()
        tables = Tables.connect(azurite, prefix=at.rig.prefix)
        hurried = App(at.rig.settings, clock=lambda: NOON + next(times) * 2 * MINUTE, tables=tables)
        try:
            await refresh_directory(hurried, scheduled=True)
        finally:
            await hurried.close()
        state = await at.state()
        assert state.run
        assert state.problem == ""
        assert await at.file() is None
        asked = len(at.asked())
        assert asked > 5
        at.rig.set_time(NOON + next(times) * 2 * MINUTE)
        await at.refresh(scheduled=False)
        assert sorted(await at.roster()) == ["01", "02", "03"]
        assert len(at.asked()) < 20, "it goes on where it paused"


async def test_what_was_fetched_does_not_stay_behind(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(replace(JOINED, registrations=(*JOINED.registrations, registration(5, registered=False))))
        await at.refresh()
        partitions = {row["PartitionKey"] async for row in (await at.rig.tables()).directory.everything()}
        assert {p.partition("-")[0] for p in partitions} == {"current", "people", "policies", "refresh", "version"}
        assert len([p for p in partitions if p.startswith("version")]) == 1


# --- people who were erased -------------------------------------------------------------------------------------------


async def test_a_refresh_takes_the_erased_under_their_pseudonyms(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        before = await at.file()
        assert before is not None
        done = await erase_person(at.rig.app, user(1), Actor("ann"), force=True)
        for _ in range(2):
            at.pass_time(HOUR)
            await at.refresh()
            file = await at.file()
            assert file is not None
            dates = {a.user_id: (a.from_, a.to) for a in file.delegated_admins}
            assert dates == {
                done.pseudonym if a.user_id == user(1) else a.user_id: (a.from_, a.to) for a in before.delegated_admins
            }
            assert await mentions(at.rig, *spellings(user(1), "user1@partner.example")) == []


@pytest.mark.parametrize("at_which", range(1, 5))
async def test_who_is_erased_in_the_middle_of_a_refresh_is_not_named_by_it(
    azurite: str, monkeypatch: pytest.MonkeyPatch, at_which: int
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        at.directory.policies.conditional_access = [
            {"id": user(9), "displayName": "All but one", "conditions": {"users": {"excludeUsers": [user(1)]}}}
        ]
        await at.refresh()
        before = await at.file()
        at.pass_time(HOUR)
        slow, pseudonyms, calls = at.rig.worker(), list[str](), iter(range(1, 100))
        tables = slow.tables

        async def erased_meanwhile() -> Tables:
            if next(calls) == at_which:
                done = await erase_person(at.rig.app, user(1), Actor("ann"), force=True)
                pseudonyms.append(done.pseudonym)
            return await tables()

        slow.tables = erased_meanwhile  # type: ignore[method-assign]
        await refresh_directory(slow, scheduled=True)
        assert len(pseudonyms) == 1
        assert await mentions(at.rig, *spellings(user(1), "user1@partner.example")) == []
        file = await at.file()
        assert file is not None
        assert before is not None
        dates = {a.user_id: (a.from_, a.to) for a in before.delegated_admins}
        dates[pseudonyms[0]] = dates.pop(user(1))
        assert {a.user_id: (a.from_, a.to) for a in file.delegated_admins} == dates
