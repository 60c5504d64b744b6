"""What every story needs: the people by name, the customers by number, working days, and short ways to write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .auth import Auth
from .catalog import App
from .model import Employee, LogRecord, People, Technician, whole_days
from .records import Draft
from .writer import Writer


@dataclass(frozen=True, slots=True)
class Stage:
    """The scene of the stories. Times are UTC; `start`…`end` is the whole log."""

    writer: Writer
    people: People
    start: datetime
    end: datetime

    @property
    def home(self) -> str:
        """The partner's tenant id."""
        return self.people.partner_tenant_id

    def who(self, name: str) -> Technician:
        """A technician by the first part of the user name."""
        return self.people.technician(name)

    def customer(self, number: int) -> str:
        """A customer's tenant id by its place in the list."""
        return self.people.customers[number].tenant_id

    def at(self, fraction: float, hour: int, minute: int = 0) -> datetime:
        """A time on a whole working day: 0.0 is the first of the log and 1.0 the last."""
        days = whole_days(self.start, self.end)
        return days[round(fraction * (len(days) - 1))] + timedelta(hours=hour, minutes=minute)

    def in_customer(
        self, who: Technician | Employee, when: datetime, app: App, number: int, auth: Auth, *, interactive: bool = True
    ) -> LogRecord:
        """A delegated sign-in to customer `number` with the evidence of `auth`, which must prove something itself."""
        draft = Draft(
            who,
            when,
            app,
            self.customer(number),
            auth,
            interactive=interactive,
            cross="serviceProvider",
            session=self.writer.new_id(),
        )
        return self.writer.add(draft, scope="customer", verdict=auth.proves)

    def at_home(self, who: Technician, when: datetime, app: App, auth: Auth) -> LogRecord:
        """An interactive sign-in to the partner tenant by someone on the roster."""
        draft = Draft(who, when, app, self.home, auth, session=self.writer.new_id())
        return self.writer.add(draft, scope="partner-tenant", verdict=auth.proves)
