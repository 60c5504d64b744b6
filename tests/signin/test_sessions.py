"""What the interactive root of a session proves for the silent sign-ins that come from it."""

from itertools import permutations

import pytest

from shared.rules.rule import NON_INTERACTIVE, PASSWORD_ONLY, SILENT, TECHNICIAN, Record, refused
from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof, Session, root_of, session_of
from tests.signin.records import DIRECTORY, OTHER_TENANT, STRANGER, assessed, at, directory_of, judged, sign_in

SESSION = "55555555-5555-5555-5555-555555555555"
MASKED = f"user_{TECHNICIAN.replace('-', '')}@customer.example"
SKIPPED: Record = {**SILENT, "status": {"errorCode": 0, "additionalDetails": "MFA skipped due to location"}}
CLAIM: Record = {**SILENT, "authenticationRequirement": "multiFactorAuthentication"}
EXTERNAL: Record = {
    **SILENT,
    "authenticationDetails": [
        {"authenticationStepResultDetail": "MFA requirement satisfied by claim provided by external provider"}
    ],
}
PROVEN: Record = {}


def root(members: Record, time: str = "09:00:00") -> Record:
    return {"id": f"root-{time}", "sessionId": SESSION, "createdDateTime": f"2026-11-02T{time}Z", **members}


def child(members: Record | None = None, time: str = "10:00:00") -> Record:
    """A silent sign-in that comes from the session."""
    base: Record = {"id": "child", "sessionId": SESSION, "createdDateTime": f"2026-11-02T{time}Z"}
    return {**SILENT, **NON_INTERACTIVE, **base, **(members or {})}


def of_child(*log: Record) -> tuple[str, str]:
    """Evidence and verdict of the last record of a log."""
    found = judged(log)[-1]
    return found.evidence, found.verdict


@pytest.mark.parametrize("proof", [PROVEN, CLAIM, EXTERNAL], ids=["proven", "claim", "external"])
def test_a_root_with_mfa_speaks_for_its_children(proof: Record) -> None:
    assert of_child(root(proof), child()) == ("session", "compliant")


@pytest.mark.parametrize("proof", [PASSWORD_ONLY, SKIPPED], ids=["none", "skipped"])
def test_a_root_without_mfa_speaks_for_its_children(proof: Record) -> None:
    log = (root(proof), child())
    assert of_child(*log) == ("none", "non-compliant")
    assert judged(log)[-1].rules == ("non-interactive-without-mfa",)


@pytest.mark.parametrize("with_mfa", [PROVEN, CLAIM, EXTERNAL], ids=["proven", "claim", "external"])
@pytest.mark.parametrize("without", [PASSWORD_ONLY, SKIPPED], ids=["none", "skipped"])
def test_mixed_roots_prove_nothing_in_any_order(with_mfa: Record, without: Record) -> None:
    roots = (root(with_mfa, "08:00:00"), root(without, "09:00:00"))
    for first, second in permutations(roots):
        assert of_child(first, second, child()) == ("unknown", "unknown")
        assert of_child(child(), first, second)[0] == judged([child(), first, second])[-1].evidence
    assert judged([child(), *roots])[0].evidence == "unknown"


def test_only_the_roots_up_to_the_child_count_for_it() -> None:
    log = (root(PROVEN, "08:00:00"), child(time="08:30:00"), root(PASSWORD_ONLY, "09:00:00"), child(time="09:30:00"))
    assert [found.evidence for found in judged(log)] == ["proven", "session", "none", "unknown"]


def test_a_root_at_the_same_instant_counts_and_a_later_one_does_not() -> None:
    assert of_child(root(PROVEN, "10:00:00"), child()) == ("session", "compliant")
    assert of_child(root(PROVEN, "10:00:00.000001"), child()) == ("unknown", "unknown")
    assert of_child(root(PROVEN, "11:00:00"), child()) == ("unknown", "unknown")


def test_instants_are_compared_and_not_their_spelling() -> None:
    assert of_child(root({"createdDateTime": "2026-11-02T12:00:00+02:00"}), child()) == ("session", "compliant")
    assert of_child(root({"createdDateTime": "2026-11-02T09:30:00-01:00"}), child()) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "members",
    [
        NON_INTERACTIVE,
        refused(50074),
        refused(50126),
        SILENT,
        {"sessionId": "66666666-6666-6666-6666-666666666666"},
        {"sessionId": None},
        {"sessionId": ""},
        {"userId": STRANGER},
        {"userId": None, "userPrincipalName": "other@partner.example"},
        {"signInEventTypes": ["servicePrincipal"]},
        {"agent": {"agentSubjectType": "agenticApp"}},
    ],
    ids=str,
)
def test_what_is_not_a_root_of_this_session_proves_nothing(members: Record) -> None:
    assert of_child(root(members), child()) == ("unknown", "unknown")


@pytest.mark.parametrize("session", [None, "", " "])
def test_two_records_without_a_session_have_nothing_in_common(session: str | None) -> None:
    assert of_child(root({"sessionId": session}), child({"sessionId": session})) == ("unknown", "unknown")


def test_two_records_without_a_user_have_nothing_in_common() -> None:
    nobody: Record = {"userId": None, "userPrincipalName": None}
    assert of_child(root(nobody), child(nobody)) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "members",
    [
        {"sessionId": SESSION.upper()},
        {"sessionId": SESSION.replace("-", "")},
        {"userId": f"{{{TECHNICIAN}}}"},
        {"userId": None, "userPrincipalName": MASKED},
    ],
    ids=str,
)
def test_one_session_in_two_spellings_is_one_session(members: Record) -> None:
    """A masked user in a customer's log is the same person as in the partner's."""
    assert of_child(root(PROVEN), child(members)) == ("session", "compliant")


def test_a_silent_interactive_sign_in_asks_its_session_too() -> None:
    interactive: Record = {"signInEventTypes": ["interactiveUser"]}
    assert of_child(root(PROVEN), child(interactive)) == ("session", "compliant")
    assert of_child(root(PASSWORD_ONLY), child(interactive)) == ("none", "non-compliant")


def test_a_child_does_not_become_a_root_by_what_its_session_lent_it() -> None:
    interactive: Record = {"signInEventTypes": ["interactiveUser"]}
    log = (root(PROVEN), child({**interactive, "id": "a"}, "09:30:00"), root(PASSWORD_ONLY, "09:40:00"), child())
    assert judged(log)[-1].evidence == "unknown"
    assert judged([child({**interactive, "id": "a"}, "09:30:00"), child()])[-1].evidence == "unknown"


@pytest.mark.parametrize(
    ("members", "evidence"),
    [
        (PASSWORD_ONLY, "none"),
        (SKIPPED, "skipped"),
        (CLAIM, "claim"),
        ({"clientAppUsed": "IMAP4"}, "none"),
        (refused(50074), "not-applicable"),
    ],
)
def test_what_a_record_says_itself_outranks_its_session(members: Record, evidence: str) -> None:
    for proof in (PROVEN, PASSWORD_ONLY):
        assert of_child(root(proof), child(members))[0] == evidence


def test_a_federated_child_that_says_nothing_follows_its_session() -> None:
    federated: Record = {**PASSWORD_ONLY, "tokenIssuerType": "ADFederationServices"}
    assert of_child(root(PROVEN), child(federated)) == ("session", "compliant")
    assert of_child(root(PASSWORD_ONLY), child(federated)) == ("none", "non-compliant")


def test_a_root_out_of_scope_still_speaks_for_its_children() -> None:
    elsewhere: Record = {"resourceTenantId": OTHER_TENANT, "crossTenantAccessType": "b2bCollaboration"}
    assert assessed(root(elsewhere)).verdict == "out-of-scope"
    assert of_child(root(elsewhere), child()) == ("session", "compliant")


def told_at(code: int, text: str, **members: object) -> Record:
    """An interactive sign-in that ended with that code and states that."""
    return {**SILENT, "status": {"errorCode": code, "additionalDetails": text}, **members}


@pytest.mark.parametrize("code", [50097, 50140, 50199])
@pytest.mark.parametrize(
    "text",
    [
        "MFA completed in Azure AD",
        "MFA requirement satisfied by claim in the token",
        "MFA requirement satisfied by claim provided by external provider",
    ],
)
def test_an_interrupt_after_the_factors_speaks_for_its_session(code: int, text: str) -> None:
    """The success after "stay signed in?" says only that the first factor came by claim."""
    after: Record = {
        **SILENT,
        "id": "after",
        "sessionId": SESSION,
        "createdDateTime": "2026-11-02T09:00:08Z",
        "authenticationDetails": [
            {"authenticationStepResultDetail": "First factor requirement satisfied by claim in the token"}
        ],
    }
    found = judged([root(told_at(code, text)), after, child()])
    assert [each.evidence for each in found] == ["not-applicable", "session", "session"]


@pytest.mark.parametrize(
    "members",
    [
        told_at(50074, "MFA completed in Azure AD"),  # a step before the end, not after the factors
        told_at(500121, "MFA completed in Azure AD"),
        told_at(50140, "MFA skipped due to location"),
        told_at(50140, ""),
        told_at(50140, "", authenticationRequirement="multiFactorAuthentication"),
        told_at(50140, "MFA completed in Azure AD", clientAppUsed="IMAP4"),
        {**PASSWORD_ONLY, **refused(50140)},
    ],
    ids=str,
)
def test_any_other_interrupt_says_nothing(members: Record) -> None:
    assert of_child(root(members), child()) == ("unknown", "unknown")


def test_only_a_partner_user_of_that_time_is_a_root() -> None:
    """A guest on the roster from 09:30 on: what they proved before then was nobody's delegated admin's."""
    guest: Record = {"homeTenantId": OTHER_TENANT}
    roster = directory_of(delegatedAdmins=[{"userId": TECHNICIAN, "from": "2026-11-02T09:30:00Z"}])
    early, late = [root(guest, "09:00:00"), child(guest)], [root(guest, "09:45:00"), child(guest)]
    assert [judged(log, roster)[-1].evidence for log in (early, late)] == ["unknown", "session"]
    stranger: Record = {"homeTenantId": OTHER_TENANT, "userId": STRANGER}
    assert judged([root(stranger), child(stranger)])[-1].evidence == "unknown"


def test_a_contradiction_is_no_root() -> None:
    failed: Record = {
        "authenticationDetails": [{"authenticationMethod": "Mobile app notification", "succeeded": False}],
    }
    assert assessed(root(failed)).why == "contradiction"
    assert of_child(root(failed), child()) == ("unknown", "unknown")


def test_why_a_silent_child_is_unknown() -> None:
    mixed = [root(PROVEN), root({**PASSWORD_ONLY, "id": "b"}), child()]
    assert judged(mixed)[-1].why == "session-mixed"
    assert judged([child()])[-1].why == "session-unseen"
    assert judged([child({"sessionId": None})])[-1].why == "no-session"


def test_of_a_root_in_two_versions_the_last_counts() -> None:
    assert of_child(root(PROVEN), root(PASSWORD_ONLY), child()) == ("none", "non-compliant")
    assert of_child(root(PASSWORD_ONLY), root(SILENT), child()) == ("unknown", "unknown")


def test_the_earliest_root_of_each_kind_is_kept_whatever_the_order() -> None:
    roots = [
        (at("2026-11-02T09:00:00Z"), Evidence.PROVEN),
        (at("2026-11-02T08:00:00Z"), Evidence.CLAIM),
        (at("2026-11-02T11:00:00Z"), Evidence.NONE),
        (at("2026-11-02T10:00:00Z"), Evidence.SKIPPED),
        (at("2026-11-02T07:00:00Z"), Evidence.UNKNOWN),
        (at("2026-11-02T07:00:00Z"), Evidence.NOT_APPLICABLE),
    ]
    for order in permutations(roots):
        proof = Proof()
        for time, own in order:
            proof.add(time, own)
        assert proof == Proof(at("2026-11-02T08:00:00Z"), at("2026-11-02T10:00:00Z"))
        assert [proof.at(at(f"2026-11-02T{hour}:00:00Z")) for hour in ("07", "08", "09", "10", "12")] == [
            Session.UNSEEN,
            Session.SATISFIED,
            Session.SATISFIED,
            Session.MIXED,
            Session.MIXED,
        ]


def test_a_session_is_named_by_person_and_session() -> None:
    person, session = TECHNICIAN.replace("-", ""), SESSION.replace("-", "")
    assert session_of(sign_in(root({})), DIRECTORY) == (person, session)
    named: Record = {"userId": None, "userPrincipalName": "someone@partner.example"}
    assert session_of(sign_in(root(named)), DIRECTORY) is None
    assert session_of(sign_in({}), DIRECTORY) is None


def test_the_person_is_whichever_of_two_ids_is_on_the_roster() -> None:
    """In a customer's log the userId may be that of the tenant, and the masked name holds the partner's."""
    there: Record = {"userId": STRANGER, "userPrincipalName": MASKED, "homeTenantId": OTHER_TENANT}
    assert of_child(root(PROVEN), child(there)) == ("session", "compliant")
    assert of_child(root(there), child()) == ("session", "compliant")
    found = root_of(sign_in(root(there)), DIRECTORY)
    assert found is not None
    assert found.session[0] == TECHNICIAN.replace("-", "")
