"""What a summary says beside the sign-ins: technical exceptions, and the tenant-wide requirement. Pure."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shared.wire.models import Answer


class ExceptionNumbers(Answer):
    """Technical exceptions by state, and how many sign-ins of the scopes and the period the approved ones accept: those
    without MFA, and apart those of which nothing is known, which no percentage but the worst case counts."""

    requested: int = 0
    approved: int = 0
    expired: int = 0
    withdrawn: int = 0
    next_expiry: date | None = None
    accepted_sign_ins: int = 0
    accepted_unknown: int = 0


class AccountFigures(Answer):
    """Some accounts: how many have registered a method of MFA, and how many can do MFA."""

    total: int
    registered: int
    capable: int
    registered_percent: float | None
    capable_percent: float | None


class AdminFigures(AccountFigures):
    """The delegated admins of now. Registered and capable are of those that the report has."""

    dormant: int
    off_boarded: int


class Posture(Answer):
    """The tenant-wide requirement, as it was last measured at `refreshed_at`; all null before that, and where the
    summary is of one customer, person or application. `problem` says why it is not measured anew."""

    accounts: AccountFigures | None = None
    guests: AccountFigures | None = None
    delegated_admins: AdminFigures | None = None
    by_rule: dict[str, int] | None = Field(default=None, description="Accounts by the rule about accounts they break.")
    security_defaults: bool | None = None
    refreshed_at: datetime | None = None
    age_seconds: int | None = None
    problem: str | None = None
