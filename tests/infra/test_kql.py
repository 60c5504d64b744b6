"""Every query of the templates and of the runbooks is KQL, by Microsoft's own parser, and names columns that exist."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.deployment import DEFAULTS, EVERYTHING, ROOT, deployed, objects
from tests.infra.kql import queries_in

PARSER = ROOT / "node_modules/@kusto/language-service-next"
CHECK = Path(__file__).with_name("kql_check.js")
needs_parser = pytest.mark.skipif(
    not PARSER.is_dir() or shutil.which("node") is None, reason="make setup installs Microsoft's parser of KQL"
)

_TRACE = "TimeGenerated: datetime, Message: string, OperationName: string, SeverityLevel: int, Properties: dynamic"
SCHEMA = {
    "AppTraces": f"({_TRACE})",
    "AppRequests": "(TimeGenerated: datetime, Name: string, Success: bool, ResultCode: string, DurationMs: real, "
    "OperationName: string)",
    "AppExceptions": "(TimeGenerated: datetime, OperationName: string, ProblemId: string, OuterMessage: string)",
    "FunctionAppLogs": "(TimeGenerated: datetime, Level: string, Message: string, FunctionName: string)",
    "Usage": "(TimeGenerated: datetime, DataType: string, Quantity: real)",
    "_LogOperation": "(TimeGenerated: datetime, Category: string, Detail: string, Operation: string, Level: string)",
}
"""What the queries use of the workspace's tables (Microsoft Learn, "Azure Monitor Logs tables")."""


def diagnostics(queries: list[str]) -> list[list[str]]:
    """What the parser has to say of each query."""
    node = shutil.which("node")
    assert node is not None
    asked = json.dumps({"schema": SCHEMA, "queries": queries})
    run = subprocess.run([node, CHECK], input=asked, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    found: list[list[str]] = json.loads(run.stdout)
    return found


def of_the_templates() -> dict[str, str]:
    """The queries of alert rules and workbook by name."""
    found = {}
    for environment in (DEFAULTS, EVERYTHING):
        deployment = deployed(environment)
        for rule in deployment.all("Microsoft.Insights/scheduledQueryRules"):
            (criterion,) = objects(rule, "properties.criteria.allOf")
            found[rule.name] = str(criterion["query"])
        workbook = json.loads(str(deployment.one("Microsoft.Insights/workbooks").get("properties.serializedData")))
        found |= {f"workbook, {i['name']}": i["content"]["query"] for i in workbook["items"] if i["type"] == 3}
    return found


def of_the_pages() -> dict[str, str]:
    """The queries of README and operations.md."""
    pages = ("README.md", "docs/operations.md", "docs/architecture.md")
    return {
        f"{page}, {place}": query
        for page in pages
        for place, query in enumerate(queries_in((ROOT / page).read_text(encoding="utf-8"), SCHEMA))
        if "|" in query
    }


@needs_parser
def test_every_query_parses_and_every_name_in_it_is_known() -> None:
    queries = of_the_templates() | of_the_pages()
    assert len(of_the_pages()) >= 8
    told = zip(queries, diagnostics([*queries.values()]), strict=True)
    assert {name: found for name, found in told if found} == {}


@needs_parser
def test_a_misspelled_query_would_be_found() -> None:
    wrong = ["AppRequests | where Sucess == false", "AppReqests | take 1", "AppRequests | where Success =="]
    assert all(diagnostics(wrong))
