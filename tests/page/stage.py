"""Apps in every state that the page has to show, over real tables, with names that nobody should trust."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.register import ActKind
from shared.operations.pause import pause_alerts
from shared.operations.register import Actor, note_act
from shared.people.lists import CustomerEntry, Technician, to_kept
from shared.preflight.model import Check, CheckKind, CheckState, preflight_of, save_preflight
from shared.rules.rule import AT_HOME, CUSTOMER, NON_INTERACTIVE, PARTNER, PASSWORD_ONLY, TECHNICIAN
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.directory import save_directory
from shared.store.flights import change_flight, read_flight
from shared.store.people import CUSTOMERS, TECHNICIANS, save_list
from shared.store.policies import save_policies
from shared.store.tables import Tables
from tests.scan.harness import DIRECTORY, Rig, record, rig

NINE: Final = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER: Final = NINE.replace(hour=0) + timedelta(days=1, minutes=90)
# A script, a handler, a formula, text that turns round, a flag that is no letter, and no end.
_SCRIPT: Final = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
HOSTILE: Final = f"{_SCRIPT}=cmd|'/C calc'!A0 \u202egnp.exe 😀"
LONG: Final = "Wayne-Enterprises-Global-Managed-Services-International-Holding-" * 4
ENDLESS: Final = "A policy with a name as long as a page, " * 250  # 10 kB
RIGHT_TO_LEFT: Final = "شركة الخدمات المُدارة الدولية"
UNLISTED: Final = "44444444-4444-4444-4444-444444444444"
GUEST: Final = "77777777-7777-7777-7777-777777777777"
OTHERS: Final = {"55555555-5555-5555-5555-555555555555": LONG, "66666666-6666-6666-6666-666666666666": RIGHT_TO_LEFT}
FILE: Final = DirectoryFile(
    partner_tenant_id=PARTNER,
    customers=[
        Customer(tenant_id=CUSTOMER, display_name=HOSTILE),
        *(Customer(tenant_id=key, display_name=name) for key, name in OTHERS.items()),
    ],
    delegated_admins=[
        DelegatedAdmin(user_id=TECHNICIAN, user_principal_name="technician@partner.example"),
        DelegatedAdmin(user_id=GUEST, user_principal_name=RIGHT_TO_LEFT),
    ],
)
PREFLIGHT: Final = (
    Check(kind=CheckKind.PERMISSION, name="AuditLog.Read.All", state=CheckState.OK, detail="Granted."),
    Check(
        kind=CheckKind.PERMISSION,
        name="Policy.Read.All",
        state=CheckState.MISSING,
        detail="Not granted.",
        to_do="Grant it.",
        command="./infra/grant.sh Policy.Read.All",
    ),
)


class Stage:
    """The apps by name, and which of them is shown."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.shown = "full"

    def current(self) -> App:
        """The app that the server shows now."""
        return self.apps[self.shown]


@asynccontextmanager
async def staged(azurite: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Every state. Environment variables that an app needs are set by `patch`."""
    stage = Stage()
    patch.setenv("WEBSITE_AUTH_ENABLED", "true")
    async with AsyncExitStack() as stack:
        full = await stack.enter_async_context(rig(azurite, patch, slice_minutes=1440, lookback_days=2, directory=FILE))
        await _fill(full)  # before another rig's Graph takes its place in the environment
        part = await stack.enter_async_context(rig(azurite, patch, slice_minutes=60, lookback_days=2))
        await _fill_part(part)
        stage.apps = {"full": full.app, "part": part.app}
        for name, prepare in (("first", None), ("paused", _pause), ("denied", _deny)):
            stage.apps[name] = await stack.enter_async_context(_app(azurite, LATER))
            if prepare is not None:
                await prepare(stage.apps[name])
        stage.apps["reader"] = await stack.enter_async_context(
            _app(azurite, LATER, prefix=full.prefix, mode="easyauth")
        )
        stage.apps["key"] = await stack.enter_async_context(_app(azurite, LATER, mode="key"))
        nowhere = azurite.replace("127.0.0.1", "127.0.0.2")
        stage.apps["down"] = await stack.enter_async_context(_app(nowhere, LATER, fill=False))
        yield stage


@asynccontextmanager
async def _app(
    connection: str, now: datetime, *, prefix: str = "", mode: str = "local", fill: bool = True
) -> AsyncIterator[App]:
    values: dict[str, Any] = {"auth_mode": mode, "partner_tenant_id": PARTNER, "AzureWebJobsStorage": connection}
    settings = load_settings(**values, lookback_days=2, slice_minutes=1440)
    tables = Tables.connect(connection, prefix=prefix or "t" + uuid4().hex[:20], retries=3 if fill else 0)
    app = App(settings, clock=lambda: now, tables=tables)
    try:
        if fill and not prefix:
            await save_directory((await app.tables()).directory, DIRECTORY, now)
        yield app
    finally:
        await app.close()


async def _fill(made: Rig) -> None:
    bad = {
        **PASSWORD_ONLY,
        "appDisplayName": HOSTILE,
        "userDisplayName": HOSTILE,
        "userAgent": HOSTILE,
        **_met(HOSTILE),
    }
    legacy = {**PASSWORD_ONLY, "clientAppUsed": "Authenticated SMTP", "appDisplayName": LONG, "appId": UNLISTED}
    endless = {**bad, "userAgent": ENDLESS, **_met(ENDLESS, HOSTILE, condition=HOSTILE)}
    long_, rtl = OTHERS
    silent = {**NON_INTERACTIVE, "authenticationRequirement": "singleFactorAuthentication", "authenticationDetails": []}
    made.log(
        record("good", NINE),
        record("bad", NINE + timedelta(hours=1), **bad),
        record("worse", NINE + timedelta(hours=2), **bad),
        record("legacy", NINE + timedelta(hours=3), **{**legacy, "resourceTenantId": long_}),
        record(
            "rtl", NINE + timedelta(hours=4), **{**bad, "resourceTenantId": rtl, **_met(RIGHT_TO_LEFT, RIGHT_TO_LEFT)}
        ),
        record("endless", NINE + timedelta(hours=4), **endless),
        record("unlisted", NINE + timedelta(hours=5), **{**bad, "resourceTenantId": UNLISTED}),
        record("home", NINE + timedelta(hours=6), **{**bad, **AT_HOME}),
        record("silent", NINE + timedelta(hours=7), **silent),
    )
    made.set_time(LATER)
    await made.work()
    tables = await made.tables()
    people = [
        Technician(
            TECHNICIAN.replace("-", ""),
            TECHNICIAN,
            "technician@partner.example",
            HOSTILE,
            roles=["AdminAgents"],
            reachable=3,
            registered=False,
            capable=False,
        ),
        Technician("7" * 32, GUEST, RIGHT_TO_LEFT, LONG, guest=True, reachable=1, registered=False, dormant=True),
    ]
    listed = [
        CustomerEntry(key.replace("-", ""), key, name, end=f"{LATER + timedelta(days=9):%Y-%m-%dT00:00:00+00:00}")
        for key, name in {CUSTOMER: HOSTILE, **OTHERS}.items()
    ]
    facts = {"known": ["a" * 32], "groupNames": {"a" * 32: HOSTILE, "b" * 32: RIGHT_TO_LEFT}, "groupsProblem": HOSTILE}
    await save_list(tables.directory, TECHNICIANS, [to_kept(each) for each in people], facts, LATER)
    await save_policies(tables.directory, _policies(), {"crossTenantAccess": HOSTILE}, LATER)
    await save_list(tables.directory, CUSTOMERS, [to_kept(each) for each in listed], {}, LATER)
    await note_act(made.app, ActKind.RESCAN, Actor(HOSTILE), why=HOSTILE)
    await save_preflight(tables.control, preflight_of(PREFLIGHT, LATER))


def _met(name: str, rule: str = "groupId", *, condition: str = "users") -> dict[str, Any]:
    """A policy of that name, as it left a sign-in out."""
    return {
        "appliedConditionalAccessPolicies": [
            {
                "id": name,
                "displayName": name,
                "result": "notApplied",
                "enforcedGrantControls": ["Mfa"],
                "conditionsNotSatisfied": "users",
                "excludeRulesSatisfied": [{"conditionalAccessCondition": condition, "ruleSatisfied": rule}],
            }
        ]
    }


def _policies() -> dict[str, Any]:
    """The policies as Graph has them, with names that nobody should trust."""
    users = {"includeUsers": ["All"], "excludeGroups": ["a" * 32, "b" * 32], "excludeUsers": [HOSTILE, LONG]}
    places = {"includeLocations": ["All"], "excludeLocations": ["c" * 32, HOSTILE]}
    every = {"applications": {"includeApplications": ["All"], "excludeApplications": [HOSTILE]}, "locations": places}

    def of(name: str, state: str = "enabled") -> dict[str, Any]:
        grants = {"operator": "OR", "builtInControls": ["mfa"]}
        return {
            "id": name,
            "displayName": name,
            "state": state,
            "conditions": {**every, "users": users},
            "grantControls": grants,
        }

    return {
        "conditionalAccess": [of(HOSTILE), of(ENDLESS), of(RIGHT_TO_LEFT, "enabledForReportingButNotEnforced")],
        "namedLocations": [{"id": "c" * 32, "displayName": ENDLESS}],
        "domains": [{"id": f"{HOSTILE}.example", "authenticationType": "Federated"}],
        "federation": {f"{HOSTILE}.example": [{"federatedIdpMfaBehavior": HOSTILE}]},
        "securityDefaults": {"isEnabled": False},
    }


async def _fill_part(made: Rig) -> None:
    made.log(record("good", NINE - timedelta(days=1)))
    await made.deliver((await made.plan())[:1])


async def _pause(app: App) -> None:
    await pause_alerts(app, app.clock() + timedelta(hours=5), "jane@partner.example")


async def _deny(app: App) -> None:
    control = (await app.tables()).control
    flight = await read_flight(control, PARTNER)
    await change_flight(
        control,
        flight,
        problem="The app may not read the sign-in log: AuditLog.Read.All was not granted.",
        problem_since=app.clock() - timedelta(hours=2),
        refused=True,
        first_seen=app.clock() - timedelta(hours=3),
    )
