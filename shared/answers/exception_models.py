"""What is asked and answered of technical exceptions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.answers.period import CoveredPage
from shared.basics.spelling import id_key, is_key
from shared.exceptions.life import Asked
from shared.exceptions.model import ExceptionState, Papers
from shared.wire.models import Answer, Body, Listed, ListQuery, RuleId, ShownRule, Versioned


def _guid(value: object) -> object:
    if value is not None and not (isinstance(value, str) and is_key(id_key(value))):
        raise ValueError("must be a GUID")
    return value


IdOrNone = Annotated[str | None, BeforeValidator(_guid)]
ShortText = Annotated[str, Field(max_length=500)]
LongText = Annotated[str, Field(max_length=2000)]


def _integration(value: object) -> object:
    if value not in ("federation", "custom-control", ""):
        raise ValueError("must be federation or custom-control")
    return value


Integration = Annotated[Literal["federation", "custom-control", ""], BeforeValidator(_integration)]


class Mfa(Body):
    """The third-party MFA."""

    vendor: ShortText = ""
    product: ShortText = ""
    integration: Integration = ""


class Documents(Body):
    """Where the three documents are: a name, a path or an address."""

    configuration: ShortText = ""
    test_result: ShortText = ""
    purchase_order: ShortText = ""


class VendorConfirmation(Body):
    """That the vendor's product cannot send the claim multipleauthn, and cannot be External MFA either."""

    by: ShortText = ""
    on: date | None = None
    reference: ShortText = ""
    cannot_send_multipleauthn: bool = False
    cannot_use_external_mfa: bool = False


class ExceptionRequest(Body):
    """What is asked for. At least one of userId (an object id), appId and customerId is needed, and all else but
    `ticket` and `references`; a member that is missing is named in the refusal (422)."""

    common_issue: int = Field(ge=1, le=6)
    title: ShortText = ""
    reason: LongText = ""
    owner: ShortText = ""
    user_id: IdOrNone = None
    app_id: IdOrNone = None
    customer_id: IdOrNone = None
    rules: Annotated[tuple[RuleId, ...], Field(max_length=20)] = ()
    starts_on: date | None = Field(default=None, description="The first UTC day that is accepted; up to 90 days ago.")
    expires_on: date | None = Field(default=None, description="The UTC day from which on it holds no more.")
    ticket: ShortText = ""
    mfa: Mfa = Mfa()
    documents: Documents = Documents()
    vendor_confirmation: VendorConfirmation = VendorConfirmation()
    references: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ()

    def papers(self) -> Papers:
        """The evidence that is named."""
        confirmation = self.vendor_confirmation
        return Papers(
            vendor=self.mfa.vendor,
            product=self.mfa.product,
            integration=self.mfa.integration,
            configuration=self.documents.configuration,
            test_result=self.documents.test_result,
            purchase_order=self.documents.purchase_order,
            confirmed_by=confirmation.by,
            confirmed_on=f"{confirmation.on:%Y-%m-%d}" if confirmation.on else "",
            confirmation=confirmation.reference,
            others=self.references,
        )

    def asked(self) -> Asked:
        """The request as the domain knows it."""
        return Asked(
            common_issue=self.common_issue,
            title=self.title,
            reason=self.reason,
            owner=self.owner,
            user=self.user_id,
            app=self.app_id,
            customer=self.customer_id,
            rules=self.rules,
            starts_on=self.starts_on,
            expires_on=self.expires_on,
            papers=self.papers(),
            cannot_send_claim=self.vendor_confirmation.cannot_send_multipleauthn,
            cannot_be_external=self.vendor_confirmation.cannot_use_external_mfa,
        )


class Approval(Body):
    """What goes with an approval: the ticket that Partner Center gave, and a comment."""

    ticket: ShortText = ""
    comment: LongText = ""


class ExceptionsQuery(ListQuery):
    """Which exceptions."""

    state: Listed[ExceptionState] | None = None


class NamedMfa(Answer):
    """The third-party MFA, as it was named."""

    vendor: str
    product: str
    integration: str


class NamedDocuments(Answer):
    """Where the three documents are, as it was named."""

    configuration: str
    test_result: str
    purchase_order: str


class NamedConfirmation(Answer):
    """Who confirmed that neither the claim nor External MFA is possible, when, and where that is kept."""

    by: str
    on: date | None
    reference: str


class ExceptionItem(Versioned):
    """A technical exception. Texts are as people wrote them. null stands for any user, application, customer."""

    id: str
    title: str
    state: Annotated[str, WithJsonSchema({"type": "string", "enum": [*ExceptionState]})]
    common_issue: int
    reason: str
    owner: str
    user_id: str | None
    app_id: str | None
    customer_id: str | None
    rules: list[ShownRule]
    starts_on: date
    expires_on: date
    ticket: str | None
    mfa: NamedMfa
    documents: NamedDocuments
    vendor_confirmation: NamedConfirmation
    references: list[str]
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str | None


class ExceptionLine(Answer):
    """A line of the history: who did what, and when."""

    at: datetime
    by: str
    action: str
    detail: str | None


class ExceptionDetail(ExceptionItem):
    """An exception with its history, the oldest line first. `sign_ins` are those of the last 30 days that its rules
    hit, whatever their verdict."""

    sign_ins: int
    rules_beside: list[ShownRule] = Field(
        description="Rules that some of these break too and that can be named with it: unless they are, such sign-ins "
        "stay as they are. Ask anew with them where they have the same cause."
    )
    history: list[ExceptionLine]


class ExceptionsPage(CoveredPage[ExceptionItem]):
    """Exceptions, the newest request first. The period is that since which the log is read."""


class Attachment(Answer):
    """A document to attach, and where it is."""

    document: str
    reference: str


class RequestText(Answer):
    """The request for Partner Center, as Markdown, and what to attach to it."""

    markdown: str
    attachments: list[Attachment]
