"""Roll-ups that are not of the heads that stand: what a crash left behind, or a loss, heals here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.app.app import App
from shared.basics.spelling import id_key
from shared.ledger.days import fingerprint, partner_fingerprint
from shared.ledger.head import Head, SliceState
from shared.scan.at_once import all_of
from shared.store.rollups import fingerprints, partner_fingerprints, roll_up, roll_up_partner
from shared.store.tables import Tables


class Mending:
    """What one plan finds of roll-ups that are missing or stale."""

    def __init__(self, app: App, tables: Tables) -> None:
        self._app = app
        self._tables = tables
        self._known: dict[datetime, dict[str, str]] = {}
        self._mended: set[datetime] = set()

    @classmethod
    async def begin(cls, app: App, tables: Tables) -> Mending:
        """Begin with a plan."""
        return cls(app, tables)

    async def mend(self, tenant: str, heads: Mapping[datetime, Sequence[Head]]) -> None:
        """Recompute those of a tenant's days whose roll-up is missing or stale."""
        unknown = [day for day in heads if day not in self._known]
        found = await all_of(fingerprints(self._tables.rollups, day) for day in unknown)
        self._known |= dict(zip(unknown, found, strict=True))
        now = self._app.clock()
        for day, of_day in heads.items():
            stored = self._known[day].get(id_key(tenant))
            wanted = fingerprint(sorted(of_day, key=lambda head: head.slice)) if of_day or stored else None
            if not any(head.is_held(now) for head in of_day) and stored not in (SliceState.FOREIGN, wanted):
                await roll_up(self._tables.slices, self._tables.rollups, tenant, day, self._app.settings.read_ages)
                self._mended.add(day)

    async def end(self) -> None:
        """Recompute those of the partner's days that are not of their tenants' days."""
        left = [day for day in self._known if day not in self._mended]
        if not left:
            return
        of_partner = await partner_fingerprints(self._tables.rollups, min(left), max(left))
        for day in left:
            of_tenants = self._known[day]
            if SliceState.FOREIGN not in of_tenants.values() and of_partner.get(day) not in _as_made_of(of_tenants):
                await roll_up_partner(self._tables.rollups, day)


def _as_made_of(of_tenants: Mapping[str, str]) -> tuple[str | None, ...]:
    """The fingerprints that the partner's day may have: a newer version's is left alone, and a day without tenants
    needs none."""
    return (SliceState.FOREIGN, partner_fingerprint(of_tenants), *(() if of_tenants else (None,)))
