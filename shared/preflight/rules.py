"""Whether one version of the rules judged the last 30 days: figures of two are of two measures."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.app.app import App
from shared.ledger.tallies import Tally, add
from shared.preflight.model import Check, CheckKind, CheckState
from shared.rules import RULES_VERSION
from shared.store.days import partner_days

PERIOD: Final = timedelta(days=30)
_NAME: Final = "the rules of the last 30 days"


async def judged_by(app: App) -> Tally:
    """How many slices of the last 30 days were judged by which version of the rules, oldest version first."""
    slices: Tally = {}
    now = app.clock()
    async for day in partner_days((await app.tables()).rollups, now - PERIOD, now):
        add(slices, day.rules_versions)
    return {version: slices[version] for version in sorted(slices, key=lambda name: (len(name), name))}


def check_rules(slices: Tally) -> Check:
    """Where two versions judged, nobody can say what the figures are of: a rescan is asked for. Nothing that the app
    needs is missing then, so that an upgrade makes no installation look broken."""
    told = ", ".join(f"version {version}: {n} slices" for version, n in slices.items())
    if len(slices) < 2:
        said = told or f"Nothing was judged yet; version {RULES_VERSION} would."
        return Check(kind=CheckKind.RULES, name=_NAME, state=CheckState.OK, detail=said)
    return Check(
        kind=CheckKind.RULES,
        name=_NAME,
        state=CheckState.UNKNOWN,
        detail=f"Two versions judged them, so their figures are of two measures ({told}).",
        to_do="Run a rescan, so that the rules of today judge all of them.",
        command="python -m local ops rescan",
    )
