"""Putting two halves in the place of a slice that holds too many pages."""

from __future__ import annotations

from dataclasses import replace

from shared.basics.events import log_event
from shared.incidents.model import contributions
from shared.ledger.head import SliceState
from shared.ledger.slices import Slice
from shared.scan.changes import contribute_all, finish, note_touched
from shared.scan.hold import Hold
from shared.store.findings import findings_of, quarantine_of
from shared.store.ledger import new_head
from shared.store.rooted import note_rooted, rooted_of

_WHY = "It held too many pages and was split into halves."


async def split(hold: Hold, halves: tuple[Slice, Slice]) -> list[Slice]:
    """Put the halves in the slice's place; what it contributed moves to them. Returns them, to be read."""
    found = [stands.finding async for stands in findings_of(hold.tables.slices, hold.slice) if stands.finding]
    touched = await note_touched(hold, {key for finding in found for key in finding.incidents()})
    settled = hold.head.settled is not None and hold.head.settled >= hold.first_reread
    parts = [contributions((f for f in found if half.start <= f.at < half.end), settled=settled) for half in halves]
    await contribute_all(
        hold,
        {
            key: {hold.slice: None, **{half: part.get(key) for half, part in zip(halves, parts, strict=True)}}
            for key in touched.incidents
        },
    )
    # Each half takes over every note: what a record of the other half left is passed over there.
    rooted = await rooted_of(hold.tables.slices, hold.slice)
    await hold.write_all(note for half in halves for note in note_rooted(half, rooted, hold.head.generation))
    quarantine = await quarantine_of(hold.tables.slices, hold.slice)
    # In one batch with the head that says so: nobody may read a half while the whole still counts.
    heads = [new_head(half, hold.now(), hold.head.generation) for half in halves]
    head = replace(
        hold.head,
        state=SliceState.SPLIT,
        next_due=None,
        counts={},
        counts_mark="",
        records=0,
        quarantined=0,
        accepted_quarantine=0,
        whole=True,
        problem=_WHY,
    )
    log_event("slice_split", slice=hold.slice.id)
    await finish(hold, touched, head, removed=[key for key, record in quarantine.items() if record.ours], last=heads)
    return [*halves]
