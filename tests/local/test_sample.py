"""The sample log: what is planted is in the truth, everything else is clean, and the shapes are those of a real log."""

import gzip
import json
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from local.sample import JsonObject, LogRecord, Sample, make_sample, read_log, write_sample
from local.sample.__main__ import main
from shared.rules.cause import CauseKind
from tests.oracle import oracle

END = datetime(2026, 11, 20, 10, tzinfo=UTC)
RULES = {
    "legacy-auth",
    "password-flow",
    "interactive-without-mfa",
    "non-interactive-without-mfa",
    "mfa-skipped",
    "third-party-mfa-unrecognised",
    "device-code",
    "mfa-evidence-unknown",
    "legacy-auth-attempt",
    "password-flow-attempt",
    "mfa-denied",
    "device-code-attempt",
}


@cache
def month() -> Sample:
    return make_sample(7, 30, END)


def week(end: datetime) -> Sample:
    return make_sample(3, 7, end)


def partner_log(sample: Sample) -> list[LogRecord]:
    return [entry for entry in sample.log if entry.tenant_id == sample.people.partner_tenant_id]


def created(entry: LogRecord) -> datetime:
    return datetime.fromisoformat(str(entry.record["createdDateTime"]))


def member(entry: LogRecord, name: str, inner: str) -> object:
    value = entry.final[name]
    assert isinstance(value, dict)
    return value[inner]


def judged(sample: Sample, tenant_id: str) -> dict[str, oracle.Assessment]:
    """The final log of one tenant by the literal reading of docs/semantics.md."""
    directory = cast("oracle.JsonObject", sample.directory())
    final = [cast("oracle.JsonObject", entry.final) for entry in sample.log if entry.tenant_id == tenant_id]
    return {one["id"]: one for one in oracle.assess_log([(r, None) for r in final], directory, "standard")}


# --- the truth


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(month, id="a month"),
        *(
            pytest.param(lambda n=n: week(datetime(2026, 11, 8 + n, 5 * n % 24, tzinfo=UTC)), id=f"a week, day {n}")
            for n in (0, 3, 5)
        ),
    ],
)
def test_the_planted_violations_are_there_and_nothing_else_breaks_a_rule(sample: Callable[[], Sample]) -> None:
    made = sample()
    planted = {}
    for violation in made.violations:
        for record_id in violation.record_ids:
            planted[record_id] = (list(violation.rules), violation.severity, violation.verdict, violation.scope)
    found = {}
    for tenant_id in (made.people.partner_tenant_id, made.customer_log_tenant_id):
        for record_id, one in judged(made, tenant_id).items():
            if one["rules"]:
                found[record_id] = (sorted(one["rules"]), one["severity"], one["verdict"], one["scope"])
    assert found == planted


def test_each_cause_is_planted_once_beside_near_misses() -> None:
    told = [(v.cause, v.cause_policy) for v in month().violations if v.cause is not None]
    assert {cause for cause, _ in told} == {str(kind) for kind in CauseKind}
    assert {cause for cause, n in Counter(cause for cause, _ in told).items() if n > 1} == {"no-policy-applied"}
    assert {v["cause"] for v in cast("list[dict[str, object]]", month().truth()["violations"])} - {None}


def test_the_quiet_records_have_the_verdict_that_their_story_says() -> None:
    sample = month()
    assessments = judged(sample, sample.people.partner_tenant_id)
    for quiet in sample.quiet:
        for record_id in quiet.record_ids:
            assert (assessments[record_id]["rules"], assessments[record_id]["verdict"]) == ([], quiet.verdict), quiet
    assert {"compliant", "not-applicable", "out-of-scope"} == {quiet.verdict for quiet in sample.quiet}


def test_the_counts_are_those_of_the_whole_log() -> None:
    sample = month()
    tenant_id = sample.people.partner_tenant_id
    names = {"compliant": "compliant", "non-compliant": "nonCompliant", "unknown": "unknown"}
    counted = Counter(
        (one["scope"], names[one["verdict"]]) for one in judged(sample, tenant_id).values() if one["verdict"] in names
    )
    meant = {(s, v): n for s, numbers in sample.counts(tenant_id).items() for v, n in numbers.items() if n}
    assert meant == counted
    assert counted["customer", "compliant"] > 10 * counted["customer", "nonCompliant"] > 0


def test_the_truth_lists_every_rule_severity_and_scope() -> None:
    violations = cast("list[dict[str, object]]", month().truth()["violations"])
    assert {rule for v in violations for rule in cast("list[str]", v["rules"])} == RULES
    assert {v["severity"] for v in violations} == {"critical", "high", "medium", "low"}
    assert {v["scope"] for v in violations} == {"customer", "partner-center", "partner-tenant", "guest"}
    assert all((v["customerTenantId"] is None) == (v["scope"] != "customer") for v in violations)


def test_a_violation_names_the_user_application_and_customer_of_its_records() -> None:
    sample = month()
    records = {entry.id: entry.final for entry in sample.log}
    roster = {person.user_id for person in sample.people.technicians}
    for violation in sample.violations:
        assert violation.user_id in roster
        for record in (records[record_id] for record_id in violation.record_ids):
            assert record["userId"] in (violation.user_id, "")
            assert record["userPrincipalName"] == violation.user_principal_name
            assert record["appId"] == violation.app_id
            assert violation.customer_tenant_id in (record["resourceTenantId"], None)


# --- how it is made


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(make_sample(seed, 7, END), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == [
        "directory.json",
        "log.jsonl.gz",
        "people.json",
        "signins-customer.jsonl.gz",
        "signins.jsonl.gz",
        "truth.json",
    ]
    for name in files:
        first, again, other = ((tmp_path / which / name).read_bytes() for which in "abc")
        assert first == again
        assert first != other


def test_the_log_comes_back_from_its_file(tmp_path: Path) -> None:
    sample = week(END)
    write_sample(sample, tmp_path)
    back = list(read_log(tmp_path))
    assert [entry.to_json() for entry in back] == [entry.to_json() for entry in sample.log]
    assert any(entry.late_record for entry in back)
    with gzip.open(tmp_path / "signins.jsonl.gz", "rt", encoding="utf-8") as lines:
        assert [json.loads(line) for line in lines] == [entry.final for entry in partner_log(sample)]


@pytest.mark.parametrize("line", [{"tenantId": "t"}, {"tenantId": "t", "availableAt": "x", "record": []}])
def test_a_log_of_another_shape_is_refused(tmp_path: Path, line: JsonObject) -> None:
    with gzip.open(tmp_path / "log.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(line))
    with pytest.raises(TypeError, match="tenantId"):
        list(read_log(tmp_path))


def test_the_command_writes_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--seed", "5", "--days", "7", "--end", "2026-11-20T10:00:00Z"]) == 0
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert (truth["seed"], truth["from"], truth["to"]) == (5, "2026-11-13T10:00:00Z", "2026-11-20T10:00:00Z")
    assert "planted violations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--days", "6"], "at least 7 days"), (["--end", "2026-11-20T10:00:00"], "time zone")],
)
def test_the_command_refuses_what_it_cannot_make(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main([str(tmp_path / "out"), *options]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- volumes and shapes


def test_volumes_are_those_of_a_partner_with_forty_technicians() -> None:
    sample = month()
    assert len(sample.people.technicians) == 40
    assert len(sample.people.customers) == 60
    assert 4000 <= len(sample.log) <= 8000
    assert 120 <= len(sample.log) / 30 <= 250
    sizes = [len(json.dumps(entry.record, separators=(",", ":"))) for entry in sample.log]
    assert 5500 <= sum(sizes) / len(sizes) <= 6500


def test_ids_are_unique_guids_and_times_lie_in_the_period_in_order() -> None:
    sample = month()
    ids = [entry.id for entry in sample.log]
    assert len(set(ids)) == len(ids)
    assert all(str(uuid.UUID(record_id)) == record_id for record_id in ids)
    times = [created(entry) for entry in sample.log]
    assert times == sorted(times)
    assert sample.start <= times[0]
    assert times[-1] < sample.end
    assert all(len(str(entry.record["createdDateTime"])) == len("2026-11-20T10:00:00Z") for entry in sample.log)


def test_people_work_in_office_hours() -> None:
    sample = month()
    roster = {person.user_id for person in sample.people.technicians}
    theirs = [created(entry) for entry in partner_log(sample) if entry.record["userId"] in roster]
    in_hours = sum(moment.weekday() < 5 and 6 <= moment.hour < 19 for moment in theirs)
    assert in_hours > 0.85 * len(theirs)


def test_the_log_has_served_everything_at_the_end() -> None:
    sample = month()
    for entry in sample.log:
        assert created(entry) < entry.available_at <= sample.end
        assert entry.late_at is None or entry.available_at < entry.late_at <= sample.end


def test_some_records_arrive_late_and_some_get_their_details_late_in_both_directions() -> None:
    sample = month()
    assert sum(entry.available_at - created(entry) > timedelta(hours=1) for entry in sample.log) > 10
    changed = [entry for entry in sample.log if entry.late_record is not None]
    for entry in changed:
        assert {
            entry.late_record[m] for m in ("id", "createdDateTime", "userId", "sessionId") if entry.late_record
        } == {entry.record[m] for m in ("id", "createdDateTime", "userId", "sessionId")}
    password_first = [e for e in changed if "Correct password" in json.dumps(e.record)]
    password_last = [e for e in changed if "Correct password" in json.dumps(e.final)]
    assert any("MFA completed" in json.dumps(entry.final) for entry in password_first)
    assert any("satisfied by claim" in json.dumps(entry.record) for entry in password_last)


SHAPES: dict[str, tuple[int, Callable[[LogRecord], bool]]] = {
    "interactive": (2000, lambda e: e.final["signInEventTypes"] == ["interactiveUser"]),
    "non-interactive": (1500, lambda e: e.final["signInEventTypes"] == ["nonInteractiveUser"]),
    "app only": (100, lambda e: e.final["signInEventTypes"] == ["servicePrincipal"]),
    "claim without details": (
        300,
        lambda e: (
            e.final["authenticationDetails"] == []
            and member(e, "status", "additionalDetails") == "MFA requirement satisfied by claim in the token"
        ),
    ),
    "silent": (
        200,
        lambda e: (
            e.final["authenticationDetails"] == []
            and member(e, "status", "additionalDetails") is None
            and e.final.get("sessionId") is not None
        ),
    ),
    "MFA completed": (200, lambda e: member(e, "status", "additionalDetails") == "MFA completed in Azure AD"),
    "passwordless": (100, lambda e: '"FIDO2 security key"' in json.dumps(e.final["authenticationDetails"])),
    "external claim": (50, lambda e: "external provider" in json.dumps(e.final["authenticationDetails"])),
    "federated issuer": (50, lambda e: e.final["tokenIssuerType"] == "ADFederationServices"),
    "password flow in the interactive log": (
        50,
        lambda e: e.final.get("authenticationProtocol") == "ropc" and e.final["isInteractive"] is True,
    ),
    "Exchange password flow": (2, lambda e: e.final.get("userAgent") == "BAV2ROPC"),
    "legacy": (4, lambda e: e.final["clientAppUsed"] in ("IMAP4", "Exchange ActiveSync", "Exchange Online PowerShell")),
    "device code": (2, lambda e: e.final.get("authenticationProtocol") == "deviceCode"),
    "began as device code": (
        1,
        lambda e: (
            e.final.get("originalTransferMethod") == "deviceCodeFlow" and e.final["authenticationProtocol"] == "oAuth2"
        ),
    ),
    "device sign-in": (200, lambda e: e.final["appId"] == "38aa3b87-a06d-4817-b275-7a316988d93b"),
    "agent": (100, lambda e: "agent" in e.final and member(e, "agent", "agentType") != "notAgentic"),
    "agent that acts for a person": (
        2,
        lambda e: "agent" in e.final and member(e, "agent", "agentType") != member(e, "agent", "agentSubjectType"),
    ),
    "smart card": (2, lambda e: "X.509 Certificate" in json.dumps(e.final["authenticationDetails"])),
    "MFA denied": (4, lambda e: member(e, "status", "errorCode") == 500121),
    "no Unicode": (1, lambda e: "\\ud83d" in json.dumps(e.final)),
    "guest of a customer": (20, lambda e: e.final.get("crossTenantAccessType") == "b2bCollaboration"),
    "passthrough": (3, lambda e: e.final.get("crossTenantAccessType") == "passthrough"),
    "service provider": (2000, lambda e: e.final.get("crossTenantAccessType") == "serviceProvider"),
    "type empty": (50, lambda e: e.final.get("crossTenantAccessType") == ""),
    "type absent": (50, lambda e: "crossTenantAccessType" not in e.final),
    "Partner Center": (100, lambda e: e.final["appId"] == "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"),
    "Exchange admin center": (50, lambda e: e.final["appDisplayName"] == "Exchange Admin Center"),
    "masked": (50, lambda e: str(e.final["userPrincipalName"]).startswith("user_")),
    "masked without an id": (20, lambda e: e.final["userId"] == "" and "user_" in str(e.final["userPrincipalName"])),
    "wrong password": (20, lambda e: member(e, "status", "errorCode") == 50126),
    "blocked": (5, lambda e: member(e, "status", "errorCode") in (53003, 530034)),
    "interrupted": (10, lambda e: member(e, "status", "errorCode") in (50058, 50074, 50076, 50079, 50140)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_log_has_the_shape(name: str) -> None:
    least, fits = SHAPES[name]
    assert sum(fits(entry) for entry in month().log) >= least


def test_masked_users_stand_only_in_the_customers_own_log_and_carry_the_home_object_id() -> None:
    sample = month()
    known = {person.user_id.replace("-", ""): person.user_id for person in sample.people.technicians}
    masked = [entry for entry in sample.log if str(entry.final["userPrincipalName"]).startswith("user_")]
    for entry in masked:
        digits = str(entry.final["userPrincipalName"]).partition("@")[0].removeprefix("user_")
        assert entry.final["userId"] in (known[digits], "")
        assert entry.tenant_id == entry.final["resourceTenantId"] == sample.customer_log_tenant_id


def test_john_first_signs_in_with_one_factor_then_is_interrupted_and_verifies_in_one_correlation() -> None:
    sample = month()
    john = sample.people.technician("john")
    theirs = [entry for entry in sample.log if entry.record["userId"] == john.user_id]
    codes = [member(entry, "status", "errorCode") for entry in theirs]
    assert codes == [0, 50074, 50079, 0, 0, 50074, 50076, 0]
    for day in (theirs[:4], theirs[4:]):
        single, *flow = (entry.final["correlationId"] for entry in day)
        assert len(set(flow)) == 1
        assert single not in flow
        assert [entry.final["authenticationRequirement"] for entry in (day[0], day[-1])] == [
            "singleFactorAuthentication",
            "multiFactorAuthentication",
        ]


# --- the directory


def test_the_directory_file_has_the_documented_shape() -> None:
    directory = cast("dict[str, list[dict[str, object]]]", month().directory())
    assert set(directory) == {"partnerTenantId", "customers", "delegatedAdmins", "federatedDomains"}
    for name, always in (
        ("customers", {"tenantId", "displayName"}),
        ("delegatedAdmins", {"userId", "userPrincipalName", "roles"}),
    ):
        entries = directory[name]
        assert all(always <= set(entry) <= always | {"from", "to"} for entry in entries)
        assert sum("from" in entry for entry in entries) == 1
        assert sum("to" in entry for entry in entries) == 1
    federated = {str(a["userPrincipalName"]).partition("@")[2] for a in directory["delegatedAdmins"]}
    assert set(cast("list[str]", directory["federatedDomains"])) < federated


def test_groups_roles_relationships_and_registrations_fit_together() -> None:
    people = month().people
    ids = {person.user_id for person in people.technicians}
    grouped = {m for group in people.groups for m in (*group.member_ids, *group.eligible_member_ids)}
    assert grouped == ids
    assert any(group.eligible_member_ids for group in people.groups)
    assert all(set(role.member_ids) <= ids and role.member_ids for role in people.roles)
    assert {r.customer_tenant_id for r in people.relationships} == {c.tenant_id for c in people.customers}
    groups = {group.group_id for group in people.groups}
    assert all(group in groups for r in people.relationships for group, _ in r.assignments)
    assert {r.user_id for r in people.registrations} == ids
    kinds = {(r.is_mfa_registered, r.is_mfa_capable) for r in people.registrations}
    assert kinds == {(True, True), (True, False), (False, False)}


def test_the_dormant_technician_never_signs_in() -> None:
    sample = month()
    dormant = sample.people.technician("gustav").user_id
    assert not [entry for entry in sample.log if entry.record["userId"] == dormant]
