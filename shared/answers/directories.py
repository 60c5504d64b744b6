"""Names that the directory gives: of tenants and people, and none where there is no directory yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.basics.spelling import id_key
from shared.ledger.days import Day
from shared.store.directory import Loaded


@dataclass(slots=True)
class _Names:
    """The names of the directory that was asked for last: a process has one, and each page asks for them often."""

    of: Loaded | None = None
    users: dict[str, str] = field(default_factory=dict)
    tenants: Mapping[str, str] = field(default_factory=dict)


_last: Final = [_Names()]


def _names_of(directory: Loaded) -> _Names:
    if _last[0].of is not directory:
        admins = directory.file.delegated_admins
        users = {id_key(a.user_id): a.user_principal_name for a in admins if a.user_principal_name}
        _last[0] = _Names(directory, users, directory.file.tenant_names)
    return _last[0]


def user_names(days: Iterable[Day], directory: Loaded | None) -> dict[str, str]:
    """The user names of people by key, as far as days and directory know them."""
    named = {key: top.name for day in days for key, top in day.tops.users.items() if top.name}
    return {**named, **_names_of(directory).users} if directory else named


def tenant_names(directory: Loaded | None) -> Mapping[str, str]:
    """The tenants' display names by key, as far as they are known."""
    return _names_of(directory).tenants if directory else {}
