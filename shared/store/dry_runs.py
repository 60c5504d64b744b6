"""The rows of dry runs, one each in the table `control`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.basics.spelling import is_key
from shared.store.swap import swap
from shared.store.tables import SCHEMA, Row, Table, is_newer, keys

_PARTITION: Final = "dry-run"


async def read_dry_run_row(control: Table, id_: str) -> Row | None:
    """The row of a dry run; None where there is none of that id, or a newer version wrote it."""
    row = await control.get(_PARTITION, id_) if is_key(id_) else None
    return None if row is None or is_newer(row) else row


async def write_dry_run_row(
    control: Table, id_: str, columns: Mapping[str, Any], etag: str | None, *, is_mine: Callable[[Row], bool]
) -> None:
    """Write it while its row is still the one with that etag (None: new); `is_mine` tells whether a row that stands is
    the one just written. Raises Conflict."""
    await swap(control, {**keys(_PARTITION, id_), "v": SCHEMA, **columns}, etag, is_mine=is_mine)
