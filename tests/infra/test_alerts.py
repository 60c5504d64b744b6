"""The alerts that watch the monitor from outside: what they ask, whom they tell, and that each has a runbook."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.bicep_template import Resource
from tests.infra.deployment import DEFAULTS, EVERYTHING, ROOT, deployed, objects, texts
from tests.infra.kql import matches

SITE = "Microsoft.Web/sites"

EVENTS = {
    "slice-parked": "slice_parked",
    "poison-message": "poison_message",
    "coverage-below-target": "coverage_below_target",
    "ingestion-lag": "ingestion_lag",
    "request-budget-overrun": "request_budget_overrun",
    "maintenance-failed": "maintenance_failed",
    "records-quarantined": "records_quarantined",
}
"""Alert → the event that the app logs."""
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
RULES = deployed(DEFAULTS).all("Microsoft.Insights/scheduledQueryRules")


def name_of(rule: Resource) -> str:
    runbook = rule.get("properties.actions.customProperties.runbook")
    return str(runbook).removeprefix("docs/operations.md#")


def query_of(rule: Resource) -> str:
    (criterion,) = objects(rule, "properties.criteria.allOf")
    assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == ("Count", "GreaterThan", 0)
    return str(criterion["query"])


BY_NAME = {name_of(rule): rule for rule in RULES}


def test_every_trouble_of_the_monitor_has_an_alert() -> None:
    assert BY_NAME.keys() == EVENTS.keys() | {
        *("no-heartbeat", "function-failures", "log-cap-reached", "permission-missing", "webhook-dead")
    }


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_every_alert_runs_reaches_somebody_and_resolves(rule: Resource) -> None:
    assert rule.get("properties.enabled") is True
    assert rule.get("properties.autoMitigate") is True
    assert rule.get("properties.severity") in range(4)
    group = deployed(DEFAULTS).one("Microsoft.Insights/actionGroups")
    assert texts(rule, "properties.actions.actionGroups") == [f"<{group.type} {group.name} id>"]
    (scope,) = texts(rule, "properties.scopes")
    assert scope.startswith("<Microsoft.OperationalInsights/workspaces ")
    assert rule.get("properties.evaluationFrequency") == "PT15M"
    assert rule.get("properties.windowSize") in {"PT30M", "PT1H", "PT3H"}  # overlapping, so that nothing falls between


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_every_alert_has_a_runbook(rule: Resource) -> None:
    assert re.search(rf"^### {name_of(rule)}$", OPERATIONS, re.M)
    assert name_of(rule) in str(rule.get("properties.description"))


def test_every_runbook_has_an_alert() -> None:
    runbooks = OPERATIONS.split("## Runbooks")[1].split("\n## ")[0]
    assert set(re.findall(r"^### (\S+)$", runbooks, re.M)) == BY_NAME.keys() | {"no-executions"}


@pytest.mark.parametrize(("alert", "event"), EVENTS.items())
def test_an_event_of_the_app_fires_its_alert(alert: str, event: str) -> None:
    query = query_of(BY_NAME[alert])
    assert f'tostring(Event.event) == "{event}"' in query
    assert "{" not in query
    assert f"`{event}`" in OPERATIONS


def test_the_limit_for_late_data_is_the_parameters() -> None:
    assert "toint(Event.lagSeconds) > 180 * 60" in query_of(BY_NAME["ingestion-lag"])
    late = [r for r in deployed(EVERYTHING).all("Microsoft.Insights/scheduledQueryRules") if "lag" in r.name]
    assert ["toint(Event.lagSeconds) > 60 * 60" in query_of(rule) for rule in late] == [True]


def test_a_stopped_app_is_noticed() -> None:
    """Azure Monitor asks for the runs of the timer itself; the query gives a row when there are none."""
    rule = BY_NAME["no-heartbeat"]
    assert rule.get("properties.severity") == 0
    assert (rule.get("properties.windowSize"), rule.get("properties.overrideQueryTimeRange")) == ("PT1H", "P2D")
    lines = query_of(rule).splitlines()
    assert lines[0] == 'let runs = AppRequests | where Name == "plan_scans" and Success == true;'
    assert lines[3:] == [
        "| where TimeGenerated > ago(1h)",
        "| summarize Runs = count()",
        "| where Runs == 0 and seen > 0",
    ]
    others = [r.get("properties.overrideQueryTimeRange") for name, r in BY_NAME.items() if name != "no-heartbeat"]
    assert set(others) == {None}


def test_a_stopped_app_is_noticed_without_any_log() -> None:
    rule = deployed(EVERYTHING).one("Microsoft.Insights/metricAlerts")
    (criterion,) = objects(rule, "properties.criteria.allOf")
    assert criterion["metricName"] == "OnDemandFunctionExecutionCount"
    assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == ("Total", "LessThan", 1)
    assert rule.get("properties.severity") == 0
    assert texts(rule, "properties.scopes") == [f"<Microsoft.Web/sites {deployed(EVERYTHING).one(SITE).name} id>"]
    group = deployed(EVERYTHING).one("Microsoft.Insights/actionGroups")
    assert [a["actionGroupId"] for a in objects(rule, "properties.actions")] == [f"<{group.type} {group.name} id>"]


def test_nobody_is_woken_on_the_first_day() -> None:
    """Before the first deployment of code nothing runs: the heartbeat is asked for once it was seen, and executions are
    counted once the hook after the deployment has put the rule on."""
    assert deployed(DEFAULTS).one("Microsoft.Insights/metricAlerts").get("properties.enabled") is False
    assert deployed(EVERYTHING).one("Microsoft.Insights/metricAlerts").get("properties.enabled") is True
    rule = deployed(DEFAULTS).one("Microsoft.Insights/metricAlerts")
    assert deployed(DEFAULTS).outputs["NO_EXECUTIONS_RULE"] == f"<{rule.type} {rule.name} id>"
    assert "seen > 0" in query_of(BY_NAME["no-heartbeat"])


def line(event: str, **facts: int) -> str:
    return json.dumps({"event": event, **facts})


def test_a_missing_permission_fires_when_it_is_missing_twice() -> None:
    query = query_of(BY_NAME["permission-missing"])
    refused = line("preflight", missing=3, missingPermissions=2, missingLicences=0, deadChannels=0)
    unlicensed = line("preflight", missing=1, missingPermissions=0, missingLicences=1, deadChannels=0)
    fine = line("preflight", missing=1, missingPermissions=0, missingLicences=0, deadChannels=1)
    assert matches(query, refused, unlicensed)
    assert not matches(query, refused, fine)
    assert not matches(query, fine, fine, fine), "that nobody set up a channel is no missing permission"
    assert not matches(query, line("preflight", missing=9), line("preflight", missing=9)), "an older app's"


def test_a_dead_webhook_fires() -> None:
    query = query_of(BY_NAME["webhook-dead"])
    assert matches(query, line("alert_dead", status=410))
    assert matches(query, line("preflight", missing=1, deadChannels=1))
    assert not matches(query, line("preflight", missing=4, deadChannels=0))
    assert not matches(query, line("alert_delivered", status=200))


def test_an_answer_of_500_or_more_counts_as_a_failure() -> None:
    """The invocation behind a 503 has succeeded, so Success alone never tells of a route."""
    query = query_of(BY_NAME["function-failures"])
    assert "| where Success == false or toint(ResultCode) >= 500" in query.splitlines()
    assert "400" not in query


def test_an_alert_always_reaches_somebody() -> None:
    without = deployed(DEFAULTS).one("Microsoft.Insights/actionGroups")
    assert [*objects(without, "properties.emailReceivers")] == []
    assert len([*objects(without, "properties.armRoleReceivers")]) == 1
    named = deployed(EVERYTHING).one("Microsoft.Insights/actionGroups")
    addresses = [r["emailAddress"] for r in objects(named, "properties.emailReceivers")]
    assert addresses == ["soc@example.org", "ops@example.org"]
    assert [r["serviceUri"] for r in objects(named, "properties.webhookReceivers")] == ["https://soc.example.org/azure"]
    assert [*objects(named, "properties.armRoleReceivers")] == []
    by_webhook = deployed((("ALERT_WEBHOOK_URL", "https://soc.example.org/azure"),))
    assert [*objects(by_webhook.one("Microsoft.Insights/actionGroups"), "properties.armRoleReceivers")] == []
    assert len(str(named.get("properties.groupShortName"))) <= 12


def test_the_workbook_shows_the_compliance_trend_and_every_event() -> None:
    workbook = deployed(DEFAULTS).one("Microsoft.Insights/workbooks")
    content = json.loads(str(workbook.get("properties.serializedData")))
    assert content["version"] == "Notebook/1.0"
    queries = {i["name"]: i["content"]["query"] for i in content["items"] if i["type"] == 3}
    assert {"compliance", "sign-ins", "events", "functions"} == queries.keys()
    assert "compliancePercent" in queries["compliance"]
    assert "coveragePercent" in queries["compliance"]
    for event in EVENTS.values():
        assert f'"{event}"' in queries["events"]
    assert "`compliance_day`" in OPERATIONS
    for item in content["items"]:
        if item["type"] == 3:
            assert item["content"]["timeContextFromParameter"] == "Range"
