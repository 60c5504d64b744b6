"""Compliant sign-ins, drawn at random: numbers alone cannot be checked, and to keep each would be to keep the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import Field

from shared.answers.applications import ShownProtocol
from shared.answers.directories import tenant_names, user_names
from shared.answers.names import Filters, Keys, keys_of
from shared.answers.people import paged
from shared.answers.period import CoveredPage, PeriodQuery, read_standing, span_of
from shared.app.app import App
from shared.ledger.samples import Sample
from shared.store.days import days_of_samples
from shared.wire.models import (
    HEADLINE_NAMES,
    Answer,
    ListQuery,
    Named,
    Scopes,
    ShownEvidence,
    ShownScope,
    ShownStrength,
    shown_id,
)


class SamplesQuery(ListQuery, PeriodQuery):
    """Of which sign-ins, and in which order."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")
    user: Named | None = Field(default=None, description="Object id or user principal name.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer.")
    app: Named | None = Field(default=None, description="Id or name of an application.")
    seed: str = Field(
        default="", max_length=100, description="Any text: the order hangs on it, so the first ones are a sample."
    )


class SampleItem(Answer):
    """One compliant sign-in. Its id finds the record in Entra's own log, as long as that is kept."""

    id: str
    signed_in_at: datetime
    scope: ShownScope
    evidence: ShownEvidence
    strength: ShownStrength | None
    protocol: ShownProtocol = Field(description="How the application signed in: interactive or silent, mostly.")
    user_id: str
    user_principal_name: str | None
    customer_id: str
    customer_name: str | None
    app_id: str | None
    app_name: str | None


class SamplesPage(CoveredPage[SampleItem]):
    """Compliant sign-ins in a random order that hangs on `seed` alone. Kept are up to twenty of each day, all scopes
    together, each of that day with the same chance; `total` is how many of those asked for are kept."""

    compliant: int = Field(description="How many compliant sign-ins the period has in the scopes.")


@dataclass(frozen=True, slots=True)
class _Names:
    users: Mapping[str, str]
    apps: Mapping[str, str]
    tenants: Mapping[str, str]


async def read_samples(app: App, query: SamplesQuery) -> SamplesPage:
    """A page of compliant sign-ins: one request a quarter beside those of the period. Raises BadParameter, NotKnown."""
    span = span_of(app, query.days, query.from_, query.to)
    standing = await read_standing(app, span)
    directory = await app.known_directory()
    keys = await keys_of(app, Filters(query.customer, query.user, query.app), standing, directory)
    rollups = (await app.tables()).rollups
    found = [
        sample
        async for day in days_of_samples(rollups, span.start, span.last)
        for sample in day.lines.values()
        if sample.scope in query.scope and _fits(sample, keys)
    ]
    page, cursor = paged(found, query, "samples", lambda sample: (_draw(query.seed, sample.id), sample.id))
    names = _Names(
        user_names(standing.days, directory),
        {key: top.name for day in standing.days for key, top in day.tops.apps.items() if top.name},
        tenant_names(directory),
    )
    return SamplesPage(
        items=[_item(sample, names) for sample in page],
        cursor=cursor,
        total=len(found),
        period=standing.period,
        coverage=standing.coverage,
        compliant=standing.figures.of_scopes(query.scope).by_verdict.compliant,
    )


def _draw(seed: str, id_: str) -> str:
    return sha256(f"{len(seed)}:{seed}{id_}".encode("utf-8", "surrogatepass")).hexdigest()


def _fits(sample: Sample, keys: Keys) -> bool:
    return (
        keys.customer in (None, sample.customer) and keys.user in (None, sample.user) and keys.app in (None, sample.app)
    )


def _item(sample: Sample, names: _Names) -> SampleItem:
    return SampleItem(
        id=sample.id,
        signed_in_at=sample.at,
        scope=sample.scope,
        evidence=sample.evidence,
        strength=sample.strength or None,
        protocol=sample.protocol,
        user_id=shown_id(sample.user),
        user_principal_name=names.users.get(sample.user),
        customer_id=shown_id(sample.customer),
        customer_name=names.tenants.get(sample.customer),
        app_id=shown_id(sample.app) or None,
        app_name=names.apps.get(sample.app),
    )
