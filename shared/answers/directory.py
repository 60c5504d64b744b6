"""The roster and the customers with their dates, as the scan judges by them: what `assess` needs to judge a file."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from shared.app.app import App
from shared.signin.directory import DirectoryFile
from shared.store.directory import DirectoryMissing
from shared.wire.models import Answer


class CustomerPeriod(Answer):
    """A customer tenant, and from when to when (half-open; null where a side is open) the partner had access to it."""

    tenant_id: str
    display_name: str | None
    from_: datetime | None = Field(alias="from")
    to: datetime | None


class DelegatedAdminPeriod(Answer):
    """A delegated admin, and from when to when they were one. Names are hostile text."""

    user_id: str
    user_principal_name: str | None
    roles: list[str]
    from_: datetime | None = Field(alias="from")
    to: datetime | None


class DirectoryAnswer(Answer):
    """A directory file of `assess`. `refreshed_at` is when it was read last; null before the first refresh."""

    partner_tenant_id: str
    refreshed_at: datetime | None
    customers: list[CustomerPeriod]
    delegated_admins: list[DelegatedAdminPeriod]
    federated_domains: list[str]

    @classmethod
    def of(cls, file: DirectoryFile, refreshed_at: datetime | None) -> Self:
        """The answer that holds a file's entries."""
        return cls(
            partner_tenant_id=file.partner_tenant_id,
            refreshed_at=refreshed_at,
            customers=[
                CustomerPeriod(tenant_id=c.tenant_id, display_name=c.display_name, from_=c.from_, to=c.to)
                for c in file.customers
            ],
            delegated_admins=[
                DelegatedAdminPeriod(
                    user_id=a.user_id, user_principal_name=a.user_principal_name, roles=a.roles, from_=a.from_, to=a.to
                )
                for a in file.delegated_admins
            ],
            federated_domains=file.federated_domains,
        )


async def read_directory(app: App) -> DirectoryAnswer:
    """The directory as it stands; without people and customers before the first refresh."""
    try:
        loaded = await app.directory()
    except DirectoryMissing:
        return DirectoryAnswer.of(DirectoryFile(partner_tenant_id=app.settings.partner_tenant_id), None)
    return DirectoryAnswer.of(loaded.file, loaded.at)
