"""What is asked of a page: the filter that every page shares and hands on in its links, and who looks.

The filter stands in the address, so that a link shows another person the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from pydantic import Field

from shared.answers.period import PeriodQuery, Span, span_of
from shared.app.app import App
from shared.wire.models import HEADLINE_NAMES, SCOPE_NAMES, Named, Scopes

USUAL_DAYS: Final = 30


class PageQuery(PeriodQuery):
    """The filter: a period, scopes, a customer, a technician, an application."""

    scope: Scopes = HEADLINE_NAMES
    customer: Named | None = Field(default=None, description="Tenant id or name.")
    user: Named | None = Field(default=None, description="Object id or user name.")
    app: Named | None = Field(default=None, description="Id or name.")

    @property
    def period(self) -> dict[str, Any]:
        """The period, for an answer that takes one."""
        return {"days": self.days, "from": self.from_, "to": self.to}

    @property
    def whose(self) -> dict[str, str]:
        """What is set of customer, user and app."""
        named = {"customer": self.customer, "user": self.user, "app": self.app}
        return {name: value for name, value in named.items() if value is not None}

    def carried(self) -> dict[str, str]:
        """The filter as parameters of an address, without what is usual."""
        days = None if self.days in (None, USUAL_DAYS) else str(self.days)
        values = {
            "days": days,
            "from": _day(self.from_),
            "to": _day(self.to),
            "scope": None if self.scope == HEADLINE_NAMES else scope_text(self.scope),
            **self.whose,
        }
        return {name: value for name, value in values.items() if value}


def scope_text(scopes: tuple[str, ...]) -> str:
    """Scopes as an address names them."""
    return "all" if set(scopes) == set(SCOPE_NAMES) else ",".join(scopes)


def _day(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d}" if at else None


@dataclass(frozen=True, slots=True)
class Visit[Q: PageQuery = PageQuery]:
    """One look at one page. `here` is the page's address without its query, `path` what stands in it by name."""

    app: App
    query: Q
    path: Mapping[str, str]
    here: str
    may_act: bool

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.app.clock()

    @property
    def span(self) -> Span:
        """The period. Raises BadParameter."""
        return span_of(self.app, self.query.days, self.query.from_, self.query.to)

    @property
    def times(self) -> dict[str, datetime]:
        """The period as times, for an answer that takes those."""
        span = self.span
        return {"from": span.start} | ({"to": span.end} if span.end < span.now else {})

    def link(self, section: str, key: str | None = None, /, **changes: object) -> str:
        """The address of a page with this filter; `changes` set parameters, None takes one away."""
        carried: dict[str, str] = self.query.carried()
        for name, value in changes.items():
            name = name.rstrip("_")
            carried.pop(name, None)
            if value is not None:
                carried[name] = str(value)
        path = section if key is None else f"{section.rstrip('/')}/{quote(key, safe='')}"
        return f"{path}?{urlencode(carried)}" if carried else path

    def api(self, route: str, /, **parameters: object) -> str:
        """The address of the same as the API gives it."""
        given = {name.rstrip("_"): str(value) for name, value in parameters.items() if value is not None}
        return f"/api/{route}?{urlencode(given)}" if given else f"/api/{route}"
