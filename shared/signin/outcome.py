"""How a sign-in ended, by its result code. Pure.

By docs/semantics.md, "How it ended: outcome"; the codes are from docs/entra-facts.md.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from shared.signin.model import SignIn
from shared.signin.steps import Steps


class Outcome(StrEnum):
    """How a sign-in ended."""

    SUCCESS = "success"
    INTERRUPTED = "interrupted"
    BLOCKED = "blocked"
    FAILED = "failed"


_INTERRUPTED: Final = {
    *(50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199),
    *(16000, 65001, 90094, 90095),
}
_BLOCKED: Final = {
    *(50053, 50057, 50105, 50131, 50177, 50178, *range(53000, 53005), *range(53009, 53013)),
    *(500212, 500213, 530032, 530034, 530035),
}
# Only something after the password stopped these: whoever tried knows the password.
_PASSWORD_WAS_RIGHT: Final = {
    *(50055, 50072, 50074, 50076, 50079, 50105, 50131, 50144, 50158),
    *(*range(53000, 53005), 53011, 530034, 65001),
}
_FAILED_STRONG_AUTHENTICATION: Final = 500121
IN_WORDS: Final = -1  # the code of a failure that is told in words alone


def result_code(sign_in: SignIn) -> int:
    """status.errorCode, else resultType, else 0: a record that says nothing is graded as a success."""
    status = sign_in.status
    if status is not None and status.error_code is not None:
        return status.error_code
    return _code_of(sign_in.result_type)


@lru_cache(1024)
def _code_of(result: str | int | None) -> int:
    if isinstance(result, int):
        return result
    word = (result or "").strip().lower()
    if re.fullmatch(r"\d{1,1000}", word, re.ASCII):
        return int(word)
    return 0 if word in ("", "success") else IN_WORDS


def outcome_of(code: int) -> Outcome:
    """What a result code means for the sign-in."""
    if code == 0:
        return Outcome.SUCCESS
    if code in _INTERRUPTED:
        return Outcome.INTERRUPTED
    return Outcome.BLOCKED if code in _BLOCKED else Outcome.FAILED


def password_was_right(code: int, steps: Steps) -> bool:
    """Whether something after the password stopped the sign-in."""
    return code in _PASSWORD_WAS_RIGHT or (code == _FAILED_STRONG_AUTHENTICATION and steps.password)
