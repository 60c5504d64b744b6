"""A day of 3,000 people at 3,000 customers, 96 slices of 5,000 sign-ins, over real storage: minutes, so a soak test."""

from __future__ import annotations

import asyncio
import random
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.ledger.counts import Counts, Seen
from shared.ledger.counts_json import mark_of
from shared.ledger.head import Head
from shared.ledger.slices import Slice
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import Severity
from shared.signin.evidence import Evidence, Strength
from shared.signin.outcome import Outcome
from shared.signin.traits import Identity, Scope
from shared.store.ledger import Claim, new_head
from shared.store.rollups import roll_up
from shared.store.tables import Tables

DAY = datetime(2026, 11, 2, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TENANT = "a" * 32
PEOPLE = CUSTOMERS = 3_000
SIGN_INS = 5_000
MOST_MIB = 220


def key(number: int) -> str:
    return f"{number * 2654435761 % 2**64:016x}{number * 40503 % 2**64:016x}"


def seen(draw: random.Random) -> Seen:
    """One sign-in of somebody to somewhere; three of ten without MFA."""
    user, app = draw.randrange(PEOPLE), draw.randrange(40)
    if draw.random() < 0.3:
        assessment = Assessment(
            *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.NONE, Verdict.NON_COMPLIANT),
            fits=(("interactive-without-mfa", Severity.HIGH),),
        )
    else:
        assessment = Assessment(
            *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.PROVEN, Verdict.COMPLIANT), strength=Strength.APP
        )
    name, customer = f"user{user}@partner.example", key(10**6 + draw.randrange(CUSTOMERS))
    return Seen(assessment, key(user), name, customer, key(2 * 10**6 + app), f"App {app}", "silent")


async def fill(connection: str, prefix: str) -> None:
    tables = Tables.connect(connection, prefix=prefix)
    await tables.create()
    draw = random.Random(1)  # noqa: S311 - a drawn log
    for number in range(96):
        counts = Counts()
        for _ in range(SIGN_INS):
            counts.add(seen(draw))
        slice_ = Slice(TENANT, DAY + number * QUARTER, QUARTER)
        await tables.slices.write(new_head(slice_, DAY, "0" * 20))
        claim = await Claim.take(tables.slices, slice_, owner="o", send_id="s", now=DAY, lease=QUARTER)
        assert claim is not None
        written = counts.to_json()
        head = Head(slice_, settled=timedelta(days=7), whole=True, counts=written, counts_mark=mark_of(written))
        await claim.write([], DAY, replace(head, owner="o", generation=claim.head.generation))
    await tables.close()


async def add_up(connection: str, prefix: str) -> None:
    tables = Tables.connect(connection, prefix=prefix)
    await roll_up(tables.slices, tables.rollups, TENANT, DAY, [timedelta(0)])
    await tables.close()


def _in_a_process_of_its_own(work: str, connection: str, prefix: str) -> int:
    """Returns its peak memory in MiB."""
    command = [sys.executable, "-m", __name__, work, connection, prefix]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - ourselves


@pytest.mark.soak
def test_a_day_of_3000_people_at_3000_customers_stays_small_in_memory(azurite: str) -> None:
    prefix = "t" + uuid4().hex[:20]
    _in_a_process_of_its_own("fill", azurite, prefix)
    assert _in_a_process_of_its_own("add_up", azurite, prefix) < MOST_MIB


if __name__ == "__main__":
    _, what, *where = sys.argv
    asyncio.run({"fill": fill, "add_up": add_up}[what](*where))
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
