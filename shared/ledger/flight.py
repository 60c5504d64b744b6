"""A tenant's flight: which of its slices is being read, until when that counts, and what keeps the tenant unread. Pure.

At most one slice of a tenant flies, so that its throttling budget is never fought over and the queue never holds the
backlog.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Flight:
    """Times are UTC. `send_id` is "" and `until` None when nothing flies; before `not_before` nothing is sent.
    `problem` is a sentence on what keeps the tenant unread, `problem_since` since when, `refused` that waiting does
    not help: a consent, a licence or an identity is missing. `first_seen` is when the plan met the tenant, None before.
    """

    tenant: str
    send_id: str = ""
    slice_id: str = ""
    until: datetime | None = None
    not_before: datetime | None = None
    problem: str = ""
    problem_since: datetime | None = None
    first_seen: datetime | None = None
    refused: bool = False
    etag: str | None = None

    def is_free(self, now: datetime) -> bool:
        """Whether a slice may be sent: nothing flies, or the time of what did has run out."""
        return not self.send_id or self.until is None or self.until <= now

    def must_wait(self, now: datetime) -> bool:
        """Whether Graph may not be asked yet for this tenant."""
        return self.not_before is not None and self.not_before > now
