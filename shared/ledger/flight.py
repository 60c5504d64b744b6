"""TODO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PAST: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Flight:
    """`send_id` is "" when nothing flies. Times are UTC. `problem` is a sentence on what keeps the tenant unread."""

    tenant: str
    send_id: str = ""
    slice_id: str = ""
    until: datetime = PAST
    not_before: datetime = PAST
    problem: str = ""
    problem_since: datetime = PAST
    first_seen: datetime = PAST
    etag: str | None = None

    def is_free(self, now: datetime) -> bool:
        """Whether a slice may be sent: nothing flies, or what did is lost."""
        return not self.send_id or self.until <= now
