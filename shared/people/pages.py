"""The pages of Partner Center that need MFA, and by which roles they are reached: data with its dates.

From docs/entra-facts.md, "The requirement": the source of late 2020 to 2021, and what newer versions say. Since
September 2025 every page of Partner Center needs MFA, so this tells which accounts the old enforcement touches and how
far a role reaches, not where MFA may be left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

ADMIN: Final = "AdminAgents"
SALES: Final = "SalesAgents"
HELPDESK: Final = "HelpdeskAgents"
GLOBAL: Final = "Global Administrator"
BILLING: Final = "Billing Administrator"
SECURITY: Final = "Security Administrator"


class ProtectedPage(NamedTuple):
    """A page and everything below it. `paths` are address patterns; none where the source names none."""

    name: str
    paths: tuple[str, ...]
    roles: frozenset[str]


class PageTable(NamedTuple):
    """The source as of a time."""

    as_of: str
    pages: tuple[ProtectedPage, ...]


PAGE_TABLES: Final = (
    PageTable(
        "2021",
        (
            ProtectedPage("Customers", ("partner.microsoft.com/commerce/*",), frozenset({ADMIN, SALES, HELPDESK})),
            ProtectedPage(
                "Support > Customer requests",
                ("partner.microsoft.com/dashboard/support/csp/customers/*",),
                frozenset({ADMIN, HELPDESK}),
            ),
            ProtectedPage("Billing", (), frozenset({ADMIN, GLOBAL, BILLING})),
        ),
    ),
    PageTable(
        "newer",
        (
            ProtectedPage("Customers", ("partner.microsoft.com/commerce/*",), frozenset({ADMIN, SALES, HELPDESK})),
            ProtectedPage(
                "Support > Customer requests",
                ("partner.microsoft.com/dashboard/v2/support/customers/*",),
                frozenset({ADMIN, HELPDESK}),
            ),
            ProtectedPage("Billing", (), frozenset({ADMIN, SECURITY, BILLING})),
        ),
    ),
)


def pages_of(roles: Iterable[str]) -> list[str]:
    """The names of the pages that somebody with these roles reaches by either table, in their order."""
    held = frozenset(roles)
    names = (page.name for table in PAGE_TABLES for page in table.pages if page.roles & held)
    return [*dict.fromkeys(names)]
