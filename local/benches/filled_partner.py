"""A partner whose days and findings stand in the tables, of any size, without a scan: what answers are asked of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.incidents.findings import Finding
from shared.ledger.counts import FORMAT, Counts, Seen
from shared.ledger.counts_json import lines_json
from shared.ledger.days import Reach
from shared.ledger.slices import DAY, days_between, midnight, partition_of
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Severity
from shared.signin.evidence import Evidence, Strength
from shared.signin.outcome import Outcome
from shared.signin.traits import Identity, Scope
from shared.store.customer_quarters import quarter_partition
from shared.store.findings import finding_key, finding_row
from shared.store.rollup_rows import KINDS, counts_columns, reach_columns, totals_key
from shared.store.tables import SCHEMA, Row, keys

APP: Final = "c44b40833bb049c1b47d974e53cbdf3c"


@dataclass(frozen=True)
class Size:
    """So many people, each at so many customers a day, of so many days."""

    people: int
    customers: int
    each: int
    days: int


def rows_of_days(size: Size, now: datetime) -> Iterator[Row]:
    """The roll-ups of the days up to `now`, each the same and read whole."""
    counts = _a_day(size)
    columns = {kind: kind.columns(counts) for kind in KINDS}
    trimmed = ",".join(kind.name for kind, of_kind in columns.items() if of_kind["trimmed"])
    totals = counts_columns(counts)
    quarters: dict[str, Row] = {}
    text = str(lines_json({"customer": counts.customers["customer"][CUSTOMER.replace("-", "")]})).replace("'", '"')
    for day in days_between(midnight(now) - (size.days - 1) * DAY, now):
        reach = [Reach(PARTNER.replace("-", ""), day, day + DAY, whole=True, due=None, parked=False, problem="")]
        row: Row = {
            **keys("partner", totals_key(day)),
            "v": SCHEMA,
            "format": FORMAT,
            "trimmed": trimmed,
            "countsMark": "bench",
            **totals,
        }
        yield {**row, **reach_columns(reach, {"2": 1})}
        for kind in KINDS:
            yield {**keys("partner", kind.row_key(day)), "v": SCHEMA, **columns[kind]}
        quarter = quarter_partition(day)
        row = quarters.setdefault(quarter, {**keys(quarter, CUSTOMER.replace("-", "")), "v": SCHEMA})
        quarters[quarter] = {**row, f"d{day:%m%d}": text}
    yield from quarters.values()


def rows_of_findings(count: int, start: datetime, end: datetime) -> Iterator[Row]:
    """So many findings of the partner, evenly between two times."""
    finding = Finding(
        id="",
        at=start,
        scope="customer",
        evidence="none",
        verdict="non-compliant",
        code=0,
        interactive=True,
        fits=(("interactive-without-mfa", Severity.HIGH),),
        user=TECHNICIAN.replace("-", ""),
        user_name="person@partner.example",
        user_display_name="Person",
        customer=CUSTOMER.replace("-", ""),
        app=APP,
        app_name="An app",
        resource_name="Windows Azure Service Management API",
        client="Browser",
        user_agent="Mozilla/5.0",
        ip="192.0.2.1",
        session_id="",
        token_id="",
        correlation_id="",
    )
    row = finding_row(partition_of(PARTNER, start), finding)
    for number in range(count):
        at = start + (end - start) * number / count
        id_ = f"{number:08x}-0000-4000-8000-{number * 2654435761 % 2**48:012x}"
        place = keys(partition_of(PARTNER, at), finding_key(replace(finding, id=id_, at=at)))
        yield {**row, **place, "id": id_, "at": at, "user": f"{number % 300:032x}"}


def keys_of_people(size: Size) -> list[str]:
    """The people; the technician of the samples is the first."""
    draw = random.Random(6)
    return [TECHNICIAN.replace("-", ""), *(_key(draw) for _ in range(size.people - 1))]


def keys_of_tenants(size: Size) -> list[str]:
    """The customers; that of the samples is the first."""
    draw = random.Random(7)
    return [CUSTOMER.replace("-", ""), *(_key(draw) for _ in range(size.customers - 1))]


def _key(draw: random.Random) -> str:
    return f"{draw.getrandbits(128):032x}"  # nothing squeezes these, as nothing squeezes real ids


def _a_day(size: Size) -> Counts:
    """One in a hundred sign-ins is without MFA. The technician of the samples is among the people."""
    draw = random.Random(5)
    people, tenants = keys_of_people(size), keys_of_tenants(size)
    apps = [APP, *(_key(draw) for _ in range(39))]
    good = Assessment(
        *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.PROVEN, Verdict.COMPLIANT), strength=Strength.APP
    )
    bad = Assessment(
        *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.NONE, Verdict.NON_COMPLIANT),
        fits=(("interactive-without-mfa", Severity.HIGH),),
    )
    counts = Counts()
    for n, user in enumerate(people):
        for tenant in [tenants[0], *draw.sample(tenants[1:], size.each - 1)]:
            app = draw.randrange(len(apps))
            assessment = bad if draw.random() < 0.01 else good
            counts.add(
                Seen(assessment, user, f"user{n}@partner.example", tenant, apps[app], f"App {app}", "interactive")
            )
    return counts
