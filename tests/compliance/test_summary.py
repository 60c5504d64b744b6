"""The summary of a partner's days: its members, its scopes and its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.basics.spelling import id_key
from shared.compliance.coverage import measure
from shared.compliance.summary import Asked, Summary, summarise
from shared.ledger.counts import REST, Counts, Seen
from shared.ledger.days import Day, Reach
from shared.ledger.lacking import Lacking
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Severity
from shared.signin.evidence import Evidence
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


def _seen(
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
    assessment = Assessment(Identity.USER, scope, Outcome.SUCCESS, _OF_VERDICT[verdict], verdict, fits)
    return Seen(assessment, id_key(user), name, id_key(customer), app, "")


def _day(day: datetime, *seen: Seen, hours: int = 24) -> Day:
    counts = Counts()
    for one in seen:
        counts.add(one)
    partner = id_key(PARTNER)
    reach = [Reach(partner, day + h * HOUR, day + (h + 1) * HOUR, True, None, False, "") for h in range(hours)]
    return Day(day, counts, reach, 0)


def _summary(
    *days: Day,
    scopes: tuple[str, ...] = HEADLINE,
    incidents: Mapping[int, int] | None = None,
    **more: Any,
) -> Summary:
    measured = measure((PARTNER,), days, START, NOW, HOUR)
    asked = Asked(START, NOW, scopes, PARTNER)
    return summarise(asked, days, measured, incidents or {}, customers={id_key(CUSTOMER): "Contoso"}, **more)


def test_every_member_is_there_even_when_nothing_is_known() -> None:
    shown = json.loads(_summary().model_dump_json(by_alias=True))
    nothing = {"total": 0, "compliant": 0, "nonCompliant": 0, "unknown": 0, "compliancePercent": None}
    none = {"compliant": 0, "nonCompliant": 0, "unknown": 0}
    assert shown == {
        "generatedAt": "2026-11-03T06:00:00Z",
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T06:00:00Z"},
        "partnerTenantId": PARTNER,
        "scopes": ["customer", "partner-center"],
        "coverage": {
            "expectedSlices": 54,
            "completeSlices": 0,
            "percent": 0.0,
            "oldestGap": "2026-11-01T00:00:00Z",
            "lagSeconds": None,
        },
        "delegatedSignIns": {**nothing, "compliancePercentAfterExceptions": None},
        "byScope": {"customer": nothing, "partner-center": nothing, "partner-tenant": nothing, "guest": nothing},
        "byEvidence": {},
        "byRule": {},
        "trend": [{"date": f"2026-11-0{d}", **none, "coveragePercent": 0.0} for d in (1, 2, 3)],
        "topUsers": [],
        "topCustomers": [],
        "topApplications": [],
        "incidents": {"open": 0, "bySeverity": {"critical": 0, "high": 0, "medium": 0, "low": 0}},
        "exceptions": {"acceptedSignIns": 0},
        "posture": {},
    }


def test_every_number_is_of_the_scopes_but_by_scope_has_all() -> None:
    days = [
        _day(START, _seen(Verdict.COMPLIANT), _seen(Verdict.NON_COMPLIANT), _seen(Verdict.NOT_APPLICABLE)),
        _day(
            START + 24 * HOUR,
            _seen(Verdict.UNKNOWN, Scope.PARTNER_CENTER, customer=PARTNER),
            _seen(Verdict.NON_COMPLIANT, Scope.PARTNER_TENANT, customer=PARTNER, rule="legacy-auth"),
            hours=12,
        ),
    ]
    headline = _summary(*days)
    assert headline.delegated_sign_ins.model_dump() == {
        "total": 3,
        "compliant": 1,
        "non_compliant": 1,
        "unknown": 1,
        "compliance_percent": 50.0,
        "compliance_percent_after_exceptions": 50.0,
    }
    assert headline.by_evidence == {"none": 1, "not-applicable": 1, "proven": 1, "unknown": 1}
    assert headline.by_rule == {"interactive-without-mfa": 1}
    assert [(d.date, d.compliant, d.non_compliant, d.unknown, d.coverage_percent) for d in headline.trend] == [
        (date(2026, 11, 1), 1, 1, 0, 100.0),
        (date(2026, 11, 2), 0, 0, 1, 50.0),
        (date(2026, 11, 3), 0, 0, 0, 0.0),
    ]
    assert [(t.id, t.name) for t in headline.top_customers] == [(CUSTOMER, "Contoso")]  # the partner is no customer

    own = _summary(*days, scopes=("partner-tenant",))
    assert (own.delegated_sign_ins.total, own.delegated_sign_ins.compliance_percent) == (1, 0.0)
    assert (own.by_rule, own.by_evidence) == ({"legacy-auth": 1}, {"none": 1})
    assert [d.non_compliant for d in own.trend] == [0, 1, 0]
    assert own.by_scope == headline.by_scope
    assert {scope: (n.total, n.compliance_percent) for scope, n in own.by_scope.items()} == {
        "customer": (2, 50.0),
        "partner-center": (1, None),
        "partner-tenant": (1, 0.0),
        "guest": (0, None),
    }


_SEEN = st.builds(
    _seen,
    st.sampled_from(sorted(_OF_VERDICT)),
    st.sampled_from(WATCHED),
    user=st.sampled_from(("u1", "u2", "u3")),
    customer=st.sampled_from((CUSTOMER, PARTNER, "c3")),
    app=st.sampled_from(("a1", "a2")),
)


@given(st.lists(_SEEN, max_size=30), st.lists(_SEEN, max_size=30), st.sets(st.sampled_from(WATCHED), min_size=1))
def test_the_numbers_are_those_of_counting_one_by_one(one: list[Seen], two: list[Seen], scopes: set[Scope]) -> None:
    summary = _summary(_day(START, *one), _day(START + 24 * HOUR, *two), scopes=tuple(sorted(scopes)))
    asked = [s.assessment for s in (*one, *two) if s.assessment.scope in scopes]
    good, bad, unknown = (
        sum(a.verdict is v for a in asked) for v in (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
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
    assert sum(summary.by_scope[s].total for s in scopes) == shown.total
    assert sum(summary.by_evidence.values()) == len(asked)
    assert sum(summary.by_rule.values()) == bad
    for total, of_day in ((good, "compliant"), (bad, "non_compliant"), (unknown, "unknown")):
        assert sum(getattr(day, of_day) for day in summary.trend) == total
    for top in (summary.top_users, summary.top_applications):
        assert sum(line.compliant + line.non_compliant + line.unknown for line in top) == shown.total
        order = [(-line.non_compliant, -line.unknown) for line in top]
        assert order == sorted(order)


def test_the_worst_ten_are_shown_and_the_rest_line_is_not_one() -> None:
    seen = [_seen(Verdict.NON_COMPLIANT, user=f"{n:032x}", name=f"u{n}@x") for n in range(1, 12) for _ in range(n)]
    seen += [_seen(Verdict.UNKNOWN, user="f" * 32), _seen(Verdict.UNKNOWN, user="f" * 32)]
    seen += [_seen(Verdict.NON_COMPLIANT, user=REST) for _ in range(50)]
    top = _summary(_day(START, *seen)).top_users
    assert [(line.name, line.non_compliant) for line in top] == [(f"u{n}@x", n) for n in range(11, 1, -1)]
    assert top[0].id == "00000000-0000-0000-0000-00000000000b"


def test_unknown_ones_come_before_compliant_ones() -> None:
    seen = [_seen(Verdict.COMPLIANT, user="a", name="good") for _ in range(5)]
    seen += [_seen(Verdict.UNKNOWN, user="b", name="unknown"), _seen(Verdict.NON_COMPLIANT, user="c", name="bad")]
    assert [line.name for line in _summary(_day(START, *seen)).top_users] == ["bad", "unknown", "good"]


def test_exceptions_change_the_second_percentage_alone() -> None:
    asked: list[Lacking] = []

    def accepts(lacking: Lacking) -> bool:
        asked.append(lacking)
        return lacking.rules == {"mfa-skipped"}

    seen = [_seen(Verdict.COMPLIANT), _seen(Verdict.NON_COMPLIANT), _seen(Verdict.NON_COMPLIANT, rule="mfa-skipped")]
    seen += [_seen(Verdict.NON_COMPLIANT, Scope.PARTNER_TENANT, rule="mfa-skipped")]
    numbers = _summary(_day(START, *seen), accepts=accepts).delegated_sign_ins
    assert (numbers.compliance_percent, numbers.compliance_percent_after_exceptions) == (33.33, 50.0)
    assert (numbers.non_compliant, numbers.total) == (2, 3)
    assert {a.scope for a in asked} == {"customer"}
    assert asked[0][:5] == (START, "customer", id_key(TECHNICIAN), id_key(CUSTOMER), "app")


def test_hostile_text_is_never_taken_for_an_accepted_exception() -> None:
    hostile = _seen(Verdict.NON_COMPLIANT, user="x|y", app="z|mfa-skipped")
    numbers = _summary(_day(START, _seen(Verdict.COMPLIANT), hostile), accepts=lambda _: True).delegated_sign_ins
    assert numbers.compliance_percent_after_exceptions == numbers.compliance_percent == 50.0


def test_open_incidents_are_counted_by_severity() -> None:
    incidents = _summary(incidents={Severity.CRITICAL: 2, Severity.LOW: 5}).incidents
    assert incidents.open == 7
    assert list(incidents.by_severity.items()) == [("critical", 2), ("high", 0), ("medium", 0), ("low", 5)]


def test_a_day_of_which_no_slice_has_closed_has_no_coverage() -> None:
    now = START + timedelta(minutes=30)
    asked = Asked(START, now, HEADLINE, PARTNER)
    shown = summarise(asked, [], measure((PARTNER,), [], START, now, HOUR), {}, customers={})
    assert [day.coverage_percent for day in shown.trend] == [None]
    assert shown.coverage.percent is None
