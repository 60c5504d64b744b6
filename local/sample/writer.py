"""Collects the records of one part of the sample, with their times of arrival and what the story meant."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from .auth import Auth
from .model import JsonObject, LogRecord, Quiet, Violation
from .people import guid
from .records import Draft, build


class Writer:
    """Writes the records of one tenant's log. `rng` is this part's own, so parts do not disturb each other."""

    def __init__(self, rng: random.Random, log_tenant_id: str) -> None:
        self.rng = rng
        self.log_tenant_id = log_tenant_id
        self.log: list[LogRecord] = []
        self.violations: list[Violation] = []
        self.quiet: list[Quiet] = []

    def new_id(self) -> str:
        """A GUID for a session or a correlation."""
        return guid(self.rng)

    def add(
        self,
        draft: Draft,
        *,
        scope: str,
        verdict: str,
        arrives_after: timedelta | None = None,
        late: Auth | None = None,
        late_after: timedelta | None = None,
    ) -> LogRecord:
        """Write one record. It arrives 1–5 minutes after it was made, or after `arrives_after`.

        With `late`, the log replaces the record's evidence by that of `late`, `late_after` after it was made.
        """
        delay = timedelta(seconds=self.rng.randrange(60, 300)) if arrives_after is None else arrives_after
        # The same draws twice: both versions of a record agree in all but their evidence.
        state = self.rng.getstate()
        record = build(self.rng, draft)
        late_record, late_at = None, None
        if late is not None and late_after is not None:
            self.rng.setstate(state)
            late_record, late_at = build(self.rng, replace(draft, auth=late)), draft.when + late_after
        return self.append(record, draft.when + delay, late_at, late_record, scope, verdict)

    def append(
        self,
        record: JsonObject,
        available_at: datetime,
        late_at: datetime | None = None,
        late_record: JsonObject | None = None,
        scope: str = "",
        verdict: str = "",
    ) -> LogRecord:
        """Write a record that is already built."""
        entry = LogRecord(self.log_tenant_id, available_at, record, late_at, late_record, scope, verdict)
        self.log.append(entry)
        return entry

    def violation(
        self, story: str, records: Iterable[LogRecord], *, user_id: str, rules: Iterable[str], severity: str
    ) -> None:
        """Note that `records` break `rules`. All must be of one user, tenant, application, scope and verdict."""
        members = list(records)
        first = members[0]
        names = ("userPrincipalName", "resourceTenantId", "appId")
        kinds = {(*(str(m.final[name]) for name in names), m.scope, m.verdict) for m in members}
        if len(kinds) != 1:
            raise ValueError(f"{story!r} mixes records of different incidents: {sorted(kinds)}")
        self.violations.append(
            Violation(
                story=story,
                record_ids=tuple(m.id for m in members),
                log_tenant_id=self.log_tenant_id,
                user_id=user_id,
                user_principal_name=str(first.final["userPrincipalName"]),
                customer_tenant_id=str(first.final["resourceTenantId"]) if first.scope == "customer" else None,
                app_id=str(first.final["appId"]),
                scope=first.scope,
                rules=tuple(sorted(rules)),
                severity=severity,
                verdict=first.verdict,
            )
        )

    def nothing(self, reason: str, records: Iterable[LogRecord]) -> None:
        """Note that `records`, all of one verdict, must raise nothing."""
        members = list(records)
        verdicts = {m.verdict for m in members}
        if len(verdicts) != 1:
            raise ValueError(f"{reason!r} mixes verdicts: {sorted(verdicts)}")
        self.quiet.append(Quiet(reason, tuple(m.id for m in members), self.log_tenant_id, verdicts.pop()))
