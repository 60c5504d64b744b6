"""A partner's September over real storage: read once, long enough ago to be final, with two customers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.app.app import App
from shared.ledger.days import Noted
from shared.rules.rule import CUSTOMER, PARTNER, PASSWORD_ONLY, TECHNICIAN
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.customer_quarters import write_customer_quarters
from shared.store.days import note_day
from tests.scan.harness import Copy, Rig, record, rig

NOW = datetime(2026, 10, 12, 4, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
OTHER = "44444444-4444-4444-4444-444444444444"
QUIET = "55555555-5555-5555-5555-555555555555"
COLLEAGUE = "66666666-6666-6666-6666-666666666666"
HOSTILE = '=HYPERLINK("http://evil.example");<script>alert(1)</script>'
DIRECTORY = DirectoryFile(
    partner_tenant_id=PARTNER,
    customers=[
        Customer(tenant_id=CUSTOMER, display_name="Contoso"),
        Customer(tenant_id=OTHER, display_name=HOSTILE),
        Customer(tenant_id=QUIET, display_name="Fabrikam"),
    ],
    delegated_admins=[
        DelegatedAdmin(user_id=TECHNICIAN, user_principal_name="technician@partner.example"),
        DelegatedAdmin(user_id=COLLEAGUE, user_principal_name="colleague@partner.example"),
    ],
)
POSTURE: dict[str, Any] = {
    "mfaEnforced": "yes",
    "enforcedFor": 2,
    "notEnforcedFor": 0,
    "legacyBlocked": "yes",
    "exclusions": 1,
    "broadExclusions": 0,
    "admins": 2,
    "registered": 2,
    "capable": 2,
}


def september(day: int, hour: int = 9) -> datetime:
    """A time of the month."""
    return SEPTEMBER + timedelta(days=day - 1, hours=hour)


def log(at: Rig) -> None:
    """What the log holds: two customers, one of whom has a sign-in by password alone."""
    colleague = {"userId": COLLEAGUE, "userPrincipalName": "colleague@partner.example"}
    at.log(
        record("good", september(2)),
        record("again", september(3)),
        record("bad", september(14), **PASSWORD_ONLY),
        record("ropc", september(15), **PASSWORD_ONLY, authenticationProtocol="ropc"),
        record("elsewhere", september(15), **PASSWORD_ONLY, resourceTenantId=OTHER, **colleague),
        record("elsewhere-good", september(16), resourceTenantId=OTHER, **colleague),
        record("october", datetime(2026, 10, 3, 9, tzinfo=UTC)),
    )


_copies: dict[str, Copy] = {}


@asynccontextmanager
async def story(azurite: str, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Rig]:
    """The rig of it, with all that is due read: once a process and kind, then from a copy of the tables."""
    wide = {"slice_minutes": 1440, "lookback_days": 45, "retention_days": 60, "read_ages_minutes": "0,1440"}
    async with rig(azurite, monkeypatch, now=NOW, directory=DIRECTORY, **{**wide, **settings}) as at:
        log(at)
        kind = repr(sorted(item for item in settings.items() if item[0] != "pack_key_file"))
        if kind in _copies:
            await at.restore(_copies[kind])
        else:
            await at.work()
            _copies[kind] = await at.copy()
        yield at


async def note_every_night(app: App, posture: dict[str, Any] | None = None) -> None:
    """What the nights of September would have noted."""
    rollups = (await app.tables()).rollups
    for day in range(1, 31):
        await note_day(rollups, september(day, 0), Noted(posture=posture or POSTURE, roster=2, policies="abcdef"))


async def renew_customers(app: App) -> None:
    """What the plan does once a while: the rows of customers and months."""
    for day in range(1, 31):
        await write_customer_quarters((await app.tables()).rollups, september(day, 0))
