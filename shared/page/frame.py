"""The frame of every page: where one is, the filter, and the line that says what the page rests on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.answers.alert_state import read_alert_state
from shared.answers.period import Span, read_standing
from shared.app.app import App
from shared.basics.times import MICROSECOND
from shared.compliance.coverage import Coverage
from shared.compliance.summary import AlertState
from shared.page.asked import PageQuery, Visit, scope_text
from shared.page.places import NamedPlace, place_of
from shared.page.render import render
from shared.page.sentence import Grounds, can_be_trusted, trust
from shared.wire.models import HEADLINE_NAMES, SCOPE_NAMES

SCOPES: Final = (
    (scope_text(HEADLINE_NAMES), "Customers and Partner Center"),
    *((name, name.replace("-", " ").capitalize()) for name in SCOPE_NAMES),
    ("all", "All scopes"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page's content."""

    visit: Visit[Any]
    span: Span
    trust: list[str]
    grounds: Grounds

    @property
    def place(self) -> NamedPlace:
        """The entry of the navigation where one is."""
        return place_of(self.visit.here)

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against the figures."""
        return can_be_trusted(self.grounds)

    @property
    def period(self) -> str:
        """The period in words."""
        query, span = self.visit.query, self.span
        if query.from_ is None and query.to is None:
            days = query.days or 30
            return "today" if days == 1 else f"last {days} days"
        return f"{span.start:%d %b %Y} to {min(span.end, span.now) - MICROSECOND:%d %b %Y}"

    @property
    def scope(self) -> str:
        """The scopes in words."""
        chosen = scope_text(self.visit.query.scope)
        return next((title for value, title in SCOPES if value == chosen), chosen)

    @property
    def scopes(self) -> tuple[tuple[str, str], ...]:
        """The scopes to choose from: what the form sends, and words."""
        return SCOPES

    @property
    def scope_value(self) -> str:
        """The scopes as the form sends them."""
        return scope_text(self.visit.query.scope)


async def frame_of[Q: PageQuery](visit: Visit[Q]) -> Frame:
    """The frame of a page. Raises BadParameter for a period that cannot be."""
    app, span = visit.app, visit.span
    tables = await app.tables()
    standing, directory, alerts = await asyncio.gather(
        read_standing(app, span), app.known_directory(), read_alert_state(tables, span.now)
    )
    grounds = grounds_of(app, standing.coverage, alerts, directory.at if directory else None)
    return Frame(visit, span, trust(grounds), grounds)


def grounds_of(app: App, coverage: Coverage, alerts: AlertState, directory_at: datetime | None) -> Grounds:
    """What a page's figures rest on."""
    return Grounds(
        now=app.clock(),
        covered=coverage.percent,
        read_anything=coverage.newest_read is not None,
        measured_until=coverage.measured_until,
        quarantined=coverage.quarantined - coverage.accepted_quarantine,
        accepted=coverage.accepted_quarantine,
        directory_at=directory_at,
        paused_until=alerts.paused_until,
        paused_by=alerts.paused_by,
        alerts_ready=bool(app.settings.channels),
        dead_channels=len(app.settings.wrong_channels),
    )


async def show[Q: PageQuery](template: str, visit: Visit[Q], /, **shown: Any) -> str:
    """A page in its frame."""
    frame = await frame_of(visit)
    return render(template, frame=frame, visit=visit, link=visit.link, q=visit.query, **shown)
