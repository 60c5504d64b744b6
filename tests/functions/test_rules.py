"""The answer about the rules: whole, and true of how they judge."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.answers import rules
from shared.exceptions.issues import ISSUES
from shared.rules import RULES
from shared.rules.posture import POSTURE_RULES
from tests.functions.asking import app_over, ask


async def test_every_rule_says_what_it_means_and_how_severe_it_is_where(azurite: str) -> None:
    async with app_over(azurite, datetime(2026, 11, 2, 12, tzinfo=UTC)) as app:
        shown = {item["id"]: item for item in (await ask(rules, app)).json["items"]}
        csv = await ask(rules, app, "format=csv")
    assert [*shown] == [*(rule.id for rule in RULES), *(rule.id for rule in POSTURE_RULES)]
    assert [row["id"] for row in csv.rows] == [*shown]
    by_scope = shown["legacy-auth"]["severities"]
    expected = {"customer": ["critical"], "partner-center": ["critical"], "partner-tenant": ["high"]}
    assert {scope: by_scope[scope] for scope in expected} == expected
    assert shown["legacy-auth"]["commonIssue"]["number"] == 5
    assert shown["legacy-auth"]["attackLink"] == "https://attack.mitre.org/techniques/T1078/004/"
    assert shown["password-flow-attempt"]["severities"]["customer"] == ["medium", "low"]
    assert (shown["non-interactive"]["strictOnly"], shown["legacy-auth"]["strictOnly"]) == (True, False)
    assert shown["mfa-not-registered"]["severities"] == {"account": ["high", "medium"]}
    for item in shown.values():
        assert item["title"]
        assert all(item[part].endswith(".") for part in ("first", "whatToDo", "prevent", "check", "meaning"))
        assert item["first"] != item["whatToDo"]
        assert item["owner"] in ("partner-admin", "application-owner", "customer")
        assert item["link"].startswith("https://learn.microsoft.com/")
        assert all(item["severities"].values())
    assert shown["mfa-denied"]["link"].endswith("#report-suspicious-activity")


async def test_a_rule_that_names_a_common_issue_explains_it(azurite: str) -> None:
    async with app_over(azurite, datetime(2026, 11, 2, 12, tzinfo=UTC)) as app:
        shown = {item["id"]: item["commonIssue"] for item in (await ask(rules, app)).json["items"]}
    named = {rule.id: rule.common_issue for rule in RULES} | {rule.id: rule.common_issue for rule in POSTURE_RULES}
    assert {id_: issue and issue["number"] for id_, issue in shown.items()} == named
    for issue in filter(None, shown.values()):
        known = ISSUES[issue["number"]]
        assert issue["title"] == known.title
        assert issue["guidance"] == known.guidance
        assert issue["guidance"].endswith(".")
        assert issue["mayBeExcepted"] == (issue["number"] == 6)
