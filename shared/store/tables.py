"""Table Storage, with the few habits that everything here relies on.

Keys, sizes and batch lengths are checked by us, because the emulator is laxer than the service (docs/platform-facts.md,
"Azurite"). Rows carry a schema version `v`; updates merge, so that columns of a newer version of the app survive.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.store.once import EVERY, ReadPlace, each_once, forget_reads, known_rows, one_once, page_once
from shared.store.sizes import fitting_columns, wire_bytes
from shared.store.wants import ANY, Want

SCHEMA: Final = 1
NAMES: Final = ("slices", "incidents", "sessions", "rollups", "directory", "control", "alerts")

# What the service takes: docs/platform-facts.md, "Table Storage".
MAX_BATCH: Final = 100
MOST_RANGES: Final = 7  # a filter holds 15 comparisons: the partition, and two for a range
MAX_BATCH_BYTES: Final = 3_500_000  # of 4 MiB on the wire
_KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,255}")
# How long to wait before a write is sent again, in seconds: the rhythm of the SDK's own retries.
_PAUSES: Final = (0.0, 0.4, 0.8)

type Row = Mapping[str, Any]
type Operation = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]


class Conflict(Exception):  # noqa: N818 - what happened to the write
    """Somebody else changed, made or removed the row first; or a lost answer makes it look so."""


def insert(row: Row) -> Operation:
    """Write a row that must not be there yet."""
    return ("create", _checked(row))


def upsert(row: Row) -> Operation:
    """Write a row whether or not it is there; columns that this version does not know stay."""
    return ("upsert", _checked(row), {"mode": UpdateMode.MERGE})


def merge(row: Row, etag: str) -> Operation:
    """Change the named columns of a row that is still the one with that etag."""
    return (
        "update",
        _checked(row),
        {"mode": UpdateMode.MERGE, "etag": etag, "match_condition": MatchConditions.IfNotModified},
    )


def delete(row: Row, etag: str | None = None) -> Operation:
    """Remove a row that is there; with an etag, only while it is still that one."""
    named = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    if etag is None:
        return ("delete", named)
    return ("delete", named, {"etag": etag, "match_condition": MatchConditions.IfNotModified})


def can_be_key(text: str) -> bool:
    """Whether text can name a row: 1 to 255 letters, digits and `. _ -`, which leaves no character to escape."""
    return _KEY.fullmatch(text) is not None


def keys(partition: str, row: str) -> dict[str, Any]:
    """The keys of a row. Raises ValueError where one cannot be a key."""
    for key in (partition, row):
        if not can_be_key(key):
            raise ValueError(f"{key[:80]!r} cannot be a table key")
    return {"PartitionKey": partition, "RowKey": row}


def utc(at: datetime) -> datetime:
    """A time that was read, as a plain datetime in UTC."""
    return datetime(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, UTC)


def etag_of(row: Row) -> str:
    """The etag a row was read with."""
    if not isinstance(row, TableEntity) or not row.metadata["etag"]:
        raise TypeError("only a row that was read has an etag")
    return row.metadata["etag"]


def is_newer(row: Row) -> bool:
    """Whether a newer version of the app wrote the row, so that it is none of this one's business."""
    return int(row.get("v", 1)) > SCHEMA


class Table:
    """One table."""

    def __init__(self, client: TableClient, retries: int = 3) -> None:
        self._client = client
        self._retries = retries

    async def get(self, partition: str, row: str, select: Sequence[str] | None = None) -> TableEntity | None:
        """The row, or only the named columns of it, or None. Within an answer a whole row is read once
        (shared/store/once.py); a part of one is asked for each time."""
        columns = None if select is None else [*select]

        async def get() -> TableEntity | None:
            try:
                return await self._client.get_entity(**_named(keys(partition, row)), select=columns)
            except ResourceNotFoundError:
                return None

        return await get() if columns else await one_once(self._place(partition), row, get)

    async def known(
        self, partition: str, first: str, end: str, select: Sequence[str] | None = None
    ) -> list[TableEntity] | None:
        """The rows with first <= RowKey < end, where a page has read them already (shared/store/once.py)."""
        return await known_rows(self._place(partition), first, end, select)

    def _place(self, partition: str) -> ReadPlace:
        return ReadPlace(self._client.table_name, partition)

    async def range(
        self, partition: str, first: str, end: str, select: Sequence[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows of a partition with first <= RowKey < end, in the order of their keys."""
        rows = self._client.query_entities(
            "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end",
            parameters={"partition": partition, "first": first, "end": end},
            select=None if select is None else [*select],
        )
        async for row in each_once(self._place(partition), [(first, end)], select, rows):
            yield row

    async def ranges(
        self, partition: str, ranges: Sequence[tuple[str, str]], select: Sequence[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows of a partition whose RowKey lies in one of at most MOST_RANGES half-open ranges, in the order of
        their keys."""
        if not 0 < len(ranges) <= MOST_RANGES:
            raise ValueError(f"one question asks for 1 to {MOST_RANGES} ranges, not {len(ranges)}")
        some = " or ".join(f"( RowKey ge @first{i} and RowKey lt @end{i} )" for i in range(len(ranges)))
        ends = {f"first{i}": first for i, (first, _) in enumerate(ranges)}
        rows = self._client.query_entities(
            f"PartitionKey eq @partition and ( {some} )",
            parameters={"partition": partition, **ends, **{f"end{i}": end for i, (_, end) in enumerate(ranges)}},
            select=None if select is None else [*select],
        )
        async for row in each_once(self._place(partition), ranges, select, rows):
            yield row

    async def page(
        self,
        partition: str,
        first: str,
        end: str,
        *,
        last_partition: str | None = None,
        select: Sequence[str] | None = None,
        want: Want = ANY,
    ) -> tuple[list[TableEntity], bool]:
        """What one request gives of the rows with first <= RowKey < end, and whether there may be more.

        Of one partition, or of all from `partition` to `last_partition`, in the order of their keys; a request may give
        fewer rows than there are, even none, and still more to come.
        """
        within = "ge @partition and PartitionKey le @last" if last_partition else "eq @partition"
        also = "".join(f" and {column} eq @of{column}" for column in want.where)
        values = {f"of{column}": value for column, value in want.where.items()}
        rows = self._client.query_entities(
            f"PartitionKey {within} and RowKey ge @first and RowKey lt @end{also}",
            parameters={"partition": partition, "last": last_partition, "first": first, "end": end, **values},
            select=[*want.only] or (None if select is None else [*select]),
            results_per_page=want.most,
        )

        async def ask() -> tuple[list[TableEntity], bool]:
            pages = rows.by_page()
            page = [row async for row in await anext(pages)]
            return page, bool(pages.continuation_token)  # type: ignore[attr-defined]

        return await (
            ask()
            if last_partition or want.where or want.only
            else page_once(self._place(partition), first, end, select, ask)
        )

    async def prefixed(
        self, partition: str, prefix: str, select: Sequence[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows of a partition whose RowKey begins so. `~` comes after every character a key may have."""
        async for row in self.range(partition, prefix, prefix + "~", select):
            yield row

    async def matching(
        self,
        partition: str,
        prefix: str,
        condition: str,
        values: Mapping[str, Any],
        select: Sequence[str] | None = None,
    ) -> AsyncIterator[TableEntity]:
        """The rows of a partition whose RowKey begins so and whose columns fulfil a condition, in the order of their
        keys. The service looks at each row with that beginning, but sends only those; one without the column does not
        fulfil it."""
        place = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end"
        ends = {"partition": partition, "first": prefix, "end": prefix + "~"}
        async for row in self.where(f"{place} and ( {condition} )", {**ends, **values}, select):
            yield row

    async def where(
        self, condition: str, values: Mapping[str, Any], select: Sequence[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows that fulfil a condition of at most 15 comparisons, in the order of their keys."""
        columns = None if select is None else [*select]
        async for row in self._client.query_entities(condition, parameters={**values}, select=columns):
            yield row

    async def between(
        self, first_partition: str, end_partition: str, first: str, end: str, select: Sequence[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows with first <= RowKey < end of the partitions with first_partition <= PartitionKey < end_partition,
        in the order of their keys."""
        rows = self._client.query_entities(
            "PartitionKey ge @partition and PartitionKey lt @last and RowKey ge @first and RowKey lt @end",
            parameters={"partition": first_partition, "last": end_partition, "first": first, "end": end},
            select=None if select is None else [*select],
        )
        async for row in rows:
            yield row

    async def everything(self) -> AsyncIterator[TableEntity]:
        """Every row: for exports, tests and repairs."""
        async for row in each_once(self._place(EVERY), [("", "~")], None, self._client.list_entities()):
            yield row

    async def transact(self, operations: Iterable[Operation]) -> list[str]:
        """All or nothing, in one partition. Returns the new etags ("" for a deletion). Raises Conflict."""
        batch = [*operations]
        forget_reads()
        if not 0 < len(batch) <= MAX_BATCH or sum(map(wire_bytes, batch)) > MAX_BATCH_BYTES:
            raise ValueError(f"a transaction of {len(batch)} rows does not fit into one batch")
        try:
            done = await self._sent(lambda: self._client.submit_transaction(batch))
        except HttpResponseError as error:
            raise _conflict(error) from error
        return [str(result.get("etag") or "") for result in done]

    async def _sent[T](self, send: Callable[[], Awaitable[T]]) -> T:
        """The SDK sends a write again after 500, 503 and 504, but not where the connection broke. Sent again, one whose
        answer was lost conflicts with itself, which every caller tells from somebody else's change."""
        for pause in _PAUSES[: self._retries]:
            try:
                return await send()
            except (ServiceRequestError, ServiceResponseError, IncompleteReadError):
                await asyncio.sleep(pause)
        return await send()

    async def write(self, operation: Operation) -> str:
        """Write one row. Returns its new etag ("" for a deletion). Raises Conflict. Quicker than a batch of one."""
        forget_reads()
        verb, row, *options = operation
        how: dict[str, Any] = options[0] if options else {}
        do: dict[str, Callable[..., Awaitable[Any]]] = {
            "create": self._client.create_entity,
            "upsert": self._client.upsert_entity,
            "update": self._client.update_entity,
            "delete": self._client.delete_entity,
        }
        try:
            if verb == "delete":
                await self._sent(lambda: do[verb](row["PartitionKey"], row["RowKey"], **how))
                return ""
            done = await self._sent(lambda: do[verb](row, **how))
        except HttpResponseError as error:
            raise _conflict(error) from error
        return str(done.get("etag") or "")


class Tables:
    """All the tables of the app."""

    def __init__(self, service: TableServiceClient, prefix: str = "", retries: int = 3) -> None:
        self._service = service
        self.prefix = prefix
        self._names = [prefix + name for name in NAMES]
        self.slices, self.incidents, self.sessions, self.rollups, self.directory, self.control, self.alerts = (
            Table(service.get_table_client(name), retries) for name in self._names
        )

    @classmethod
    def connect(
        cls,
        connection_string: str | None,
        uri: str | None = None,
        credential: AsyncTokenCredential | None = None,
        *,
        prefix: str = "",
        retries: int = 3,
    ) -> Self:
        """By identity, or by connection string where there is one (this machine's emulator). A prefix of the names
        lets several sets of tables live in one account. `retries`: how often a request that failed is sent again."""
        from azure.core.pipeline.transport import AioHttpTransport  # aiohttp takes a sixth of a start

        # With the environment's settings the transport would look for a .netrc before each request, in a thread of its
        # own, which takes nearly as long as the request; a proxy for storage is nothing this app is run behind.
        transport = AioHttpTransport(use_env_settings=False)
        options: dict[str, Any] = {"retry_total": retries, "retry_backoff_factor": 0.2, "transport": transport}
        if connection_string:
            return cls(TableServiceClient.from_connection_string(connection_string, **options), prefix, retries)
        if uri is None or credential is None:
            raise ValueError("a table service needs a connection string, or an address and a credential")
        return cls(TableServiceClient(uri, credential=credential, **options), prefix, retries)

    @property
    def by_name(self) -> dict[str, Table]:
        """Every table by its name in NAMES."""
        return {name: getattr(self, name) for name in NAMES}

    async def create(self) -> None:
        """Make the tables that are not there."""
        for name in self._names:
            await self._service.create_table_if_not_exists(name)

    async def close(self) -> None:
        """Give back the connections."""
        await self._service.close()


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"partition_key": row["PartitionKey"], "row_key": row["RowKey"]}


def _conflict(error: HttpResponseError) -> Exception:
    return (
        Conflict(str(error.error_code if hasattr(error, "error_code") else error.status_code))
        if (error.status_code in (404, 409, 412))
        else error
    )


def _checked(row: Row) -> dict[str, Any]:
    """The row without empty columns, after checking what the service would refuse."""
    keys(row["PartitionKey"], row["RowKey"])
    return fitting_columns(row)
