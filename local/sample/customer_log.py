"""A small log of one customer's own tenant, as a partner sees it who also reads that tenant: its users are masked.

Its sign-ins are its own: they are not repeated in the partner's log.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from . import auth
from .catalog import AZURE_PORTAL, CUSTOMER_APPS, EXCHANGE_ONLINE, OFFICE, TEAMS
from .model import Employee, People
from .people import GUEST
from .records import Draft
from .stage import Stage
from .traffic import NO_EVERYDAY_TRAFFIC


def customer_with_log(people: People) -> str:
    """The tenant id of the customer whose own log is part of the sample."""
    return people.customers[59].tenant_id


def write_customer_log(stage: Stage) -> None:
    """Everyday and planted sign-ins of that tenant's log; `stage.writer` writes to it."""
    writer, rng, tenant = stage.writer, stage.writer.rng, stage.writer.log_tenant_id
    staff = [
        Employee(writer.new_id(), f"person{n}@customer.example", f"Customer Person {n}", tenant) for n in (1, 2, 3)
    ]
    absent = NO_EVERYDAY_TRAFFIC | {GUEST}
    visitors = [
        t
        for t in stage.people.technicians
        if t.user_principal_name.partition("@")[0] not in absent and not (t.valid_from or t.valid_to)
    ]
    day = stage.start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    while day + timedelta(days=1) <= stage.end:
        began = day + timedelta(hours=8, seconds=rng.randrange(20000))
        app = rng.choice(CUSTOMER_APPS)
        visit = Draft(
            rng.choice(visitors),
            began,
            app,
            tenant,
            auth.claim_interactive(),
            cross="serviceProvider",
            session=writer.new_id(),
            masked=True,
        )
        refresh = replace(visit, when=began + timedelta(minutes=65), auth=auth.silent(), interactive=False)
        hidden = replace(
            visit, who=rng.choice(visitors), when=began + timedelta(minutes=200), hide_user_id=True, session=None
        )
        for draft in (visit, refresh, hidden):
            writer.add(draft, scope="customer", verdict="compliant")
        own = Draft(rng.choice(staff), began, OFFICE, tenant, auth.password_only())
        writer.add(own, scope="none", verdict="out-of-scope")
        guest = replace(visit, when=began + timedelta(minutes=90), app=TEAMS, auth=auth.claim_refresh(), masked=False)
        guest = replace(guest, cross="b2bCollaboration", interactive=False, session=writer.new_id())
        writer.add(guest, scope="guest", verdict="compliant")
        day += timedelta(days=1)
    _planted(stage, tenant)


def _planted(stage: Stage, tenant: str) -> None:
    writer, aisha, hugo = stage.writer, stage.who("aisha"), stage.who("hugo")
    masked = Draft(
        aisha, stage.at(0.4, 10, 33), AZURE_PORTAL, tenant, auth.password_only(), cross="serviceProvider", masked=True
    )
    writer.violation(
        "A masked technician signs in with one factor, in the customer's own log",
        [writer.add(masked, scope="customer", verdict="non-compliant")],
        user_id=aisha.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    nameless = replace(
        masked,
        who=hugo,
        when=stage.at(0.6, 10, 33),
        app=EXCHANGE_ONLINE,
        client="IMAP4",
        auth=auth.wrong_password(),
        code=50126,
        hide_user_id=True,
    )
    writer.violation(
        "A masked technician whose user id is left out tries a legacy client in vain",
        [writer.add(nameless, scope="customer", verdict="not-applicable")],
        user_id=hugo.user_id,
        rules=["legacy-auth-attempt"],
        severity="low",
    )
