"""What has to hold for every record, also for those that nobody has seen yet."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.rules import RULE
from shared.rules.assess import Assessment, Verdict, assess
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Policy, Severity
from shared.signin.careful import NotJson, Quarantined, decode_value, load
from shared.signin.decoding import SignInPage, decode_page, decode_plain
from shared.signin.evidence import MISSING, SATISFIED, Evidence
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome
from shared.signin.protocol import is_legacy_client, is_password_flow
from shared.signin.sessions import Session
from shared.signin.traits import WATCHED, Identity
from tests.signin.records import (
    DIRECTORY,
    OTHER_TENANT,
    PARTNER_CENTER_APP,
    STRANGER,
    Json,
    JsonObject,
    directory_of,
    page_of,
    read,
    sign_in,
)

# The same examples on every machine and in every run; no clock decides.
steady = settings(
    derandomize=True, max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)

# --- records ----------------------------------------------------------------------------------------------------------

SAID = [
    "MFA completed in Azure AD", "MFA successfully completed", "MFA completed in the cloud",
    "MFA requirement satisfied by strong authentication", "MFA requirement satisfied by claim in the token",
    "MFA requirement satisfied by claim provided by external provider", "MFA denied; user declined the authentication",
    "First factor requirement satisfied by claim in the token", "MFA not completed in Azure AD",
    "MFA skipped due to app password", "MFA has expired", "MFA registration prompted", "MFA required in Azure AD",
]  # fmt: skip
METHODS = [
    "Password", "Passwordless phone sign-in", "FIDO2 security key", "Passkey", "Windows Hello for Business",
    "X.509 Certificate (multi-factor)", "X.509 certificate", "Temporary Access Pass", "Text message", "Email OTP",
    "QR code", "Phone call", "Federated", "Previously satisfied", "Mobile app notification",
]  # fmt: skip
IDS = [PARTNER, CUSTOMER, TECHNICIAN, STRANGER, OTHER_TENANT, PARTNER_CENTER_APP]


def text(*known: str) -> st.SearchStrategy[str | None]:
    """One of the known texts mostly, else null, nothing, or any text at all."""
    return st.sampled_from(known) | st.sampled_from(known) | st.none() | st.text(max_size=12)


def objects(members: dict[str, st.SearchStrategy[Json]]) -> st.SearchStrategy[JsonObject]:
    """An object with any of the members."""
    return st.fixed_dictionaries({}, optional=members)


INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - written as UTC below
TIMES = INSTANTS.map(lambda instant: f"{instant.isoformat()}Z")
CODES = st.sampled_from([0, 0, 0, 50074, 50126, 53003, 50055, -1]) | st.none() | st.integers()
STEP = objects(
    {
        "authenticationMethod": text(*METHODS),
        "authenticationStepResultDetail": text(*SAID),
        "succeeded": st.none() | st.booleans(),
    }
)
STEPS: st.SearchStrategy[list[Json]] = st.lists(STEP | st.none(), max_size=4)
GRAPH_MEMBERS: dict[str, st.SearchStrategy[Json]] = {
    "userId": text(TECHNICIAN, STRANGER, "00000000-0000-0000-0000-000000000000"),
    "userPrincipalName": text("technician@partner.example", f"user_{TECHNICIAN.replace('-', '')}@customer.example"),
    "userDisplayName": text("Partner Technician"),
    "homeTenantId": text(PARTNER, OTHER_TENANT),
    "resourceTenantId": text(PARTNER, CUSTOMER, OTHER_TENANT),
    "crossTenantAccessType": text("none", "serviceProvider", "b2bCollaboration", "passthrough", "unknownFutureValue"),
    "appId": text(PARTNER_CENTER_APP, "38aa3b87-a06d-4817-b275-7a316988d93b"),
    "resourceId": text("https://api.partnercenter.microsoft.com", PARTNER_CENTER_APP),
    "servicePrincipalId": text(STRANGER),
    "agent": st.none() | objects({"agentType": text("notAgentic", "agenticApp", "agentIDuser")}),
    "clientAppUsed": text("Browser", "Mobile Apps and Desktop clients", "IMAP4", "Other clients; IMAP"),
    "userAgent": text("Mozilla/5.0", "BAV2ROPC"),
    "ipAddress": text("192.0.2.1"),
    "isInteractive": st.none() | st.booleans(),
    "signInEventTypes": st.none()
    | st.lists(text("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"), max_size=2),
    "authenticationProtocol": text("none", "oAuth2", "ropc", "deviceCode", "saml20"),
    "originalTransferMethod": text("none", "deviceCodeFlow", "authenticationTransfer"),
    "tokenIssuerType": text("AzureAD", "ADFederationServices", "NPSExtension"),
    "authenticationRequirement": text("singleFactorAuthentication", "multiFactorAuthentication"),
    "authenticationDetails": st.none() | STEPS,
    "status": st.none() | objects({"errorCode": CODES, "additionalDetails": text(*SAID)}),
    "sessionId": text(STRANGER),
    "correlationId": text(STRANGER),
}
OF_ENVELOPES: dict[str, st.SearchStrategy[Json]] = {
    "category": text("SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs"),
    "resultType": text("0", "50126") | st.integers(),
}


def records(members: dict[str, st.SearchStrategy[Json]]) -> st.SearchStrategy[JsonObject]:
    """Readable records with any of those members."""
    needed: dict[str, st.SearchStrategy[Json]] = {"id": st.text(min_size=1, max_size=12), "createdDateTime": TIMES}
    return st.fixed_dictionaries(needed, optional=members)


GRAPH_RECORDS = records(GRAPH_MEMBERS)
RECORDS = records({**GRAPH_MEMBERS, **OF_ENVELOPES})
# As random members seldom make a technician's success into a customer's tenant, half of the records start as one.
DELEGATED: JsonObject = {
    "userId": TECHNICIAN, "homeTenantId": PARTNER, "resourceTenantId": CUSTOMER, "agent": None,
    "crossTenantAccessType": "serviceProvider", "signInEventTypes": ["interactiveUser"],
}  # fmt: skip


def into_a_customer(record: JsonObject) -> JsonObject:
    """The same record as a technician's sign-in into the customer's tenant."""
    return {**record, **DELEGATED}


def successful(record: JsonObject) -> JsonObject:
    """The same record as a success that notes nothing."""
    return {**record, "status": {"errorCode": 0}}


def with_steps(record: JsonObject) -> st.SearchStrategy[JsonObject]:
    """The same record with at least one step."""
    return STEPS.filter(bool).map(lambda steps: {**record, "authenticationDetails": steps})


WORKED = RECORDS.map(into_a_customer).map(successful)
ANY = RECORDS | WORKED | WORKED.flatmap(with_steps)
SESSIONS = st.sampled_from(list(Session))
POLICIES = st.sampled_from(list(Policy))


def judged(record: JsonObject, policy: Policy = Policy.STANDARD, session: Session = Session.UNSEEN) -> Assessment:
    return assess(sign_in(record, base={}), DIRECTORY, policy, session)


# --- the verdict ------------------------------------------------------------------------------------------------------


@steady
@given(ANY, POLICIES, SESSIONS)
def test_every_readable_record_is_judged_and_its_parts_agree(
    record: JsonObject, policy: Policy, session: Session
) -> None:
    found = judged(record, policy, session)
    applies = found.identity is Identity.USER and found.outcome is Outcome.SUCCESS
    assert (found.evidence is not Evidence.NOT_APPLICABLE) is applies
    if found.verdict is Verdict.COMPLIANT:
        assert applies
        assert found.evidence in SATISFIED
    if found.verdict is Verdict.NON_COMPLIANT:
        assert applies
        assert found.evidence in MISSING
        assert found.rules
    assert set(found.rules) <= set(RULE)
    assert len(set(found.rules)) == len(found.rules)
    assert (found.severity is None) is (not found.rules)


@steady
@given(ANY, SESSIONS)
def test_out_of_scope_yields_no_rule(record: JsonObject, session: Session) -> None:
    found = judged(record, Policy.STRICT, session)
    out = found.identity is Identity.USER and found.scope not in WATCHED
    assert (found.verdict is Verdict.OUT_OF_SCOPE) is out
    assert not (out and found.rules)


@steady
@given(
    ANY,
    st.sampled_from([{"signInEventTypes": ["servicePrincipal"]}, {"agent": {"agentSubjectType": "agenticApp"}}]),
    SESSIONS,
)
def test_apps_and_agents_are_neither_compliant_nor_not(record: JsonObject, who: JsonObject, session: Session) -> None:
    found = judged({**record, **who}, Policy.STRICT, session)
    assert found.identity is not Identity.USER
    assert (found.evidence, found.verdict, found.rules) == ("not-applicable", "not-applicable", ())


@steady
@given(ANY, SESSIONS)
def test_strict_adds_one_rule_and_changes_no_verdict(record: JsonObject, session: Session) -> None:
    standard, strict = judged(record, Policy.STANDARD, session), judged(record, Policy.STRICT, session)
    assert standard[:5] == strict[:5]
    assert standard.fits == tuple(fit for fit in strict.fits if fit[0] != "non-interactive")
    assert (strict.severity or Severity.LOW) >= (standard.severity or Severity.LOW)


RANK = {Verdict.NON_COMPLIANT: 0, Verdict.UNKNOWN: 1, Verdict.COMPLIANT: 2}
DONE_STEPS: list[JsonObject] = [
    {"authenticationStepResultDetail": "MFA completed in Azure AD", "succeeded": True},
    {"authenticationStepResultDetail": "MFA successfully completed", "succeeded": False},
    {"authenticationStepResultDetail": "MFA requirement satisfied by claim provided by external provider"},
    {"authenticationMethod": "FIDO2 security key", "succeeded": True},
    {"authenticationMethod": "Password", "authenticationStepResultDetail": "MFA completed in the cloud"},
]


@steady
@given(ANY, st.sampled_from(DONE_STEPS), st.integers(0, 4), SESSIONS)
def test_one_more_step_that_did_mfa_never_lowers_a_verdict(
    record: JsonObject, step: JsonObject, place: int, session: Session
) -> None:
    steps = record.get("authenticationDetails") or []
    assert isinstance(steps, list)
    more = {**record, "authenticationDetails": [*steps[:place], step, *steps[place:]]}
    before, after = judged(record, session=session), judged(more, session=session)
    assert RANK.get(after.verdict, -1) >= RANK.get(before.verdict, -1)
    if before.verdict in RANK:
        read_back = sign_in(record, base={})
        cannot = is_legacy_client(read_back.client_app_used) or is_password_flow(
            read_back.authentication_protocol, read_back.user_agent
        )
        assert after.verdict is (Verdict.NON_COMPLIANT if cannot else Verdict.COMPLIANT)


@steady
@given(ANY)
def test_without_a_word_of_mfa_nothing_is_compliant(record: JsonObject) -> None:
    status = record.get("status")
    code = status.get("errorCode") if isinstance(status, dict) else None
    mute = {**record, "status": {"errorCode": code}, "authenticationDetails": [], "authenticationRequirement": None}
    assert judged(mute).verdict is not Verdict.COMPLIANT


# --- what must not matter ---------------------------------------------------------------------------------------------


@steady
@given(ANY, st.data())
def test_the_order_of_steps_does_not_matter(record: JsonObject, data: st.DataObject) -> None:
    steps = record.get("authenticationDetails") or []
    assert isinstance(steps, list)
    assert judged({**record, "authenticationDetails": data.draw(st.permutations(steps))}) == judged(record)


STATEMENTS = ("authenticationStepResultDetail", "additionalDetails")
NAMES = (
    "authenticationMethod", "authenticationRequirement", "authenticationProtocol", "originalTransferMethod",
    "tokenIssuerType", "crossTenantAccessType", "signInEventTypes", "agentType", "clientAppUsed", "category",
)  # fmt: skip
ID_MEMBERS = ("userId", "homeTenantId", "resourceTenantId", "appId")


@st.composite
def respelt(draw: st.DrawFn, value: Json, member: str = "") -> Json:
    """The same value with other case, hyphens and repeated spaces, where they must not matter."""
    if isinstance(value, dict):
        return {name: draw(respelt(inner, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [draw(respelt(inner, member)) for inner in value]
    if not isinstance(value, str) or member not in (*STATEMENTS, *NAMES, *ID_MEMBERS):
        return value
    flip = draw(st.sampled_from(["", "a", "aeiou", "mfacdptors", "abcdefghijklmnopqrstuvwxyz"]))
    value = "".join(c.swapcase() if c.isascii() and c.lower() in flip else c for c in value)
    for place in draw(st.lists(st.integers(0, len(value)), max_size=3)):
        value = f"{value[:place]}{draw(st.sampled_from('-\u2010\u2011'))}{value[place:]}" if value else value
    if member in ID_MEMBERS:
        return value.replace("\u2010", "-").replace("\u2011", "-")
    return value.replace(" ", draw(st.sampled_from([" ", "  ", " \t ", "\N{NO-BREAK SPACE} ", "\n"])))


@steady
@given(st.data())
def test_case_hyphens_and_repeated_spaces_do_not_matter(data: st.DataObject) -> None:
    record = data.draw(ANY)
    other = data.draw(respelt(record))
    assert isinstance(other, dict)
    assert judged(other) == judged(record)


PERIOD = st.tuples(st.none() | INSTANTS, st.none() | INSTANTS)


def entry(name: str, key: str, start: datetime | None, end: datetime | None) -> JsonObject:
    return {name: key, "from": f"{start.isoformat()}Z" if start else None, "to": f"{end.isoformat()}Z" if end else None}


@steady
@given(
    ANY,
    INSTANTS,
    st.lists(st.tuples(st.sampled_from([TECHNICIAN, STRANGER]), PERIOD), max_size=3),
    st.lists(st.tuples(st.sampled_from([CUSTOMER, OTHER_TENANT]), PERIOD), max_size=3),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=3650)),
    st.data(),
)
def test_what_changes_later_in_roster_and_customers_changes_no_verdict(
    record: JsonObject,
    at: datetime,
    admins: list[tuple[str, tuple[datetime | None, datetime | None]]],
    customers: list[tuple[str, tuple[datetime | None, datetime | None]]],
    delay: timedelta,
    data: st.DataObject,
) -> None:
    later = at + delay

    def cut(end: datetime | None) -> datetime | None:
        """Whoever is still there may leave later."""
        return later if (end is None or end > at) and data.draw(st.booleans()) else end

    def file(
        name: str, now: list[tuple[str, tuple[datetime | None, datetime | None]]]
    ) -> tuple[list[Json], list[Json]]:
        before: list[Json] = [entry(name, key, *period) for key, period in now]
        after: list[Json] = [entry(name, key, start, cut(end)) for key, (start, end) in now]
        joining: list[Json] = [entry(name, key, later, None) for key in data.draw(st.lists(st.sampled_from(IDS)))]
        return before, after + joining

    admins_before, admins_after = file("userId", admins)
    customers_before, customers_after = file("tenantId", customers)
    one = sign_in({**record, "createdDateTime": f"{at.isoformat()}Z"}, base={})
    assert assess(one, directory_of(delegatedAdmins=admins_after, customers=customers_after), Policy.STRICT) == assess(
        one, directory_of(delegatedAdmins=admins_before, customers=customers_before), Policy.STRICT
    )


CATEGORY = {
    "interactiveUser": "SignInLogs",
    "nonInteractiveUser": "NonInteractiveUserSignInLogs",
    "servicePrincipal": "ServicePrincipalSignInLogs",
    "managedIdentity": "ManagedIdentitySignInLogs",
}


@st.composite
def in_envelope(draw: st.DrawFn, record: JsonObject) -> JsonObject:
    """A Graph record as diagnostic settings give it (docs/entra-facts.md, "Diagnostic settings")."""
    properties: JsonObject = {**record, "createdDateTime": str(record["createdDateTime"]).replace("Z", "+00:00")}
    properties["userType"] = "Member"
    outer: JsonObject = {"time": "2026-11-02T09:00:00.0000000Z", "operationName": "Sign-in activity"}
    match record.get("signInEventTypes"):
        case [str(only)] if only in CATEGORY:
            outer["category"] = CATEGORY[only]
            if draw(st.booleans()):
                del properties["signInEventTypes"]
    status = record.get("status")
    if isinstance(status, dict) and isinstance(code := status.get("errorCode"), int):
        outer["resultType"] = str(code)
        if abs(code) < 10**9 and draw(st.booleans()):
            properties["status"] = {name: value for name, value in status.items() if name != "errorCode"}
    for name in ("status", "authenticationDetails", "signInEventTypes", "agent"):
        if properties.get(name) is not None and draw(st.booleans()):
            properties[name] = json.dumps(properties[name])
    return {**outer, "properties": json.dumps(properties) if draw(st.booleans()) else properties}


@steady
@given(st.data())
def test_a_record_and_its_diagnostic_envelope_are_judged_alike(data: st.DataObject) -> None:
    record = data.draw(GRAPH_RECORDS | GRAPH_RECORDS.map(into_a_customer))
    other = decode_value(load(json.dumps(data.draw(in_envelope(record))).encode()), 0)
    assert isinstance(other, SignIn), other
    assert assess(other, DIRECTORY, Policy.STRICT) == judged(record, Policy.STRICT)


# --- reading ----------------------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "value", "status", "properties", "records"]) | st.text(max_size=4), inner
        )
    ),
    max_leaves=12,
)


@contextmanager
def only_not_json() -> Iterator[None]:
    """Lets a body be refused, but only as the contract says; anything else fails the test."""
    try:
        yield
    except NotJson as error:
        assert str(error)  # noqa: PT017 - being refused is one of the two ends that are right


@steady
@given(st.binary(max_size=200))
def test_bytes_are_a_page_or_are_refused(raw: bytes) -> None:
    with only_not_json():
        assert isinstance(decode_page(raw), SignInPage)


@steady
@given(
    st.lists(RECORDS | st.just({}), max_size=3),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3)), max_size=4),
    st.floats(0, 1),
)
def test_a_damaged_page_is_a_page_or_is_refused(
    values: list[JsonObject], damage: list[tuple[float, bytes]], kept: float
) -> None:
    raw = page_of(values)
    for where, what in damage:
        place = int(where * len(raw))
        raw = raw[:place] + what + raw[place + 1 :]
    raw = raw[: max(int(kept * 2 * len(raw)), 1)]
    with only_not_json():
        for record in decode_page(raw).records:
            if isinstance(record, SignIn):
                assert assess(record, DIRECTORY)


@steady
@given(st.lists(JSON, max_size=4))
def test_each_value_of_a_page_becomes_a_sign_in_or_is_quarantined(values: list[Json]) -> None:
    decoded = decode_page(page_of(values)).records
    assert len(decoded) == len(values)
    assert all(record.index == n for n, record in enumerate(decoded) if isinstance(record, Quarantined))


@steady
@given(st.one_of(ANY, JSON, st.fixed_dictionaries({"category": JSON, "properties": ANY | JSON})))
def test_what_is_read_in_one_pass_is_read_alike_with_care(value: Json) -> None:
    raw = json.dumps(value).encode()
    if plain := decode_plain(raw):
        assert decode_value(load(raw), 0) == plain


READ_BY_PEOPLE = (
    *("userDisplayName", "appDisplayName", "resourceDisplayName", "userAgent", "ipAddress", "correlationId"),
    "uniqueTokenIdentifier",
)
TEXT_MEMBERS = [
    name for name in GRAPH_MEMBERS if name not in ("agent", "isInteractive", "status") and name not in READ_BY_PEOPLE
]
# Always "zq" in front: no sentence of the product holds that.
MARKS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=12).map("zq{}".format)


@st.composite
def broken(draw: st.DrawFn) -> tuple[JsonObject, str]:
    """A record with one value that is wrong, and a text that stands in the value."""
    record = draw(RECORDS)
    mark = draw(MARKS)
    nested: list[Json] = [{mark: mark}, [[mark]]]
    number = draw(st.integers(10**12, 10**15))
    match draw(st.sampled_from(["text", "number", "time", "flag", "code", "step", "id"])):
        case "text":
            return {**record, draw(st.sampled_from(TEXT_MEMBERS)): {mark: mark, "id": nested}}, mark
        case "number":
            return {**record, draw(st.sampled_from(TEXT_MEMBERS)): number}, str(number)
        case "time":
            return {**record, "createdDateTime": mark}, mark
        case "flag":
            return {**record, "isInteractive": mark}, mark
        case "code":
            wrong: list[Json] = [mark, {"errorCode": mark}, {"errorCode": nested}]
            return {**record, "status": draw(st.sampled_from(wrong))}, mark
        case "step":
            step: JsonObject = {"authenticationMethod": mark, "succeeded": mark}
            return {**record, "authenticationDetails": [{}, step]}, mark
        case _:
            return {**record, "id": draw(st.sampled_from(nested))}, mark


@steady
@given(st.lists(ANY, max_size=5), broken(), st.integers(0, 5))
def test_a_broken_record_is_quarantined_alone_and_its_value_is_not_told(
    good: list[JsonObject], bad: tuple[JsonObject, str], place: int
) -> None:
    record, mark = bad
    place = min(place, len(good))
    decoded = decode_page(page_of([*good[:place], record, *good[place:]])).records
    assert [*decoded[:place], *decoded[place + 1 :]] == decode_page(page_of(good)).records
    quarantined = decoded[place]
    assert isinstance(quarantined, Quarantined)
    assert quarantined.index == place
    assert mark.encode() in quarantined.raw
    assert quarantined.reason
    assert mark not in quarantined.reason


@pytest.mark.parametrize("spoil", ['{"a": "zqmark"', '"zqmark', '"zqmark": 5}', "zqmark"])
def test_what_is_no_json_is_refused_without_telling_it(spoil: str) -> None:
    with pytest.raises(NotJson) as error:
        decode_page(f'{{"value": [{spoil}'.encode())
    assert "zqmark" not in str(error.value)


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z"])
def test_a_time_far_off_quarantines_its_record(far: str) -> None:
    """No sign-in is of that time, and time zones would push it out of what a datetime holds."""
    assert isinstance(read({"id": "a", "createdDateTime": far}), Quarantined)
