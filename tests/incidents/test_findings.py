"""What a finding keeps of a sign-in."""

from __future__ import annotations

import pytest

from shared.incidents.findings import finding_of
from shared.rules.assess import assess
from shared.rules.rule import CUSTOMER, PARTNER, PASSWORD_ONLY, TECHNICIAN
from shared.signin.directory import Directory, DirectoryFile
from tests.signin.records import sign_in

MASKED = f"user_{TECHNICIAN.replace('-', '')}@customer.example"


def directory(user_principal_name: str | None) -> Directory:
    admin: dict[str, object] = {"userId": TECHNICIAN, "userPrincipalName": user_principal_name, "roles": []}
    file = {"partnerTenantId": PARTNER, "customers": [{"tenantId": CUSTOMER}], "delegatedAdmins": [admin]}
    return Directory.of(DirectoryFile.model_validate(file))


@pytest.mark.parametrize(
    ("in_log", "on_roster", "shown"),
    [
        (MASKED, "jane@partner.example", "jane@partner.example"),
        (MASKED, None, MASKED),
        ("jane.doe@partner.example", "jane@partner.example", "jane.doe@partner.example"),
        (None, "jane@partner.example", ""),
    ],
)
def test_a_masked_user_has_the_name_that_the_roster_knows(
    in_log: str | None, on_roster: str | None, shown: str
) -> None:
    masked = sign_in({**PASSWORD_ONLY, "userPrincipalName": in_log})
    known = directory(on_roster)
    finding = finding_of(masked, assess(masked, known), known)
    assert finding is not None
    assert (finding.user_name, finding.user) == (shown, TECHNICIAN.replace("-", ""))


@pytest.mark.parametrize("code", [10**30, -(10**30), 2**31, 50126])
def test_a_result_code_of_any_size_fits_a_column_of_32_bits(code: int) -> None:
    tried = sign_in({**PASSWORD_ONLY, "authenticationProtocol": "ropc", "status": {"errorCode": code}})
    known = directory("jane@partner.example")
    finding = finding_of(tried, assess(tried, known), known)
    assert finding is not None
    assert finding.code == max(-(2**31), min(code, 2**31 - 1))


def test_attempts_have_one_incident_a_user_and_rule_whatever_they_name() -> None:
    keys: dict[str, set[str]] = {}
    for n in range(50):
        attempt = {
            "appId": f"{n:032x}",
            "resourceTenantId": f"{n:032x}",
            "status": {"errorCode": 50126 if n % 2 else 50076},
        }
        for client in ({"authenticationProtocol": "ropc"}, {"clientAppUsed": "IMAP4"}):
            tried = sign_in({**PASSWORD_ONLY, **attempt, **client})
            known = directory("jane@partner.example")
            finding = finding_of(tried, assess(tried, known), known)
            assert finding is not None
            for key, fits in finding.incidents().items():
                keys.setdefault(key, set()).update(rule for rule, _ in fits)
    assert sorted(map(sorted, keys.values())) == [["legacy-auth-attempt"], ["password-flow-attempt"]]
