"""A month is sealed once, by night, when no re-read of it is due any more.

Two blobs a month: the statement, which is made only where none is, so that of two who seal only one does; and the
table of its names, which the statement names, so that each has the numbers of its own. What a night that died left
behind, the next one takes away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from shared.answers.period import Span, Standing, read_standing
from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.slices import DAY, midnight
from shared.statement.build import Sources, is_wholly_kept, merged, month_after, seal
from shared.statement.model import PreviousMonth
from shared.statement.people import names_json, names_of, without_erased
from shared.statement.reading import names_blob, statement_blob
from shared.statement.sealing import canonical, digest, json_of
from shared.store.customer_quarters import customers_of_month, write_customer_quarters
from shared.store.days import days_of_groups
from shared.store.erased import read_erased
from shared.store.exceptions import read_exceptions
from shared.store.incidents import all_incidents
from shared.store.rollups import DayMarks, day_marks
from shared.store.statements import NAMES, FinalMonth, final_months, note_final


async def seal_due_months(app: App) -> list[datetime]:
    """Seal every month that is over, was read, and will not be read again. Returns those that are sealed now. Then
    forget the names of months that are past their time."""
    tables, now = await app.tables(), app.clock()
    sealed = {final.month: final for final in await final_months(tables.control)}
    marks = await day_marks(tables.rollups)
    done = []
    for month in sorted({day.replace(day=1) for day in marks} - sealed.keys()):
        end = month_after(month)
        of_month = {day: mark for day, mark in marks.items() if month <= day < end}
        if end > now or any(mark.is_old or mark.is_foreign for mark in of_month.values()):
            continue
        standing = await read_standing(app, Span(month, end, now))
        until = standing.coverage.final_until
        if until is None or until < end or not is_wholly_kept(standing):
            continue
        await _renew_customers(app, of_month)
        final = await _seal(app, standing, _before(month, sealed.values()))
        await note_final(tables.control, final)
        sealed[month] = final
        done.append(month)
        log_event("month_sealed", month=f"{month:%Y-%m}", sha256=final.sha256)
    await _forget_names(app, sealed.values())
    return done


async def _renew_customers(app: App, marks: dict[datetime, DayMarks]) -> None:
    """The plan writes the rows of customers and months behind the days; none may be behind now."""
    rollups = (await app.tables()).rollups
    for day in sorted(day for day, mark in marks.items() if mark.quarters_due):
        await write_customer_quarters(rollups, day)


def _before(month: datetime, sealed: Iterable[FinalMonth]) -> PreviousMonth | None:
    """The statement of the month before it, where there is one."""
    for final in sealed:
        if month_after(final.month) == month:
            return PreviousMonth(month=f"{final.month:%Y-%m}", sha256=final.sha256)
    return None


async def _seal(app: App, standing: Standing, previous: PreviousMonth | None) -> FinalMonth:
    """Write the month's blobs, where nobody did. Returns what stands."""
    tables, month, names = await app.tables(), standing.span.start, uuid4().hex
    await app.statements.create()
    sources = Sources(
        standing=standing,
        directory=await app.known_directory(),
        exceptions=[stored.exception for stored in await read_exceptions(tables.control)],
        incidents=[incident async for incident in all_incidents(tables.incidents)],
        customers={
            customer: merged([day.scopes for day in days])
            async for customer, days in customers_of_month(tables.rollups, month)
            if days
        },
        groups=[day async for day in days_of_groups(tables.rollups, standing.span.start, standing.span.last)],
        previous=previous,
        names=names,
    )
    sealed = await asyncio.to_thread(seal, sources, "final", app.settings.partner_tenant_id)
    content = canonical(json_of(sealed))
    await app.statements.put_new(names_blob(month, names), canonical(names_json(sources.numbering.lines)))
    await _take_erased_out(app, names_blob(month, names))
    if not await app.statements.put_new(statement_blob(month), content):
        content = await app.statements.get(statement_blob(month)) or content
    await _remove_others(app, month, json.loads(content)["names"])
    return FinalMonth(month, standing.span.now, digest(content))


async def _take_erased_out(app: App, blob: str) -> None:
    """Whoever was erased while the table of names was made: the erasure may have looked before it was there."""
    erased = await read_erased((await app.tables()).control)
    found = await app.statements.get_tagged(blob)
    if found is not None:
        people = names_of(json.loads(found[0]))
        left = without_erased(people, erased)
        if len(left) < len(people):
            await app.statements.replace(blob, canonical(names_json(left)), found[1])


async def _remove_others(app: App, month: datetime, names: str) -> None:
    """Tables of names that no statement names."""
    for blob in await app.statements.names(f"{NAMES}{month:%Y-%m}-"):
        if blob != names_blob(month, names):
            await app.statements.delete(blob)


async def _forget_names(app: App, sealed: Iterable[FinalMonth]) -> None:
    """Names are kept as long as findings; the statements stay."""
    cutoff = midnight(app.clock()) - app.settings.finding_retention_days * DAY
    if not any(month_after(final.month) <= cutoff for final in sealed):
        return
    for blob in await app.statements.names(NAMES):
        month = datetime.strptime(blob.removeprefix(NAMES)[:7], "%Y-%m").replace(tzinfo=cutoff.tzinfo)
        if month_after(month) <= cutoff:
            await app.statements.delete(blob)
