"""Names that the directory gives: of tenants and people, and none where there is no directory yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.ledger.days import Day
from shared.store.directory import Loaded


def user_names(days: Iterable[Day], directory: Loaded | None) -> dict[str, str]:
    """The user names of people by key, as far as days and directory know them."""
    named = {key: top.name for day in days for key, top in day.tops.users.items() if top.name}
    return {**named, **directory.user_names} if directory else named


def tenant_names(directory: Loaded | None) -> Mapping[str, str]:
    """The tenants' display names by key, as far as they are known."""
    return directory.tenant_names if directory else {}
