"""A person taken out of what auditors are handed: a line of the tables of names, and every evidence pack.

A final statement names nobody (shared/statement), so it stays as it is, and so does its hash. Packs are signed copies
of findings: none can be changed, each can be made again.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from shared.basics.spelling import id_key
from shared.maintenance.person import ErasedPerson
from shared.store.statements import NAMES, PACKS, Statements
from shared.store.swap import until_settled


async def erase_in_statements(statements: Statements, person: ErasedPerson) -> int:
    """Take the person's lines out of every table of names, and remove the evidence packs. Returns how many blobs were
    changed or removed. Raises Conflict when one changes all the time."""
    changed = 0
    for blob in await statements.names(NAMES):
        changed += await until_settled(f"the table of names {blob}", partial(_erase_in, statements, blob, person))
    for blob in await statements.names(PACKS):
        await statements.delete(blob)
        changed += 1
    return changed


async def _erase_in(statements: Statements, blob: str, person: ErasedPerson) -> bool:
    found = await statements.get_tagged(blob)
    if found is None:
        return False
    table: dict[str, Any] = json.loads(found[0])
    left = [line for line in table["people"] if not _is_of(line, person)]
    if len(left) == len(table["people"]):
        return False
    await statements.replace(blob, json.dumps({**table, "people": left}).encode(), found[1])
    return True


def _is_of(line: dict[str, Any], person: ErasedPerson) -> bool:
    name = line["userName"] or ""
    return id_key(line["userId"] or "") == person.key or person.in_text(name) != name
