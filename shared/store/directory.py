"""The roster, the customers and the federated domains, as the scan reads them.

A refresh writes the rows of a new version first and names the version in one row then, so that a reader sees the old
ones or the new ones and never half of each; an unfinished refresh leaves the last good one in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import batched
from typing import Final

from shared.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.store.packing import pack, unpack
from shared.store.tables import MAX_BATCH, SCHEMA, Operation, Row, Table, delete, keys, upsert, utc

_POINTER: Final = ("current", "version")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A directory and the version it is of. `at` is when it was refreshed, UTC."""

    version: str
    at: datetime
    directory: Directory
    file: DirectoryFile


class DirectoryMissing(Exception):  # noqa: N818
    """There is no directory yet, so that no sign-in can be judged."""


async def save_directory(table: Table, file: DirectoryFile, now: datetime) -> str:
    """Replace the directory; gives the version. Writing the same again changes nothing but its time."""
    text = file.model_dump_json(by_alias=True)
    version = sha256(text.encode()).hexdigest()[:16]
    partition = f"version-{version}"
    rows: list[Operation] = [
        upsert({**keys(partition, "partner"), "v": SCHEMA, **pack("domains", sorted(file.federated_domains))}),
    ]
    for kind, entries in (("admin", file.delegated_admins), ("customer", file.customers)):
        for i, entry in enumerate(entries):
            packed = pack("entry", entry.model_dump(mode="json", by_alias=True))
            rows.append(upsert({**keys(partition, f"{kind}-{i:06d}"), "v": SCHEMA, **packed}))
    for batch in batched(rows, MAX_BATCH, strict=False):
        await table.transact(batch)
    pointer = await table.get(*_POINTER)
    await table.write(
        upsert(
            {
                **keys(*_POINTER),
                "v": SCHEMA,
                "version": version,
                "partnerTenantId": file.partner_tenant_id,
                "admins": len(file.delegated_admins),
                "customers": len(file.customers),
                "refreshedAt": now,
            }
        )
    )
    if pointer and pointer["version"] != version:
        await _remove(table, f"version-{pointer['version']}")
    return version


async def _remove(table: Table, partition: str) -> None:
    old = [delete(row) async for row in table.prefixed(partition, "")]
    for batch in batched(old, MAX_BATCH, strict=False):
        await table.transact(batch)


async def load_directory(table: Table, known: Loaded | None = None) -> Loaded:
    """The directory as it stands; `known` is given back unread when it is still that one. Raises DirectoryMissing."""
    pointer = await table.get(*_POINTER)
    if pointer is None:
        raise DirectoryMissing(
            "the roster and the customers are not known yet: load a directory file, or wait for the first refresh"
        )
    version, at = str(pointer["version"]), utc(pointer["refreshedAt"])
    if known and known.version == version and known.at == at:
        return known
    partition = f"version-{version}"
    rows = {str(row["RowKey"]): row async for row in table.range(partition, "a", "z")}
    complete = sum(1 for key in rows if key.startswith("admin-")) == pointer["admins"]
    if "partner" not in rows or not complete:
        return await load_directory(table)  # replaced between the two reads
    file = DirectoryFile(
        partner_tenant_id=pointer["partnerTenantId"],
        delegated_admins=[DelegatedAdmin.model_validate(e) for e in _entries(rows, "admin-")],
        customers=[Customer.model_validate(e) for e in _entries(rows, "customer-")],
        federated_domains=unpack("domains", rows["partner"]) or [],
    )
    return Loaded(version, at, Directory.of(file), file)


def _entries(rows: Mapping[str, Row], prefix: str) -> list[object]:
    return [unpack("entry", row) for key, row in sorted(rows.items()) if key.startswith(prefix)]
