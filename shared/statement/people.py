"""The numbers that people have in a statement, and the table of their names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.basics.spelling import id_key, is_key
from shared.incidents.erased import ErasedPeople
from shared.statement.model import StatementPerson
from shared.wire.models import shown_id


@dataclass(slots=True)
class Numbering:
    """Gives each person a number, in the order in which a statement speaks of them."""

    lines: list[StatementPerson] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def user(self, key: str, name: str = "") -> int:
        """The number of the person with that object id; a name that comes later fills one that lacked."""
        number = self._number(key, shown_id(key), name)
        line = self.lines[number - 1]
        if name and not line.user_name:
            self.lines[number - 1] = line.model_copy(update={"user_name": name})
        return number

    def actor(self, name: str, identity: str = "") -> int:
        """The number of who did something: tenant and object id where the app knew them, else by the name alone."""
        key = id_key(identity.rpartition("/")[2])
        return self.user(key, name) if is_key(key) else self._number(f"name {name.strip().lower()}", None, name)

    def _number(self, key: str, user_id: str | None, name: str) -> int:
        if key not in self._known:
            self._known[key] = len(self.lines) + 1
            self.lines.append(StatementPerson(person=self._known[key], user_id=user_id, user_name=name or None))
        return self._known[key]


def names_json(people: Iterable[StatementPerson]) -> dict[str, Any]:
    """The table of names as it is kept."""
    return {"format": 1, "people": [line.model_dump(mode="json", by_alias=True) for line in people]}


def names_of(kept: Mapping[str, Any]) -> list[StatementPerson]:
    """The lines of the table that names_json made."""
    return [StatementPerson.model_validate(line) for line in kept["people"]]


def without_erased(people: Iterable[StatementPerson], erased: ErasedPeople) -> list[StatementPerson]:
    """The lines of those who were not erased."""
    return [line for line in people if not (erased.of_id(line.user_id) or erased.of_name(line.user_name))]
