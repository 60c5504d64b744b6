"""The people erased not long ago: one row of the table `control`, which holds the key of their hashes and forgets them
when the log has."""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from shared.incidents.erased import PSEUDONYM, ErasedPeople, Erasure, digests_of
from shared.store.codec import of_json, to_json
from shared.store.packing import pack, unpack
from shared.store.swap import swap, until_settled
from shared.store.tables import SCHEMA, Row, Table, delete, etag_of, is_newer, keys

_ROW: Final = ("erased", "people")


async def read_erased(control: Table) -> ErasedPeople:
    """Who was erased not long ago."""
    row = await control.get(*_ROW)
    return _people(row) if row else ErasedPeople()


async def note_erasure(
    control: Table, user_key: str, user_names: set[str], until: datetime
) -> tuple[ErasedPeople, Erasure]:
    """Note that a person is erased, or further names of one who was noted. Returns all of them, and that one. Raises
    Conflict."""

    async def attempt() -> tuple[ErasedPeople, Erasure]:
        row = await control.get(*_ROW)
        people = _people(row) if row else ErasedPeople(key=token_hex(32))
        known = people.of_id(user_key)
        digests = digests_of(people, user_key, user_names)
        if known is None:
            noted = Erasure(PSEUDONYM + token_hex(12), digests, until)
        else:
            noted = Erasure(known.pseudonym, tuple(dict.fromkeys((*known.digests, *digests))), max(until, known.until))
        others = tuple(erasure for erasure in people.erasures if erasure != known)
        changed = ErasedPeople(people.key, (*others, noted))
        await _write(control, changed, row)
        return changed, noted

    return await until_settled("who was erased", attempt)


async def forget_erasures(control: Table, now: datetime) -> int:
    """Forget those whose time is over, and the key with the last of them. Returns how many. Raises Conflict."""

    async def attempt() -> int:
        row = await control.get(*_ROW)
        people = _people(row) if row else ErasedPeople()
        left = tuple(erasure for erasure in people.erasures if erasure.until > now)
        if row is None or is_newer(row) or len(left) == len(people.erasures):
            return 0
        if left:
            await _write(control, ErasedPeople(people.key, left), row)
        else:
            await control.write(delete(keys(*_ROW), etag_of(row)))
        return len(people.erasures) - len(left)

    return await until_settled("who was erased", attempt)


async def _write(control: Table, people: ErasedPeople, row: Row | None) -> None:
    value = {"key": people.key, "erasures": [to_json(erasure) for erasure in people.erasures]}
    columns = {**keys(*_ROW), "v": SCHEMA, **pack("people", value)}
    await swap(control, columns, etag_of(row) if row else None, is_mine=lambda stands: _people(stands) == people)


def _people(row: Row) -> ErasedPeople:
    if is_newer(row):
        raise ValueError("a newer version of the app wrote who was erased: this one cannot read the log meanwhile")
    value: dict[str, Any] = unpack("people", row) or {}
    return ErasedPeople(value["key"], tuple(of_json(Erasure, erasure) for erasure in value["erasures"]))
