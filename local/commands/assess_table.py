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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import TextIOWrapper
from typing import Final, NamedTuple, Never

import msgspec
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from local.commands.last_lines import LastLines
from local.commands.lines import json_text, utc_text
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


class _Line(msgspec.Struct):
    """A line of `TableLines`, or of what could not be read."""

    id: str = ""
    scope: str = ""
    verdict: str = ""
    evidence: str = ""
    why: str | None = None
    rules: tuple[str, ...] = ()
    severity: int = 0
    user: str = ""
    customer: str = ""
    application: str = ""
    at: str = ""
    error: str | None = None
    file: str = ""
    index: int | None = None


_decode: Final = msgspec.json.Decoder(_Line).decode


class TableLines:
    """The lines that a table is made of."""

    def __init__(self, directory: Directory) -> None:
        """`directory` knows the names of customers, and of people whom a customer's log masks."""
        self._directory = directory

    def ends(self, sign_in: SignIn, judged: Assessment) -> tuple[bytes, bytes]:
        """Id and scope; and who, where, with what and when."""
        user = name_of(sign_in, self._directory) or sign_in.user_display_name or sign_in.user_id or "?"
        return b'{"id":%b,"scope":"%b"' % (json_text(sign_in.id), judged.scope.encode()), (
            b',"user":%b,"customer":%b,"application":%b,"at":"%b"}'
            % (
                json_text(user),
                json_text(_where(sign_in, judged.scope, self._directory)),
                json_text(sign_in.app_display_name or sign_in.app_id or "?"),
                utc_text(sign_in)[:16].replace("T", " ").encode(),
            )
        )

    def middle(self, judged: Assessment) -> bytes:
        """What is counted."""
        return _counted(judged.verdict, judged.evidence, judged.why, judged.fits)


@lru_cache(4096)
def _counted(verdict: str, evidence: str, why: str | None, fits: tuple[tuple[str, Severity], ...]) -> bytes:
    severity = max((severity for _, severity in fits), default=0)
    told = {"verdict": verdict, "evidence": evidence, "why": why, "rules": [rule for rule, _ in fits]}
    return b"," + json.dumps({**told, "severity": int(severity)}).encode()[1:-1]


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

    def take(self, lines: bytes) -> None:
        """Take lines of `TableLines`, and those of what could not be read."""
        for text in lines.splitlines():
            line = _decode(text)
            if line.error is None:
                self._lines.take(line.id, text)
                continue
            self.quarantined += 1
            if len(self._unread) < _UNREAD_SHOWN:
                self._unread.append(line)

    def _count_all(self) -> None:
        for text in self._lines:
            line = _decode(text)
            self._verdicts[line.scope, line.verdict] += 1
            self._evidence[line.evidence] += 1
            if line.why:
                self._whys[line.why] += 1
            if line.rules:
                self._count(line)
        self._lines.close()

    def _count(self, line: _Line) -> None:
        self._rules.update(line.rules)
        group = Group(line.severity, line.rules, line.user, line.customer, line.application)
        if seen := self._groups.get(group):
            seen.count += 1
            seen.first, seen.last = min(seen.first, line.at), max(seen.last, line.at)
        elif len(self._groups) < _KEPT:
            self._groups[group] = Seen(1, line.at, line.at)
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
            place = ", the whole file" if line.index is None else f" record {line.index}"
            console.print(Text(f"  {harmless(line.file, 300)}{place}: {harmless(line.error or '', 600)}"))
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
