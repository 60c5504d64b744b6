"""Alerts over real tables and real receivers, with a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from math import floor
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from local.stage.receivers import Received, Receiver, Receivers, new_secret
from shared.alerts.deliver import Post, deliver_alert
from shared.alerts.dispatch import dispatch_alerts
from shared.alerts.post import post
from shared.app.app import App
from shared.app.settings import Settings
from shared.basics.spelling import id_key
from shared.incidents.findings import incident_key
from shared.incidents.life import Accepts, accept_nothing
from shared.incidents.model import Facts, Incident, Who
from shared.ledger.slices import Slice
from shared.messages.delivery import Delivery
from shared.rules.rule import CUSTOMER, PARTNER, Severity
from shared.signin.directory import Customer, DirectoryFile
from shared.store.alerts import page_of_deliveries
from shared.store.contributions import Contributor, contribute
from shared.store.directory import save_directory
from shared.store.incidents import read_incident
from shared.store.tables import Tables, delete, upsert
from shared.tending.timer import tend_incidents
from tests.settings import settings_for

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DIRECTORY = DirectoryFile(
    partner_tenant_id=PARTNER, customers=[Customer(tenant_id=CUSTOMER, display_name="Customer & Sons")]
)
MINUTE = timedelta(minutes=1)

type Copy = list[list[dict[str, Any]]]


def verified_at_any_time(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the library makes the same signature: the rig's clock is not that of the library."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert floor(at.timestamp()) == int(headers["webhook-timestamp"])
    expected = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return expected in headers["webhook-signature"].split(" ")


def receiver(kind: str = "generic", *, name: str = "", **members: Any) -> Receiver:
    """A receiver at a path that nobody guesses, for a rig's clock."""
    secret = new_secret() if kind == "generic" else None
    return Receiver(kind, secret, f"/hooks/{name or kind}/{uuid4().hex}", verify=verified_at_any_time, **members)


def settings_of(azurite: str, channels: Mapping[str, Mapping[str, Any]], **values: Any) -> Settings:
    """Settings on this machine with those channels."""
    return settings_for(
        azurite,
        channels={name: dict(members) for name, members in channels.items()},
        **values,
    )


class Rig:
    """What a test drives."""

    def __init__(self, app: App, receivers: Sequence[Receiver], prefix: str) -> None:
        self.app = app
        self.receivers = receivers
        self.prefix = prefix
        self.now = NOON
        self.post: Post = post
        self._generation = 0

    def worker(self, connection: str, *, retries: int) -> App:
        """One more process of the app over the same tables, reached by that connection string."""
        tables = Tables.connect(connection, prefix=self.prefix, retries=retries)
        return App(self.app.settings, clock=lambda: self.now, tables=tables)

    async def found(
        self,
        who: str = "jane",
        *,
        app: App | None = None,
        at: datetime | None = None,
        count: int = 1,
        severity: Severity = Severity.HIGH,
        rules: Sequence[str] = ("interactive-without-mfa",),
        settled: bool = True,
        slice_: Slice | None = None,
        customer: str = CUSTOMER,
        first_scan: bool = False,
        accepts_now: Accepts | None = None,
    ) -> str:
        """A slice contributes findings to the incident of that user; count 0 takes them away. Gives its key."""
        at = at or self.now - timedelta(minutes=30)
        key = key_of(who)
        slice_ = slice_ or slice_at(at)
        facts = Facts(count, at, at, frozenset(rules), int(severity), int(severity) if settled else 0)
        names = Who(id_key(uuid_of(who)), f"{who}@partner.example", id_key(customer), id_key(uuid_of("app")), "An app")
        self._generation += 1

        async def ask_anew() -> Accepts:
            return accepts_now or accept_nothing

        await contribute(
            (await (app or self.app).tables()).incidents,
            key,
            {slice_: (names, facts) if count else None},
            Contributor(
                generation=f"{self._generation:020d}",
                now=self.now,
                first_scan=first_scan,
                life=self.app.settings.life,
                accepts_now=ask_anew,
            ),
        )
        return key

    async def tick(self, *, after: timedelta = MINUTE, app: App | None = None) -> int:
        """Let time pass, dispatch, and work off the queue; gives how many messages the queue carried."""
        self.now += after
        app = app or self.app
        await tend_incidents(app)
        messages = await dispatch_alerts(app)
        carried = 0
        while messages:
            carried += len(messages)
            messages = [m for body in messages for m in await deliver_alert(app, body, self.post)]
        return carried

    async def copy(self) -> Copy:
        """The rows of the incidents and of the alerts."""
        tables = await self.app.tables()
        return [[dict(row) async for row in table.everything()] for table in (tables.incidents, tables.alerts)]

    async def restore(self, copy: Copy) -> None:
        """Have those tables hold those rows and no others."""
        tables = await self.app.tables()
        for table, rows in zip((tables.incidents, tables.alerts), copy, strict=True):
            wanted = {(row["PartitionKey"], row["RowKey"]) for row in rows}
            changes = [upsert(row) for row in rows]
            changes += [delete(r) async for r in table.everything() if (r["PartitionKey"], r["RowKey"]) not in wanted]
            of_partition = sorted(changes, key=lambda change: change[1]["PartitionKey"])
            for _, group in groupby(of_partition, key=lambda change: change[1]["PartitionKey"]):
                for batch in batched(group, 100, strict=False):
                    await table.transact(batch)

    def got(self, place: int = 0) -> list[Received]:
        """What a receiver took."""
        return self.receivers[place].taken

    async def deliveries(self) -> list[Delivery]:
        """Every delivery, by id."""
        found, more, after = [], True, None
        while more:
            rows, more = await page_of_deliveries((await self.app.tables()).alerts, after)
            found += [delivery for _, delivery in rows]
            after = rows[-1][0] if rows else after
        return sorted(found, key=lambda d: (d.created, d.channel, d.id))

    async def incident(self, who: str = "jane") -> Incident:
        """The incident of a user."""
        found = await read_incident((await self.app.tables()).incidents, key_of(who))
        assert found is not None
        return found[0]

    def types(self, place: int = 0) -> list[str]:
        """The types of the messages that a receiver took, repetitions left out."""
        return [message["type"] for message in {r.id: r.json for r in self.got(place)}.values()]


def uuid_of(name: str) -> str:
    """A GUID for a name."""
    return f"{name.encode().hex():0>32.32}"


def key_of(who: str) -> str:
    """The key of the incident of a user."""
    return incident_key("access", who, CUSTOMER, "app")


def slice_at(at: datetime) -> Slice:
    """The slice of that time."""
    start = at.replace(minute=0, second=0, microsecond=0)
    return Slice(PARTNER, start, timedelta(hours=1))


@asynccontextmanager
async def rig(
    azurite: str,
    *receivers: Receiver,
    channels: Mapping[str, Mapping[str, Any]] | None = None,
    **values: Any,
) -> AsyncIterator[Rig]:
    """A rig with empty tables of its own. Channels are named soc, soc1, … after the receivers; `channels` adds
    members to them by name."""
    used = receivers or (receiver(),)
    prefix = "t" + uuid4().hex[:20]
    async with Receivers(*used):
        named = {}
        for place, one in enumerate(used):
            name = f"soc{place or ''}"
            named[name] = {"kind": one.kind, "url": one.url} | ({"secret": one.secret} if one.secret else {})
            named[name] |= (channels or {}).get(name, {})
        made: list[Rig] = []
        tables = Tables.connect(azurite, prefix=prefix)
        app = App(settings_of(azurite, named, **values), clock=lambda: made[0].now, tables=tables)
        made.append(Rig(app, used, prefix))
        await save_directory((await app.tables()).directory, DIRECTORY, NOON)
        try:
            yield made[0]
        finally:
            await app.close()
