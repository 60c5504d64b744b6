"""An erased person: who may be erased, what a later read of the log writes, and when the log may say the name again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from functions import ops as routes
from functions.answers import findings as list_findings
from functions.incidents import incident as get_incident
from functions.incidents import update_incident
from shared.alerts.dispatch import dispatch_alerts
from shared.answers.overview import SummaryQuery, read_summary
from shared.basics.spelling import id_key
from shared.ledger.counts import Counts
from shared.ledger.counts_json import groups_of_json
from shared.ledger.register import ActKind
from shared.maintenance.erase import NoSuchPerson, StillOnRoster, erase_person
from shared.maintenance.retention import delete_expired
from shared.operations.register import Actor
from shared.operations.slices import rescan
from shared.rules.rule import CUSTOMER, PARTNER, PLAIN, TECHNICIAN
from shared.scan.job import scan_slice
from shared.scan.plan import plan_scans
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.erased import read_erased
from shared.store.register import page_of_acts
from tests.exceptions.test_over_http import send
from tests.functions.asking import ask
from tests.maintenance.test_ops import NAMES, command, mentions, spellings
from tests.scan.canonical import View, canonical, difference
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import LATE, RICH, SEVEN, WIDTH, full_log, silent, weak

ANN = Actor("ann", "t/ann")
NOBODY = "00000000-0000-0000-0000-000000000000"
STRANGER = "77777777-7777-7777-7777-777777777777"
MINUTE = timedelta(minutes=1)


def person(n: int) -> str:
    """The id of one of five."""
    return f"aaaaaaaa-0000-4000-8000-{n:012d}"


def _directory() -> DirectoryFile:
    """Two were on the roster until noon, one is, two are strangers to it."""
    admins = [
        DelegatedAdmin(user_id=person(n), user_principal_name=f"tech{n}@fed.example", to=LATE if n < 2 else None)
        for n in range(3)
    ]
    return DirectoryFile(
        partner_tenant_id=PARTNER,
        customers=[Customer(tenant_id=CUSTOMER)],
        delegated_admins=[*admins, DelegatedAdmin(user_id=TECHNICIAN, user_principal_name=NAMES[0])],
        federated_domains=["fed.example"],
    )


def _log(rig: Rig) -> None:
    full_log(rig)
    for n in range(5):
        who: dict[str, Any] = {
            "userId": person(n),
            "userPrincipalName": f"tech{n}@fed.example",
            "userDisplayName": f"Tech {n}\u00a0Hansen",
            "ipAddress": f"192.0.2.{n}",
            "userAgent": f"Agent of {n}",
            "sessionId": f"bbbbbbbb-0000-4000-8000-{n:012d}",
        }
        masked = {**who, "userId": f"cccccccc-0000-4000-8000-{n:012d}"}
        masked["userPrincipalName"] = f"user_{id_key(person(n))}@customer.example"
        rig.log(
            weak(f"weak-{n}", SEVEN + n * MINUTE, **who),
            record(f"root-{n}", SEVEN + n * MINUTE, **who),
            silent(f"child-{n}", RICH.end + n * MINUTE, who["sessionId"], **who),
            weak(f"masked-{n}", SEVEN + (n + 9) * MINUTE, **masked),
            record(f"broken-{n}", SEVEN + (n + 20) * MINUTE, **{**who, "isInteractive": "perhaps"}),
        )


@pytest.fixture
async def scanned(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """All is read and nothing is due."""
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH, directory=_directory()) as made:
        _log(made)
        made.set_time(LATE)
        await made.work()
        yield made


async def _read_again(at: Rig) -> None:
    assert await rescan(at.app, PARTNER, RICH.start - timedelta(days=1), at.now) > 0
    await at.work()


async def _numbers(at: Rig) -> Any:
    summary = await read_summary(at.app, SummaryQuery())
    return (summary.delegated_sign_ins, summary.by_scope, summary.by_rule, summary.by_evidence)


def _sorted(view: View) -> View:
    """The counts in the order of their keys, which a pseudonym changes."""
    for key, row in view.items():
        if row.get("counts"):
            row["counts"] = Counts.of_json(row["counts"]).to_json()
        if " groups-" in key:
            row["lines"] = groups_of_json(row["lines"]["lines"])
    return view


async def _names_of(n: int) -> tuple[str, ...]:
    return (*spellings(person(n), f"tech{n}@fed.example"), f"tech {n}", f"192.0.2.{n}", f"agent of {n}")


async def test_five_are_erased_and_the_log_read_again_says_what_it_said(scanned: Rig) -> None:
    numbers, incidents = await _numbers(scanned), set(await scanned.incidents())
    for n in range(5):
        await erase_person(scanned.app, person(n), ANN, force=True)
    assert await _numbers(scanned) == numbers
    erased = _sorted(await canonical(await scanned.tables()))
    # Another process too, which began before and read who was on the roster then.
    for worker in (scanned.app, scanned.worker()):
        scanned.app = worker
        await _read_again(scanned)
        changed = difference(erased, _sorted(await canonical(await scanned.tables())))
        assert [line for line in changed if ".versions:" not in line] == []
        assert await _numbers(scanned) == numbers
        assert set(await scanned.incidents()) == incidents, "an incident keeps its id: channels were told it"
        for n in range(5):
            assert await mentions(scanned, *await _names_of(n)) == []


async def test_a_worker_in_the_middle_of_a_slice_writes_no_name(scanned: Rig) -> None:
    numbers = await _numbers(scanned)
    await rescan(scanned.app, PARTNER, RICH.start, RICH.end)
    (body, *_) = await plan_scans(scanned.app)
    slow = scanned.worker()
    reads = slow.erased

    async def erased_meanwhile() -> Any:
        known = await reads()
        await erase_person(scanned.app, person(0), ANN)
        return known

    slow.erased = erased_meanwhile  # type: ignore[method-assign]
    assert await scan_slice(slow, body) == []
    scanned.pass_time(scanned.app.lease)
    await scanned.work()
    assert await mentions(scanned, *await _names_of(0)) == []
    assert await _numbers(scanned) == numbers


@pytest.mark.parametrize("id_", [PARTNER, CUSTOMER, PLAIN["appId"], NOBODY, STRANGER])
async def test_an_id_that_is_nobodys_is_refused_and_nothing_changes(scanned: Rig, id_: str) -> None:
    before = await scanned.copy()
    status, problem = await command(routes.erase, scanned.app, {"user": id_, "force": True})
    assert (status, "no such person" in problem["detail"].lower()) == (404, True)
    with pytest.raises(NoSuchPerson):
        await erase_person(scanned.app, id_, ANN)
    assert await scanned.copy() == before


async def test_a_text_that_is_no_id_is_refused_in_a_sentence(scanned: Rig) -> None:
    status, problem = await command(routes.erase, scanned.app, {"user": ""})
    assert (status, problem["errors"][0]["detail"]) == (400, "must be the object id of a user (a GUID)")


async def test_who_is_on_the_roster_stays_unless_forced(scanned: Rig) -> None:
    before = await scanned.copy()
    with pytest.raises(StillOnRoster):
        await erase_person(scanned.app, person(2), ANN)
    assert (await command(routes.erase, scanned.app, {"user": person(2)}))[0] == 409
    assert await scanned.copy() == before
    assert (await command(routes.erase, scanned.app, {"user": person(2), "force": True}))[0] == 200


async def test_a_finding_says_the_incident_it_belongs_to(scanned: Rig) -> None:
    await erase_person(scanned.app, person(0), ANN)
    await _read_again(scanned)
    items = (await ask(list_findings, scanned.app)).json["items"]
    erased = [item for item in items if item["id"] in ("child-0", "masked-0")]
    assert len(erased) == 2
    for item in erased:
        for incident in item["incidentIds"]:
            assert (await send(get_incident, scanned.app, id_=incident)).status == 200
        assert (item["ipAddress"], item["userAgent"], item["sessionId"]) == (None, None, None)


async def test_the_register_says_who_when_and_how_many_and_no_name(scanned: Rig) -> None:
    done = await erase_person(scanned.app, person(0), ANN)
    acts, _ = await page_of_acts((await scanned.tables()).control)
    noted = {act.kind: (act.by, act.by_id, act.at, act.detail) for _, act in acts}
    detail = {"pseudonym": done.pseudonym, "changed": done.changed, "removed": done.removed}
    assert noted[ActKind.ERASE_DONE] == ("ann", "t/ann", scanned.now, detail)
    assert noted[ActKind.ERASE_BEGUN][3] == {"forced": False}


async def test_what_leads_back_goes_when_the_log_has_forgotten(scanned: Rig) -> None:
    for n in (0, 1):
        await erase_person(scanned.app, person(n), ANN)
        scanned.pass_time(timedelta(days=1))
    tables = await scanned.tables()
    key = (await read_erased(tables.control)).key
    left = {}
    for day in (28, 29, 30):  # the first was erased two days ago; the log keeps 30 days
        scanned.set_time(LATE + timedelta(days=day + 1))
        await delete_expired(scanned.app)
        left[day] = len((await read_erased(tables.control)).erasures)
    assert left == {28: 2, 29: 2, 30: 1}
    scanned.set_time(LATE + timedelta(days=32))
    await delete_expired(scanned.app)
    assert (await read_erased(tables.control)).key == ""
    assert not any([key in str(row) async for row in tables.control.everything()])


async def test_what_an_incident_woke_for_goes_wherever_it_was_written(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = {"soc": {"kind": "generic", "url": "http://127.0.0.1:9/hook"}}
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH, directory=_directory(), channels=channels) as at:
        who: dict[str, Any] = {"userId": person(0), "userPrincipalName": "t@partner.example", "userDisplayName": "T"}
        at.log(weak("first", SEVEN, **who))
        at.set_time(LATE)
        await at.work()
        (key,) = await at.incidents()
        acknowledged = await send(update_incident, at.app, {"state": "acknowledged"}, id_=key, etag="*")
        assert acknowledged.status == 200
        new = {"userAgent": "Tellingly/7", "location": {"countryOrRegion": "Tellingland"}}
        at.log(weak("second", RICH.end + MINUTE, **who, **new))
        at.pass_time(timedelta(hours=26))
        await _read_again(at)
        woken = (await send(get_incident, at.app, id_=key)).json
        assert woken["reason"] == "woken: a new kind of client (tellingly/), a new country (TELLINGLAND)"
        await dispatch_alerts(at.app)
        told = {mention.split()[0] for mention in await mentions(at, "tellingl")}
        assert {"slices", "incidents", "alerts"} <= told
        await erase_person(at.app, person(0), ANN)
        assert await mentions(at, "tellingl") == []
        erased = (await send(get_incident, at.app, id_=key)).json
        assert (erased["reason"], erased["state"]) == ("woken: something new", "open")
