"""The summary of a partner's days: its members, its scopes and its numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from shared.basics.spelling import id_key
from shared.compliance.beside import ExceptionNumbers
from shared.compliance.coverage import Window, measure
from shared.compliance.figures import (
    accepted_sign_ins,
    figures_of_app,
    figures_of_customer,
    figures_of_days,
    figures_of_user,
)
from shared.compliance.incident_counts import IncidentCounts
from shared.compliance.summary import Beside, Summary, SummaryOf, summarise
from shared.ledger.counts import Counts, Seen
from shared.ledger.counts_json import PairColumns, pairs_json
from shared.ledger.days import CustomerDay, Day, DayLines, Reach, totals_of
from shared.ledger.finding_groups import FindingGroup
from shared.ledger.tops import tops_of
from shared.rules import RULE
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Severity
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.outcome import Outcome
from shared.signin.traits import HEADLINE, WATCHED, Identity, Scope

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
_OF_VERDICT = {
    Verdict.COMPLIANT: Evidence.PROVEN,
    Verdict.NON_COMPLIANT: Evidence.NONE,
    Verdict.UNKNOWN: Evidence.UNKNOWN,
    Verdict.NOT_APPLICABLE: Evidence.NOT_APPLICABLE,
}


def _some(tally: Mapping[str, int] | None) -> dict[str, int]:
    """What is more than none, of numbers that name everything."""
    assert tally is not None
    return {key: n for key, n in tally.items() if n}


def seen(
    verdict: Verdict,
    scope: Scope = Scope.CUSTOMER,
    *,
    user: str = TECHNICIAN,
    customer: str = CUSTOMER,
    app: str = "app",
    name: str = "",
    rule: str = "interactive-without-mfa",
) -> Seen:
    fits = ((rule, Severity.HIGH),) if verdict is Verdict.NON_COMPLIANT else ()
    outcome = Outcome.BLOCKED if verdict is Verdict.NOT_APPLICABLE else Outcome.SUCCESS
    why = Why.NO_SESSION if verdict is Verdict.UNKNOWN else None
    strength = Strength.APP if verdict is Verdict.COMPLIANT else None
    assessment = Assessment(Identity.USER, scope, outcome, _OF_VERDICT[verdict], verdict, fits, why, strength)
    return Seen(assessment, id_key(user), name, id_key(customer), app, "", "silent")


def counts_of(*every: Seen) -> Counts:
    counts = Counts()
    for one in every:
        counts.add(one)
    return counts


def day_of(day: datetime, *every: Seen, hours: int = 24) -> Day:
    counts = counts_of(*every)
    partner = id_key(PARTNER)
    reach = [Reach(partner, day + h * HOUR, day + (h + 1) * HOUR, True, None, False, "") for h in range(hours)]
    return Day(day, totals_of(counts), reach, tops_of(counts))


def summary_of(
    *days: Day, scopes: tuple[str, ...] = HEADLINE, incidents: Mapping[int, int] | None = None, accepted: int = 0
) -> Summary:
    measured = measure((PARTNER,), days, Window(START, NOW, NOW, HOUR))
    asked = SummaryOf(START, NOW, NOW, scopes, PARTNER)
    counts = IncidentCounts({"open": Counter(incidents or {})})
    exceptions = ExceptionNumbers(accepted_sign_ins=accepted)
    beside = Beside(counts, {id_key(CUSTOMER): "Contoso"}, exceptions=exceptions)
    return summarise(asked, figures_of_days(days), measured, beside)


def test_every_member_is_there_even_when_nothing_is_known() -> None:
    shown = json.loads(summary_of().model_dump_json(by_alias=True))
    none = {"compliant": 0, "nonCompliant": 0, "unknown": 0}
    nothing = {"total": 0, **none, "compliancePercent": None}
    none_severe = {"critical": 0, "high": 0, "medium": 0, "low": 0}
    assert shown == {
        "generatedAt": "2026-11-03T06:00:00Z",
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T06:00:00Z"},
        "partnerTenantId": PARTNER,
        "scopes": ["customer", "partner-center"],
        "rulesVersions": [],
        "coverage": {
            "expectedSlices": 54,
            "completeSlices": 0,
            "percent": 0.0,
            "oldestGap": "2026-11-01T00:00:00Z",
            "lagSeconds": None,
            "measuredUntil": "2026-11-01T00:00:00Z",
            "newestRead": None,
            "finalUntil": "2026-11-01T00:00:00Z",
            "quarantined": 0,
            "acceptedQuarantine": 0,
            "beforeInstallation": 0,
        },
        "delegatedSignIns": {**nothing, "worstCasePercent": None, "compliancePercentAfterExceptions": None},
        "byScope": dict.fromkeys(WATCHED, nothing),
        "byEvidence": dict.fromkeys(("proven", "claim", "external", "session", "skipped", "none", "unknown"), 0),
        "attempts": {"blocked": 0, "failed": 0, "interrupted": 0},
        "byWhy": dict.fromkeys(Why, 0),
        "byStrength": dict.fromkeys(Strength, 0),
        "byRule": dict.fromkeys(sorted(RULE), 0),
        "trend": [
            {
                "date": f"2026-11-0{d}",
                **none,
                "compliancePercent": None,
                "coveragePercent": 0.0,
                "partial": True,
                "settled": False,
                "beforeInstallation": False,
            }
            for d in (1, 2, 3)
        ],
        "topUsers": [],
        "topCustomers": [],
        "topApplications": [],
        "incidents": {
            **dict.fromkeys(
                ("open", "acknowledged", "snoozed", "silenced", "resolved", "stillHappening", "openAll"), 0
            ),
            "bySeverity": none_severe,
            "byState": dict.fromkeys(("open", "acknowledged", "snoozed", "silenced", "resolved"), none_severe),
            "stillHappeningBySeverity": none_severe,
        },
        "alerts": None,
        "exceptions": {
            **dict.fromkeys(("requested", "approved", "expired", "withdrawn", "acceptedSignIns", "acceptedUnknown"), 0),
            "nextExpiry": None,
        },
        "posture": dict.fromkeys(
            (
                *("accounts", "guests", "delegatedAdmins", "byRule", "securityDefaults"),
                *("refreshedAt", "ageSeconds", "problem"),
            )
        ),
    }


def test_every_number_is_of_the_scopes_but_by_scope_has_all() -> None:
    days = [
        day_of(START, seen(Verdict.COMPLIANT), seen(Verdict.NON_COMPLIANT), seen(Verdict.NOT_APPLICABLE)),
        day_of(
            START + 24 * HOUR,
            seen(Verdict.UNKNOWN, Scope.PARTNER_CENTER, customer=PARTNER),
            seen(Verdict.NON_COMPLIANT, Scope.PARTNER_TENANT, customer=PARTNER, rule="legacy-auth"),
            hours=12,
        ),
    ]
    headline = summary_of(*days)
    assert headline.delegated_sign_ins.model_dump() == {
        "total": 3,
        "compliant": 1,
        "non_compliant": 1,
        "unknown": 1,
        "compliance_percent": 50.0,
        "worst_case_percent": 33.33,
        "compliance_percent_after_exceptions": 50.0,
    }
    assert headline.by_evidence is not None
    assert {key: n for key, n in headline.by_evidence.items() if n} == {"none": 1, "proven": 1, "unknown": 1}
    assert headline.attempts is not None
    assert headline.attempts.model_dump() == {"blocked": 1, "failed": 0, "interrupted": 0}
    assert headline.by_why is not None
    assert {key: n for key, n in headline.by_why.items() if n} == {"no-session": 1}
    assert headline.by_strength is not None
    assert {key: n for key, n in headline.by_strength.items() if n} == {"app": 1}
    assert _some(headline.by_rule) == {"interactive-without-mfa": 1}
    assert [(d.date, d.compliant, d.non_compliant, d.unknown, d.coverage_percent) for d in headline.trend] == [
        (date(2026, 11, 1), 1, 1, 0, 100.0),
        (date(2026, 11, 2), 0, 0, 1, 50.0),
        (date(2026, 11, 3), 0, 0, 0, 0.0),
    ]
    assert [(d.compliance_percent, d.partial, d.settled) for d in headline.trend] == [
        (50.0, False, True),
        (None, True, False),
        (None, True, False),
    ]
    assert [(t.customer_id, t.customer_name) for t in headline.top_customers] == [
        (CUSTOMER, "Contoso")
    ]  # the partner is no customer

    own = summary_of(*days, scopes=("partner-tenant",))
    assert (own.delegated_sign_ins.total, own.delegated_sign_ins.compliance_percent) == (1, 0.0)
    assert _some(own.by_rule) == {"legacy-auth": 1}
    assert [d.non_compliant for d in own.trend] == [0, 1, 0]
    assert own.by_scope == headline.by_scope
    assert {scope: (n.total, n.compliance_percent) for scope, n in own.by_scope.items()} == {
        "customer": (2, 50.0),
        "partner-center": (1, None),
        "partner-tenant": (1, 0.0),
        "guest": (0, None),
    }


_SEEN = st.builds(
    seen,
    st.sampled_from(sorted(_OF_VERDICT)),
    st.sampled_from(WATCHED),
    user=st.sampled_from(("u1", "u2", "u3")),
    customer=st.sampled_from((CUSTOMER, PARTNER, "c3")),
    app=st.sampled_from(("a1", "a2")),
)


@given(st.lists(_SEEN, max_size=30), st.lists(_SEEN, max_size=30), st.sets(st.sampled_from(WATCHED), min_size=1))
def test_the_numbers_are_those_of_counting_one_by_one(one: list[Seen], two: list[Seen], scopes: set[Scope]) -> None:
    summary = summary_of(day_of(START, *one), day_of(START + 24 * HOUR, *two), scopes=tuple(sorted(scopes)))
    asked = [s.assessment for s in (*one, *two) if s.assessment.scope in scopes]
    good, bad, unknown, blocked = (
        sum(a.verdict is v for a in asked)
        for v in (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE)
    )
    shown = summary.delegated_sign_ins
    assert (shown.total, shown.compliant, shown.non_compliant, shown.unknown) == (
        good + bad + unknown,
        good,
        bad,
        unknown,
    )
    assert (shown.compliance_percent is None) == (good + bad == 0)
    assert (shown.compliance_percent == 100) == (good > 0 == bad)
    assert (shown.worst_case_percent == 100) == (good > 0 == bad + unknown)
    assert sum(summary.by_scope[s].total for s in scopes) == shown.total
    assert sum((summary.by_evidence or {}).values()) == shown.total
    assert sum((summary.by_why or {}).values()) == unknown
    assert sum((summary.by_strength or {}).values()) == good
    assert sum((summary.by_rule or {}).values()) == bad
    assert summary.attempts is not None
    assert summary.attempts.blocked == blocked
    for total, of_day in ((good, "compliant"), (bad, "non_compliant"), (unknown, "unknown")):
        assert sum(getattr(day, of_day) for day in summary.trend) == total
    for top in (summary.top_users, summary.top_applications):
        assert sum(line.compliant + line.non_compliant + line.unknown for line in top) == shown.total
        order = [(-line.non_compliant, -line.unknown) for line in top]
        assert order == sorted(order)


def test_the_worst_ten_are_shown() -> None:
    every = [seen(Verdict.NON_COMPLIANT, user=f"{n:032x}", name=f"u{n}@x") for n in range(1, 12) for _ in range(n)]
    every += [seen(Verdict.UNKNOWN, user="f" * 32), seen(Verdict.UNKNOWN, user="f" * 32)]
    top = summary_of(day_of(START, *every)).top_users
    assert [(line.user_principal_name, line.non_compliant, line.at_least) for line in top] == [
        (f"u{n}@x", n, False) for n in range(11, 1, -1)
    ]
    assert top[0].user_id == "00000000-0000-0000-0000-00000000000b"


def test_a_top_line_says_where_its_numbers_may_be_too_low() -> None:
    day = day_of(START, seen(Verdict.NON_COMPLIANT))
    day.tops.left_out["users"] = 3
    shown = summary_of(day)
    assert [line.at_least for line in (*shown.top_users, *shown.top_customers)] == [True, False]


def test_unknown_ones_come_before_compliant_ones() -> None:
    every = [seen(Verdict.COMPLIANT, user="a", name="good") for _ in range(5)]
    every += [seen(Verdict.UNKNOWN, user="b", name="unknown"), seen(Verdict.NON_COMPLIANT, user="c", name="bad")]
    assert [line.user_principal_name for line in summary_of(day_of(START, *every)).top_users] == [
        "bad",
        "unknown",
        "good",
    ]


# --- what an older version of the app did not record ------------------------------------------------------------------

_OF_V1: dict[str, Any] = {
    "scopes": {
        "customer": {
            "verdicts": {"compliant": 3, "non-compliant": 1, "unknown": 2, "not-applicable": 4},
            "evidence": {"proven": 3, "none": 1, "unknown": 2, "not-applicable": 4},
            "rules": {"legacy-auth": 1},
            "users": {"u": [3, 1, 2]},
            "customers": {"c": [3, 1, 2]},
            "apps": {"a": [3, 1, 2]},
        }
    },
    "apart": {"app": 7},
    "lacking": {"customer|u|c|a|legacy-auth": 1},
    "reached": {"customers": ["c"], "users": {"u": [0]}},
    "names": {"u": "name"},
}


def test_what_version_1_did_not_record_is_null_and_never_0() -> None:
    counts = Counts.of_json(_OF_V1)
    old = Day(START, totals_of(counts), [], tops_of(counts), format=1)
    shown = summary_of(old)
    assert shown.delegated_sign_ins.total == 6
    assert shown.by_evidence is not None
    assert sum(shown.by_evidence.values()) == 6
    assert (shown.by_why, shown.by_strength, shown.attempts) == (None, None, None)
    assert _some(shown.by_rule) == {"legacy-auth": 1}
    assert [(line.user_principal_name, line.non_compliant) for line in shown.top_users] == [("name", 1)]
    mixed = summary_of(old, day_of(START + 24 * HOUR, seen(Verdict.UNKNOWN), seen(Verdict.COMPLIANT)))
    assert mixed.attempts is None
    assert mixed.by_why is not None
    assert {key: n for key, n in mixed.by_why.items() if n} == {"no-session": 1, "not-recorded": 2}
    assert mixed.by_strength is not None
    assert {key: n for key, n in mixed.by_strength.items() if n} == {"app": 1, "not-recorded": 3}


# --- of one customer, person or application ---------------------------------------------------------------------------


def _filtered(figures: Any, scopes: tuple[str, ...] = HEADLINE) -> Summary:
    asked = SummaryOf(START, NOW, NOW, scopes, PARTNER)
    return summarise(asked, figures, measure((PARTNER,), [], Window(START, NOW, NOW, HOUR)), Beside())


def test_one_customers_summary_has_all_but_other_customers() -> None:
    counts = counts_of(
        seen(Verdict.COMPLIANT, customer="c1", user="u1"),
        seen(Verdict.NON_COMPLIANT, customer="c1", user="u2"),
        seen(Verdict.UNKNOWN, Scope.GUEST, customer="c1", user="u2"),
        seen(Verdict.NON_COMPLIANT, customer="c2", user="u1"),
    )
    days = [CustomerDay(START, {scope: lines["c1"] for scope, lines in counts.customers.items()})]
    shown = _filtered(
        figures_of_customer(days, [DayLines(START, convert(pairs_json(counts.pairs), PairColumns))], "c1")
    )
    assert (shown.delegated_sign_ins.compliant, shown.delegated_sign_ins.non_compliant) == (1, 1)
    assert shown.by_scope["guest"].unknown == 1
    assert _some(shown.by_rule) == {"interactive-without-mfa": 1}
    assert [(line.user_id, line.non_compliant) for line in shown.top_users] == [("u2", 1), ("u1", 0)]


def test_one_persons_and_one_applications_summary_say_verdicts_and_leave_the_rest_open() -> None:
    counts = counts_of(
        seen(Verdict.COMPLIANT, user="u1", app="a1"),
        seen(Verdict.NON_COMPLIANT, user="u1", app="a2"),
        seen(Verdict.NON_COMPLIANT, user="u2", app="a2"),
    )
    person = _filtered(figures_of_user([DayLines(START, counts.users)], "u1"))
    assert (person.delegated_sign_ins.compliant, person.delegated_sign_ins.non_compliant) == (1, 1)
    assert (person.by_evidence, person.by_rule, person.by_why, person.attempts) == (None, None, None, None)
    assert (person.by_strength or {})["app"] == 1
    app = _filtered(figures_of_app([DayLines(START, counts.apps)], "a2"))
    assert (app.delegated_sign_ins.total, app.delegated_sign_ins.non_compliant) == (2, 2)
    assert (app.by_evidence, app.by_strength) == (None, None)


# --- exceptions and incidents -----------------------------------------------------------------------------------------


def test_exceptions_change_the_second_percentage_alone() -> None:
    asked: list[FindingGroup] = []

    def accepts(day: datetime, group: FindingGroup) -> bool:
        assert day == START
        asked.append(group)
        return group.rules == ("mfa-skipped",)

    every = [seen(Verdict.COMPLIANT), seen(Verdict.NON_COMPLIANT), seen(Verdict.NON_COMPLIANT, rule="mfa-skipped")]
    every += [seen(Verdict.NON_COMPLIANT, Scope.PARTNER_TENANT, rule="mfa-skipped"), seen(Verdict.UNKNOWN)]
    groups = [DayLines(START, counts_of(*every).groups)]
    accepted = accepted_sign_ins(groups, HEADLINE, accepts)
    numbers = summary_of(day_of(START, *every), accepted=accepted).delegated_sign_ins
    assert (numbers.compliance_percent, numbers.compliance_percent_after_exceptions) == (33.33, 50.0)
    assert (numbers.non_compliant, numbers.total) == (2, 4)
    assert accepted_sign_ins(groups, HEADLINE, lambda *_: True, verdict=Verdict.UNKNOWN) == 1
    assert {a.scope for a in asked} == {"customer"}
    assert asked[0][:4] == ("customer", id_key(TECHNICIAN), id_key(CUSTOMER), "app")


def test_an_exception_accepts_by_ids_and_not_by_how_text_is_joined() -> None:
    """In version 1 a group was one text with bars between ids: an id with a bar in it was left out."""
    hostile = seen(Verdict.NON_COMPLIANT, user="x|y", app="z|mfa-skipped")
    groups = Counts.of_json(json.loads(json.dumps(counts_of(hostile).to_json()))).groups
    assert [(g.user, g.app, n) for g, n in groups.items()] == [("x|y", "z|mfa-skipped", 1)]
    assert accepted_sign_ins([DayLines(START, groups)], HEADLINE, lambda _, group: group.user == "x|y") == 1
    assert accepted_sign_ins([DayLines(START, groups)], HEADLINE, lambda _, group: group.user == "x") == 0


def test_open_incidents_are_counted_by_severity() -> None:
    incidents = summary_of(incidents={Severity.CRITICAL: 2, Severity.LOW: 5}).incidents
    assert incidents.open == 7
    assert incidents.by_severity.model_dump() == {"critical": 2, "high": 0, "medium": 0, "low": 5}


def test_a_day_of_which_no_slice_has_closed_has_no_coverage() -> None:
    now = START + timedelta(minutes=30)
    asked = SummaryOf(START, now, now, HEADLINE, PARTNER)
    shown = summarise(asked, figures_of_days([]), measure((PARTNER,), [], Window(START, now, now, HOUR)), Beside())
    assert [day.coverage_percent for day in shown.trend] == [None]
    assert shown.coverage.percent is None


def test_the_versions_of_the_rules_are_told_oldest_first() -> None:
    asked = SummaryOf(START, NOW, NOW, HEADLINE, PARTNER)
    measured = measure((PARTNER,), [], Window(START, NOW, NOW, HOUR))
    shown = summarise(asked, figures_of_days([]), measured, replace(Beside(), rules_versions=("10", "2")))
    assert shown.rules_versions == ["2", "10"]
