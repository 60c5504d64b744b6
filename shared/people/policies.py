"""Reading the tenant's own policies with the directory, and keeping them dated."""

from __future__ import annotations

from shared.app.app import App
from shared.basics.events import log_event
from shared.graph.policies import read_policies
from shared.people.named_groups import NamedGroups, read_named_groups
from shared.posture.policies import Policies
from shared.posture.reading import policies_of
from shared.store.policies import load_policies, save_policies


async def refresh_policies(app: App) -> tuple[Policies | None, NamedGroups | None]:
    """Read the policies and keep them; returns them, and who is in the groups that they name. Where Graph does not
    answer, what was kept before stands until the next refresh; None where nothing was, and for the groups then.

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
    await save_policies(table, raw.parts, raw.problems, now)
    policies = policies_of(raw.parts, now)
    return policies, await read_named_groups(client, policies)
