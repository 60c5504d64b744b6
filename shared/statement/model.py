"""A statement of one month: what is sealed, and what is said beside it. Pure.

`Sealed` is what a hash is taken of. It names no person: people are numbers, and the table of their names is kept apart,
where erasing somebody takes a line out. It holds no text that people wrote, which could name somebody too.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

from pydantic import Field, JsonValue

from shared.compliance.coverage import Coverage
from shared.compliance.gaps import CoverageItem
from shared.compliance.numbers import Judged
from shared.compliance.summary import Period
from shared.wire.models import Answer

FORMAT: Final = 1

StateName = Literal["final", "provisional"]
AnswerName = Literal["yes", "partly", "no", "not-recorded", "cannot-tell"]


class StatementCustomer(Answer):
    """A customer, by the name that it had then: hostile text."""

    customer_id: str
    customer_name: str | None


class CustomerFigures(StatementCustomer):
    """A customer's figures: `figures` of the headline, `by_scope` of each way in that was used."""

    figures: Judged
    by_scope: dict[str, Judged]


class StatementTrend(Answer):
    """The headline of one UTC day."""

    date: date
    compliant: int
    non_compliant: int
    unknown: int


class StatementDay(Answer):
    """How much of one UTC day was read, and what the night noted of it: whom policies made do MFA and the like
    (`posture`), how many people had delegated rights, which policies stood."""

    date: date
    coverage_percent: float | None
    partial: bool
    settled: bool
    quarantined: int
    accepted_quarantine: int
    gaps: list[str]
    roster: int | None = Field(description="People with delegated rights; null where that was not noted.")
    policies: str | None = Field(description="Fingerprint of the policies that stood; null where it was not noted.")
    posture: dict[str, JsonValue] | None


class StatementDirectory(Answer):
    """The directory by which people and customers are known: its version, and when it was read."""

    version: str | None = Field(description="Its version; null where there is none.")
    refreshed_at: datetime | None


class StatementRoster(Answer):
    """How many people had delegated rights at any time of the month, and how many customers there were."""

    people: int | None = Field(description="People who held or could take them; null where it is not known.")
    customers: int | None


class StatementIncident(Answer):
    """An incident of the month. `person` is a number of the table of names; `ended` how it was closed: by quiet, by a
    person, or because its records were corrected."""

    id: str
    person: int
    customer_id: str | None
    customer_name: str | None
    customers: list[str] = Field(description="Tenant ids that its findings reached, also where it is about a person.")
    app_id: str | None
    app_name: str | None
    rules: list[str]
    scopes: list[str]
    severity: str
    sign_ins: int | None
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime | None
    state: str
    ended: Literal["quiet", "person", "corrected"] | None
    resolved_at: datetime | None


class StatementException(Answer):
    """A technical exception in effect on a day of the month, or asked for in it. People are numbers."""

    id: str
    state: str
    common_issue: int
    rules: list[str]
    person: int | None
    customer_id: str | None
    app_id: str | None
    starts_on: date
    expires_on: date
    requested_by_person: int = Field(description="Number of who asked for it.")
    requested_at: datetime
    approved_by_person: int | None = Field(description="Number of who approved it; null when nobody did.")
    approved_at: datetime | None


class StatementCause(Answer):
    """Why sign-ins without MFA were possible, by kind of gap, without the names that people gave to policies."""

    kind: str = Field(description="A kind of cause, or not-recorded.")
    meaning: str
    sign_ins: int = Field(description="The headline's sign-ins without MFA that it explains.")
    gaps: int | None = Field(description="How many policies or settings of that kind; null where nobody recorded it.")
    people: int | None = Field(description="How many people; null where it was not kept whose each was.")


class PreviousMonth(Answer):
    """The statement of the month before, and the SHA-256 of it."""

    month: str
    sha256: str


class Sealed(Answer):
    """What a statement says. Of one customer it has that customer's figures and no other's."""

    format: int = Field(description="Version of its form.")
    month: str
    period: Period
    partner_tenant_id: str
    customer: StatementCustomer | None = Field(description="Whose it is; null for all customers together.")
    generated_at: datetime
    state: StateName
    meaning: str
    figures: Judged
    by_scope: dict[str, Judged]
    trend: list[StatementTrend]
    customers: list[CustomerFigures]
    customers_left_out: bool = Field(
        description="Whether there are too many customers to list while it is provisional."
    )
    coverage: Coverage
    days: list[StatementDay] = Field(description="Each UTC day of the month.")
    gaps: list[CoverageItem]
    causes: list[StatementCause] | None = Field(
        default=None,
        description="Why the headline's sign-ins without MFA were possible; null in one customer's statement, and in "
        "one that an older version of the app sealed.",
    )
    rules_versions: dict[str, int]
    directory: StatementDirectory
    roster: StatementRoster = Field(description="People with delegated rights; null where that was not noted.")
    incidents: list[StatementIncident]
    incidents_left_out: bool = Field(
        description="Whether there are too many incidents to list while it is provisional."
    )
    exceptions: list[StatementException]
    grades: dict[str, str] = Field(description="What each grade of evidence means.")
    strengths: dict[str, str] = Field(description="What each strength means.")
    whys: dict[str, str] = Field(description="What each reason means.")
    limits: list[str] = Field(description="What it cannot say.")
    previous: PreviousMonth | None = Field(description="The statement of the month before; null where none is sealed.")
    names: str | None = Field(description="Which table of names belongs to it; null while it is provisional.")


class StatementPerson(Answer):
    """A line of the table of names: hostile text. Somebody who was erased has none."""

    person: int
    user_id: str | None
    user_name: str | None


class StatementQuestion(Answer):
    """What cyber-insurers ask for, as a claim, and whether the statement's figures bear it out."""

    id: str
    question: str = Field(description="What is asked.")
    answer: AnswerName = Field(description="What the figures say to it.")
    sentence: str


class StatementNow(Answer):
    """What the same month says today, where that is no longer what was sealed, and why."""

    figures: Judged
    rules_versions: dict[str, int]
    coverage_percent: float | None
    reason: str


class Statement(Answer):
    """The statement of a month: final once no re-read of the month is due any more, and then never changed; before that
    provisional. `sha256` is of the bytes that format=sealed gives: `sealed` as JSON with sorted names and no blanks."""

    heading: str = Field(description="Its title.")
    state: StateName
    sha256: str
    generated_at: datetime
    first_page: list[str] = Field(description="What keeps the figures from being all there is to say.")
    opening: list[StatementQuestion]
    sealed: Sealed = Field(description="What is sealed, and never changed once it is final.")
    people: list[StatementPerson]
    today: StatementNow | None = Field(description="Null while the month says the same today.")
    pack_key_id: str | None
