"""The frame of every page: where one is, the filter, and the line that says what the page rests on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.answers.period import Span, Standing, read_standing
from shared.app.app import App
from shared.basics.times import MICROSECOND
from shared.compliance.gaps import GapKind, counted_gaps
from shared.page.asked import PageQuery, Visit, scope_text
from shared.page.places import NamedPlace, place_of
from shared.page.render import render
from shared.page.sentence import Grounds, Trust, trust
from shared.page.states import Running, running_of
from shared.wire.models import HEADLINE_NAMES, SCOPE_NAMES

SCOPES: Final = (
    (scope_text(HEADLINE_NAMES), "Customers and Partner Center"),
    *((name, name.replace("-", " ").capitalize()) for name in SCOPE_NAMES),
    ("all", "All scopes"),
)
# What keeps slices from being complete, said of so many of them.
_GAPS: Final = {
    GapKind.PARKED: "given up after many tries",
    GapKind.INCONSISTENT: "of which the log shows less than before",
    GapKind.FAILING: "that could not be read and are tried again",
    GapKind.UNFINISHED: "being read",
    GapKind.OVERDUE: "whose re-read is overdue",
    GapKind.UNREAD: "not read yet",
    GapKind.EXPIRED: "gone from the log unread",
    GapKind.BEFORE_INSTALLATION: "before the installation",
    GapKind.QUARANTINED: "with records that could not be read",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page's content."""

    visit: Visit[Any]
    span: Span
    trust: Trust
    grounds: Grounds

    @property
    def place(self) -> NamedPlace:
        """The entry of the navigation where one is."""
        return place_of(self.visit.here)

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
    standing, directory, running = await asyncio.gather(
        read_standing(app, span), app.known_directory(), running_of(app)
    )
    grounds = _grounds(app, standing, running, directory.at if directory else None)
    return Frame(visit, span, trust(grounds), grounds)


def _grounds(app: App, standing: Standing, running: Running, directory_at: datetime | None) -> Grounds:
    coverage = standing.coverage
    return Grounds(
        now=app.clock(),
        covered=coverage.percent,
        read_anything=coverage.newest_read is not None,
        measured_until=coverage.measured_until,
        quarantined=coverage.quarantined - coverage.accepted_quarantine,
        accepted=coverage.accepted_quarantine,
        directory_at=directory_at,
        paused_until=running.alerts.paused_until,
        paused_by=running.alerts.paused_by,
        alerts_ready=bool(app.settings.channels),
        dead_channels=len(app.settings.wrong_channels),
        cannot_read=any(flight.problem for flight in running.flights),
        gaps={_GAPS[kind]: n for kind, n in counted_gaps(standing.measured).items()},
    )


async def show[Q: PageQuery](template: str, visit: Visit[Q], /, **shown: Any) -> str:
    """A page in its frame."""
    frame = await frame_of(visit)
    return render(template, frame=frame, visit=visit, link=visit.link, q=visit.query, **shown)
