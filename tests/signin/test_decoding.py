"""From bytes to sign-ins: every shape a log comes in, and what becomes of a record that is broken."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import msgspec
import pytest

from shared.basics.spelling import id_key
from shared.rules.assess import Verdict, assess
from shared.rules.rule import CUSTOMER, PASSWORD_ONLY, PLAIN, TECHNICIAN, Record
from shared.signin.careful import NotJson, Quarantined, decode_value, load
from shared.signin.decoding import SignInPage, decode_page, decode_plain
from shared.signin.model import SignIn
from shared.signin.sessions import root_of, session_of
from tests.signin.records import DIRECTORY, Json, JsonObject, assessed, at, directory_of, page_of, read, sign_in

GOOD = json.dumps(PLAIN)


def with_member(text: str) -> str:
    """A good record with one member more that is written as it stands."""
    return f"{GOOD[:-1]}, {text}}}"


def raw_page(*records: str) -> bytes:
    return f'{{"value": [{", ".join(records)}]}}'.encode("utf-8", "surrogatepass")


def line(text: str | bytes, index: int = 0) -> list[SignIn | Quarantined]:
    """What one text that holds one record becomes."""
    raw = text.encode() if isinstance(text, str) else text
    return [decode_plain(raw) or decode_value(load(raw), index)]


def kinds(records: list[SignIn | Quarantined]) -> list[str]:
    return [type(record).__name__ for record in records]


def members(record: SignIn) -> dict[str, Any]:
    """The members of a record, as JSON writes them."""
    return dict(msgspec.json.decode(msgspec.json.encode(record)))


def refusal(value: object) -> str:
    record = read(value)
    assert isinstance(record, Quarantined), record
    return record.reason


# --- members ----------------------------------------------------------------------------------------------------------


def test_a_record_needs_only_id_and_time() -> None:
    record = read({"id": "a", "createdDateTime": "2026-11-02T09:00:00Z"})
    assert isinstance(record, SignIn)
    assert record.id == "a"
    assert record.user_id is None


@pytest.mark.parametrize("name", sorted(set(PLAIN) - {"id", "createdDateTime"}))
def test_any_other_member_may_be_null(name: str) -> None:
    assert kinds([read({**PLAIN, name: None})]) == ["SignIn"]


def test_an_id_is_as_long_as_a_table_key_can_hold_at_most() -> None:
    assert kinds([read({**PLAIN, "id": "x" * 1024}), read({**PLAIN, "id": "x" * 1025})]) == ["SignIn", "Quarantined"]


@pytest.mark.parametrize("name", ["id", "createdDateTime"])
def test_a_record_without_what_it_needs_is_quarantined(name: str) -> None:
    assert refusal({key: value for key, value in PLAIN.items() if key != name}) == f"{name}: is missing"
    assert refusal({**PLAIN, name: None}).startswith(f"{name}: ")
    assert refusal({**PLAIN, name: ""}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crossTenantAccessType", "aTypeOfNextYear"),
        ("authenticationProtocol", "aProtocolOfNextYear"),
        ("originalTransferMethod", "aMethodOfNextYear"),
        ("tokenIssuerType", "AnIssuerOfNextYear"),
        ("authenticationRequirement", "aRequirementOfNextYear"),
        ("clientAppUsed", "A Client of Next Year"),
    ],
)
def test_an_unknown_enum_value_stays_as_it_is_written(name: str, value: str) -> None:
    assert members(sign_in({name: value}))[name] == value


def test_an_unknown_enum_value_inside_an_object_or_a_list_stays_as_it_is_written() -> None:
    record = sign_in({"signInEventTypes": ["ofNextYear", None], "agent": {"agentType": "ofNextYear"}})
    assert record.sign_in_event_types == ("ofNextYear", None)
    assert record.agent is not None
    assert record.agent.agent_type == "ofNextYear"


TEXT_MEMBERS = [
    "id", "userId", "userPrincipalName", "homeTenantId", "resourceTenantId", "crossTenantAccessType", "appId",
    "resourceId", "servicePrincipalId", "clientAppUsed", "authenticationProtocol", "originalTransferMethod",
    "tokenIssuerType", "authenticationRequirement", "sessionId", "category",
]  # fmt: skip
NO_TEXT: list[Json] = [5, True, 1.5, ["text"], {"text": "text"}]
WRONG: dict[str, list[Json]] = {
    **dict.fromkeys(TEXT_MEMBERS, NO_TEXT),
    "createdDateTime": [1700000000, 1700000000.5, True, [], {}, "yesterday"],
    "isInteractive": ["true", 1, 0, [], {}],
    "resultType": [True, 1.5, [], {}],
    "status": [
        5, "Success", [], True,
        {"errorCode": "0"}, {"errorCode": 0.5}, {"errorCode": True}, {"errorCode": []},
        {"additionalDetails": 0}, {"additionalDetails": False}, {"additionalDetails": ["text"]},
    ],
    "agent": [5, "agenticApp", [], {"agentType": 1}],
    "signInEventTypes": [5, "interactiveUser", {}, [1], [["interactiveUser"]]],
    "authenticationDetails": [
        5, "Password", {}, ["Password"], [[]],
        [{"authenticationMethod": 1}], [{"authenticationStepResultDetail": ["MFA completed in Azure AD"]}],
        [{"succeeded": "true"}], [{}, {"succeeded": 1}],
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_member_of_the_wrong_type_quarantines_its_record(name: str, value: Json) -> None:
    assert refusal({**PLAIN, name: value}).startswith(name)


READ_BY_PEOPLE = ["userDisplayName", "appDisplayName", "userAgent", "ipAddress"]
# What only a finding needs: the members, and what a finding calls them.
FOR_FINDINGS = {
    "resourceDisplayName": "resource_name",
    "correlationId": "correlation_id",
    "uniqueTokenIdentifier": "token_id",
    "originalRequestId": "original_request_id",
}


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
@pytest.mark.parametrize("value", NO_TEXT, ids=str)
def test_a_name_of_the_wrong_type_hides_no_sign_in(name: str, value: Json) -> None:
    """A name of the resource's tenant must not decide whether a sign-in is judged."""
    record = sign_in({**PASSWORD_ONLY, name: value})
    assert members(record)[name] is None
    assert assess(record, DIRECTORY).rules == ("interactive-without-mfa",)


@pytest.mark.parametrize("name", FOR_FINDINGS)
@pytest.mark.parametrize("value", [None, *NO_TEXT], ids=str)
def test_what_only_a_finding_needs_hides_no_sign_in(name: str, value: Json) -> None:
    record = sign_in({**PASSWORD_ONLY, name: value})
    assert getattr(record.details, FOR_FINDINGS[name]) == ""
    assert assess(record, DIRECTORY).rules == ("interactive-without-mfa",)


def test_a_member_that_is_not_modelled_may_be_anything() -> None:
    assert kinds([read({**PLAIN, "riskState": {"a": [1, None]}, "location": 5, "properties": "text"})]) == ["SignIn"]


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02T09:00:00+00:00", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02T10:30:00+01:30", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02T09:00:00", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02T09:00:00.1234567Z", "2026-11-02T09:00:00.123456+00:00"),
        ("2026-11-02T09:00:00.1Z", "2026-11-02T09:00:00.100000+00:00"),
        ("2026-11-02T09:00:00.123456789Z", "2026-11-02T09:00:00.123456+00:00"),
        ("2026-11-02t09:00:00z", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02T07:00:00-0200", "2026-11-02T09:00:00+00:00"),
        ("2026-11-02 09:00Z", "2026-11-02T09:00:00+00:00"),
    ],
)
def test_times_are_utc_instants(written: str, meant: str) -> None:
    read_at = sign_in({"createdDateTime": written}).at
    assert read_at == at(meant)
    assert read_at.tzinfo is UTC


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time zone is not UTC."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_time_without_a_zone_is_utc_whatever_the_machine_thinks() -> None:
    assert sign_in({"createdDateTime": "2026-11-02T09:00:00"}).at == at("2026-11-02T09:00:00Z")
    entries: list[Json] = [{"tenantId": CUSTOMER, "from": "2026-11-02T09:00:00"}]
    directory = directory_of(customers=entries)
    assert directory.is_customer(id_key(CUSTOMER), at("2026-11-02T09:00:00Z"))
    assert not directory.is_customer(id_key(CUSTOMER), at("2026-11-02T08:59:59Z"))


@pytest.mark.parametrize(
    "written",
    ["2026-11-02", "", "now", "02/11/2026 09:00", "2026-02-30T00:00:00Z", "2026-11-02T", "2026-11-02T09:00:00Z ", "٢"],
)
def test_what_is_not_a_time_of_day_is_quarantined(written: str) -> None:
    """A date alone too: midnight would be a guess, and a guess decides which slice and which roster count."""
    assert refusal({**PLAIN, "createdDateTime": written}).startswith("createdDateTime: ")


@pytest.mark.parametrize(
    "written", ["1700000000", "1700000000.5", "1700000000123", "-1", "+1700000000", " 1700000000", "1.7e9", "20261102"]
)
def test_a_number_written_as_text_is_no_time(written: str) -> None:
    """pydantic alone reads it as seconds since 1970, in strict mode too."""
    assert refusal({**PLAIN, "createdDateTime": written}).startswith("createdDateTime: ")
    assert decode_plain(json.dumps({**PLAIN, "createdDateTime": written}).encode()) is None


FAR_OFF = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("written", FAR_OFF)
def test_a_time_that_utc_cannot_hold_is_judged_or_quarantined(written: str) -> None:
    records = decode_page(page_of([{**PLAIN, "createdDateTime": written}, PLAIN])).records
    assert {assess(record, DIRECTORY).verdict for record in records if isinstance(record, SignIn)} == {"compliant"}


@pytest.mark.parametrize("written", FAR_OFF)
def test_a_time_that_utc_cannot_hold_never_stops_a_log(written: str) -> None:
    record = read({**PLAIN, "createdDateTime": written, "sessionId": "a"})
    if isinstance(record, SignIn):
        assert root_of(record, DIRECTORY) is not None
        assert session_of(record, DIRECTORY) is not None


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_page_gives_its_records_in_order_and_its_next_link() -> None:
    page = decode_page(page_of([{**PLAIN, "id": "a"}, {**PLAIN, "id": "b"}], **{"@odata.nextLink": "https://x/?a=1"}))
    assert [record.id for record in page.records if isinstance(record, SignIn)] == ["a", "b"]
    assert page.next_link == "https://x/?a=1"


@pytest.mark.parametrize("others", [[PLAIN], [PLAIN, 5]], ids=["all good", "one broken"])
def test_the_next_link_is_kept_verbatim(others: list[object]) -> None:
    link = "https://graph.example/beta/auditLogs/signIns?$filter=a%20eq%20'b'&$skiptoken=A%2Fb+c==_%3D é"
    assert decode_page(page_of(others, **{"@odata.nextLink": link})).next_link == link


def test_the_last_page_has_no_next_link() -> None:
    assert decode_page(page_of([])) == SignInPage([], None)
    assert decode_page(page_of([], **{"@odata.nextLink": None})) == SignInPage([], None)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"5", b'"text"', b"[]", b"{}", b'{"value": null}', b'{"value": {}}', b'{"error": {}}',
        b'{"value": [], "@odata.nextLink": 5}', b'{"value": [', b'{"value": []} x', b"<html></html>", b"\xff\xfe",
        b"\x00", b'{"value": [' + GOOD.encode(),
    ],
)  # fmt: skip
def test_a_body_that_is_no_page_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode_page(body)


def test_999_good_records_and_a_bad_one_are_999_sign_ins_and_one_quarantined() -> None:
    values: list[Record] = [{**PLAIN, "id": str(n)} for n in range(1000)]
    values[617] = {**PLAIN, "id": 617}
    records = decode_page(page_of(values)).records
    bad = [record for record in records if isinstance(record, Quarantined)]
    good = [record for record in records if isinstance(record, SignIn)]
    assert [record.id for record in good] == [str(n) for n in range(1000) if n != 617]
    assert [(record.index, record.reason) for record in bad] == [(617, "id: expected `str`, got `int`")]
    assert json.loads(bad[0].raw) == values[617]
    assert {assess(record, DIRECTORY).verdict for record in good} == {Verdict.COMPLIANT}


@pytest.mark.parametrize("value", [None, 5, "text", True, [], [PLAIN]])
def test_a_record_that_is_no_object_is_quarantined(value: Json) -> None:
    assert refusal(value) == "a record must be a JSON object"


def test_the_same_broken_bytes_have_the_same_key_wherever_they_stand() -> None:
    broken: JsonObject = {"id": 5}
    keys = {
        record.key
        for record in decode_page(page_of([broken, PLAIN, broken, {"id": 6}])).records
        if isinstance(record, Quarantined)
    }
    assert len(keys) == 2


# --- JSON at its edges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "\ud800"])
@pytest.mark.parametrize("name", [*READ_BY_PEOPLE, "userPrincipalName"])
def test_what_is_no_unicode_in_a_name_hides_no_sign_in(name: str, text: str) -> None:
    records = decode_page(raw_page(GOOD, with_member(f'"{name}": "a{text}b"'), GOOD)).records
    assert kinds(records) == ["SignIn"] * 3
    assert isinstance(records[1], SignIn)
    assert set(members(records[1])[name].strip("ab")) == {"\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "\ud800"])
@pytest.mark.parametrize("name", FOR_FINDINGS)
def test_what_is_no_unicode_in_what_a_finding_keeps_hides_no_sign_in(name: str, text: str) -> None:
    (record,) = decode_page(raw_page(with_member(f'"{name}": "a{text}b"'))).records
    assert isinstance(record, SignIn)
    assert set(getattr(record.details, FOR_FINDINGS[name]).strip("ab")) == {"\N{REPLACEMENT CHARACTER}"}


def test_a_password_flow_is_found_whatever_stands_beside_its_user_agent() -> None:
    (record,) = decode_page(raw_page(with_member('"userAgent": "BAV2ROPC\\ud800"'))).records
    assert isinstance(record, SignIn)
    assert "password-flow" in assess(record, DIRECTORY).rules


@pytest.mark.parametrize(
    ("member", "where"),
    [
        ('"userId": "\\ud800"', "userId"),
        ('"resourceTenantId": "\ud800"', "resourceTenantId"),
        ('"status": {"additionalDetails": "\\ud800"}', "status.additionalDetails"),
        ('"authenticationDetails": [{}, {"authenticationMethod": "\\ud800"}]', "authenticationDetails.1"),
        ('"crossTenantAccessType": "\\udfff"', "crossTenantAccessType"),
    ],
)
def test_what_is_no_unicode_where_the_verdict_looks_quarantines_its_own_record_alone(member: str, where: str) -> None:
    records = decode_page(raw_page(GOOD, with_member(member), GOOD)).records
    assert kinds(records) == ["SignIn", "Quarantined", "SignIn"]
    assert isinstance(records[1], Quarantined)
    assert records[1].reason.startswith(where)


NESTED_450 = "[" * 450 + "]" * 450


@pytest.mark.parametrize(
    "member",
    [
        '"x": "\\ud800"',
        '"x": "\\udfff\\ud800"',
        '"x": "\ud800"',
        '"status": {"errorCode": 0, "failureReason": "\\ud800"}',
        '"agent": {"x": "\\ud800"}',
        '"authenticationDetails": [{"authenticationMethodDetail": "\\ud800"}]',
        f'"status": {{"errorCode": 0, "x": {NESTED_450}}}',
    ],
)
def test_what_is_not_modelled_spoils_no_record(member: str) -> None:
    assert kinds(decode_page(raw_page(GOOD, with_member(member), GOOD)).records) == ["SignIn"] * 3
    around = f'{{"category": "SignInLogs", "properties": {with_member(member)}, {member}}}'
    assert kinds(line(around.encode("utf-8", "surrogatepass"))) == ["SignIn"]


@pytest.mark.parametrize(("name", "kind"), [("userDisplayName", "SignIn"), ("appId", "Quarantined")])
def test_a_byte_that_is_not_utf8_counts_like_any_text_that_is_no_unicode(name: str, kind: str) -> None:
    body = raw_page(GOOD, with_member(f'"{name}": "?"'), GOOD).replace(b'"?"', b'"\xff"')
    assert kinds(decode_page(body).records) == ["SignIn", kind, "SignIn"]


def test_a_surrogate_pair_is_a_character() -> None:
    (record,) = decode_page(raw_page(with_member('"userDisplayName": "\\ud83d\\ude00"'))).records
    assert isinstance(record, SignIn)
    assert record.user_display_name == "\N{GRINNING FACE}"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("neighbour", [GOOD, "{}"], ids=["good neighbour", "broken neighbour"])
def test_a_number_that_is_none_harms_only_where_it_is_modelled(number: str, neighbour: str) -> None:
    spare, code = with_member(f'"x": {number}'), with_member(f'"status": {{"errorCode": {number}}}')
    assert kinds(decode_page(raw_page(spare, code, neighbour)).records)[:2] == ["SignIn", "Quarantined"]


@pytest.mark.parametrize("opening", ["[", '{"a": '])
@pytest.mark.parametrize("depth", [250, 1000, 5000])
def test_deep_nesting_harms_only_where_it_is_modelled(opening: str, depth: int) -> None:
    nested = opening * depth + "1" + ("]" if opening == "[" else "}") * depth
    records = decode_page(raw_page(GOOD, with_member(f'"x": {nested}'), with_member(f'"userId": {nested}'))).records
    assert kinds(records) == ["SignIn", "SignIn", "Quarantined"]


def test_nesting_that_no_parser_follows_harms_its_own_record_alone() -> None:
    body = b'{"value": [' + GOOD.encode() + b", " + b"[" * 100_000 + b"]" * 100_000 + b"]}"
    assert _end(_records_of_page, body) in ("SignIn,Quarantined", "NotJson")


def _records_of_page(raw: bytes) -> list[SignIn | Quarantined]:
    return decode_page(raw).records


def _end(reader: Callable[[bytes], list[SignIn | Quarantined]], raw: bytes) -> str:
    """What reading comes to. A traceback of thousands of frames would take pytest minutes to print."""
    try:
        return ",".join(kinds(reader(raw))) or "nothing"
    except (NotJson, RecursionError) as error:
        return type(error).__name__


def test_text_in_a_member_that_is_nested_as_deep_as_can_be_quarantines_its_record() -> None:
    """Round the depth that the parser can just read and the writer can not."""
    texts = ("[" * depth + "]" * depth for depth in range(9_900, 10_020))
    ends = {_end(_records_of_page, page_of([{**PLAIN, "status": text}])) for text in texts}
    assert ends == {"Quarantined"}


@pytest.mark.parametrize("neighbour", [GOOD, "{}"], ids=["good neighbour", "broken neighbour"])
def test_the_last_of_two_members_of_one_name_counts(neighbour: str) -> None:
    twice = with_member('"userId": "first", "userId": "second", "status": {"errorCode": 5, "errorCode": 50126}')
    record = decode_page(raw_page(twice, neighbour)).records[0]
    assert isinstance(record, SignIn)
    assert record.user_id == "second"
    assert record.status is not None
    assert record.status.error_code == 50126


@pytest.mark.parametrize("digits", [30, 400])
def test_a_huge_result_code_is_a_failure(digits: int) -> None:
    (record,) = decode_page(raw_page(with_member(f'"status": {{"errorCode": {"7" * digits}}}'))).records
    assert isinstance(record, SignIn)
    found = assess(record, DIRECTORY)
    assert (found.outcome, found.verdict) == ("failed", "not-applicable")


@pytest.mark.parametrize("member", ['"x": {}', '"status": {{"errorCode": {}}}'])
def test_a_number_too_long_to_read_harms_its_own_record_alone(member: str) -> None:
    records = decode_page(raw_page(GOOD, with_member(member.format("7" * 5000)), GOOD)).records
    assert kinds(records)[::2] == ["SignIn", "SignIn"]


# --- diagnostic settings and Log Analytics ----------------------------------------------------------------------------


def envelope(properties: object, **members: Json) -> dict[str, object]:
    outer: JsonObject = {"time": "2026-11-02T09:00:01Z", "operationName": "Sign-in activity", "category": "SignInLogs"}
    return {**outer, **members, "properties": properties}


def only(value: object) -> SignIn:
    record = decode_value(value, 0)
    assert isinstance(record, SignIn), record
    return record


def test_an_envelope_gives_the_record_inside_it_with_its_category_and_result() -> None:
    record = only(envelope(PLAIN, category="NonInteractiveUserSignInLogs", resultType="50074"))
    assert record.user_id == TECHNICIAN
    assert (record.category, record.result_type) == ("NonInteractiveUserSignInLogs", "50074")


def test_a_result_type_may_be_a_number() -> None:
    assert only(envelope(PLAIN, resultType=50126)).result_type == 50126


def test_what_the_record_says_of_category_and_result_stands_where_its_envelope_says_nothing() -> None:
    inner = {**PLAIN, "category": "SignInLogs", "resultType": "50126"}
    record = only({"properties": inner})
    assert (record.category, record.result_type) == ("SignInLogs", "50126")


def test_a_broken_record_in_an_envelope_is_quarantined_by_its_member() -> None:
    record = decode_value(envelope({**PLAIN, "userId": 5}), 3)
    assert isinstance(record, Quarantined)
    assert (record.index, record.reason) == (3, "properties.userId: expected `str | null`, got `int`")


def test_a_broken_envelope_is_quarantined() -> None:
    record = decode_value(envelope(PLAIN, category=5), 0)
    assert isinstance(record, Quarantined)
    assert record.reason == "category: expected `str | null`, got `int`"


AS_TEXT: list[Record] = [
    {name: json.dumps(value)}
    for name, value in (
        ("status", {"errorCode": 50126, "additionalDetails": None}),
        ("status", {"errorCode": 0, "additionalDetails": "MFA skipped due to location"}),
        ("authenticationDetails", [{"authenticationMethod": "FIDO2 security key", "succeeded": True}]),
        ("authenticationDetails", []),
        ("signInEventTypes", ["nonInteractiveUser"]),
        ("agent", {"agentType": "agenticAppInstance"}),
        ("agent", None),
    )
]


@pytest.mark.parametrize("members", AS_TEXT, ids=str)
def test_an_object_that_arrives_as_json_text_is_read(members: Record) -> None:
    ((name, text),) = members.items()
    as_object = {name: json.loads(text)}
    silent: Record = {"authenticationRequirement": None}
    assert assessed({**silent, **members}) == assessed({**silent, **as_object})
    assert sign_in(members) == sign_in(as_object)


@pytest.mark.parametrize("name", ["status", "authenticationDetails", "signInEventTypes", "agent"])
@pytest.mark.parametrize("blank", ["", "  ", "null"])
def test_blank_text_for_an_object_is_nothing(name: str, blank: str) -> None:
    assert sign_in({name: blank}) == sign_in({name: None})


def test_a_whole_record_as_json_text_inside_an_envelope_is_read() -> None:
    assert only(envelope(json.dumps(PLAIN))).user_id == TECHNICIAN


@pytest.mark.parametrize(
    ("name", "text"),
    [("status", "{"), ("status", "[]"), ("status", "0"), ("agent", '"agenticApp"'), ("authenticationDetails", "{}")],
)
def test_text_for_an_object_that_says_something_else_quarantines(name: str, text: str) -> None:
    assert refusal({**PLAIN, name: text}).startswith(name)


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{", GOOD[:-1], "text", GOOD + GOOD, "\x00"])
def test_a_line_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        line(text)


@pytest.mark.parametrize("text", ["{}", "5", "null", '"text"', '{"id": "a"}'])
def test_a_line_that_is_json_and_no_record_is_quarantined(text: str) -> None:
    assert kinds(line(text)) == ["Quarantined"]


def test_a_record_is_read_alike_whatever_stands_beside_it() -> None:
    """A member `properties` that is not modelled means an envelope only where the record itself is none."""
    odd = json.dumps({**PLAIN, "properties": {"note": "text"}})
    alone = decode_page(raw_page(odd)).records
    assert decode_page(raw_page(odd, "{}")).records[:1] == alone
    assert line(odd) == alone


@pytest.mark.parametrize(
    ("value", "user"),
    [
        (PLAIN, TECHNICIAN),
        (envelope(PLAIN), TECHNICIAN),
        (envelope({**PLAIN, "userId": "inner"}, userId="outer"), "inner"),
        ({**PLAIN, "userDisplayName": 'says "properties" too'}, TECHNICIAN),
        ({**PLAIN, "properties": {}}, None),
        ({**PLAIN, "location": {"properties": 5}}, None),
        (envelope({**PLAIN, "status": '{"errorCode": 0}'}), None),
        (envelope(PLAIN, createdDateTime="2026-11-02T09:00:00Z"), None),
        (envelope(json.dumps(PLAIN)), None),
        ({**PLAIN, "userId": 5}, None),
        ({"value": [PLAIN]}, None),
        ([PLAIN], None),
        ({}, None),
    ],
    ids=str,
)
def test_one_pass_reads_plain_records_and_envelopes_and_leaves_the_rest(value: object, user: str | None) -> None:
    plain = decode_plain(json.dumps(value).encode())
    assert (plain and plain.user_id) == user


@pytest.mark.parametrize("raw", [b"", b"{", GOOD.encode() * 2, b"\xff", b'{"properties"'])
def test_one_pass_leaves_what_is_not_one_whole_text(raw: bytes) -> None:
    assert decode_plain(raw) is None


@pytest.mark.parametrize("name", ["value", "records"])
def test_one_pass_leaves_what_holds_records_beside_properties(name: str) -> None:
    assert decode_plain(json.dumps({name: [{**PLAIN, "id": "other"}], "properties": PLAIN}).encode()) is None


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_a_reason_names_the_member_and_the_step() -> None:
    steps: list[JsonObject] = [{}, {"succeeded": "yes"}]
    assert refusal({**PLAIN, "authenticationDetails": steps}).startswith("authenticationDetails.1.succeeded: ")


def test_what_is_no_json_is_told_without_its_text() -> None:
    with pytest.raises(NotJson) as error:
        decode_page(b'{"value": [{"userPrincipalName": "someone@partner.example"')
    assert "someone" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_customer_is_read_by_any_spelling_of_its_id() -> None:
    spelt = [CUSTOMER, CUSTOMER.upper(), f"{{{CUSTOMER}}}", CUSTOMER.replace("-", "")]
    assert {assessed({"resourceTenantId": tenant, "crossTenantAccessType": None}).scope for tenant in spelt} == {
        "customer"
    }


@pytest.mark.parametrize("surrogate", ["\\ud800", "\\uDFFF", "\\udc00\\ud83d", "\\\\\\ud800"])
@pytest.mark.parametrize("taken", ["", "\ue000 \\ue001", "".join(map(chr, range(0xE000, 0xE064)))])
def test_only_the_record_with_a_lone_surrogate_is_read_with_care(surrogate: str, taken: str) -> None:
    """What was read with care keeps what was parsed, and not its bytes; where no character is free to stand for the
    surrogate, all are. Either way the same comes of it."""
    good = with_member(f'"userDisplayName": "\\ud83d\\ude00 \\\\ud800 {taken}"')
    bad, broken = (with_member(f'"{name}": "{surrogate}{taken}"') for name in ("userDisplayName", "appId"))
    page = decode_page(raw_page(good, bad, good, broken, good))
    assert kinds(page.records) == ["SignIn", "SignIn", "SignIn", "Quarantined", "SignIn"]
    with_care = [i for i, r in enumerate(page.records) if isinstance(r, Quarantined) or isinstance(r.record, dict)]
    assert with_care == ([0, 1, 2, 3, 4] if len(taken) > 60 else [1, 3])
    for place, text in enumerate((good, bad, good, broken, good)):
        (alone,) = line(text, place)
        shown = page.records[place]
        if isinstance(shown, Quarantined):
            assert shown == alone
        else:
            assert isinstance(alone, SignIn)
            assert members(shown) == members(alone)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("taken", ["70000000000000009", "7000000000000000970000000000000009", "no NaN"])
def test_only_the_record_with_a_number_that_is_none_is_read_with_care(number: str, taken: str) -> None:
    good, bad = (with_member(f'"x": {value}, "userDisplayName": "{taken}"') for value in ("1", f"[{number}, {number}]"))
    broken = with_member(f'"status": {{"errorCode": {number}}}')
    page = decode_page(raw_page(good.replace(" NaN", ""), bad, broken, GOOD))
    assert kinds(page.records) == ["SignIn", "SignIn", "Quarantined", "SignIn"]
    assert [isinstance(r, SignIn) and isinstance(r.record, dict) for r in page.records] == [False, True, False, False]
    (alone,) = line(bad)
    assert isinstance(alone, SignIn)
    assert isinstance(page.records[1], SignIn)
    assert repr(page.records[1].record) == repr(alone.record)
    assert members(page.records[1]) == members(alone)


@pytest.mark.parametrize(
    "trouble", ['"createdDateTime": "2026-11-02 09:00"', '"createdDateTime": "yesterday"', '"userAgent": 5']
)
def test_a_record_that_the_fast_way_refuses_sends_no_other_the_careful_way(trouble: str) -> None:
    page = decode_page(raw_page(GOOD, with_member(trouble), GOOD))
    assert [isinstance(r, SignIn) and isinstance(r.record, msgspec.Raw) for r in page.records[::2]] == [True, True]


def test_a_byte_order_mark_costs_no_record_the_fast_way() -> None:
    page = decode_page(b"\xef\xbb\xbf" + raw_page(GOOD, GOOD))
    assert [isinstance(r, SignIn) and isinstance(r.record, msgspec.Raw) for r in page.records] == [True, True]
    assert [r.record for r in page.records if isinstance(r, SignIn)] == [msgspec.Raw(GOOD.encode())] * 2


def test_a_next_link_with_a_lone_surrogate_is_what_it_was() -> None:
    body = f'{{"value": [{GOOD}], "@odata.nextLink": "https://x/\\ud800"}}'.encode()
    assert decode_page(body).next_link == "https://x/\ud800"


@pytest.mark.parametrize("name", ['"\\ud800"', '"\ud800"', '"\\udfff\\ud800"'])
def test_a_policy_whose_name_is_no_unicode_still_says_what_came_of_it(name: str) -> None:
    duo = f'{{"displayName": {name}, "result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}}'
    password = json.dumps({**PLAIN, **PASSWORD_ONLY})[:-1]
    (record,) = decode_page(raw_page(f'{password}, "appliedConditionalAccessPolicies": [{duo}]}}')).records
    assert isinstance(record, SignIn)
    assert "third-party-mfa-unrecognised" in assess(record, DIRECTORY).rules
    (policy,) = record.details.policies
    assert set(policy.name) == {"\N{REPLACEMENT CHARACTER}"}
