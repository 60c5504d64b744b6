"""A refresh meets people who were erased not long ago: it takes them under their pseudonyms. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.basics.spelling import id_key
from shared.incidents.erased import ErasedPeople
from shared.people.fetched import Account, Fetched, Holder
from shared.people.named_groups import NamedGroups
from shared.signin.directory import DelegatedAdmin, DirectoryFile
from shared.wire.models import shown_id

_NAMES: Final = ("userPrincipalName", "userDisplayName", "displayName")


def under_pseudonyms(fetched: Fetched, erased: ErasedPeople) -> None:
    """Put the pseudonym in the place of each erased person in what was read to its end."""
    if not erased.erasures:
        return
    fetched.members = {group: [_id(member, erased) for member in ids] for group, ids in fetched.members.items()}
    fetched.eligible = _holders(fetched.eligible, erased)
    fetched.role_holders = _holders(fetched.role_holders, erased)
    fetched.role_eligible = _holders(fetched.role_eligible, erased)
    accounts = (_account(account, erased) for account in fetched.accounts.values())
    fetched.accounts = {account.key: account for account in accounts}


def file_under_pseudonyms(file: DirectoryFile, erased: ErasedPeople) -> DirectoryFile:
    """The directory with pseudonyms in the place of the erased, with the same dates."""
    admins = [_admin(admin, erased) for admin in file.delegated_admins]
    return file.model_copy(update={"delegated_admins": admins})


def groups_under_pseudonyms(named: NamedGroups | None, erased: ErasedPeople) -> NamedGroups | None:
    """Who is in the groups and roles that policies name, with pseudonyms in the place of the erased."""
    if named is None or not erased.erasures:
        return named
    members = {group: frozenset(id_key(_id(person, erased)) for person in of) for group, of in named.members.items()}
    return replace(named, members=members)


def said_under_pseudonyms(said: Any, erased: ErasedPeople) -> Any:
    """JSON that Graph said, such as the tenant's policies or a page of people, with pseudonyms in the place of the ids
    of the erased, and of the names beside them."""
    if isinstance(said, str):
        return _id(said, erased)
    if isinstance(said, list):
        return [said_under_pseudonyms(item, erased) for item in said]
    if not isinstance(said, dict):
        return said
    made = {name: said_under_pseudonyms(item, erased) for name, item in said.items()}
    erasure = erased.of_id(str(said.get("id")))
    named = [name for name in _NAMES if said.get(name)] if erasure else []
    return {**made, **{name: erasure.name_for(str(said[name])) for name in named if erasure}}


def text_under_pseudonyms(text: str, erased: ErasedPeople) -> str:
    """The same of JSON as text."""
    return json.dumps(said_under_pseudonyms(json.loads(text), erased)) if erased.erasures else text


def _id(person: str, erased: ErasedPeople) -> str:
    erasure = erased.of_id(person)
    return shown_id(erasure.pseudonym) if erasure else person


def _holders(by_place: Mapping[str, Sequence[Holder]], erased: ErasedPeople) -> dict[str, list[Holder]]:
    return {
        place: [holder._replace(id=_id(holder.id, erased)) for holder in holders] for place, holders in by_place.items()
    }


def _admin(admin: DelegatedAdmin, erased: ErasedPeople) -> DelegatedAdmin:
    erasure = erased.of_id(admin.user_id)
    if erasure is None:
        return admin
    name = admin.user_principal_name
    under = {"user_id": shown_id(erasure.pseudonym), "user_principal_name": name and erasure.name_for(name)}
    return admin.model_copy(update=under)


def _account(account: Account, erased: ErasedPeople) -> Account:
    erasure = erased.of_id(account.key)
    if erasure is None:
        return account
    user_name = account.user_principal_name
    return account._replace(
        key=id_key(erasure.pseudonym),
        id=shown_id(erasure.pseudonym),
        user_principal_name=user_name and erasure.name_for(user_name),
        display_name=account.display_name and erasure.name,
    )
