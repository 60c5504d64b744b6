"""A day of 3,000 people at 3,000 customers, 96 slices of 5,000 sign-ins, added up: what that takes of memory."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from local.benches.directory_bench import peak_megabytes
from local.stage.stack import CHECKOUT
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

_DAY: Final = datetime(2026, 11, 2, tzinfo=UTC)
_WIDTH: Final = timedelta(minutes=15)
_TENANT: Final = "a" * 32
PEOPLE: Final = 3_000
CUSTOMERS: Final = 3_000
SIGN_INS: Final = 5_000  # of each slice


def _key(number: int) -> str:
    return f"{number * 2654435761 % 2**64:016x}{number * 40503 % 2**64:016x}"


def _seen(draw: random.Random) -> Seen:
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
    name, customer = f"user{user}@partner.example", _key(10**6 + draw.randrange(CUSTOMERS))
    return Seen(assessment, _key(user), name, customer, _key(2 * 10**6 + app), f"App {app}", "silent")


async def _fill(connection: str, prefix: str) -> None:
    tables = Tables.connect(connection, prefix=prefix)
    await tables.create()
    draw = random.Random(1)
    for number in range(96):
        counts = Counts()
        for _ in range(SIGN_INS):
            counts.add(_seen(draw))
        slice_ = Slice(_TENANT, _DAY + number * _WIDTH, _WIDTH)
        await tables.slices.write(new_head(slice_, _DAY, "0" * 20))
        claim = await Claim.take(tables.slices, slice_, owner="o", send_id="s", now=_DAY, lease=_WIDTH)
        if claim is None:
            raise RuntimeError("the slice is taken")
        written = counts.to_json()
        head = Head(slice_, settled=timedelta(days=7), whole=True, counts=written, counts_mark=mark_of(written))
        await claim.write([], _DAY, replace(head, owner="o", generation=claim.head.generation))
    await tables.close()


async def _add_up(connection: str, prefix: str) -> None:
    tables = Tables.connect(connection, prefix=prefix)
    await roll_up(tables.slices, tables.rollups, _TENANT, _DAY, [timedelta(0)])
    await tables.close()


def measure_day(connection: str) -> float:
    """The most memory that adding up the day takes, in MB, by a process of its own."""
    prefix = "t" + uuid4().hex[:20]
    _in_a_process_of_its_own("fill", connection, prefix)
    return _in_a_process_of_its_own("add_up", connection, prefix)


def _in_a_process_of_its_own(work: str, connection: str, prefix: str) -> float:
    command = [sys.executable, "-m", "local.benches.day_bench", work, connection, prefix]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=CHECKOUT).stdout)


if __name__ == "__main__":
    _, what, *where = sys.argv
    asyncio.run({"fill": _fill, "add_up": _add_up}[what](*where))
    sys.stdout.write(str(peak_megabytes()))
