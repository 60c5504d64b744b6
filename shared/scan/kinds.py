"""Records judged kind by kind: a log repeats the same few ways of signing in all day, and the same people. Pure.

Of most records it is enough to look whether one that is alike was judged before; only what a record without evidence is
asked besides, and what a finding tells of it, is looked at record by record.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final, NamedTuple

from shared.incidents.findings import customer_of, name_of, person_of
from shared.ledger.counts import Protocol
from shared.rules.assess import Assessment, assess
from shared.rules.cause import Cause
from shared.rules.rule import Policy
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.protocol import way_of
from shared.signin.sessions import Session
from shared.signin.traits import is_interactive, is_on_roster

_LONGEST_KEY: Final = 1024  # as a finding has them; only a broken record has more
_LONGEST_NAME: Final = 200
_MOST_KINDS: Final = 20_000
_MOST_PEOPLE: Final = 20_000
# All that the verdict of a record with a user and with evidence hangs on, but the directory and the time.
_ALIKE: Final = attrgetter(
    *("sign_in_event_types", "category", "is_interactive", "cross_tenant_access_type", "resource_tenant_id"),
    *("home_tenant_id", "app_id", "app_display_name", "resource_id", "token_issuer_type", "status", "result_type"),
    *("authentication_protocol", "user_agent", "client_app_used", "original_transfer_method"),
    *("authentication_requirement", "authentication_details", "authentication_processing_details", "agent"),
)
_PERSON: Final = attrgetter("user_id", "user_principal_name", "user_display_name")


class Who(NamedTuple):
    """A person's key, and the name, which is hostile text."""

    user: str
    name: str


class What(NamedTuple):
    """What alike sign-ins share: how they are judged, where they lead, by which protocol, why they were possible."""

    assessment: Assessment
    customer: str
    app: str
    app_name: str
    protocol: str
    cause: Cause | None = None


class Numbered(NamedTuple):
    """What a record is, and its number."""

    number: int
    what: What


class Kinds:
    """Judges records, each kind of them once, and numbers the people and the kinds that it meets."""

    __slots__ = ("_alike", "_directory", "_nobody_on_roster", "_persons", "_policy", "_what_numbers", "_who_numbers")

    def __init__(self, directory: Directory, policy: Policy) -> None:
        self._directory = directory
        self._policy = policy
        self._nobody_on_roster = "" in directory.admins
        self._who_numbers: dict[Who, int] = {}
        self._what_numbers: dict[What, int] = {}
        self._persons: dict[Any, int] = {}
        self._alike: dict[Any, Numbered] = {}

    @property
    def people(self) -> list[Who]:
        """Everybody by number."""
        return [*self._who_numbers]

    @property
    def kinds(self) -> list[What]:
        """Every kind by number."""
        return [*self._what_numbers]

    def who(self, sign_in: SignIn) -> int:
        """Whose sign-in a record is."""
        if sign_in.masked_key or self._nobody_on_roster or not sign_in.user_id_key:
            return self._number_of(sign_in)  # which of two ids it is may hang on the time
        person = _PERSON(sign_in)
        number = self._persons.get(person)
        if number is None:
            if len(self._persons) >= _MOST_PEOPLE:
                self._persons.clear()
            number = self._persons[person] = self._number_of(sign_in)
        return number

    def _number_of(self, sign_in: SignIn) -> int:
        name = name_of(sign_in, self._directory) or sign_in.user_display_name or ""
        who = Who(person_of(sign_in, self._directory)[:_LONGEST_KEY], name[:_LONGEST_NAME])
        return self._who_numbers.setdefault(who, len(self._who_numbers))

    def what(self, sign_in: SignIn, session: Session = Session.UNSEEN) -> Numbered:
        """What a record is, where its session proved that."""
        if session is not Session.UNSEEN or not sign_in.user_id_key:
            return self._judged(sign_in, session)
        directory = self._directory
        known_customer = directory.is_customer(sign_in.tenant_key, sign_in.at)
        kind = is_on_roster(sign_in, directory), known_customer, _ALIKE(sign_in)
        try:
            known = self._alike.get(kind)
        except TypeError:  # a value of authenticationProcessingDetails may be anything
            return self._judged(sign_in, session)
        if known is None:
            known = self._judged(sign_in, session)
            if known.what.assessment.is_of_its_kind:
                if len(self._alike) >= _MOST_KINDS:
                    self._alike.clear()
                self._alike[kind] = known
        return known

    def _judged(self, sign_in: SignIn, session: Session) -> Numbered:
        assessment = assess(sign_in, self._directory, self._policy, session)
        customer = customer_of(sign_in, assessment.scope, self._directory)[:_LONGEST_KEY]
        app_name = (sign_in.app_display_name or "")[:_LONGEST_NAME]
        what = What(assessment, customer, sign_in.app_key[:_LONGEST_KEY], app_name, _protocol_of(sign_in))
        return Numbered(self._numbered(what), what)

    def caused(self, what: What, cause: Cause | None) -> int:
        """The number of the same with why it was possible."""
        return self._numbered(what._replace(cause=cause))

    def _numbered(self, what: What) -> int:
        return self._what_numbers.setdefault(what, len(self._what_numbers))


def _protocol_of(sign_in: SignIn) -> Protocol:
    way = way_of(sign_in)
    if way.password_flow:
        return Protocol.ROPC
    if way.legacy:
        return Protocol.LEGACY
    if way.device_code:
        return Protocol.DEVICE_CODE
    return Protocol.INTERACTIVE if is_interactive(sign_in) else Protocol.SILENT
