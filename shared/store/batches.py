"""Transactions that are as full as they may be: of rows that belong together, as many as one takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from shared.store.sizes import wire_bytes
from shared.store.tables import MAX_BATCH, Operation

# The service takes four times as much; the transport under the SDK finds more than 1 MiB at once too large a bite.
BATCH_BYTES: Final = 1_000_000


def batches_of[T](
    groups: Iterable[T],
    operations: Callable[[T], Sequence[Operation]],
    *,
    most: int = MAX_BATCH,
    room: int = BATCH_BYTES,
) -> Iterator[list[T]]:
    """The groups in their order, in batches of at most so many operations and bytes; no more than a batch of them is
    held. A group that has none is left out; one that is larger than a batch has one of its own."""
    batch: list[T] = []
    count = size = 0
    for group in groups:
        of_group = operations(group)
        if not of_group:
            continue
        bytes_ = sum(map(wire_bytes, of_group))
        if batch and (count + len(of_group) > most or size + bytes_ > room):
            yield batch
            batch, count, size = [], 0, 0
        batch.append(group)
        count, size = count + len(of_group), size + bytes_
    if batch:
        yield batch
