"""What `assess --format table` shows: totals, and the findings in groups. For a person, bounded in size.

Of several versions of one sign-in the one served last counts. Everything fits a terminal of 80 columns. Names in a log
are what anybody typed in a sign-in form: what could steer a terminal is shown as its escape, and nothing is read as
markup.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final, NamedTuple, Never, TypedDict

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from local.commands.judging import Line
from local.commands.last_lines import LastLines
from local.commands.lines import utc_text
from shared.basics.spelling import id_key
from shared.incidents.findings import name_of
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import Severity
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.traits import HEADLINE, Scope

SHOWN: Final = 50  # groups of findings
_KEPT: Final = 20_000  # groups that are told apart at most
_UNREAD_SHOWN: Final = 10
_WIDEST: Final = 60
_WIDTH: Final = 80
_STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
# What compliance is measured by; the other two verdicts are told beside it and are in no total, as in the summary.
_MEASURED: Final = (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
_BESIDE: Final = tuple(verdict for verdict in Verdict if verdict not in _MEASURED)
_COMPLIANCE: Final = (
    ("Customers and Partner Center", HEADLINE),
    ("Partner tenant", (Scope.PARTNER_TENANT,)),
    ("Guest in customer tenants", (Scope.GUEST,)),
)


class Group(NamedTuple):
    """What findings are counted by."""

    severity: int
    rules: tuple[str, ...]
    user: str
    customer: str
    application: str


@dataclass(slots=True)
class Seen:
    """How many findings a group has, and when the first and the last were (UTC)."""

    count: int
    first: str
    last: str


class _Finding(TypedDict):
    severity: int
    rules: list[str]
    user: str
    customer: str
    application: str
    at: str


class _Line(TypedDict, total=False):
    error: str
    file: str
    index: int
    id: str
    scope: str
    verdict: str
    evidence: str
    why: str | None
    finding: _Finding


def line_for(directory: Directory) -> Line:
    """What makes a line for `Table.take` of a judged record."""

    def line(sign_in: SignIn, judged: Assessment) -> str:
        shown: _Line = {
            "id": sign_in.id, "scope": judged.scope, "verdict": judged.verdict, "evidence": judged.evidence,
            "why": judged.why,
        }  # fmt: skip
        if judged.severity:
            shown["finding"] = {
                "severity": judged.severity,
                "rules": list(judged.rules),
                "user": name_of(sign_in, directory) or sign_in.user_display_name or sign_in.user_id or "?",
                "customer": _where(sign_in, judged.scope, directory),
                "application": sign_in.app_display_name or sign_in.app_id or "?",
                "at": utc_text(sign_in)[:16].replace("T", " "),
            }
        return json.dumps(shown)

    return line


def _where(sign_in: SignIn, scope: Scope, directory: Directory) -> str:
    if scope is Scope.PARTNER_CENTER:
        return "Partner Center"
    if scope is Scope.PARTNER_TENANT:
        return "own tenant"
    known = directory.customers.get(id_key(sign_in.resource_tenant_id), ())
    names = [entry.display_name for entry in known if entry.display_name]
    return names[-1] if names else sign_in.resource_tenant_id or "?"


def harmless(text: str, widest: int = _WIDEST) -> str:
    """A name as it may be printed: one line, cut, and with what does not print as an escape."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[: widest + 1]
    )
    return shown if len(shown) <= widest else shown[: widest - 1] + "…"


def percent(compliant: int, non_compliant: int) -> str:
    """The compliance, rounded down so that 100 means all; "not measurable" when there is nothing to divide."""
    if not compliant + non_compliant:
        return "not measurable"
    tenths = 1000 * compliant // (compliant + non_compliant)
    return f"{tenths // 10}.{tenths % 10} %"


class _Console(Console):
    def on_broken_pipe(self) -> Never:
        # rich would end the process with 1.
        raise BrokenPipeError


class Table:
    """Counts what lines say, and shows it."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.quarantined = 0
        self._lines = LastLines()
        self._unread: list[_Line] = []
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._evidence: Counter[str] = Counter()
        self._whys: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._groups: dict[Group, Seen] = {}
        self._other_findings = 0

    def take(self, lines: Iterable[str]) -> None:
        """Take lines of `line_for`, and those of what could not be read."""
        for text in lines:
            line: _Line = json.loads(text)
            if "error" not in line:
                self._lines.take(json.dumps(line["id"]), text)
                continue
            self.quarantined += 1
            if len(self._unread) < _UNREAD_SHOWN:
                self._unread.append(line)

    def _count_all(self) -> None:
        for text in self._lines:
            line: _Line = json.loads(text)
            self._verdicts[line["scope"], line["verdict"]] += 1
            self._evidence[line["evidence"]] += 1
            if why := line["why"]:
                self._whys[why] += 1
            if "finding" in line:
                self._count(line["finding"])
        self._lines.close()

    def _count(self, found: _Finding) -> None:
        self._rules.update(found["rules"])
        group = Group(found["severity"], tuple(found["rules"]), found["user"], found["customer"], found["application"])
        if seen := self._groups.get(group):
            seen.count += 1
            seen.first, seen.last = min(seen.first, found["at"]), max(seen.last, found["at"])
        elif len(self._groups) < _KEPT:
            self._groups[group] = Seen(1, found["at"], found["at"])
        else:
            self._other_findings += 1

    def show(self) -> None:
        """Print to standard output."""
        self._count_all()
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than a log
        console = _Console(width=shutil.get_terminal_size((_WIDTH, 24)).columns, highlight=False, emoji=False)
        console.print(self._totals())
        console.print()
        for name, counts in (("evidence", self._evidence), ("why unknown", self._whys), ("rule", self._rules)):
            if counts:
                console.print(_counts(name, counts))
                console.print()
        if self._groups:
            console.print(self._findings())
            console.print()
            self._say_rest(console)
        self._say_compliance(console)
        self._say_unread(console)

    def _totals(self) -> RichTable:
        table = _table("scope", *_MEASURED, "total", *_BESIDE, title="Sign-ins")
        for column in table.columns[1:]:
            column.justify = "right"
        for scope in Scope:
            measured = [self._verdicts[scope, verdict] for verdict in _MEASURED]
            beside = [self._verdicts[scope, verdict] for verdict in _BESIDE]
            table.add_row(scope, *map(str, (*measured, sum(measured), *beside)))
        return table

    def _findings(self) -> RichTable:
        table = _table(
            "severity", "rules", "user, customer, application; first and last (UTC)", "count", title="Findings"
        )
        table.leading = 1
        table.columns[1].no_wrap = True
        table.columns[2].overflow = "fold"
        table.columns[3].justify = "right"
        for group, seen in self._worst_first()[:SHOWN]:
            label = Severity(group.severity).label
            who = (harmless(name) for name in (group.user, group.customer, group.application))
            when = seen.first if seen.first == seen.last else f"{seen.first} – {seen.last}"
            table.add_row(
                Text(label, _STYLES[label]), "\n".join(group.rules), Text("\n".join((*who, when))), str(seen.count)
            )
        return table

    def _worst_first(self) -> Sequence[tuple[Group, Seen]]:
        return sorted(self._groups.items(), key=lambda item: (-item[0].severity, -item[1].count, item[0]))

    def _say_rest(self, console: Console) -> None:
        hidden = [seen.count for _, seen in self._worst_first()[SHOWN:]]
        more = sum(hidden) + self._other_findings
        if more:
            console.print(f"… and {more} more findings, in {len(hidden)} or more other groups")

    def _say_compliance(self, console: Console) -> None:
        for title, scopes in _COMPLIANCE:
            good, bad, unknown = (sum(self._verdicts[scope, verdict] for scope in scopes) for verdict in _MEASURED)
            if good + bad + unknown or scopes is HEADLINE or Scope.GUEST not in scopes:
                console.print(f"{title}: compliance {percent(good, bad)}")
                console.print(f"  ({good} compliant, {bad} non-compliant, {unknown} unknown)")

    def _say_unread(self, console: Console) -> None:
        if not self.quarantined:
            return
        console.print(f"{self.quarantined} quarantined: they could not be read and are in no number above")
        for line in self._unread:
            place = f" record {line['index']}" if "index" in line else ", the whole file"
            console.print(Text(f"  {harmless(line['file'], 300)}{place}: {harmless(line['error'], 600)}"))
        if self.quarantined > len(self._unread):
            console.print(f"  … and {self.quarantined - len(self._unread)} more")


def _table(*columns: str, title: str | None = None) -> RichTable:
    return RichTable(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0), title=title, title_justify="left")


def _counts(name: str, counts: Counter[str]) -> RichTable:
    table = _table(name, "sign-ins")
    table.columns[1].justify = "right"
    for value, count in counts.most_common():
        table.add_row(value, str(count))
    return table
