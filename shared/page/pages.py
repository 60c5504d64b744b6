"""Every page and every form by its address: what it takes, and which function makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from shared.page.applications import ApplicationsPageQuery, application_page, applications_page
from shared.page.asked import PageQuery, Visit
from shared.page.audit import (
    RegisterPageQuery,
    RosterQuery,
    SampleQuery,
    audit_page,
    exception_page,
    register_page,
    roster_page,
    sample_page,
)
from shared.page.causes import CauseForm, act_on_cause, cause_page, causes_page
from shared.page.customers import CustomersPageQuery, customer_page, customers_page
from shared.page.findings import FindingPageQuery, FindingsPageQuery, day_page, finding_page, findings_page
from shared.page.incidents import IncidentForm, IncidentsPageQuery, act_on_incident, incident_page, incidents_page
from shared.page.overview import overview_page
from shared.page.portals import PortalsPageQuery, portals_page
from shared.page.posture import posture_page
from shared.page.rules import rule_page, rules_page
from shared.page.technicians import TechniciansPageQuery, technician_page, technicians_page
from shared.page.tools import TokenForm, check_token, setup_page, token_page
from shared.store.once import reading_once


@dataclass(frozen=True, slots=True)
class PageAt:
    """A page. `route` is its address without the first slash; "" is the overview."""

    name: str
    route: str
    query: type[PageQuery]
    make: Callable[[Visit[Any]], Awaitable[str]]

    async def show(self, visit: Visit[Any]) -> str:
        """The page as HTML; what several of its answers ask the tables is asked once."""
        with reading_once():
            return await self.make(visit)


@dataclass(frozen=True, slots=True)
class FormAt[F: BaseModel]:
    """A form. `act` changes something and gives where to go then; `make` changes nothing and gives a page. Who acts
    must be an operator."""

    name: str
    route: str
    form: type[F]
    act: Callable[..., Awaitable[str]] | None = None
    make: Callable[[Visit[Any], Any], Awaitable[str]] | None = None


PAGES: Final = (
    PageAt("page", "", PageQuery, overview_page),
    PageAt("page_incidents", "incidents", IncidentsPageQuery, incidents_page),
    PageAt("page_incident", "incidents/{id}", PageQuery, incident_page),
    PageAt("page_causes", "causes", PageQuery, causes_page),
    PageAt("page_cause", "causes/{id}", PageQuery, cause_page),
    PageAt("page_customers", "customers", CustomersPageQuery, customers_page),
    PageAt("page_customer", "customers/{id}", PageQuery, customer_page),
    PageAt("page_technicians", "technicians", TechniciansPageQuery, technicians_page),
    PageAt("page_technician", "technicians/{id}", PageQuery, technician_page),
    PageAt("page_applications", "applications", ApplicationsPageQuery, applications_page),
    PageAt("page_application", "applications/{id}", PageQuery, application_page),
    PageAt("page_portals", "portals", PortalsPageQuery, portals_page),
    PageAt("page_findings", "findings", FindingsPageQuery, findings_page),
    PageAt("page_finding", "findings/{id}", FindingPageQuery, finding_page),
    PageAt("page_day", "days/{day}", PageQuery, day_page),
    PageAt("page_rules", "rules", PageQuery, rules_page),
    PageAt("page_rule", "rules/{id}", PageQuery, rule_page),
    PageAt("page_token", "token", PageQuery, token_page),
    PageAt("page_posture", "posture", PageQuery, posture_page),
    PageAt("page_audit", "audit", PageQuery, audit_page),
    PageAt("page_roster", "audit/roster", RosterQuery, roster_page),
    PageAt("page_register", "audit/register", RegisterPageQuery, register_page),
    PageAt("page_sample", "audit/sample", SampleQuery, sample_page),
    PageAt("page_exception", "exceptions/{id}", PageQuery, exception_page),
    PageAt("page_setup", "setup", PageQuery, setup_page),
)
FORMS: Final = (
    FormAt("page_incident_act", "incidents/{id}/act", IncidentForm, act=act_on_incident),
    FormAt("page_cause_act", "causes/{id}/act", CauseForm, act=act_on_cause),
    FormAt("page_token_check", "token", TokenForm, make=check_token),
)
