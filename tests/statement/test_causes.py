"""Why a month's sign-ins without MFA were possible: kinds that add up, and no name of a policy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.ledger.days import DayGroups, DayLines
from shared.ledger.finding_groups import FindingGroup
from shared.rules.cause import Cause, CauseKind
from shared.statement.causes import statement_causes
from shared.statement.sealing import of_customer
from shared.statement.texts import CAUSES

DAY = datetime(2026, 9, 2, tzinfo=UTC)
WRITTEN = "Policy of Jane <jane@partner.example>"


def group(user: str, cause: Cause | None, scope: str = "customer", verdict: str = "non-compliant") -> FindingGroup:
    return FindingGroup(scope, user, "c", "a", ("legacy-auth",), verdict, None, cause)


def day(*groups: tuple[FindingGroup, int]) -> DayGroups:
    return DayLines(DAY, dict(groups))


def test_the_kinds_add_up_and_name_nobody() -> None:
    first, second = Cause("excluded", "p", WRITTEN, "groupId"), Cause("excluded", "q", WRITTEN, "roleId")
    told = statement_causes(
        [
            day((group("u", first), 5), (group("v", first), 2), (group("u", second), 1)),
            day((group("u", Cause("remembered")), 3), (group("u", None), 1), (group("w", first, "guest"), 9)),
            day((group("w", first, verdict="unknown"), 9), (group("w", Cause("kind of tomorrow", "x", WRITTEN)), 1)),
        ],
        of_all=20,
    )
    assert [(c.kind, c.sign_ins, c.gaps, c.people) for c in told] == [
        ("not-recorded", 9, None, None),  # one without a cause, one of a kind to come, seven in no line
        ("excluded", 8, 2, 2),
        ("remembered", 3, 1, 1),
    ]
    assert "Jane" not in " ".join(c.model_dump_json() for c in told)


def test_people_who_were_not_kept_one_by_one_are_not_counted() -> None:
    (only,) = statement_causes([day((group("u", Cause("remembered")), 1), (group("", Cause("remembered")), 4))], 5)
    assert (only.sign_ins, only.people) == (5, None)


def test_each_kind_is_explained() -> None:
    assert {str(kind) for kind in CauseKind} < {str(kind) for kind in CAUSES}


def test_an_old_statement_of_one_customer_keeps_its_bytes() -> None:
    old: dict[str, Any] = {"incidents": [], "exceptions": [], "figures": {}}
    customer: dict[str, Any] = {"customerId": "c", "customerName": None, "figures": {}, "byScope": {}}
    assert "causes" not in of_customer(old, customer)
    assert of_customer({**old, "causes": [{"kind": "excluded"}]}, customer)["causes"] is None
