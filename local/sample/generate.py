"""Puts a sample together from its parts. Each part draws from its own stream, so a change in one leaves the others."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from .customer_log import customer_with_log, write_customer_log
from .gaps import with_gaps
from .harmless import plant_harmless
from .model import Sample
from .people import make_people
from .protocols import plant_protocols
from .rare import plant_rare_harmless, plant_rare_violations
from .stage import Stage
from .traffic import by_time, make_traffic
from .unproven import plant_unproven
from .writer import Writer

SHORTEST = 7
"""Fewer days have too few whole working days for the stories."""

SETTLED = timedelta(minutes=15)
"""Nothing is made in the last minutes, so that at `end` the log has served all of it."""


def make_sample(seed: int, days: int, end: datetime) -> Sample:
    """A sample of `days` days (7 or more) up to `end` (aware; taken in UTC, to the second).

    The same arguments give the same sample. Everything is in the log, with its last details, at `end`.
    Raises ValueError on too few days or a time without a zone.
    """
    if end.tzinfo is None:
        raise ValueError("The end of a sample needs a time zone.")
    if days < SHORTEST:
        raise ValueError(f"A sample has at least {SHORTEST} days, not {days}.")
    end = end.astimezone(UTC).replace(microsecond=0)
    start = end - timedelta(days=days)
    people = make_people(seed, start, end)

    found = Writer(random.Random(f"{seed}:violations"), people.partner_tenant_id)
    plant_protocols(Stage(found, people, start, end))
    plant_unproven(Stage(found, people, start, end))
    quiet = Writer(random.Random(f"{seed}:harmless"), people.partner_tenant_id)
    plant_harmless(Stage(quiet, people, start, end))
    rare = Writer(random.Random(f"{seed}:rare"), people.partner_tenant_id)
    plant_rare_violations(Stage(rare, people, start, end))
    plant_rare_harmless(Stage(rare, people, start, end))
    customer = Writer(random.Random(f"{seed}:customer"), customer_with_log(people))
    write_customer_log(Stage(customer, people, start, end))

    log = [*found.log, *quiet.log, *rare.log, *customer.log, *make_traffic(seed, people, start, end - SETTLED)]
    return Sample(
        seed=seed,
        start=start,
        end=end,
        people=people,
        customer_log_tenant_id=customer.log_tenant_id,
        log=tuple(sorted(log, key=by_time)),
        violations=(*with_gaps(found.violations, found.log), *rare.violations, *customer.violations),
        quiet=(*found.quiet, *quiet.quiet, *rare.quiet),
    )
