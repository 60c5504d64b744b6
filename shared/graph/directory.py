"""What Graph's directory says of the partner's people and customers: what to ask, and the answers typed from raw bytes.

Everything is v1.0. Page sizes are the documented most: 300 of tenantRelationships, 999 of groups and of the
registration report. With GroupMember.Read.All alone the members of a group come as type and id, so names are taken from
the registration report.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared.basics.spelling import id_key
from shared.basics.times import Instant
from shared.basics.well_known import BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR
from shared.graph.client import GraphClient
from shared.graph.problems import BadAnswer, NotFound, Unlicensed

_RETRIES: Final = 3
_LONGEST_NAME: Final = 256

# The groups of delegated admin privileges, as Partner Center makes them in the partner's tenant.
AGENT_GROUPS: Final = ("AdminAgents", "HelpdeskAgents", "SalesAgents")
# Template ids of the built-in roles whose holders the requirement names (docs/entra-facts.md, "The requirement").
ADMIN_ROLES: Final = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    BILLING_ADMINISTRATOR: "Billing Administrator",
    SECURITY_ADMINISTRATOR: "Security Administrator",
}


class PageKind(StrEnum):
    """What can be asked. Some are asked of one relationship, group or role each."""

    CUSTOMERS = "customers"
    RELATIONSHIPS = "relationships"
    ASSIGNMENTS = "assignments"
    AGENT_GROUPS = "agent-groups"
    GROUP = "group"
    MEMBERS = "members"
    ELIGIBLE = "eligible"
    ROLE_HOLDERS = "role-holders"
    ROLE_ELIGIBLE = "role-eligible"
    REGISTRATIONS = "registrations"
    SECURITY_DEFAULTS = "security-defaults"


class Ask(NamedTuple):
    """One question. `of` is the id of the relationship, group or role; "" where there is but one."""

    kind: PageKind
    of: str = ""


# --- the answers ------------------------------------------------------------------------------------------------------


def _short(value: object) -> object:
    return value[:_LONGEST_NAME] if isinstance(value, str) else value


def _named(value: object) -> object:
    if not isinstance(value, str) or not id_key(value):
        raise ValueError("must be an id")
    return value.strip()


Name = Annotated[str | None, BeforeValidator(_short)]
Id = Annotated[str, BeforeValidator(_named)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class CustomerPart(_Part):
    """A delegatedAdminCustomer."""

    tenant_id: Id
    display_name: Name = None


class _Participant(_Part):
    tenant_id: str | None = None
    display_name: Name = None


class _Role(_Part):
    role_definition_id: str


class _AccessDetails(_Part):
    unified_roles: list[_Role] | None = None


class RelationshipPart(_Part):
    """A delegatedAdminRelationship. `customer` is missing until one accepted it."""

    id: Id
    status: str
    customer: _Participant | None = None
    activated_date_time: Instant | None = None
    end_date_time: Instant | None = None
    auto_extend_duration: str | None = None
    access_details: _AccessDetails | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The template ids of the roles that were agreed on."""
        return tuple(
            role.role_definition_id for role in (self.access_details and self.access_details.unified_roles) or []
        )


class _Container(_Part):
    access_container_id: Id


class AssignmentPart(_Part):
    """A delegatedAdminAccessAssignment: a security group of the partner gets roles of the relationship."""

    status: str
    access_container: _Container
    created_date_time: Instant | None = None


class ObjectPart(_Part):
    """A directory object: of a group's members or behind a role, and a group itself."""

    id: Id
    odata_type: str | None = Field(default=None, alias="@odata.type")
    display_name: Name = None

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.odata_type == "#microsoft.graph.group"

    @property
    def is_user(self) -> bool:
        """Whether it may be a person: what has no type is taken for one, because leaving one out would be worse."""
        return self.odata_type in (None, "#microsoft.graph.user")


class HolderPart(_Part):
    """Who holds a role, or is eligible for it or for a group; `start_date_time` comes with eligibility only."""

    principal_id: Id
    principal: ObjectPart | None = None
    access_id: str | None = None
    start_date_time: Instant | None = None


class RegistrationPart(_Part):
    """A userRegistrationDetails: one enabled account (the report leaves out disabled ones)."""

    id: Id
    user_principal_name: Name = None
    user_display_name: Name = None
    user_type: str | None = None
    is_admin: bool | None = None
    is_mfa_registered: bool
    is_mfa_capable: bool
    methods_registered: list[str] | None = None


class SecurityDefaultsPart(_Part):
    """The identitySecurityDefaultsEnforcementPolicy."""

    is_enabled: bool


class DirectoryPage[T: BaseModel](BaseModel):
    """A page of a list, or a single object as a list of one. `missing` says why there is nothing where that is an
    answer too: "gone" for a group that is not there, "unlicensed" for PIM without a licence."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    value: list[T]
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
    missing: str | None = None


type AnyPage = DirectoryPage[Any]

_PAGE: Final[dict[PageKind, type[AnyPage]]] = {
    PageKind.CUSTOMERS: DirectoryPage[CustomerPart],
    PageKind.RELATIONSHIPS: DirectoryPage[RelationshipPart],
    PageKind.ASSIGNMENTS: DirectoryPage[AssignmentPart],
    PageKind.AGENT_GROUPS: DirectoryPage[ObjectPart],
    PageKind.GROUP: DirectoryPage[ObjectPart],
    PageKind.MEMBERS: DirectoryPage[ObjectPart],
    PageKind.ELIGIBLE: DirectoryPage[HolderPart],
    PageKind.ROLE_HOLDERS: DirectoryPage[HolderPart],
    PageKind.ROLE_ELIGIBLE: DirectoryPage[HolderPart],
    PageKind.REGISTRATIONS: DirectoryPage[RegistrationPart],
    PageKind.SECURITY_DEFAULTS: DirectoryPage[SecurityDefaultsPart],
}
_SINGLE: Final[dict[PageKind, type[BaseModel]]] = {
    PageKind.GROUP: ObjectPart,
    PageKind.SECURITY_DEFAULTS: SecurityDefaultsPart,
}
_MAY_BE_GONE: Final = (PageKind.GROUP, PageKind.MEMBERS, PageKind.ELIGIBLE)
_NEEDS_PIM: Final = (PageKind.ELIGIBLE, PageKind.ROLE_ELIGIBLE)
GONE: Final = "gone"
UNLICENSED: Final = "unlicensed"


def decode(kind: PageKind, body: bytes) -> AnyPage:
    """An answer from its bytes. Raises BadAnswer; a list without `value` is no empty list."""
    try:
        single = _SINGLE.get(kind)
        if single is not None:
            return _PAGE[kind](value=[single.model_validate_json(body)])
        return _PAGE[kind].model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise BadAnswer(f"Graph's answer ({kind}) cannot be read: {where}: {first['msg']}") from error


def to_text(page: AnyPage) -> str:
    """A page as JSON, without what nobody asked for."""
    return page.model_dump_json(by_alias=True, exclude_none=True)


def of_text(kind: PageKind, text: str) -> AnyPage:
    """The page that to_text gave. Raises BadAnswer for one that another version of the app kept."""
    try:
        return _PAGE[kind].model_validate_json(text)
    except ValidationError as error:
        raise BadAnswer(f"A kept page ({kind}) cannot be read any more.") from error


# --- the questions ----------------------------------------------------------------------------------------------------


# Where each question begins, behind the version; its next pages are where Graph says. `of` is what it asks of.
_GDAP: Final = "tenantRelationships/delegatedAdmin"
_ROLES: Final = "roleManagement/directory/role{which}?$filter=roleDefinitionId%20eq%20%27{of}%27&$expand=principal"
_PIM: Final = "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
_QUESTIONS: Final = {
    PageKind.CUSTOMERS: f"{_GDAP}Customers?$top=300",
    PageKind.RELATIONSHIPS: f"{_GDAP}Relationships?$top=300",
    PageKind.ASSIGNMENTS: f"{_GDAP}Relationships/{{of}}/accessAssignments?$top=300",
    PageKind.AGENT_GROUPS: "groups?$filter={agents}&$select=id,displayName&$top=999",
    PageKind.GROUP: "groups/{of}?$select=id,displayName",
    PageKind.MEMBERS: "groups/{of}/transitiveMembers?$select=id&$top=999",
    PageKind.ELIGIBLE: _PIM + "?$filter=groupId%20eq%20%27{of}%27&$expand=principal",
    PageKind.ROLE_HOLDERS: _ROLES.replace("{which}", "Assignments"),
    PageKind.ROLE_ELIGIBLE: _ROLES.replace("{which}", "EligibilityScheduleInstances"),
    PageKind.REGISTRATIONS: "reports/authenticationMethods/userRegistrationDetails?$top=999",
    PageKind.SECURITY_DEFAULTS: "policies/identitySecurityDefaultsEnforcementPolicy?$select=isEnabled",
}


def first_url(base_url: str, ask: Ask) -> str:
    """Where a question begins."""
    agents = quote(f"displayName in ({','.join(repr(name) for name in AGENT_GROUPS)})")
    question = _QUESTIONS[ask.kind].format(of=quote(ask.of, safe=""), agents=agents)
    return f"{base_url}/v1.0/{question}"


async def fetch(client: GraphClient, ask: Ask, url: str) -> AnyPage:
    """One page. Raises GraphProblem.

    A group that was deleted, and PIM where the tenant has no licence for it (nobody can be eligible then), are answers.
    """
    try:
        body = await client.get(url, sdk_retries=_RETRIES)
    except NotFound:
        if ask.kind in _MAY_BE_GONE:
            return _PAGE[ask.kind](value=[], missing=GONE)
        raise
    except Unlicensed:
        if ask.kind in _NEEDS_PIM:
            return _PAGE[ask.kind](value=[], missing=UNLICENSED)
        raise
    return decode(ask.kind, body)
