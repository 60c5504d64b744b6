"""What a request wants of the rows between two keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple


class Want(NamedTuple):
    """At most so many rows (None: as many as the service gives, 1,000), and only those with these values in these
    columns; of each row the columns named in `only` (none named: all)."""

    most: int | None = None
    where: Mapping[str, str] = MappingProxyType({})
    only: Sequence[str] = ()


ANY: Final = Want()
