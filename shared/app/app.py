"""The running app: its settings, tables, clients and clock, made once a process and handed to whoever works.

Every part of the app that does I/O takes an App; nothing else reaches for a global.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import ManagedIdentityCredential

from shared.app.log_levels import quiet_libraries
from shared.app.pack_key import FileKey, PackKey, PackKeyProblem, VaultKey
from shared.app.settings import Settings, SettingsError, load_settings
from shared.basics.spelling import id_key
from shared.incidents.erased import ErasedPeople
from shared.posture.reading import policies_of
from shared.rules.cause import Configured
from shared.store.directory import Loaded, load_directory, load_directory_if_any
from shared.store.erased import read_erased
from shared.store.policies import Version, load_version
from shared.store.tables import Tables

# What reads logs and keeps blobs comes with libraries of its own; it is imported by whoever asks for it first, so that
# a start does not wait for it.
if TYPE_CHECKING:
    from shared.graph.client import GraphClient
    from shared.store.exports import Exports
    from shared.store.statements import Statements

# Health is open to everybody: a vault that does not answer is not asked by each call.
_ASK_AGAIN: Final = timedelta(minutes=5)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class App:
    """What the parts of the app share. `clock` gives UTC."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        credential_for: Callable[[str], AsyncTokenCredential] | None = None,
        tables: Tables | None = None,
    ) -> None:
        quiet_libraries()
        self.settings = settings
        self.clock = clock
        self.settings_noted = False  # in the register, by this process
        self._credential_for = credential_for or self._managed_identity
        self._credentials: list[AsyncTokenCredential] = []
        self._graphs: dict[tuple[str, int, str], GraphClient] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._directory: Loaded | None = None
        self._erased: tuple[str, ErasedPeople] | None = None
        self._policies: tuple[Version, Configured | None] | None = None
        self._ready = asyncio.Lock()
        self._tables_made = False
        self._exports: Exports | None = None
        self._statements: Statements | None = None
        self._pack_key: PackKey | None = None
        self._pack_key_id: str | None = None
        self._pack_key_not_before: datetime | None = None
        self._connected = tables

    @property
    def _tables(self) -> Tables:
        """Connected when first needed: the transport's library takes longer than the rest of a start."""
        if self._connected is None:
            settings = self.settings
            self._connected = Tables.connect(
                settings.storage_connection_string,
                settings.table_service_uri,
                None if settings.storage_connection_string else self._managed_identity(settings.partner_tenant_id),
            )
        return self._connected

    async def tables(self) -> Tables:
        """The tables, made on first use."""
        if not self._tables_made:
            async with self._ready:
                if not self._tables_made:
                    await self._tables.create()
                    self._tables_made = True
        return self._tables

    @property
    def exports(self) -> Exports:
        """The container of the tables' exports. Raises ValueError where the settings name no blob service."""
        if self._exports is None:
            from shared.store.exports import Exports

            connection = self.settings.storage_connection_string
            self._exports = Exports.connect(
                connection,
                self.settings.blob_service_uri,
                None if connection else self._managed_identity(self.settings.partner_tenant_id),
            )
        return self._exports

    @property
    def statements(self) -> Statements:
        """The container of statements and evidence packs. Raises ValueError where the settings name no blob service."""
        if self._statements is None:
            from shared.store.statements import Statements

            connection = self.settings.storage_connection_string
            self._statements = Statements.connect(
                connection,
                self.settings.blob_service_uri,
                None if connection else self._managed_identity(self.settings.partner_tenant_id),
                folder=self._tables.prefix,
            )
        return self._statements

    @property
    def pack_key(self) -> PackKey:
        """The key that signs evidence packs. Raises PackKeyProblem where the settings name none."""
        if self._pack_key is None:
            settings = self.settings
            if settings.pack_key_file:
                self._pack_key = FileKey(Path(settings.pack_key_file))
            elif settings.pack_key_uri:
                self._pack_key = VaultKey(settings.pack_key_uri, self._managed_identity(settings.partner_tenant_id))
            else:
                raise PackKeyProblem(
                    "no key signs evidence packs: set PACK_KEY_URI, or PACK_KEY_FILE on your own machine"
                )
        return self._pack_key

    async def pack_key_id(self) -> str | None:
        """The fingerprint of that key; None where there is none, or where it cannot be asked for just now."""
        waits = self._pack_key_not_before is not None and self.clock() < self._pack_key_not_before
        if self._pack_key_id is None and not waits:
            try:
                self._pack_key_id = (await self.pack_key.public()).id
            except PackKeyProblem:
                self._pack_key_not_before = self.clock() + _ASK_AGAIN
        return self._pack_key_id

    def graph(self, tenant: str, requests_per_10_seconds: int | None = None, *, use: str = "") -> GraphClient:
        """The Graph of a tenant, with its own budget of requests: that of the sign-in log where none is named. Uses of
        different names share no budget, so that neither waits for the other."""
        budget = requests_per_10_seconds or self.settings.graph_requests_per_10_seconds
        if (tenant, budget, use) not in self._graphs:
            from shared.graph.client import GraphClient

            self._graphs[tenant, budget, use] = GraphClient(
                self.settings.graph_base_url,
                self._credential_for(tenant),
                requests_per_10_seconds=budget,
                timeout_seconds=self.settings.graph_timeout_seconds,
            )
        return self._graphs[tenant, budget, use]

    def turn(self, name: str) -> asyncio.Lock:
        """For work of which this process does one piece at a time."""
        return self._turns.setdefault(name, asyncio.Lock())

    async def directory(self) -> Loaded:
        """The roster and the customers as they stand. Raises DirectoryMissing."""
        self._directory = await load_directory((await self.tables()).directory, self._directory)
        return self._directory

    async def known_directory(self) -> Loaded | None:
        """The roster and the customers as they stand; None while there are none, which coverage says."""
        found = await load_directory_if_any((await self.tables()).directory, self._directory)
        self._directory = found or self._directory
        return found

    async def erased(self) -> ErasedPeople:
        """The people erased not long ago, as of the directory that was read last."""
        stamp = self._directory.erasures if self._directory else ""
        if self._erased is None or self._erased[0] != stamp:
            self._erased = (stamp, await read_erased((await self.tables()).control))
        return self._erased[1]

    async def configured(self, tenant: str, at: datetime) -> Configured | None:
        """What a tenant's policies demanded then; None where they were not read: the partner's own alone are."""
        if id_key(tenant) != id_key(self.settings.partner_tenant_id):
            return None
        known = self._policies
        version = await load_version((await self.tables()).directory, at, known[0] if known else None)
        if version is None:
            return None
        if known is not None and known[0] == version:
            return known[1]
        configured = policies_of(version.parts, version.read_at, since=version.since).configured()
        self._policies = (version, configured)
        return configured

    @property
    def lease(self) -> timedelta:
        """How long a claim holds without being renewed."""
        return timedelta(seconds=self.settings.slice_lease_seconds)

    @property
    def retention(self) -> timedelta:
        """How long the log keeps its records."""
        return timedelta(days=self.settings.retention_days)

    async def close(self) -> None:
        """Give back the connections."""
        for graph in self._graphs.values():
            await graph.close()
        for credential in self._credentials:
            await credential.close()
        if self._exports is not None:
            await self._exports.close()
        if self._pack_key is not None:
            await self._pack_key.close()
        if self._statements is not None:
            await self._statements.close()
        if self._connected is not None:
            await self._connected.close()

    def _managed_identity(self, _tenant: str) -> AsyncTokenCredential:
        credential = ManagedIdentityCredential(client_id=self.settings.azure_client_id)
        self._credentials.append(credential)
        return credential


@cache
def running_app() -> App:
    """The one of this process, from its environment. Raises SettingsError."""
    settings = load_settings()
    if {id_key(tenant) for tenant in settings.tenants} != {id_key(settings.partner_tenant_id)}:
        # A managed identity's token is always for its own tenant: the partner's log would be counted as another's.
        raise SettingsError("MONITORED_TENANT_IDS: the managed identity can read the log of PARTNER_TENANT_ID alone.")
    return App(settings)
