"""What operators do, over HTTP and by command: who may, and what comes of it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import ops as routes
from functions.exceptions import exceptions, request_exception
from functions.http import Endpoint
from functions.incidents import update_incident
from local.commands import ops
from shared.alerts.dispatch import dispatch_alerts
from shared.answers.incidents import IncidentsQuery, read_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.technicians import TechniciansQuery, read_technicians
from shared.app.app import App
from shared.app.settings import AuthMode
from shared.basics.spelling import id_key
from shared.ledger.head import SliceState
from shared.ledger.slices import Slice
from shared.maintenance.erase import erase_person
from shared.operations.register import Actor
from shared.people.lists import AccountEntry, PostureFit, Technician
from shared.rules.rule import PARTNER, TECHNICIAN
from shared.signin.directory import DirectoryFile
from shared.store.ledger import head_row
from shared.store.packing import unpack_bytes
from shared.store.people import ACCOUNTS, TECHNICIANS, save_list
from shared.store.refresh import Piece, keep_pieces
from shared.store.tables import SCHEMA, insert, upsert
from tests.exceptions.asked import asked
from tests.exceptions.test_over_http import send
from tests.functions.asking import app_over, ask
from tests.scan.canonical import raw
from tests.scan.harness import DIRECTORY, Rig, record, rig
from tests.scan.stories import LATE, RICH, SEVEN, WIDTH, full_log, weak

OTHER = "77777777-7777-7777-7777-777777777777"
ANN = Actor("ann")
PERIOD = {"from": RICH.start.isoformat(), "to": RICH.end.isoformat()}
ROUTES = [routes.rescan_period, routes.release_parked, routes.replay_quarantine, routes.pause, routes.erase]


@pytest.fixture
async def scanned(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """All is read and nothing is due."""
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH) as made:
        full_log(made)
        made.set_time(LATE)
        await made.work()
        yield made


async def command(endpoint: Endpoint, app: App, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    data = json.dumps(body).encode()
    reply = await ask(endpoint, app, headers={"Content-Type": "application/json", **headers}, body=data)
    return reply.status, reply.json


async def due(rig: Rig) -> list[Slice]:
    """The slices that the plan sends, one after the other."""
    before = len(rig.reads)
    await rig.work()
    return rig.reads[before:]


async def test_a_rescan_has_the_slices_of_the_period_read_again(scanned: Rig) -> None:
    assert await due(scanned) == []
    assert await command(routes.rescan_period, scanned.app, PERIOD) == (200, {"slices": 1, "dryRun": None})
    assert await due(scanned) == [RICH]
    long_ago = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    status, problem = await command(routes.rescan_period, scanned.app, long_ago)
    assert (status, [error["field"] for error in problem["errors"]]) == (400, ["to"]), "not 200 with no slice"


async def test_a_replay_reads_the_slices_with_quarantined_records_alone(scanned: Rig) -> None:
    scanned.correct(record("broken", SEVEN + 7 * timedelta(minutes=1)))  # as a mended decoder would read it
    whole = {"from": (RICH.start - timedelta(days=1)).isoformat(), "to": scanned.now.isoformat()}
    assert (await scanned.head(RICH)).quarantined == 2
    assert await command(routes.replay_quarantine, scanned.app, whole) == (200, {"slices": 1})
    assert await due(scanned) == [RICH]
    assert (await scanned.head(RICH)).quarantined == 1


async def test_a_parked_slice_is_released(scanned: Rig) -> None:
    table = (await scanned.tables()).slices
    await table.write(upsert({**head_row(RICH), "state": SliceState.PARKED, "attempts": 10}))
    assert await due(scanned) == []
    assert await command(routes.release_parked, scanned.app, {}) == (200, {"slices": 1}), "of the last 31 days"
    assert await due(scanned) == [RICH]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({**PERIOD, "to": PERIOD["from"]}, "body"),
    ({**PERIOD, "from": "2026-01-01T00:00:00Z"}, "body"),
    ({**PERIOD, "tenant": OTHER}, "tenant"),
    ({**PERIOD, "tenant": "contoso"}, "tenant"),
    ({"from": PERIOD["from"]}, "to"),
    ({**PERIOD, "what": 1}, "what"),
]


async def test_a_period_that_is_none_is_refused(azurite: str) -> None:
    async with app_over(azurite, LATE) as app:
        for body, field in WRONG:
            for endpoint in ROUTES[:3]:
                status, problem = await command(endpoint, app, body)
                assert (status, [error["field"] for error in problem["errors"]]) == (400, [field])


async def test_a_reader_may_not(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    claims = [{"typ": "roles", "val": "Reader"}]
    headers = {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode()}
    bodies: list[dict[str, Any]] = [
        PERIOD,
        PERIOD,
        PERIOD,
        {"until": PERIOD["to"]},
        {"user": TECHNICIAN, "force": True},
    ]
    async with app_over(azurite, LATE) as app:
        app.settings = app.settings.model_copy(update={"auth_mode": AuthMode.EASY_AUTH})
        for endpoint, body in zip(ROUTES, bodies, strict=True):
            assert (await command(endpoint, app, body, **headers))[0] == 403
            assert (await command(endpoint, app, body))[0] == 401
        app.settings = app.settings.model_copy(update={"auth_mode": AuthMode.KEY})
        for endpoint, body in zip(ROUTES, bodies, strict=True):
            assert (await command(endpoint, app, body))[0] == 200


async def test_a_pause_lasts_a_week_at_most(azurite: str) -> None:
    async with app_over(azurite, LATE) as app:
        for days, status in ((8, 400), (10_000, 400), (7, 200)):
            until = (LATE + timedelta(days=days)).isoformat()
            assert (await command(routes.pause, app, {"until": until}))[0] == status


# --- pausing ----------------------------------------------------------------------------------------------------------


async def test_nothing_is_told_before_the_pause_ends(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS__SOC__KIND", "generic")
    monkeypatch.setenv("CHANNELS__SOC__URL", "http://127.0.0.1:9/hook")
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH) as made:
        made.log(weak("weak", SEVEN, appId="app-a"))
        made.set_time(LATE)
        until = LATE + timedelta(hours=3)
        reply = await command(routes.pause, made.app, {"until": until.isoformat()})
        assert reply == (200, {"until": until.isoformat().replace("+00:00", "Z")})
        await made.work()
        made.set_time(until - timedelta(minutes=1))
        assert await dispatch_alerts(made.app) == []
        made.set_time(LATE + timedelta(days=1, hours=1))  # what the first scan found waits a day in any case
        assert len(await dispatch_alerts(made.app)) == 1


# --- erasing ----------------------------------------------------------------------------------------------------------


NAMES = ("technician@partner.example", "Zoë Quill")
NAMESAKE = "zoëtechnician@partner.example"  # ends as the erased person's name does


def spellings(user: str, *names: str) -> tuple[str, ...]:
    return user.lower(), user.lower().replace("-", ""), *(name.lower() for name in names)


async def mentions(rig: Rig, *named: str) -> list[str]:
    """The rows of all tables that name a person, packed values read."""
    found = []
    tables = await rig.tables()
    for name, table in tables.by_name.items():
        for keys, row in (await raw(table)).items():
            packed = [unpack_bytes(column[:-1], row) or b"" for column in row if column.endswith("0")]
            texts = [
                json.loads(p) if column != "raw0" else p.decode(errors="replace")
                for column, p in zip((c for c in row if c.endswith("0")), packed, strict=True)
            ]
            text = json.dumps([*map(str, row.values()), *texts], ensure_ascii=False).lower().replace(NAMESAKE, "")
            if any(spelling in text for spelling in named):
                found.append(f"{name} {keys}")
    return found


async def know_everywhere(rig: Rig) -> None:
    """Let every table that can name the technician do so."""
    tables = await rig.tables()
    technician = Technician(
        id_key(TECHNICIAN),
        TECHNICIAN,
        *NAMES,
        False,
        ["Admin agent"],
        [],
        1,
        None,
        None,
        True,
        True,
        [],
        False,
        None,
        False,
        [],
    )
    account = AccountEntry(
        id_key(TECHNICIAN), TECHNICIAN, *NAMES, False, True, False, False, False, [PostureFit("mfa-not-registered", 2)]
    )
    await save_list(tables.directory, TECHNICIANS, [technician], {}, rig.now)
    await save_list(tables.directory, ACCOUNTS, [account], {}, rig.now)
    page = json.dumps({"value": [{"id": TECHNICIAN, "displayName": NAMES[1], "userPrincipalName": NAMES[0]}]})
    await keep_pieces(tables.directory, "run-a", "owner-of-it", 0, [Piece("members", "group", 0, page)])
    made = await send(
        request_exception, rig.app, asked(owner=NAMES[0], reason=f"{NAMES[1]}'s smart card; ask {NAMES[0]}.")
    )
    assert made.status == 201, made.text
    (key, *_) = sorted(await rig.incidents())
    comment = {"comment": f"Called {NAMES[1]}, not {NAMESAKE}."}
    reply = await send(update_incident, rig.app, comment, id_=key, etag="*")
    assert reply.status == 200, reply.text
    rig.set_time(LATE + timedelta(days=1, hours=1))  # what the first scan found waits a day
    assert await dispatch_alerts(rig.app)


async def test_an_erased_person_is_nowhere_and_the_counts_stay(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS__SOC__KIND", "generic")
    monkeypatch.setenv("CHANNELS__SOC__URL", "http://127.0.0.1:9/hook")
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH) as scanned:
        full_log(scanned)
        scanned.log(weak("named", SEVEN + timedelta(minutes=9), appId="app-d", userDisplayName=NAMES[1]))
        scanned.log(record("broken-other", SEVEN + timedelta(minutes=30), userId=OTHER, isInteractive="perhaps"))
        scanned.set_time(LATE)
        await scanned.work()
        await know_everywhere(scanned)
        before = await read_summary(scanned.app, SummaryQuery())
        findings = await scanned.findings()
        where = {mention.split()[0] for mention in await mentions(scanned, *spellings(TECHNICIAN, *NAMES))}
        assert where == {"slices", "incidents", "sessions", "rollups", "directory", "control", "alerts"}
        status, done = await command(routes.erase, scanned.app, {"user": TECHNICIAN, "force": True})
        assert status == 200
        assert done["changed"] > 5
        assert done["removed"] == 1, "the pages of a refresh under way"
        assert await mentions(scanned, *spellings(TECHNICIAN, *NAMES)) == []
        after = await read_summary(scanned.app, SummaryQuery())
        assert after.delegated_sign_ins == before.delegated_sign_ins
        assert (after.by_rule, after.by_evidence) == (before.by_rule, before.by_evidence)
        assert await scanned.findings() == findings
        word = f"erased-{done['pseudonym'][-8:]}"
        incidents = (await read_incidents(scanned.app, IncidentsQuery())).items
        assert {incident.user_id for incident in incidents} == {done["pseudonym"]}
        (asked_for,) = (await send(exceptions, scanned.app)).json["items"]
        assert (asked_for["owner"], asked_for["userId"]) == (f"{word}@partner.example", done["pseudonym"])
        assert asked_for["reason"] == f"{word}'s smart card; ask {word}@partner.example."
        technicians = await read_technicians(scanned.app, TechniciansQuery())
        assert [item.user_id for item in technicians.items] == [done["pseudonym"]]
        again = await erase_person(scanned.app, TECHNICIAN, ANN, force=True)
        assert (again.changed, again.pseudonym) == (0, done["pseudonym"])


async def test_somebody_whose_name_ends_alike_stays(scanned: Rig) -> None:
    (key, *_) = sorted(await scanned.incidents())
    assert (await send(update_incident, scanned.app, {"comment": f"Ask {NAMESAKE}."}, id_=key, etag="*")).status == 200
    await erase_person(scanned.app, TECHNICIAN, ANN, force=True)
    assert [row async for row in (await scanned.tables()).incidents.everything() if NAMESAKE in str(row)]


async def test_rows_of_a_newer_version_are_not_touched(scanned: Rig) -> None:
    table = (await scanned.tables()).slices
    row = {"PartitionKey": RICH.partition, "RowKey": "find-999999-new", "v": SCHEMA + 1, "user": TECHNICIAN}
    await table.write(insert({**row, "userName": "technician@partner.example", "userDisplayName": ""}))
    await erase_person(scanned.app, TECHNICIAN, ANN, force=True)
    left = await table.get(RICH.partition, "find-999999-new")
    assert left is not None
    assert left["user"] == TECHNICIAN


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["erase", "--user", "jane"],
        ["pause", "--until", "2099-01-01"],
        ["restore", "--from", "not a day"],
        ["load-directory", "/nowhere.json"],
    ],
)
def test_misuse_is_said_in_a_sentence(
    storage: str, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AzureWebJobsStorage", storage), ("PARTNER_TENANT_ID", PARTNER), ("AUTH_MODE", "local")):
        monkeypatch.setenv(name, value)
    assert ops.main(argv) == 2
    told = capsys.readouterr().err
    assert told.startswith("ops: ")
    assert "Traceback" not in told


def test_the_commands_say_what_they_did(
    storage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AzureWebJobsStorage", storage), ("PARTNER_TENANT_ID", PARTNER), ("AUTH_MODE", "local")):
        monkeypatch.setenv(name, value)
    assert ops.main(["release"]) == 0
    assert ops.main(["rescan", "--from", "2026-11-01", "--to", "2026-11-02"]) == 0
    assert ops.main(["replay"]) == 0
    assert ops.main(["pause", "--until", "2020-01-01"]) == 0
    assert ops.main(["erase", "--user", TECHNICIAN]) == 2, "nothing names that person"
    assert capsys.readouterr().out.splitlines() == [
        *["0 slices will be read by the next plan."] * 3,
        "No alert is sent before 2020-01-01T00:00:00+00:00.",
    ]


def test_the_directory_that_was_loaded_is_written_out(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AzureWebJobsStorage", storage), ("PARTNER_TENANT_ID", PARTNER), ("AUTH_MODE", "local")):
        monkeypatch.setenv(name, value)
    loaded, written = tmp_path / "loaded.json", tmp_path / "written.json"
    loaded.write_text(DIRECTORY.model_dump_json(by_alias=True), encoding="utf-8")
    assert ops.main(["load-directory", str(loaded)]) == 0
    capsys.readouterr()
    assert ops.main(["directory"]) == 0
    assert DirectoryFile.model_validate_json(capsys.readouterr().out) == DIRECTORY
    assert ops.main(["directory", "--out", str(written)]) == 0
    assert DirectoryFile.model_validate_json(written.read_text("utf-8")) == DIRECTORY
