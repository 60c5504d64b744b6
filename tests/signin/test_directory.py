"""Roster and customers: who counted, and since when."""

import pytest
from pydantic import ValidationError

from shared.basics.spelling import id_key
from shared.rules.rule import AT_HOME, CUSTOMER, PARTNER, TECHNICIAN, Record
from shared.signin.directory import Directory, DirectoryFile
from tests.signin.records import STRANGER, Json, JsonObject, assessed, at, directory_of

USER, TENANT = id_key(TECHNICIAN), id_key(CUSTOMER)
FROM, TO = "2026-11-02T09:00:00Z", "2026-11-03T09:00:00Z"
HOME_GUEST: Record = {"homeTenantId": STRANGER}  # only the roster makes this technician a partner user


def roster(*periods: tuple[str | None, str | None]) -> Directory:
    entries: list[Json] = [{"userId": TECHNICIAN, "from": start, "to": end} for start, end in periods]
    return directory_of(delegatedAdmins=entries)


def customers(*periods: tuple[str | None, str | None]) -> Directory:
    entries: list[Json] = [{"tenantId": CUSTOMER, "from": start, "to": end} for start, end in periods]
    return directory_of(customers=entries)


BOUNDS = [
    ("2026-11-02T08:59:59.999999Z", False),
    ("2026-11-02T09:00:00Z", True),
    ("2026-11-02T10:00:00+01:00", True),
    ("2026-11-02T09:59:59+01:00", False),
    ("2026-11-02T12:00:00Z", True),
    ("2026-11-03T08:59:59.999999Z", True),
    ("2026-11-03T09:00:00Z", False),
    ("2026-11-03T09:30:00+01:00", True),
    ("2026-11-04T09:00:00Z", False),
]


@pytest.mark.parametrize(("time", "valid"), BOUNDS)
def test_a_period_holds_from_its_start_until_just_before_its_end(time: str, valid: bool) -> None:
    assert roster((FROM, TO)).is_admin(USER, at(time)) is valid
    assert customers((FROM, TO)).is_customer(TENANT, at(time)) is valid


@pytest.mark.parametrize(("time", "valid"), BOUNDS)
def test_a_sign_in_is_judged_by_the_roster_of_its_own_time(time: str, valid: bool) -> None:
    found = assessed({**AT_HOME, **HOME_GUEST, "createdDateTime": time}, roster((FROM, TO)))
    assert found.scope == ("partner-tenant" if valid else "none")
    assert found.verdict == ("compliant" if valid else "out-of-scope")


@pytest.mark.parametrize(("time", "valid"), BOUNDS)
def test_a_sign_in_is_judged_by_the_customers_of_its_own_time(time: str, valid: bool) -> None:
    old: Record = {"crossTenantAccessType": "none", "createdDateTime": time}
    assert assessed(old, customers((FROM, TO))).scope == ("customer" if valid else "none")
    assert assessed({"createdDateTime": time}, customers((FROM, TO))).scope == "customer"  # serviceProvider says it


@pytest.mark.parametrize(
    ("period", "before", "after"),
    [
        ((None, None), True, True),
        ((FROM, None), False, True),
        ((None, FROM), True, False),
        ((FROM, FROM), False, False),
    ],
)
def test_an_absent_bound_is_open(period: tuple[str | None, str | None], before: bool, after: bool) -> None:
    for when, valid in (("2000-01-01T00:00:00Z", before), (FROM, after), ("2100-01-01T00:00:00Z", after)):
        assert roster(period).is_admin(USER, at(when)) is valid
        assert customers(period).is_customer(TENANT, at(when)) is valid


def test_somebody_may_have_come_back() -> None:
    directory = roster(("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), ("2026-03-01T00:00:00Z", None))
    months = [directory.is_admin(USER, at(f"2026-{month:02}-15T00:00:00Z")) for month in (1, 2, 3, 4)]
    assert months == [True, False, True, True]


def test_leaving_the_roster_later_changes_nothing_of_the_past() -> None:
    before = {**AT_HOME, **HOME_GUEST, "createdDateTime": "2026-11-02T09:00:00Z"}
    assert assessed(before, roster((None, None))) == assessed(before, roster((None, "2026-11-02T09:00:00.000001Z")))
    assert assessed(before, roster((None, "2026-11-02T09:00:00Z"))).scope == "none"


def test_a_bound_without_a_zone_is_utc_and_a_date_is_its_midnight() -> None:
    directory = roster(("2026-11-02", "2026-11-03T09:00:00"))
    assert directory.is_admin(USER, at("2026-11-02T00:00:00Z"))
    assert not directory.is_admin(USER, at("2026-11-01T23:59:59Z"))
    assert directory.is_admin(USER, at("2026-11-03T08:59:59Z"))
    assert not directory.is_admin(USER, at("2026-11-03T09:00:00Z"))


@pytest.mark.parametrize("spelling", [TECHNICIAN.upper(), f"{{{TECHNICIAN}}}", USER, f" {TECHNICIAN} "])
def test_ids_are_one_in_any_spelling(spelling: str) -> None:
    directory = directory_of(
        partnerTenantId=PARTNER.upper(),
        delegatedAdmins=[{"userId": spelling}],
        customers=[{"tenantId": CUSTOMER.upper()}],
    )
    assert directory.is_admin(USER, at(FROM))
    assert assessed({}, directory) == assessed({})
    assert assessed(AT_HOME, directory) == assessed(AT_HOME)


def test_nobody_else_is_on_the_roster() -> None:
    directory = directory_of()
    assert not directory.is_admin(id_key(STRANGER), at(FROM))
    assert not directory.is_admin("", at(FROM))
    assert not directory.is_customer(id_key(STRANGER), at(FROM))
    assert not directory.is_customer("", at(FROM))


def test_a_directory_file_needs_only_the_partner_tenant() -> None:
    directory = Directory.of(DirectoryFile.model_validate_json(f'{{"partnerTenantId": "{PARTNER}", "note": 5}}'))
    assert assessed({}, directory).scope == "customer"  # by the home tenant, and serviceProvider
    assert assessed(AT_HOME, directory).scope == "none"


WRONG: list[tuple[str, JsonObject]] = [
    ("partnerTenantId", {"partnerTenantId": ""}),
    ("partnerTenantId", {"partnerTenantId": " {} "}),
    ("partnerTenantId", {"partnerTenantId": None}),
    ("customers", {"customers": [{"tenantId": ""}]}),
    ("customers", {"customers": [{"displayName": "Customer"}]}),
    ("customers", {"customers": {"tenantId": CUSTOMER}}),
    ("customers", {"customers": [{"tenantId": CUSTOMER, "from": "soon"}]}),
    ("delegatedAdmins", {"delegatedAdmins": [{"userPrincipalName": "a@partner.example"}]}),
    ("delegatedAdmins", {"delegatedAdmins": [{"userId": "--"}]}),
    ("delegatedAdmins", {"delegatedAdmins": [{"userId": TECHNICIAN, "to": []}]}),
    ("federatedDomains", {"federatedDomains": "partner.example"}),
]


@pytest.mark.parametrize(("member", "members"), WRONG, ids=str)
def test_a_directory_file_that_is_wrong_says_where(member: str, members: JsonObject) -> None:
    with pytest.raises(ValidationError) as error:
        directory_of(**members)
    assert str(error.value.errors()[0]["loc"][0]) == member


@pytest.mark.parametrize("number", [1700000000, 0.5, True, "1700000000", "1700000000.5", "20261102"])
def test_a_bound_that_is_a_number_is_wrong(number: Json) -> None:
    """pydantic alone reads it as seconds since 1970."""
    with pytest.raises(ValidationError, match="must be a date"):
        directory_of(customers=[{"tenantId": CUSTOMER, "from": number}])


@pytest.mark.parametrize("bound", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_bound_that_utc_cannot_hold_is_wrong_too(bound: str) -> None:
    with pytest.raises(ValidationError):
        roster((bound, None))


@pytest.mark.parametrize("domain", ["partner.example", "@partner.example", " PARTNER.Example "])
def test_federated_domains_are_plain_names(domain: str) -> None:
    assert directory_of(federatedDomains=[domain]).federated_domains == {"partner.example"}


def test_an_empty_domain_is_none() -> None:
    assert directory_of(federatedDomains=["", "@", " "]).federated_domains == frozenset()
