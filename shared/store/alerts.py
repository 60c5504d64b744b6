"""What each channel has to say, and how far it got: one partition of the table `alerts`.

`item-<channel>-<incident>-<event>` stays, so that a channel takes an event in once, and says which delivery told it.
`wait-…`, of the same name, stands beside it until a delivery takes the event. `delivery-0-<id>` is a delivery under
way, `delivery-1-<id>` one that ended; its id begins with the time turned round, so that a range reads newest first.
`word-<channel>-<incident>` is what the channel was told last, `channel-<channel>` how far it is: each release carries
that row, so that of two instances one releases.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from shared.incidents.model import EventKind
from shared.messages.delivery import DROPPED, ChannelState, Delivery, DeliveryState, Item, Redelivery, Word, delivery_id
from shared.store.codec import Codec
from shared.store.events import telling_columns, telling_of
from shared.store.swap import swap
from shared.store.tables import (
    SCHEMA,
    Conflict,
    Operation,
    Row,
    Table,
    can_be_key,
    delete,
    etag_of,
    insert,
    is_newer,
    keys,
    merge,
    upsert,
    utc,
)

PARTITION: Final = "alerts"
_ACTIVE: Final = "delivery-0-"
_ENDED: Final = "delivery-1-"
_CHANNEL: Final = "channel-"
_WORD: Final = "word-"


_TAKEN_AT_ONCE: Final = 45  # events that are taken in in one transaction: two rows each
_AT_ONCE: Final = 32  # events in one transaction: three rows each, the delivery and the channel
_MOST_WORDS: Final = 90


# --- what waits -------------------------------------------------------------------------------------------------------


async def take_in(table: Table, items: Sequence[Item]) -> None:
    """Give events to channels, each once however often it is called."""
    for batch in batched(items, _TAKEN_AT_ONCE, strict=False):
        try:
            await table.transact([op for item in batch for op in _item_rows(item)])
        except Conflict:  # a crash, or another instance, was here before
            for item in batch:
                await _take_in_one(table, item)


async def _take_in_one(table: Table, item: Item) -> None:
    try:
        await table.transact(_item_rows(item))
    except Conflict:
        return  # taken in before


def _item_rows(item: Item) -> list[Operation]:
    telling = item.telling
    noted = {"v": SCHEMA, "opening": telling.incident.opening, "kind": telling.event.kind, "delivery": ""}
    return [
        insert({**keys(PARTITION, f"item-{item.name}"), **noted}),
        insert({**keys(PARTITION, f"wait-{item.name}"), **telling_columns(telling)}),
    ]


async def waiting(table: Table, channel: str) -> list[Item]:
    """The events that wait in a channel, the oldest first."""
    rows = table.prefixed(PARTITION, f"wait-{channel}-")
    found = [Item(channel, telling_of(row)) async for row in rows if not is_newer(row)]
    return sorted(found, key=lambda item: (item.telling.at, item.telling.event.id))


async def was_given(table: Table, channel: str, incident: str) -> bool:
    """Whether the channel ever took in an event of the incident."""
    async for _ in _items(table, channel, incident):
        return True
    return False


def _items(table: Table, channel: str, incident: str) -> AsyncIterator[Row]:
    return table.prefixed(PARTITION, f"item-{channel}-{incident}-", select=["opening", "kind", "delivery"])


async def drop(table: Table, items: Sequence[Item], state: ChannelState) -> ChannelState:
    """Drop events so that they are never delivered. Raises Conflict when the channel was released to meanwhile."""
    for batch in batched(items, _AT_ONCE, strict=False):
        state = await _with_channel(table, state, [op for item in batch for op in _settled(item.name, DROPPED)])
    return state


# --- what a channel was told ------------------------------------------------------------------------------------------


async def read_channel(table: Table, channel: str) -> ChannelState:
    """How far a channel is; whoever releases to it names this state, so that nobody decides by an old one."""
    row = await table.get(PARTITION, _CHANNEL + channel)
    return _CHANNELS.value(row, channel=channel, etag=etag_of(row)) if row else ChannelState(channel)


async def _with_channel(table: Table, state: ChannelState, operations: Sequence[Operation]) -> ChannelState:
    """Write in one transaction with the channel's state. Returns the state as it stands then."""
    row = {**keys(PARTITION, _CHANNEL + state.channel), "v": SCHEMA, **_CHANNELS.columns(state)}
    write = merge(row, state.etag) if state.etag else insert(row)
    return replace(state, etag=(await table.transact([*operations, write]))[-1])


async def read_word(table: Table, channel: str, incident: str) -> Word | None:
    """What a channel was told last of an incident; None for nothing."""
    row = await table.get(PARTITION, f"{_WORD}{channel}-{incident}")
    if row is not None:
        return _WORDS.value(row)
    # An older version of the app noted only which event went into which delivery.
    rows = [row async for row in _items(table, channel, incident) if row["delivery"] not in ("", DROPPED)]
    last = max(rows, key=lambda row: (row["opening"], row["kind"] == EventKind.WITHDRAWN), default=None)
    if last is None:
        return None
    return Word(incident, last["opening"], 0, withdrawn=last["kind"] == EventKind.WITHDRAWN)


def _word_row(channel: str, word: Word) -> Operation:
    return upsert({**keys(PARTITION, f"{_WORD}{channel}-{word.incident}"), "v": SCHEMA, **_WORDS.columns(word)})


def _settled(name: str, delivery: str) -> list[Operation]:
    return [
        delete(keys(PARTITION, f"wait-{name}")),
        upsert({**keys(PARTITION, f"item-{name}"), "v": SCHEMA, "delivery": delivery}),
    ]


# --- deliveries -------------------------------------------------------------------------------------------------------


async def add_delivery(table: Table, delivery: Delivery) -> None:
    """A delivery that tells of no incident. Raises Conflict when it is there already."""
    await table.write(insert(_columns(delivery)))


async def release(table: Table, delivery: Delivery, items: Sequence[Item], state: ChannelState) -> ChannelState:
    """Put events to a new delivery, and note what the channel knows by it: all in the transaction that makes it, or,
    where they are too many, the delivery first with their names, then the rest batch by batch, then its state.

    Returns the channel's state afterwards. Raises Conflict when the channel was released to meanwhile.
    """
    names = tuple(item.name for item in items)
    counted = replace(state, released=state.released + 1)
    numbered = replace(delivery, number=counted.released)
    if len(names) <= _AT_ONCE and len(delivery.words) <= _AT_ONCE:
        settled = [op for name in names for op in _settled(name, delivery.id)]
        words = [_word_row(delivery.channel, word) for word in delivery.words]
        return await _with_channel(table, counted, [insert(_columns(numbered)), *settled, *words])
    gathering = replace(numbered, state=DeliveryState.GATHERING, members=names)
    after = await _with_channel(table, counted, [insert(_columns(gathering))])
    await gather(table, gathering)
    return after


async def gather(table: Table, delivery: Delivery) -> None:
    """Put the rest of its events to a delivery that a crash may have left half-way, and let it go.

    Each batch carries the delivery, so that a worker that stood still writes nothing once another finished it. Raises
    Conflict then.
    """
    current = await read_delivery(table, delivery.id)
    if current is None or current.state is not DeliveryState.GATHERING:
        return
    rows = table.prefixed(PARTITION, f"wait-{delivery.channel}-", select=["RowKey"])
    still = {str(row["RowKey"]).removeprefix("wait-") async for row in rows}
    for names in batched([name for name in current.members if name in still], _AT_ONCE, strict=False):
        settled = [op for name in names for op in _settled(name, current.id)]
        current = await _with_delivery(table, current, settled)
    for words in batched(current.words, _MOST_WORDS, strict=False):
        current = await _with_delivery(table, current, [_word_row(current.channel, word) for word in words])
    await change(table, current, state=DeliveryState.DUE, members=())


async def _with_delivery(table: Table, delivery: Delivery, operations: Sequence[Operation]) -> Delivery:
    if delivery.etag is None:
        raise ValueError("only a delivery that was read can be changed")
    touched = merge({**_key(delivery), "v": SCHEMA}, delivery.etag)
    return replace(delivery, etag=(await table.transact([*operations, touched]))[-1])


async def read_delivery(table: Table, id_: str) -> Delivery | None:
    """The delivery of that id, under way or ended; None when there is none, no row can have that id, or a newer version
    of the app wrote it."""
    if not can_be_key(_ACTIVE + id_):
        return None
    for prefix in (_ACTIVE, _ENDED):
        row = await table.get(PARTITION, prefix + id_)
        if row is not None:
            return None if is_newer(row) else _delivery(row)
    return None


async def deliveries_under_way(table: Table) -> list[Delivery]:
    """Those that have not ended, the oldest first."""
    found = [_delivery(row) async for row in table.prefixed(PARTITION, _ACTIVE) if not is_newer(row)]
    return found[::-1]


async def change(table: Table, delivery: Delivery, *, beside: Sequence[Operation] = (), **changes: Any) -> Delivery:
    """Change a delivery that is still as it was read; one that ends, or starts anew, moves to another row. Returns it
    as it stands now. `beside` are writes of the same transaction. Raises Conflict when somebody else was first.
    """
    changed = replace(delivery, **changes)
    if delivery.etag is None:
        raise ValueError("only a delivery that was read can be changed")
    moves = changed.ended != delivery.ended
    if moves:
        beside = [*beside, delete(_key(delivery), delivery.etag)]

    def is_mine(stands: Row) -> bool:
        return bool(changed.owner) and replace(_delivery(stands), etag=None) == replace(changed, etag=None)

    etag = await swap(table, _columns(changed), None if moves else delivery.etag, is_mine=is_mine, beside=beside)
    return replace(changed, etag=etag)


_CODEC: Final = Codec(Delivery, leaves=("etag",), packed=("message", "members", "words"))
_CHANNELS: Final = Codec(ChannelState, leaves=("channel", "etag"))
_WORDS: Final = Codec(Word)


def _key(delivery: Delivery) -> dict[str, Any]:
    return keys(PARTITION, (_ENDED if delivery.ended else _ACTIVE) + delivery.id)


def _columns(delivery: Delivery) -> dict[str, Any]:
    return {**_key(delivery), "v": SCHEMA, **_CODEC.columns(delivery)}


def _delivery(row: Row) -> Delivery:
    read = _CODEC.value(row, etag=etag_of(row))

    def time(at: datetime | None) -> datetime | None:
        return None if at is None or at < read.created else at  # version 1 wrote the day before for none

    return replace(read, busy_until=time(read.busy_until), last_at=time(read.last_at))


async def page_of_deliveries(table: Table, after: str | None = None) -> tuple[list[tuple[str, Delivery]], bool]:
    """Deliveries with the names of their rows, by one request, behind that row: those under way first, each the newest
    first. And whether there may be more."""
    rows, more = await table.page(PARTITION, f"{after}-" if after else "delivery-", "delivery-~")
    return [(str(row["RowKey"]), _delivery(row)) for row in rows if not is_newer(row)], more


async def deliveries_of(table: Table, channel: str, incident: str) -> list[str]:
    """The ids of the deliveries that told a channel of an incident."""
    ids = [str(row["delivery"]) async for row in _items(table, channel, incident)]
    return sorted({id_ for id_ in ids if id_ not in ("", DROPPED)})


# So many incidents of one message may stand otherwise by now for it to be sent again: three rows each.
MOST_TOLD_OTHERWISE: Final = 30


async def redeliver(
    table: Table,
    delivery: Delivery,
    again: Redelivery,
    deadline: datetime,
    state: ChannelState,
    told_otherwise: Sequence[tuple[Word, Item]],
) -> Delivery:
    """Have it sent again until `deadline` (UTC), under the same webhook-id, and note who wanted so.

    `told_otherwise` are what it says of incidents that the channel was told something else of since, at most
    MOST_TOLD_OTHERWISE: that is the channel's word now, and what stands waits to be told again. Raises Conflict, also
    where something was released to the channel since `state` was read.
    """
    now = again.at
    row = {
        **keys(PARTITION, f"redelivery-{delivery.id}-{now:%Y%m%d%H%M%S%f}"),
        "v": SCHEMA,
        "delivery": delivery.id,
        "at": now,
        "by": again.by,
    }
    channel = {**keys(PARTITION, _CHANNEL + state.channel), "v": SCHEMA, **_CHANNELS.columns(state)}
    beside = [insert(row), merge(channel, state.etag) if state.etag else insert(channel)]
    for word, item in told_otherwise:
        beside += [_word_row(delivery.channel, word), *_item_rows(item)]
    return await change(
        table,
        delivery,
        beside=beside,
        state=DeliveryState.DUE,
        next_due=now,
        deadline=deadline,
        earlier=delivery.attempts,
        busy_until=None,
        owner=uuid4().hex,
    )


async def redeliveries(table: Table, id_: str) -> list[Redelivery]:
    """Who had a delivery sent again, the oldest first."""
    rows = table.prefixed(PARTITION, f"redelivery-{id_}-")
    return [Redelivery(row["delivery"], utc(row["at"]), row["by"]) async for row in rows]


# --- for retention ----------------------------------------------------------------------------------------------------


async def rows_about(table: Table, incidents: Collection[str], select: Sequence[str]) -> AsyncIterator[Row]:
    """What channels took in about these incidents."""
    for prefix in ("item-", "wait-"):
        async for row in table.prefixed(PARTITION, prefix, select):
            if str(row["RowKey"]).split("-")[2] in incidents:  # prefix-channel-incident-event
                yield row


async def ended_before(table: Table, at: datetime, select: Sequence[str]) -> AsyncIterator[Row]:
    """Deliveries that ended, and who had them sent again, made before that time: their ids begin with the time turned
    round, the oldest last."""
    oldest = delivery_id(at, "", "").partition("-")[0]
    for prefix in (_ENDED, "redelivery-"):
        async for row in table.range(PARTITION, f"{prefix}{oldest}", f"{prefix}~", select):
            yield row
