"""A log of any length that takes no memory: each record is drawn when a page asks for it, always the same.

It stands behind the local Graph in the place of a tenant's log. A record is a template, rendered beforehand, with its
own id, time, person and session put in; so that serving costs little, and a log of millions needs no room.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from local.graph_server.odata import Query, ticks
from local.graph_server.signin_log import Place, TenantLog, Version
from local.sample import Sample, iso, make_sample
from shared.ledger.slices import DAY, midnight
from shared.rules.assess import assess
from shared.signin.decoding import decode_page
from shared.signin.directory import Customer, Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.traits import Scope

_TICKS: Final = 10_000_000  # a second has, as the local Graph counts time
WITHOUT_MFA: Final[dict[str, Any]] = {
    "authenticationRequirement": "singleFactorAuthentication",
    "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": True}],
    "authenticationProcessingDetails": [],
    "authenticationMethodsUsed": [],
    "appliedConditionalAccessPolicies": [],
    "mfaDetail": None,
    "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
}
_MEMBERS: Final = {"id": "id", "createdDateTime": "at", "userId": "user", "userPrincipalName": "name"}


@dataclass(frozen=True, slots=True)
class Draw:
    """What is drawn: so many records within a day or a part of it, by so many people, one in `weak_each` without MFA.
    Of one person in `session_each` (0: of nobody) every second record says nothing itself and asks its session."""

    start: datetime
    records: int
    people: int
    weak_each: int
    session_each: int = 0
    within: timedelta = DAY


class DrawnLog(TenantLog):
    """The log of a draw, newest first or oldest first as Graph gives it. Nothing can be added or corrected."""

    def __init__(self, draw: Draw, sample: Sample) -> None:
        super().__init__()
        self._draw = draw
        self._first = ticks(iso(draw.start))
        self._span = int(draw.within.total_seconds() * _TICKS)
        strong, weak = _bases(sample)
        self._strong = [_template(record) for record in strong]
        self._weak = [_template(record) for record in weak]
        asks = {"authenticationRequirement": "singleFactorAuthentication", "authenticationDetails": []}
        silent = {"signInEventTypes": ["nonInteractiveUser"], "isInteractive": False}
        self._rooting = _template({**strong[0], "sessionId": "%(session)s"})
        self._asking = _template({**strong[0], **asks, **silent, "sessionId": "%(session)s"})

    def page(self, query: Query, after: Place | None, size: int, now: datetime) -> tuple[list[Version], Place | None]:
        """As the log that is kept does; what is asked for is of one kind of time, and all of it is served at once."""
        low, high = self._number_at(query.first), self._number_at(query.last + 1)
        if after is not None:
            place = uuid.UUID(after[1]).int - 1
            low, high = (place + 1, high) if query.ascending else (low, place)
        numbers = range(low, high) if query.ascending else range(high - 1, low - 1, -1)
        shown = numbers[:size]
        last = (self._ticks(shown[-1]), _id(shown[-1])) if len(shown) < len(numbers) else None
        return [Version(now, self._record(n), newer=False) for n in shown], last

    def _number_at(self, ticks: int) -> int:
        """The first record at or behind a time."""
        return min(self._draw.records, max(0, -(-(ticks - self._first) * self._draw.records // self._span)))

    def _ticks(self, number: int) -> int:
        return self._first + number * self._span // self._draw.records

    def _record(self, number: int) -> bytes:
        draw = self._draw
        person, turn = number // 2 % draw.people, number // 2 // draw.people
        if number % draw.weak_each == draw.weak_each - 1:
            template = self._weak[number // draw.weak_each % len(self._weak)]
        elif draw.session_each and person % draw.session_each == 0:
            template = self._asking if number % 2 else self._rooting
        else:
            template = self._strong[number % len(self._strong)]
        seconds, rest = divmod(self._ticks(number) - self._first, _TICKS)
        at = draw.start + timedelta(seconds=seconds)
        return template % {
            b"id": _id(number).encode(),
            b"at": f"{at:%Y-%m-%dT%H:%M:%S}.{rest:07d}Z".encode(),
            b"user": str(uuid.UUID(int=2**64 + person)).encode(),
            b"name": b"person%d@partner.example" % person,
            b"session": str(uuid.UUID(int=2**65 + person * 1_000 + turn)).encode(),
        }


def drawn_sample(start: datetime) -> Sample:
    """The sample that a draw takes its people, customers and records from."""
    return make_sample(7, 7, midnight(start))


def _bases(sample: Sample) -> tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]]]:
    """Records at customers that say themselves that MFA was done, and the same without."""
    tenant = sample.people.partner_tenant_id
    plain = {"sessionId": None}
    strong = [
        {**entry.final, **plain}
        for entry in sample.log
        if entry.tenant_id == tenant
        and entry.scope == Scope.CUSTOMER
        and entry.verdict == "compliant"
        and entry.is_unicode
        and _says_mfa(entry.final)
    ]
    customers = [Customer(tenant_id=customer.tenant_id) for customer in sample.people.customers]
    directory = Directory.of(DirectoryFile(partner_tenant_id=tenant, customers=customers))
    weak = [{**record, **WITHOUT_MFA} for record in strong if record["isInteractive"]]
    return strong, [record for record in weak if _is_violation(record, directory)]


def _is_violation(record: dict[str, Any], directory: Directory) -> bool:
    page = decode_page(json.dumps({"value": [record]}).encode())
    return any(isinstance(r, SignIn) and assess(r, directory).verdict == "non-compliant" for r in page.records)


def _says_mfa(record: dict[str, Any]) -> bool:
    return record["authenticationRequirement"] == "multiFactorAuthentication" and bool(record["authenticationDetails"])


def _template(record: dict[str, Any]) -> bytes:
    """The record as JSON with places for what is its own."""
    places = {member: f"%({name})s" for member, name in _MEMBERS.items()}
    text = json.dumps({**record, **places}, separators=(",", ":")).replace("%", "%%")
    for name in (*_MEMBERS.values(), "session"):
        text = text.replace(f"%%({name})s", f"%({name})s")
    return text.encode()


def _id(number: int) -> str:
    return str(uuid.UUID(int=number + 1))
