"""What `assess --format table` shows: totals, and the findings in groups. For a person, bounded in size.

Names in a log are what anybody typed in a sign-in form: what could steer a terminal is shown as its escape, and nothing
is read as markup.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from typing import Final, NamedTuple, Never, TypedDict

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from shared.basics.spelling import id_key
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import Severity
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.traits import HEADLINE, Scope

SHOWN: Final = 50  # groups of findings
_KEPT: Final = 20_000  # groups that are told apart at most
_UNREAD_SHOWN: Final = 10
_WIDEST: Final = 60
_WIDTH: Final = 240  # where there is no terminal
_STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


class Group(NamedTuple):
    """What findings are counted by."""

    severity: int
    rules: tuple[str, ...]
    user: str
    customer: str
    application: str


@dataclass(slots=True)
class Seen:
    """How many findings a group has, and when the first and the last were (ISO 8601, UTC)."""

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
    scope: str
    verdict: str
    evidence: str
    finding: _Finding


def line_for(directory: Directory) -> Callable[[SignIn, Assessment], str]:
    """What makes a line for `Table.take` of a judged record."""

    def line(sign_in: SignIn, judged: Assessment) -> str:
        told: _Line = {"scope": judged.scope, "verdict": judged.verdict, "evidence": judged.evidence}
        if judged.severity:
            told["finding"] = {
                "severity": judged.severity,
                "rules": list(judged.rules),
                "user": sign_in.user_principal_name or sign_in.user_display_name or sign_in.user_id or "?",
                "customer": _where(sign_in, judged.scope, directory),
                "application": sign_in.app_display_name or sign_in.app_id or "?",
                "at": _utc(sign_in).isoformat(" ", "seconds")[:19],
            }
        return json.dumps(told)

    return line


def _utc(sign_in: SignIn) -> datetime:
    try:
        return sign_in.at
    except OverflowError:  # the first or the last hours of the calendar
        return sign_in.instant


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
        self._unread: list[tuple[str, int, str]] = []
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._evidence: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._groups: dict[Group, Seen] = {}
        self._other_findings = 0

    def take(self, lines: Iterable[str]) -> None:
        """Count lines of `line_for`, and those of what could not be read."""
        for line in lines:
            told: _Line = json.loads(line)
            if "error" in told:
                self.quarantined += 1
                if len(self._unread) < _UNREAD_SHOWN:
                    self._unread.append((told["file"], told["index"], told["error"]))
                continue
            self._verdicts[told["scope"], told["verdict"]] += 1
            self._evidence[told["evidence"]] += 1
            if "finding" in told:
                self._count(told["finding"])

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
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than a log
        console = _Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, emoji=False)
        for part in (self._totals(), self._counts("evidence", self._evidence), self._counts("rule", self._rules)):
            console.print(part)
        if self._groups:
            console.print(self._findings())
            self._say_rest(console)
        self._say_compliance(console)
        self._say_unread(console)

    def _totals(self) -> RichTable:
        table = RichTable("scope", *Verdict, "total", box=box.SIMPLE, title="Sign-ins", title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for scope in Scope:
            counts = [self._verdicts[scope, verdict] for verdict in Verdict]
            table.add_row(scope, *map(str, counts), str(sum(counts)))
        return table

    def _counts(self, name: str, counts: Counter[str]) -> RichTable:
        table = RichTable(name, "sign-ins", box=box.SIMPLE)
        table.columns[1].justify = "right"
        for value, count in counts.most_common():
            table.add_row(value, str(count))
        return table

    def _findings(self) -> RichTable:
        columns = ("severity", "rules", "user", "customer", "application", "findings", "first (UTC)", "last (UTC)")
        table = RichTable(*columns, box=box.SIMPLE, title="Findings", title_justify="left")
        for column in table.columns[2:5]:
            column.overflow = "fold"
        table.columns[5].justify = "right"
        for group, seen in self._worst_first()[:SHOWN]:
            label = Severity(group.severity).label
            who = [Text(harmless(name)) for name in (group.user, group.customer, group.application)]
            table.add_row(
                Text(label, _STYLES[label]), "\n".join(group.rules), *who, str(seen.count), seen.first, seen.last
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
        for title, scopes in (("Customers and Partner Center", HEADLINE), ("Partner tenant", (Scope.PARTNER_TENANT,))):
            good, bad, unknown = (
                sum(self._verdicts[scope, verdict] for scope in scopes)
                for verdict in (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
            )
            console.print(
                f"{title}: compliance {percent(good, bad)} ({good} compliant, {bad} non-compliant, {unknown} unknown)"
            )

    def _say_unread(self, console: Console) -> None:
        if not self.quarantined:
            return
        console.print(f"{self.quarantined} quarantined: they could not be read and are in no number above")
        for file, index, error in self._unread:
            console.print(Text(f"  {harmless(file, 300)} record {index}: {harmless(error, 300)}"))
        if self.quarantined > len(self._unread):
            console.print(f"  … and {self.quarantined - len(self._unread)} more")
