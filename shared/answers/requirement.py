"""What Microsoft's partner security requirement says, and what it said before: the words that findings, exceptions and
tokens are judged by. From docs/entra-facts.md, "The requirement"; constants, so of no period."""

from __future__ import annotations

from typing import Final

from shared.answers.rules import CommonIssueText, common_issue_text
from shared.exceptions.issues import ISSUES
from shared.exceptions.request_text import FILED_AS_OF_2020, FILED_NOW
from shared.people.pages import PAGE_TABLES
from shared.tokens.advice import APP_ONLY
from shared.wire.models import Answer, ShownScope


class Concerned(Answer):
    """Whom the requirement concerns, and what that means for them."""

    who: str
    detail: str


class WayIn(Answer):
    """A way to use delegated admin rights: the scope that its sign-ins have here, what is asked for, and what else has
    to be known of it."""

    name: str
    scope: ShownScope
    detail: str


class ProtectedPageText(Answer):
    """A page of Partner Center that asked for MFA before every page did, with the addresses below which it lies and the
    roles that reach it, by the source as of `as_of`."""

    as_of: str
    name: str
    paths: list[str]
    roles: list[str]


class Filing(Answer):
    """How a request for an exception is filed at Partner Center; `before` is the way of the source's first version."""

    now: str
    before: str


class Requirement(Answer):
    """The requirement, as its newest pages have it, with what earlier versions said where a log may still show it."""

    concerns: list[Concerned]
    ways_in: list[WayIn]
    pages: list[ProtectedPageText]
    common_issues: list[CommonIssueText]
    filing: Filing
    not_measured: list[str]
    links: list[str]


_CONCERNS: Final = (
    Concerned(
        who="CSP, direct bill",
        detail="Sells to customers directly: every account of its own tenant, and each use of its rights at customers.",
    ),
    Concerned(
        who="CSP, indirect provider",
        detail="The same; its resellers are partners of their own, with tenants and logs of their own.",
    ),
    Concerned(who="CSP, indirect reseller", detail="The same, also where the provider administers the customer too."),
    Concerned(
        who="Control panel vendor",
        detail="Its application calls the Partner Center API for partners: concerns the accounts that consented to it "
        "(App+User), and no app-only token.",
    ),
    Concerned(
        who="Advisor", detail="Every account of its own tenant, and each use of the rights that customers gave it."
    ),
)
_WAYS_IN: Final = (
    WayIn(
        name="Partner Center's pages",
        scope="partner-center",
        detail="Since September 2025 every page asks for MFA; before, those of `pages`. A session that did MFA when it "
        "was signed in is not asked again.",
    ),
    WayIn(
        name="Partner Center API",
        scope="partner-center",
        detail=f"App+User: the token's amr has to hold mfa, else 401. App-only: nothing is asked for. {APP_ONLY}",
    ),
    WayIn(
        name="Portals and command lines over a customer",
        scope="customer",
        detail="Entra ID asks for MFA in the customer's tenant; a managed account registers first, a federated one is "
        "sent to its provider where the partner said that the provider does MFA.",
    ),
    WayIn(
        name="Portals without a customer's tenant",
        scope="partner-tenant",
        detail="Some portals, such as the Exchange admin center, sign in to the partner's tenant alone, so that "
        "nothing is asked for in the customer's. Over time they will ask for the customer's tenant: GET portals says "
        "which still do not, by day, and who used them without proof of MFA.",
    ),
    WayIn(
        name="APIs with delegated rights",
        scope="customer",
        detail="Azure Resource Manager, Microsoft Graph and others take App+User tokens of the customer's tenant. The "
        "password flow has to go: nothing can be prompted in it.",
    ),
)


def read_requirement() -> Requirement:
    """All of it."""
    return Requirement(
        concerns=[*_CONCERNS],
        ways_in=[*_WAYS_IN],
        pages=[
            ProtectedPageText(as_of=table.as_of, name=page.name, paths=[*page.paths], roles=sorted(page.roles))
            for table in PAGE_TABLES
            for page in table.pages
        ],
        common_issues=[common_issue_text(issue) for issue in ISSUES.values()],
        filing=Filing(now=FILED_NOW, before=FILED_AS_OF_2020),
        not_measured=[
            "Microsoft's own status report (share of accounts and of requests with MFA, seven days): it is not read.",
            "Whether a customer's policies leave service providers out: that stands in the customer's tenant alone.",
        ],
        links=[
            "https://learn.microsoft.com/partner-center/security/partner-security-requirements-mandating-mfa",
            "https://learn.microsoft.com/partner-center/developer/partner-center-authentication",
            "https://learn.microsoft.com/partner-center/developer/enable-secure-app-model",
        ],
    )
