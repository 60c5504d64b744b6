"""The accounts of the partner tenant that break posture rules."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.answers.names import Filters, keys_of
from shared.answers.people import PostureRuleId, ShownPostureRule, UserField, gravest, is_user, paged
from shared.answers.period import CoveredPage, read_standing, span_of
from shared.app.app import App
from shared.people.lists import AccountEntry, from_kept
from shared.rules.posture import POSTURE_RULE
from shared.rules.rule import Severity, SeverityName
from shared.store.people import ACCOUNTS, load_list
from shared.wire.models import (
    Answer,
    Listed,
    ListQuery,
    Named,
    SeverityFilter,
    severity_name,
    shown_id,
)


class AccountsQuery(ListQuery):
    """Which accounts. Filters that are set must all fit; a comma list fits by any of its entries."""

    user: Named | None = UserField
    rule: Listed[PostureRuleId] | None = None
    severity: SeverityFilter | None = Field(default=None, description="This severity or a higher one.")


class AccountItem(Answer):
    """An account that breaks posture rules, with what to do about the gravest. Names are hostile text."""

    user_id: str
    user_principal_name: str | None
    user_display_name: str | None
    user_type: Literal["member", "guest"]
    delegated_admin: bool
    administrator: bool
    mfa_registered: bool | None
    mfa_capable: bool | None
    posture_rules: list[ShownPostureRule]
    posture_severity: SeverityName
    what_to_do: str


class AccountsPage(CoveredPage[AccountItem]):
    """Accounts, the gravest first. `refreshed_at` is null before the first registration report."""

    refreshed_at: datetime | None


async def read_accounts(app: App, query: AccountsQuery) -> AccountsPage:
    """A page of accounts. Raises BadParameter for a wrong cursor, and NotKnown for a person of whom nothing is known:
    no account that breaks rules, no technician, nobody who signed in."""
    kept = await load_list((await app.tables()).directory, ACCOUNTS)
    every = [from_kept(AccountEntry, entry) for entry in kept.entries] if kept else []
    asked = [account for account in every if is_user(query.user, account.key, account.user_principal_name)]
    standing = await read_standing(app, span_of(app, None, None, None))
    if not asked:
        await keys_of(app, Filters(user=query.user), standing, await app.known_directory())
    chosen = [
        account
        for account in asked
        if (query.rule is None or not {rule for rule, _ in account.fits}.isdisjoint(query.rule))
        and (query.severity is None or gravest(account.fits).severity >= Severity.of(query.severity))
    ]
    page, cursor = paged(chosen, query, "accounts", lambda each: (str(9 - gravest(each.fits).severity), each.key))
    return AccountsPage(
        items=[_account_item(account) for account in page],
        cursor=cursor,
        total=len(chosen),
        period=standing.period,
        coverage=standing.coverage,
        refreshed_at=kept.at if kept else None,
    )


def _account_item(account: AccountEntry) -> AccountItem:
    rule, severity = gravest(account.fits)
    return AccountItem(
        user_id=shown_id(account.key),
        user_principal_name=account.user_principal_name,
        user_display_name=account.display_name,
        user_type="guest" if account.guest else "member",
        delegated_admin=account.delegated_admin,
        administrator=account.administrator,
        mfa_registered=account.registered,
        mfa_capable=account.capable,
        posture_rules=[rule for rule, _ in account.fits],
        posture_severity=severity_name(severity),
        what_to_do=POSTURE_RULE[rule].what_to_do,
    )
