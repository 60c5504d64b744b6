"""The JSON that is sent, against its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.messages.compose import GroupType, Surroundings, many, one
from shared.messages.kind import ChannelKind
from shared.messages.message import MOST_LISTED, VERSION, of_json, schema, to_json
from shared.messages.render import render
from shared.rules import RULE
from tests.alerts.samples import AROUND, HOSTILE, messages, telling

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "alert.schema.json"
ALL = messages()
RULE_OF = [frozenset({rule}) for rule in ("mfa-skipped", "third-party-mfa-unrecognised", "device-code", "legacy-auth")]


def validator() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads(PUBLISHED.read_text("utf-8")), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def test_the_published_schema_is_a_schema_and_that_of_the_code() -> None:
    published = json.loads(PUBLISHED.read_text("utf-8"))
    Draft202012Validator.check_schema(published)
    assert published == schema(), "docs/alert.schema.json is old: write it anew from shared.alerts.message.schema()"


@pytest.mark.parametrize("kind", ALL)
def test_every_message_is_of_the_schema_and_comes_back_as_itself(kind: str) -> None:
    body = json.loads(render(ChannelKind.GENERIC, ALL[kind]))
    validator().validate(body)
    assert body["version"] == VERSION
    assert of_json(body) == of_json(to_json(ALL[kind]))
    assert to_json(of_json(body)) == body


@pytest.mark.parametrize(
    "broken", [{"severity": "urgent"}, {"type": "incident.exploded"}, {"timestamp": "yesterday"}, {"version": "2.0"}]
)
def test_the_schema_refuses_what_is_no_message(broken: dict[str, str]) -> None:
    body = to_json(ALL["incident.opened"]) | broken
    assert [*validator().iter_errors(body)]


def test_what_an_incident_says() -> None:
    body = to_json(one(telling(name="jane@partner.example"), "msg_1", AROUND))
    incident = body["data"]["incident"]
    assert (body["type"], body["severity"], body["test"]) == ("incident.opened", "critical", False)
    assert body["idempotencyKey"] == "msg_1"
    assert incident["url"] == "https://monitor.example/incidents/0123456789abcdef0123456789abcdef"
    assert incident["user"] == {"id": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "name": "jane@partner.example"}
    assert [rule["id"] for rule in incident["rules"]] == ["legacy-auth", "interactive-without-mfa"]  # the worst first
    assert incident["rules"][0]["attack"] == "T1078.004"
    assert incident["evidence"].startswith("3 sign-ins from 2026-11-02 12:00 UTC to 2026-11-02 13:00 UTC: ")
    assert (incident["firstSeen"], incident["lastSeen"]) == ("2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z")
    assert incident["count"] == 3
    assert len(incident["whatToDo"]) == 2
    assert ALL["test"].test is True


def test_names_of_the_log_are_one_line_and_not_endless() -> None:
    incident = to_json(ALL["incident.opened"])["data"]["incident"]
    for name in (incident["user"]["name"], incident["application"]["name"]):
        assert len(name) <= 200
        assert not any(ord(c) < 32 or c in "\u202e\u202c" for c in name)
    assert one(telling(name=HOSTILE * 50), "m", AROUND).data.incident.user.name != ""


def test_an_incident_about_a_user_alone_and_an_app_that_does_not_know_its_address() -> None:
    alone = telling(rules=frozenset({"mfa-evidence-unknown", "a-rule-of-a-newer-version"}))
    who = alone.incident.who
    from dataclasses import replace

    alone = replace(alone, incident=replace(alone.incident, who=replace(who, customer="", app="", app_name="")))
    incident = one(alone, "m", Surroundings(None, {})).data.incident
    assert (incident.customer, incident.application, incident.url) == (None, None, None)
    assert [rule.id for rule in incident.rules] == ["mfa-evidence-unknown", "a-rule-of-a-newer-version"]


def test_a_storm_lists_the_worst_and_says_how_many_there_are() -> None:
    crowd = [telling(name="ann", key=f"{i:032x}", severity=1 + i % 4, rules=RULE_OF[i % 4]) for i in range(250)]
    data = to_json(many(crowd, "incidents.storm", "m", Surroundings(AROUND.address, {})))["data"]
    listed = data["incidents"]
    assert (data["total"], data["listed"], len(listed)) == (250, MOST_LISTED, MOST_LISTED)
    assert data["bySeverity"] == {"critical": 62, "high": 62, "medium": 63, "low": 63}
    assert [i["severity"] for i in listed] == ["critical"] * 62 + ["high"] * 38
    assert data["url"] == "https://monitor.example/incidents"
    # The facts of a rule stand once, and only of those that are listed.
    assert [rule["id"] for rule in data["rules"]] == ["legacy-auth", "device-code"]
    assert {rule for incident in listed for rule in incident["rules"]} == {"legacy-auth", "device-code"}


@pytest.mark.parametrize("name", ["jane@partner.example", "漢" * 300, "\U0001f600" * 300, '"' * 300])
@pytest.mark.parametrize("rules", [frozenset({"legacy-auth"}), frozenset(RULE)])
def test_a_message_is_never_longer_than_receivers_take(name: str, rules: frozenset[str]) -> None:
    crowd = [telling(name=name, key=f"{i:032x}", rules=rules) for i in range(2000)]
    message = many(crowd, "incidents.storm", "m", AROUND)
    assert len(render(ChannelKind.GENERIC, message)) < 64 * 1024
    assert 15 < message.data.listed <= MOST_LISTED
    assert message.data.total == 2000
    for one_ in messages(name).values():
        assert len(render(ChannelKind.GENERIC, one_)) < 64 * 1024


@pytest.mark.parametrize("type_", ["incidents.first-scan", "incidents.storm"])
def test_a_message_that_has_no_room_for_all_names_the_whole_number(type_: GroupType) -> None:
    message = many([telling(key=f"{i:032x}") for i in range(40)], type_, "m", AROUND, to_follow=1_200)
    assert (message.data.total, to_json(message)["data"]["toFollow"]) == (40, 1_200)
    for kind in (ChannelKind.TEAMS, ChannelKind.SLACK):
        told = render(kind, message).decode()
        assert "1240 incidents" in told
        assert "the worst 40; the next message tells the other 1200" in told
