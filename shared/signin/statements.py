"""What a statement of a record says: a step's result detail, or status.additionalDetails. Pure.

Microsoft words and renames these freely ("completed in Azure AD", "… in Entra ID", "… in the cloud"), so what is
recognised is how they begin or what they hold, never the whole sentence (docs/semantics.md, "Statements").
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from shared.basics.spelling import plain


class AuthStatement(NamedTuple):
    """What one statement says. One about the first factor says nothing else."""

    about_first_factor: bool = False
    skipped: bool = False
    external: bool = False
    done: bool = False
    claim: bool = False
    denies: bool = False
    pending: bool = False
    refused: bool = False


_SATISFIED_BY: Final = "mfa requirement satisfied by"
_DONE: Final = (
    "mfa successfully completed",
    "satisfied by strong authentication",
    "mfa requirement satisfied by multifactor device",
)
# As written, and as they read once their hyphen is gone.
_DENIALS: Final = ("denied", "failed", "not completed", "notcompleted", "not satisfied", "notsatisfied")
_PENDING: Final = ("in progress", "inprogress")
_REFUSALS: Final = ("user declined", "fraud")


@lru_cache(4096)
def read_statement(text: str | None) -> AuthStatement:
    """What a statement says of MFA; nothing where there is no text."""
    said = plain(text or "")
    if said.startswith("first factor"):
        return AuthStatement(about_first_factor=True)
    denies, pending = _holds(said, _DENIALS), _holds(said, _PENDING)
    proves = not (denies or pending)
    satisfied = proves and _SATISFIED_BY in said
    return AuthStatement(
        skipped=_is_skipped(said),
        external=satisfied and "claim" in said and "external provider" in said,
        done=proves and (said.startswith("mfa completed in") or _holds(said, _DONE)),
        claim=satisfied,
        denies=denies,
        pending=pending,
        refused=_holds(said, _REFUSALS),
    )


def _holds(said: str, texts: tuple[str, ...]) -> bool:
    return any(text in said for text in texts)


def _is_skipped(said: str) -> bool:
    """MFA was due and was passed over, ran out, or was only offered."""
    if "skipped" in said or said.startswith("has expired"):
        return True
    of_mfa = "mfa" in said or "multifactor" in said
    if of_mfa and "expired" in said and "not expired" not in said:
        return True
    return "registration" in said and "prompted" in said and "not prompted" not in said
