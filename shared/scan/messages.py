"""The message that sends a slice to a worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.basics.queue_messages import QueueBody, parse_message
from shared.basics.queues import Queue
from shared.ledger.slices import Slice

type Piece = tuple[AwareDatetime, int]  # start and width in seconds


class SliceMessage(BaseModel):
    """One slice to read. `send_id` is that of the tenant's flight: a message with another one is stale. `then` are the
    tenant's slices to go on with until `chain_until`, so that a long backlog does not wait for the next plan each
    time."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    tenant: str = Field(pattern="^[0-9A-Za-z][0-9A-Za-z-]{0,63}$")
    start: AwareDatetime
    seconds: int = Field(gt=0)
    send_id: str = Field(min_length=1)
    then: list[Piece] = []
    chain_until: AwareDatetime | None = None

    def may_go_on(self, now: datetime) -> bool:
        """Whether a next slice may follow without the plan: after a while it is asked again what is due."""
        return self.chain_until is None or now < self.chain_until

    @property
    def slice(self) -> Slice:
        """The slice to read now."""
        return Slice(self.tenant, self.start, timedelta(seconds=self.seconds))

    @classmethod
    def of(cls, slices: list[Slice], send_id: str, chain_until: datetime | None = None) -> Self:
        """The first of the slices now, the others then, until that time."""
        first, *others = slices
        return cls(
            tenant=first.tenant,
            start=first.start,
            seconds=_seconds(first),
            send_id=send_id,
            then=[(s.start, _seconds(s)) for s in others],
            chain_until=chain_until,
        )

    def rest(self) -> list[Slice]:
        """The slices to go on with."""
        return [_slice(self.tenant, start, seconds) for start, seconds in self.then]


def read_message(body: QueueBody) -> SliceMessage | None:
    """Parse a queue message. Malformed: None, and the plan sends again any slice that was lost."""
    return parse_message(SliceMessage, body, queue=Queue.SCAN)


def _seconds(slice_: Slice) -> int:
    return int(slice_.width.total_seconds())


def _slice(tenant: str, start: datetime, seconds: int) -> Slice:
    return Slice(tenant, start, timedelta(seconds=seconds))
