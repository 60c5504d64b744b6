"""The roster, the customers and the federated domains, as the scan reads them.

A refresh writes the rows of a new version first and names the version in one row then, so that a reader sees the old
ones or the new ones and never half of each; an unfinished refresh leaves the last good one in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel

from shared.basics.spelling import id_key
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.store.once import forget_reads
from shared.store.packing import pack, unpack
from shared.store.swap import swap, until_settled
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Conflict,
    Row,
    Table,
    delete,
    etag_of,
    keys,
    upsert,
    utc,
)

_POINTER: Final = ("current", "version")
# How many entries share a row: far below what a row holds, and few rows even for tens of thousands of entries.
_PER_ROW: Final = 500


@dataclass(frozen=True)
class Loaded:
    """A directory and the version it is of. `at` is when it was refreshed, `began` when that refresh began, both UTC:
    whoever came after `began` may be missing."""

    version: str
    at: datetime
    began: datetime
    directory: Directory
    file: DirectoryFile
    erasures: str = ""  # changes when somebody was erased (shared/store/erased.py): no read goes on as before

    @cached_property
    def user_names(self) -> Mapping[str, str]:
        """The user names of delegated admins by key, as far as they are known."""
        return {id_key(a.user_id): a.user_principal_name for a in self.file.delegated_admins if a.user_principal_name}

    @cached_property
    def tenant_names(self) -> Mapping[str, str]:
        """The tenants' display names by key."""
        return self.file.tenant_names


class DirectoryMissing(Exception):  # noqa: N818
    """There is no directory yet, so that no sign-in can be judged."""


async def save_directory(
    table: Table,
    file: DirectoryFile,
    now: datetime,
    *,
    began: datetime | None = None,
    after: Loaded | None = None,
    erasures: str = "",
) -> str:
    """Replace the directory. Returns the version. Writing the same again changes nothing but its time.

    `began` is when the refresh began that found it (else now). `after` is the directory it was made from. `erasures` is
    new where it has pseudonyms that the one before has not. Raises Conflict where another one took its place meanwhile,
    or somebody was erased, whom it may name.
    """
    version = sha256(file.model_dump_json(by_alias=True).encode()).hexdigest()[:16]
    pointer = await table.get(*_POINTER)
    if after and (pointer is None or (pointer["version"], _erasures(pointer)) != (after.version, after.erasures)):
        raise Conflict("the directory was replaced meanwhile")
    partition = f"version-{version}"
    for kind, entries in (("admin", file.delegated_admins), ("customer", file.customers)):
        for place, part in enumerate(batched(entries, _PER_ROW, strict=False)):
            await table.write(upsert({**keys(partition, f"{kind}-{place:06d}"), "v": SCHEMA, **_packed(part)}))
    await table.write(
        upsert({**keys(partition, "partner"), "v": SCHEMA, **pack("domains", sorted(file.federated_domains))})
    )
    row = {
        **keys(*_POINTER),
        "v": SCHEMA,
        "version": version,
        "partnerTenantId": file.partner_tenant_id,
        "admins": len(file.delegated_admins),
        "customers": len(file.customers),
        "refreshedAt": now,
        "beganAt": began or now,
        "replaced": str(pointer["version"]) if pointer else "",  # removed next time too: a crash may leave its rows
        **({"erasures": erasures} if erasures else {}),
    }

    def is_mine(stands: Row) -> bool:
        return (stands["version"], utc(stands["refreshedAt"])) == (version, now)

    await swap(table, row, etag_of(pointer) if pointer else None, is_mine=is_mine)
    for old in {str(pointer[column]) for column in ("version", "replaced") if pointer and pointer.get(column)}:
        if old != version:
            await _remove(table, f"version-{old}")
    return version


def _packed(entries: tuple[BaseModel, ...]) -> dict[str, bytes]:
    return pack("entries", [entry.model_dump(mode="json", by_alias=True, exclude_none=True) for entry in entries])


async def _remove(table: Table, partition: str) -> None:
    old = [delete(row) async for row in table.prefixed(partition, "")]
    for batch in batched(old, MAX_BATCH, strict=False):
        try:
            await table.transact(batch)
        except Conflict:
            continue  # somebody else removes them, or our own answer was lost; what is left goes next time


async def load_directory(table: Table, known: Loaded | None = None) -> Loaded:
    """The directory as it stands; `known` is given back unread when it is still that one. Raises DirectoryMissing."""
    pointer = await table.get(*_POINTER)
    if pointer is None:
        raise DirectoryMissing(
            "the roster and the customers are not known yet: load a directory file, or wait for the first refresh"
        )
    version, at = str(pointer["version"]), utc(pointer["refreshedAt"])
    erasures = _erasures(pointer)
    if known and (known.version, known.at, known.erasures) == (version, at, erasures):
        return known
    partition = f"version-{version}"
    rows = {str(row["RowKey"]): row async for row in table.range(partition, "a", "z")}
    admins, customers = _entries(rows, "admin-"), _entries(rows, "customer-")
    if "partner" not in rows or (len(admins), len(customers)) != (pointer["admins"], pointer["customers"]):
        forget_reads()
        if await table.get(*_POINTER) == pointer:
            raise DirectoryMissing("rows of it were lost: load the directory file again, or wait for a refresh")
        return await load_directory(table)  # replaced between the two reads
    file = DirectoryFile(
        partner_tenant_id=pointer["partnerTenantId"],
        delegated_admins=[DelegatedAdmin.model_validate(entry) for entry in admins],
        customers=[Customer.model_validate(entry) for entry in customers],
        federated_domains=unpack("domains", rows["partner"]) or [],
    )
    began = utc(pointer.get("beganAt") or pointer["refreshedAt"])
    return Loaded(version, at, began, Directory.of(file), file, erasures)


async def load_directory_if_any(table: Table, known: Loaded | None = None) -> Loaded | None:
    """The directory as it stands, as `load_directory` gives it; None while there is none."""
    try:
        return await load_directory(table, known)
    except DirectoryMissing:
        return None


async def note_erasures(table: Table) -> None:
    """Have every process read anew who was erased, before it judges another slice. Raises Conflict."""
    stamp = uuid4().hex

    async def attempt() -> None:
        pointer = await table.get(*_POINTER)
        if pointer is None:
            return  # nothing was judged yet
        row = {**keys(*_POINTER), "erasures": stamp}
        await swap(table, row, etag_of(pointer), is_mine=lambda stands: stands.get("erasures") == stamp)

    await until_settled("the directory", attempt)


async def erasures_noted(table: Table) -> str:
    """What changes when somebody is erased; "" while nobody was, and while there is no directory."""
    pointer = await table.get(*_POINTER)
    return _erasures(pointer) if pointer else ""


def _erasures(pointer: Row) -> str:
    return str(pointer.get("erasures", ""))


def _entries(rows: Mapping[str, Row], prefix: str) -> list[Any]:
    chunks = (unpack("entries", row) or [] for key, row in sorted(rows.items()) if key.startswith(prefix))
    return [entry for chunk in chunks for entry in chunk]
