"""Reading the tenant's own policies with the directory, and keeping them dated."""

from __future__ import annotations

from shared.app.app import App
from shared.basics.events import log_event
from shared.graph.policies import read_policies
from shared.incidents.erased import NOBODY, ErasedPeople
from shared.people.named_groups import NamedGroups, read_named_groups
from shared.people.pseudonyms import groups_under_pseudonyms, said_under_pseudonyms
from shared.posture.policies import Policies
from shared.posture.reading import policies_of
from shared.store.policies import load_policies, save_policies


async def refresh_policies(app: App, erased: ErasedPeople = NOBODY) -> tuple[Policies | None, NamedGroups | None]:
    """Read the policies and keep them. Returns them, and who is in the groups that they name; the `erased` under
    their pseudonyms. Where Graph does not answer, what was kept before stands until the next refresh; None where
    nothing was, and for the groups then.

    A part that Graph refuses (no permission, no licence) is kept as unread, with the sentence that says what to do.
    """
    settings, now = app.settings, app.clock()
    client = app.graph(settings.partner_tenant_id, settings.directory_requests_per_10_seconds)
    raw = await read_policies(client, federation=settings.read_federation)
    log_event("policies_read", parts=len(raw.parts), problems=sorted(raw.problems))
    table = (await app.tables()).directory
    if raw.interrupted:
        kept = await load_policies(table)
        return (policies_of(kept.parts, kept.read_at) if kept else None), None
    parts = said_under_pseudonyms(dict(raw.parts), erased)
    await save_policies(table, parts, raw.problems, now)
    policies = policies_of(parts, now)
    return policies, groups_under_pseudonyms(await read_named_groups(client, policies), erased)
