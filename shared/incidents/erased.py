"""People who were erased, as a read of the log knows them until the log has forgotten them. Pure.

Their records are still in Entra's log for a while, and slices are read again. So that such a read judges as before and
writes nobody's name, each erased person has a pseudonym, and a keyed hash of the object id and user names says which
one a record gets. With the key and the hashes, which are removed when the log holds no record any more, nobody can tell
whose pseudonym it was. An incident alone keeps its id, because channels were told it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from shared.basics.spelling import domain_of, id_key, is_key, key_part, masked_user_id
from shared.incidents.findings import TRACE_FIELDS, Finding
from shared.signin.careful import Quarantined
from shared.signin.model import SignIn

# Pseudonyms are ids of their own kind, so that whatever takes an object id takes them; all begin so.
PSEUDONYM: Final = "e2a5ed00"
_IDS: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAMES: Final = re.compile(r"[^\s\"'<>(),;:\\]+@[\w.-]+")


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erased person: the pseudonym (an id key), the keyed hashes by which they are known, and until when (UTC)."""

    pseudonym: str
    digests: tuple[str, ...]
    until: datetime

    @property
    def name(self) -> str:
        """What stands in the place of names."""
        return f"erased-{self.pseudonym[-8:]}"

    def name_for(self, user_name: str) -> str:
        """What stands in the place of a user name: its domain stays, by which a sign-in counts as federated."""
        if masked_user_id(user_name):
            return f"user_{self.pseudonym}@{domain_of(user_name)}"
        domain = domain_of(user_name)
        return f"{self.name}@{domain}" if domain else self.name


class Known(NamedTuple):
    """An erased person in a record, and the key by which incidents knew them before."""

    erasure: Erasure
    user_key: str


@dataclass(frozen=True, slots=True)
class ErasedPeople:
    """All people erased not long ago, and the key of the hashes (hex)."""

    key: str = ""
    erasures: tuple[Erasure, ...] = ()
    _by_digest: Mapping[str, Erasure] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_digest", {digest: e for e in self.erasures for digest in e.digests})

    def digest(self, text: str) -> str:
        """The keyed hash of an id key, or of a user name in lower case."""
        return hmac.new(bytes.fromhex(self.key), text.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:32]

    def of_id(self, user_id: str | None) -> Erasure | None:
        """The erasure of the person with that object id, however it is spelled."""
        return self._by_digest.get(self.digest(id_key(user_id))) if self.erasures and user_id else None

    def of_name(self, user_name: str | None) -> Erasure | None:
        """The erasure of the person with that user name, by the id in it where it is masked."""
        if not self.erasures or not user_name:
            return None
        by_id = self.of_id(masked_user_id(user_name))
        return by_id or self._by_digest.get(self.digest(user_name.strip().lower()))

    def session(self, session_part: str) -> str:
        """What stands in the place of a session's id, as a table's key names it: the same for the same session."""
        return self.digest(f"session {session_part}")

    # --- what a read meets --------------------------------------------------------------------------------------------

    def known_in(self, sign_in: SignIn) -> Known | None:
        """Who of them a record is of; None where it is of nobody erased."""
        if not self.erasures:
            return None
        masked = masked_user_id(sign_in.user_principal_name)
        for key in (id_key(sign_in.user_id), masked):
            if erasure := self.of_id(key):
                return Known(erasure, key)
        if id_key(sign_in.user_id):
            return None
        by_name = self.of_name(sign_in.user_principal_name)
        return Known(by_name, (sign_in.user_principal_name or "").strip().lower()) if by_name else None

    def without_names(self, sign_in: SignIn, erasure: Erasure) -> SignIn:
        """The record with the pseudonym wherever it named the person."""
        user_name = sign_in.user_principal_name
        own = self.of_id(sign_in.user_id) is not None or (not id_key(sign_in.user_id) and not masked_user_id(user_name))
        return _with_members(
            sign_in,
            user_id=erasure.pseudonym if own else sign_in.user_id,
            user_principal_name=user_name and erasure.name_for(user_name),
            user_display_name=sign_in.user_display_name and erasure.name,
        )

    def without_session(self, sign_in: SignIn) -> SignIn:
        """The record with another id of its session, under which it is asked what that proved."""
        session = id_key(sign_in.session_id)
        return _with_members(sign_in, session_id=self.session(key_part(session))) if session else sign_in

    def without_raw(self, record: Quarantined) -> Quarantined:
        """A record that could not be read: without its bytes where these name somebody erased. It still counts, and is
        another record than any other."""
        if not self.erasures or not any(self._named_in(record.raw)):
            return record
        return replace(record, raw=self.marked(record.key))

    def marked(self, record_key: str) -> bytes:
        """What stands in the place of the bytes of a quarantined record."""
        return f'{{"erased":"{self.digest(f"record {record_key}")}"}}'.encode()

    def _named_in(self, raw: bytes) -> Iterator[bool]:
        text = raw.decode(errors="replace")
        yield from (self.of_id(found) is not None for found in set(_IDS.findall(text)))
        yield from (self.of_name(found) is not None for found in set(_NAMES.findall(text)))


NOBODY: Final = ErasedPeople()


def without_traces(finding: Finding, user_key: str, pseudonym: str) -> Finding:
    """A finding under a pseudonym, without what would lead to the person; in the incidents where it was before, under
    `user_key`."""
    before = replace(finding, user=user_key)
    cleared: dict[str, Any] = dict.fromkeys(TRACE_FIELDS, "")
    ids = finding.incident_ids or tuple(before.incident_of(rule) for rule in finding.rules)
    return replace(finding, user=pseudonym, incident_ids=ids, **cleared)


def _with_members(sign_in: SignIn, **members: str | None) -> SignIn:
    """A copy with other members, and nothing that was worked out from the old ones."""
    made: SignIn = msgspec.structs.replace(sign_in, **members)
    made.source = sign_in.source  # from which the rest of the record is read
    return made


def digests_of(people: ErasedPeople, user_key: str, user_names: Iterable[str]) -> tuple[str, ...]:
    """The keyed hashes of a person: of the object id and of every user name."""
    names = {name.strip().lower() for name in user_names if "@" in name}
    return tuple(people.digest(text) for text in (user_key, *sorted(names)) if is_key(text) or "@" in text)
