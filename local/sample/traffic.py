"""The everyday sign-ins of the partner's log: nothing in here may alarm.

Every silent refresh has an interactive root of the same user and session in the log, so that its session explains it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from . import auth
from .auth import Auth
from .catalog import CUSTOMER_APPS, EXCHANGE_ADMIN, OFFICE, PARTNER_CENTER, ROOT_APPS, TEAMS, WINDOWS_SIGN_IN
from .model import Employee, LogRecord, People, Technician
from .people import DORMANT, GUEST, SERVICE_ACCOUNT, guid
from .records import Draft, build_app_only
from .writer import Writer

NO_EVERYDAY_TRAFFIC = frozenset({DORMANT, SERVICE_ACCOUNT, "john"})
STORY_CUSTOMERS = 3
"""The last customers have stories of their own and no everyday visits."""

_WEEKLY_METHODS = frozenset({"Windows Hello for Business", "Passkey (device-bound)"})


def make_traffic(seed: int, people: People, start: datetime, cutoff: datetime) -> list[LogRecord]:
    """Clean sign-ins made between `start` and `cutoff` (UTC), all of them served by `cutoff` and a few minutes."""
    traffic = _Traffic(seed, people, start, cutoff)
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < cutoff:
        traffic.write_day(day)
        day += timedelta(days=1)
    return traffic.writer.log


class _Traffic:
    def __init__(self, seed: int, people: People, start: datetime, cutoff: datetime) -> None:
        self.rng = random.Random(f"{seed}:traffic")
        self.writer = Writer(self.rng, people.partner_tenant_id)
        self.people = people
        self.home = people.partner_tenant_id
        self.start = start
        self.cutoff = cutoff
        self.weekly_sessions: dict[str, str] = {}
        self.agents = tuple(
            Employee(guid(self.rng), f"agent{n}@{people.managed_domain}", f"Support Agent {n}", self.home)
            for n in (1, 2)
        )
        self.programs = tuple(
            (f"Northbridge {name}", str(uuid.UUID(guid(self.rng)))) for name in ("Billing", "Tickets")
        )

    def write_day(self, day: datetime) -> None:
        working = day.weekday() < 5
        for index, person in enumerate(self.people.technicians):
            name = person.user_principal_name.partition("@")[0]
            on_call = (day.toordinal() + index) % 13 == 0
            here = self.rng.random() < 0.92 if working else on_call
            if name not in NO_EVERYDAY_TRAFFIC and here and _on_roster(person, day):
                began = day + timedelta(hours=6, seconds=self.rng.randrange(3 * 3600))
                if name == GUEST:
                    self._guest(person, began)
                else:
                    self._technician(person, began, index)
        for employee in self.people.employees:
            if working and self.rng.random() < 0.8:
                self._employee(employee, day + timedelta(hours=7, seconds=self.rng.randrange(4 * 3600)))
        for moment in self._times(day, 6):
            who = self.rng.choice(self.agents)
            customer = self.rng.choice(self.people.customers[:-STORY_CUSTOMERS])
            self._add(
                Draft(
                    who,
                    moment,
                    TEAMS,
                    customer.tenant_id,
                    auth.silent(),
                    interactive=False,
                    cross="serviceProvider",
                    agent_type=self.rng.choice(("agenticAppInstance", "agentIDuser")),
                ),
                "customer",
                "not-applicable",
            )
        for moment in self._times(day, 10):
            name, app_id = self.rng.choice(self.programs)
            record = build_app_only(self.rng, moment, self.home, name, app_id)
            self.writer.append(record, moment + timedelta(minutes=3), verdict="not-applicable")

    def _times(self, day: datetime, count: int) -> Iterator[datetime]:
        for _ in range(count):
            moment = day + timedelta(seconds=self.rng.randrange(24 * 3600))
            if self.start <= moment < self.cutoff:
                yield moment

    def _technician(self, person: Technician, began: datetime, index: int) -> None:
        if began - timedelta(minutes=10) < self.start or began >= self.cutoff:
            return
        if self.rng.random() < 0.55:
            device = Draft(
                person,
                began - timedelta(minutes=7),
                WINDOWS_SIGN_IN,
                self.home,
                auth.password_only(),
                session=self.writer.new_id(),
            )
            self._add(device, "device", "out-of-scope")
        moment, session = self._root(person, began)
        for _ in range(self.rng.choice((1, 2, 2, 3))):
            moment += timedelta(seconds=self.rng.randrange(600, 5400))
            self._visit(person, moment, session, index)
        if self.rng.random() < 0.12:
            moment += timedelta(seconds=self.rng.randrange(60, 1800))
            self._partner_center(person, moment, session)
        if self.rng.random() < 0.08:
            self._stumble(person, moment + timedelta(minutes=4), index)
        if self.rng.random() < 0.05:
            self._as_guest(person, moment + timedelta(minutes=9), index)

    def _root(self, person: Technician, began: datetime) -> tuple[datetime, str]:
        """The interactive sign-in that the day's (or, with a bound device, the week's) tokens come from."""
        weekly = person.method in _WEEKLY_METHODS
        session = self.weekly_sessions.get(person.user_id)
        if weekly and session is not None and began.weekday() != 0:
            refresh = Draft(person, began, OFFICE, self.home, auth.silent(), interactive=False, session=session)
            self._add(refresh, "partner-tenant", "compliant")
            return began, session
        session, correlation = self.writer.new_id(), self.writer.new_id()
        app = self.rng.choice(ROOT_APPS)
        if self.rng.random() < 0.1:
            failed = Draft(
                person,
                began - timedelta(seconds=50),
                app,
                self.home,
                auth.wrong_password(),
                code=50126,
                correlation=correlation,
            )
            self._add(failed, "partner-tenant", "not-applicable")
        root = Draft(person, began, app, self.home, _proof(person), session=session, correlation=correlation)
        self._add(root, "partner-tenant", "compliant")
        self.weekly_sessions[person.user_id] = session
        return began, session

    def _visit(self, person: Technician, moment: datetime, session: str, index: int) -> None:
        """One customer: an interactive sign-in to its tenant, then refreshes that its session explains."""
        customer = self._customer(index)
        app = self.rng.choice(CUSTOMER_APPS)
        # Old records leave the type empty, `none` or out.
        cross = self.rng.choice(("none", "", None)) if self.rng.random() < 0.14 else "serviceProvider"
        proof = auth.claim_interactive() if self.rng.random() < 0.7 else _proof(person)
        visit = Draft(person, moment, app, customer, proof, cross=cross, session=session)
        self._add(visit, "customer", "compliant")
        for n in range(self.rng.choice((0, 1, 1, 2))):
            later = moment + timedelta(minutes=20 + 50 * n, seconds=self.rng.randrange(1500))
            said = self.rng.choice((auth.claim_refresh(),) * 3 + (auth.silent(), auth.first_by_claim()))
            refresh = Draft(person, later, app, customer, said, interactive=False, cross=cross, session=session)
            self._add(refresh, "customer", "compliant", may_be_late=True)

    def _partner_center(self, person: Technician, moment: datetime, session: str) -> None:
        page = Draft(person, moment, PARTNER_CENTER, self.home, auth.claim_interactive(), session=session)
        self._add(page, "partner-center", "compliant")
        refresh = Draft(
            person,
            moment + timedelta(minutes=31),
            PARTNER_CENTER,
            self.home,
            auth.claim_refresh(),
            interactive=False,
            session=session,
        )
        self._add(refresh, "partner-center", "compliant", may_be_late=True)

    def _stumble(self, person: Technician, moment: datetime, index: int) -> None:
        """A step or a refusal at a customer, by a modern client: no sign-in, so nothing to judge."""
        code = self.rng.choice((50058, 50074, 50140, 53003, 500121, 530034))
        draft = Draft(
            person,
            moment,
            self.rng.choice(CUSTOMER_APPS),
            self._customer(index),
            auth.not_passed(_second_factor(person)),
            cross="serviceProvider",
            code=code,
        )
        self._add(draft, "customer", "not-applicable")

    def _as_guest(self, person: Technician, moment: datetime, index: int) -> None:
        """Teams with a customer: a guest there, not its delegated admin, and graded apart."""
        cross = "passthrough" if self.rng.random() < 0.25 else "b2bCollaboration"
        draft = Draft(
            person,
            moment,
            TEAMS,
            self._customer(index),
            auth.claim_refresh(),
            interactive=False,
            cross=cross,
            session=self.writer.new_id(),
        )
        self._add(draft, "guest", "compliant")

    def _guest(self, person: Technician, began: datetime) -> None:
        """The subcontractor on the roster: her home tenant's MFA is trusted here."""
        draft = Draft(
            person,
            began,
            EXCHANGE_ADMIN,
            self.home,
            auth.external(),
            cross="b2bCollaboration",
            session=self.writer.new_id(),
        )
        self._add(draft, "partner-tenant", "compliant")

    def _employee(self, person: Employee, began: datetime) -> None:
        session = self.writer.new_id()
        root = Draft(person, began, OFFICE, self.home, auth.password_only(), session=session)
        self._add(root, "none", "out-of-scope")
        refresh = Draft(
            person, began + timedelta(minutes=75), OFFICE, self.home, auth.silent(), interactive=False, session=session
        )
        self._add(refresh, "none", "out-of-scope")

    def _customer(self, index: int) -> str:
        """Each technician looks after ten customers; two thirds of the visits go to the first four."""
        reach = 4 if self.rng.random() < 0.67 else 10
        number = (index * 7 + self.rng.randrange(reach)) % (len(self.people.customers) - STORY_CUSTOMERS)
        return self.people.customers[number].tenant_id

    def _add(self, draft: Draft, scope: str, verdict: str, *, may_be_late: bool = False) -> None:
        """Write it unless it lies outside the log. A few refreshes arrive late, or get their details late."""
        if not self.start <= draft.when < self.cutoff:
            return
        delay = timedelta(hours=self.rng.randrange(1, 20))
        lot = self.rng.random()
        if may_be_late and lot < 0.03 and draft.when + delay <= self.cutoff:
            if lot < 0.015:
                self.writer.add(draft, scope=scope, verdict=verdict, arrives_after=delay)
            else:
                late = auth.claim_refresh()
                self.writer.add(draft, scope=scope, verdict=verdict, late=late, late_after=delay)
        else:
            self.writer.add(draft, scope=scope, verdict=verdict)


def _on_roster(person: Technician, moment: datetime) -> bool:
    after = person.valid_from is None or moment >= person.valid_from
    return after and (person.valid_to is None or moment + timedelta(days=1) <= person.valid_to)


def _second_factor(person: Technician) -> str:
    return "Mobile app notification" if person.federated or person.method in auth.PASSWORDLESS else person.method


def _proof(person: Technician) -> Auth:
    return auth.external() if person.federated else auth.mfa_now(person.method)


def by_time(entry: LogRecord) -> tuple[str, str]:
    """Sorts a log by time, then id."""
    return str(entry.record["createdDateTime"]), entry.id
