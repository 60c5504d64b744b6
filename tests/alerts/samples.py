"""One message of each kind, with the text of hostile people in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared.incidents.model import Event, EventKind, Facts, Incident, Telling, Who
from shared.messages.compose import Surroundings, made_up_message, many, one
from shared.messages.message import (
    MOST_EXCEPTIONS,
    Compliance,
    Coverage,
    Digest,
    DigestMessage,
    ExceptionFacts,
    ExceptionMessage,
    ExpiringException,
    IncidentNumbers,
    Message,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
AROUND = Surroundings("https://monitor.example", {"c" * 32: "<!everyone> [Contoso](https://evil.example/login)"})
# Links, mentions, mark-up, functions of cards, text that turns round, and far too much of it.
HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> @here @channel [click](https://evil.example) **b** _i_ `c` ~s~ "
    "<at>Everyone</at> {{DATE(2026-01-01T00:00:00Z)}} ${x} @{body} &amp; \u202egnp.exe\u202c\r\n# head\x00\x1b[31m "
)


def telling(
    kind: str = "opened",
    *,
    severity: int = 4,
    name: str = HOSTILE,
    count: int = 3,
    key: str = "0123456789abcdef0123456789abcdef",
    rules: frozenset[str] = frozenset({"legacy-auth", "interactive-without-mfa"}),
) -> Telling:
    """Something to tell of an incident of somebody with that name."""
    facts = Facts(count, NOON, NOON.replace(hour=13), rules, severity, severity)
    incident = Incident(key, Who("a" * 32, name, "c" * 32, "b" * 32, name), facts)
    return Telling(Event(f"{key}-{kind}", EventKind(kind), key, severity), incident, NOON, first_scan=False)


def messages(name: str = HOSTILE, customer: str | None = None) -> dict[str, Message]:
    """One of each type, about a user and an application of that name."""
    around = AROUND if customer is None else replace(AROUND, tenant_names={"c" * 32: customer})
    crowd = [telling(name=f"{i} {name}", key=f"{i:032x}", severity=1 + i % 4) for i in range(150)]
    made: list[Message] = [
        *(one(telling(kind, name=name), f"msg_{kind}", around) for kind in ("opened", "raised", "ongoing")),
        one(telling("withdrawn", name=name, count=0), "msg_withdrawn", around),
        many(crowd, "incidents.storm", "msg_storm", around),
        many(crowd, "incidents.first-scan", "msg_first", around),
        many(crowd, "incidents.withdrawn", "msg_gone", around),
        *(_digest(weekly=weekly, name=name) for weekly in (False, True)),
        ExceptionMessage(
            type="exception.expiring",
            idempotency_key="msg_exception",
            timestamp=NOON,
            severity="medium",
            data=ExceptionFacts(
                id="e1",
                url=None,
                title=name[:100],
                owner=name[:100],
                ticket=name[:50],
                expires=NOON,
                what_to_do="Renew it, or let it end.",
            ),
        ),
    ]
    return {message.type: message for message in made} | {"test": made_up_message("msg_test", NOON, AROUND)}


def _digest(*, weekly: bool, name: str) -> DigestMessage:
    return DigestMessage(
        type="digest.weekly" if weekly else "digest.daily",
        idempotency_key="msg_digest",
        timestamp=NOON,
        severity="medium",
        data=Digest(
            period_from=NOON,
            period_to=NOON,
            compliance=Compliance(compliant=9, non_compliant=1, unknown=2, percent=90.0, change=-2.5),
            coverage=Coverage(expected_slices=96, complete_slices=90, percent=93.75),
            incidents=IncidentNumbers(new=1, open=2, acknowledged=4, resolved=3),
            exceptions=[ExpiringException(id=f"e{i}", title=name[:200], expires=NOON) for i in range(MOST_EXCEPTIONS)],
            exceptions_total=40,
            to_do=["Do this.", "Do that."],
        ),
    )
