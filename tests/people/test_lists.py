"""Posture rules, the tenant-wide figures, and what a technician's entry is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from shared.answers.posture import posture
from shared.basics.spelling import id_key
from shared.compliance.beside import Posture
from shared.people.activity import Activity
from shared.people.customer_list import customers
from shared.people.fetched import Account
from shared.people.figures import posture_figures
from shared.people.lists import (
    DORMANT_AFTER,
    CustomerEntry,
    PostureFit,
    Sources,
    Technician,
    accounts_with_findings,
    from_kept,
    technicians,
    to_kept,
)
from shared.people.pages import PAGE_TABLES, pages_of
from shared.people.roster import RosterPerson, Tenant
from shared.rules.posture import POSTURE_RULES, AccountSignals, PostureRule, fitting_posture
from shared.rules.rule import Severity
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.refresh import RefreshState
from tests.people.harness import key, tenant, user

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PARTNER = "11111111-1111-1111-1111-111111111111"


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", POSTURE_RULES, ids=lambda rule: rule.id)
def test_a_rule_fits_its_positive_cases_and_no_negative_one(rule: PostureRule) -> None:
    assert rule.positive
    assert rule.negative
    assert [case for case in rule.positive.values() if rule.fits(case) is None] == []
    assert [case for case in rule.negative.values() if rule.fits(case) is not None] == []
    assert rule.title
    assert rule.meaning.endswith(".")
    assert rule.what_to_do.endswith(".")
    assert rule.attack.startswith("T")


def test_the_rules_are_those_of_the_design() -> None:
    assert [rule.id for rule in POSTURE_RULES] == [
        "mfa-not-registered",
        "mfa-not-capable",
        "guest-without-mfa",
        "delegated-admin-dormant",
    ]


def test_every_rule_that_fits_counts_and_privilege_weighs() -> None:
    bare = AccountSignals(privileged=True, guest=True, registered=False, capable=False, dormant=True)
    assert dict(fitting_posture(bare)) == {
        "mfa-not-registered": Severity.HIGH,
        "guest-without-mfa": Severity.HIGH,
        "delegated-admin-dormant": Severity.MEDIUM,
    }
    assert dict(fitting_posture(bare._replace(privileged=False))) == {
        "mfa-not-registered": Severity.MEDIUM,
        "guest-without-mfa": Severity.MEDIUM,
    }


def test_an_account_that_the_report_has_not_breaks_no_rule() -> None:
    assert fitting_posture(AccountSignals(privileged=True, registered=None, capable=None, dormant=None)) == ()


# --- Partner Center's pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "pages"),
    [
        (["AdminAgents"], ["Customers", "Support > Customer requests", "Billing"]),
        (["SalesAgents"], ["Customers"]),
        (["HelpdeskAgents"], ["Customers", "Support > Customer requests"]),
        (["Global Administrator"], ["Billing"]),
        (["Billing Administrator"], ["Billing"]),
        (["Security Administrator"], ["Billing"]),
        (["GDAP Tier 1"], []),
        ([], []),
        (["SalesAgents", "Billing Administrator"], ["Customers", "Billing"]),
    ],
)
def test_the_pages_that_a_role_reaches(roles: list[str], pages: list[str]) -> None:
    assert pages_of(roles) == pages


def test_the_table_carries_its_date() -> None:
    assert [table.as_of for table in PAGE_TABLES] == ["2021", "newer"]


# --- technicians ------------------------------------------------------------------------------------------------------


def account(
    n: int, *, registered: bool = True, capable: bool = True, guest: bool = False, admin: bool = False
) -> Account:
    return Account(key(n), user(n), f"user{n}@partner.example", f"User {n}", guest, admin, registered, capable, ())


def sources(
    *accounts: Account,
    people: Iterable[int] | None = (1,),
    activity: Activity | None = None,
    wholly_read: bool = True,
    before: Iterable[Technician] = (),
    unread: bool = False,
) -> Sources:
    return Sources(
        now=NOW,
        people=None
        if people is None
        else {key(n): RosterPerson(user(n), ("AdminAgents",), ("GDAP",), None, 7) for n in people},
        tenants={id_key(tenant(1)): Tenant(tenant(1), "One", ("role",), NOW - DAY, NOW + 9 * DAY, True)},
        accounts=None if unread else {a.key: a for a in accounts},
        activity=activity or Activity(),
        wholly_read=wholly_read,
        members=None,
        before={t.key: t for t in before},
        customers_before={},
    )


def entry(given: Sources, *periods: DelegatedAdmin) -> Technician:
    file = DirectoryFile(partner_tenant_id=PARTNER, delegated_admins=[*periods] or [DelegatedAdmin(user_id=user(1))])
    (found,) = technicians(file, given)
    return found


def roster(*people: int) -> DirectoryFile:
    return DirectoryFile(partner_tenant_id=PARTNER, delegated_admins=[DelegatedAdmin(user_id=user(n)) for n in people])


def seen(days_ago: int) -> Activity:
    return Activity(seen={key(1): (NOW - days_ago * DAY).date()})


def test_who_was_not_seen_for_four_weeks_is_dormant() -> None:
    assert entry(sources(account(1))).dormant is True
    assert entry(sources(account(1), activity=seen(3))).dormant is False
    assert entry(sources(account(1), activity=seen(28))).dormant is False
    assert entry(sources(account(1), activity=seen(40))).dormant is True
    assert PostureFit("delegated-admin-dormant", 1) in entry(sources(account(1))).fits


@pytest.mark.parametrize(
    "given",
    [
        sources(account(1), wholly_read=False),
        sources(account(1), activity=Activity(trimmed_users=True)),
    ],
    ids=["a gap in the log", "too many people"],
)
def test_nobody_is_called_dormant_where_it_cannot_be_known(given: Sources) -> None:
    assert entry(given).dormant is None
    assert entry(given).fits == []


def test_who_came_lately_is_not_dormant() -> None:
    since = NOW - DORMANT_AFTER + DAY
    assert entry(sources(account(1)), DelegatedAdmin(user_id=user(1), from_=since)).dormant is False


def test_an_account_in_a_group_that_the_report_has_not_is_off_boarded() -> None:
    assert entry(sources(account(2))).off_boarded is True
    assert entry(sources(account(1))).off_boarded is False
    new = DelegatedAdmin(user_id=user(1), from_=NOW - DAY)
    assert entry(sources(account(2)), new).off_boarded is None, "the report is a day late with new accounts"
    assert entry(sources(unread=True)).off_boarded is None


def test_what_was_not_read_this_time_stays_as_it_was() -> None:
    before = entry(sources(account(1, registered=False, capable=False), activity=seen(3)))
    kept = entry(sources(people=None, unread=True, before=[before]))
    assert kept._replace(fits=[]) == before._replace(fits=[])
    assert (kept.roles, kept.eligible, kept.reachable) == (["AdminAgents"], ["GDAP"], 7)
    assert kept.fits == before.fits


def test_who_left_stays_for_a_while_without_findings() -> None:
    left = entry(sources(account(1, registered=False)), DelegatedAdmin(user_id=user(1), to=NOW - DAY, roles=["X"]))
    assert (left.fits, left.dormant, left.off_boarded) == ([], None, None)
    file = DirectoryFile(
        partner_tenant_id=PARTNER, delegated_admins=[DelegatedAdmin(user_id=user(1), to=NOW - 91 * DAY)]
    )
    assert technicians(file, sources()) == []


def test_of_several_periods_the_last_one_counts() -> None:
    first = DelegatedAdmin(user_id=user(1), to=NOW - 9 * DAY)
    second = DelegatedAdmin(user_id=user(1), from_=NOW - 8 * DAY)
    assert entry(sources(account(1)), second, first).end is None
    assert entry(sources(account(1)), first, second).start == "2026-10-25T12:00:00Z"


def test_a_customer_shows_its_relationships() -> None:
    file = DirectoryFile(
        partner_tenant_id=PARTNER,
        customers=[
            Customer(tenant_id=tenant(1), display_name="One"),
            Customer(tenant_id=tenant(2), display_name="Two", to=NOW - DAY),
        ],
    )
    one, two = customers(file, sources())
    assert (one.roles, one.start, one.end, one.auto_extends) == (
        ["role"],
        "2026-11-01T12:00:00Z",
        "2026-11-11T12:00:00Z",
        True,
    )
    assert (two.display_name, two.roles, two.end, two.valid_to) == ("Two", (), None, "2026-11-01T12:00:00Z")


# --- accounts and figures ---------------------------------------------------------------------------------------------

EVERYBODY = (
    account(1),
    account(2, registered=False, capable=False),
    account(3, capable=False),
    account(4, registered=False, capable=False, guest=True),
    account(5, registered=False, capable=False, admin=True),
)


def test_findings_are_of_all_accounts_and_weigh_by_privilege() -> None:
    given = sources(*EVERYBODY, activity=seen(1))
    admins = technicians(roster(1, 9), given)
    found = accounts_with_findings(given, admins)
    assert {e.id[-2:]: (e.delegated_admin, e.fits) for e in found} == {
        "02": (False, [PostureFit("mfa-not-registered", 2)]),
        "03": (False, [PostureFit("mfa-not-capable", 1)]),
        "04": (False, [PostureFit("mfa-not-registered", 2), PostureFit("guest-without-mfa", 2)]),
        "05": (False, [PostureFit("mfa-not-registered", 3)]),
        "09": (True, [PostureFit("delegated-admin-dormant", 1)]),
    }


def test_the_tenant_wide_requirement_is_a_figure_of_its_own() -> None:
    given = sources(*EVERYBODY, activity=seen(1))
    admins = technicians(roster(1), given)
    found = accounts_with_findings(given, admins)
    figures = posture_figures(EVERYBODY, admins, found, security_defaults=None, now=NOW)
    assert figures == {
        "accounts": {
            "total": 5,
            "registered": 2,
            "capable": 1,
            "registeredPercent": 40.0,
            "capablePercent": 20.0,
        },
        "guests": {
            "total": 1,
            "registered": 0,
            "capable": 0,
            "registeredPercent": 0.0,
            "capablePercent": 0.0,
        },
        "delegatedAdmins": {
            "total": 1,
            "registered": 1,
            "capable": 1,
            "registeredPercent": 100.0,
            "capablePercent": 100.0,
            "dormant": 0,
            "offBoarded": 0,
        },
        "byRule": {
            "mfa-not-registered": 3,
            "mfa-not-capable": 1,
            "guest-without-mfa": 1,
            "delegated-admin-dormant": 0,
        },
        "securityDefaults": None,
        "refreshedAt": "2026-11-02T12:00:00Z",
    }


def test_the_summary_says_how_old_the_figures_are_and_what_is_wrong() -> None:
    failing = RefreshState("registrations", problem="No licence.")
    assert posture(None, [], NOW) == Posture()
    assert posture(None, [failing], NOW) == Posture(problem="No licence.")
    figures = posture_figures([], [], [], security_defaults=True, now=NOW - DAY)
    shown = posture((NOW - DAY, figures), [failing, RefreshState("roster", problem="Other.")], NOW)
    assert (shown.age_seconds, shown.problem, shown.security_defaults) == (86_400, "No licence.", True)
    told = shown.model_dump(mode="json", by_alias=True)
    assert {name: told[name] for name in figures} == figures, "nothing of what was measured is left out"


def test_nothing_can_be_divided_in_an_empty_tenant() -> None:
    figures = posture_figures([], [], [], security_defaults=True, now=NOW)
    assert figures["accounts"] == {
        "total": 0,
        "registered": 0,
        "capable": 0,
        "registeredPercent": None,
        "capablePercent": None,
    }
    assert Activity().seen == {}


# --- how they are kept ------------------------------------------------------------------------------------------------


def test_an_entry_is_kept_by_name_and_one_of_version_1_is_read_by_place() -> None:
    entry = Technician(
        "k", "id", "a@partner.example", "Ann", guest=False, roles=["r"], fits=[PostureFit("mfa-not-capable", 2)]
    )
    assert from_kept(Technician, to_kept(entry)) == entry
    assert from_kept(Technician, [*entry]) == entry


def test_an_entry_of_another_version_has_defaults_and_nothing_unknown() -> None:
    assert from_kept(CustomerEntry, {"key": "k", "id": "id", "colour": "blue"}) == CustomerEntry("k", "id")
    assert from_kept(CustomerEntry, ["k", "id", "Contoso"]) == CustomerEntry("k", "id", "Contoso")


def test_what_fits_is_kept_by_name_and_read_in_both_forms() -> None:
    fits = [PostureFit("mfa-not-registered", 3)]
    kept = to_kept(Technician("k", "id", fits=fits))
    assert kept["fits"] == [{"rule": "mfa-not-registered", "severity": 3}]
    assert from_kept(Technician, kept).fits == fits
    assert from_kept(Technician, {**kept, "fits": [["mfa-not-registered", 3]]}).fits == fits
