"""What the statements and steps of a record say together, whoever signed in and wherever. Pure.

One pass, remembered by its inputs: a log repeats the same few combinations of methods and statements all day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Final, NamedTuple

from shared.basics.spelling import name_key
from shared.signin.methods import MULTI_FACTOR, SINGLE_FACTOR, STRENGTHS, Method, Strength, method_of
from shared.signin.model import ProcessingDetail, SignIn, Step
from shared.signin.statements import AuthStatement, read_statement

_CERTIFICATE_LEVEL: Final = name_key("User certificate authentication level")


class Steps(NamedTuple):
    """What a record's statements and steps say. Docs: docs/semantics.md, "Evidence"; the numbers are its grades."""

    skipped: bool  # 1: a statement says that MFA was passed over, ran out or was only offered
    external: bool  # 3
    done_now: bool  # 4
    claim: bool  # 5
    contradicts: bool  # 6: a second factor failed, and no other one stands or is pending
    first_factor: bool  # 7: a first factor was performed now
    unconfirmed: bool  # 7: beside it a second-factor step by another method stands or is pending
    level_untold: bool  # 7: a certificate stands that nothing calls single-factor or multi-factor
    certificate: bool  # a certificate stands
    federated: bool  # some step's method is "Federated"
    password: bool  # a password stands
    refused: bool  # a person declined the prompt, or reported fraud
    strength: Strength  # of the best step that stands


class _State(Enum):
    PENDING = auto()
    FAILED = auto()
    STANDS = auto()


class _Read(NamedTuple):
    method: Method
    statement: AuthStatement
    state: _State


def read_steps(sign_in: SignIn) -> Steps:
    """What the record's statements and steps say together."""
    additional = sign_in.status.additional_details if sign_in.status else None
    told = sign_in.authentication_details or ()
    steps = _read(additional, told, None)
    if steps.certificate and sign_in.authentication_processing_details:
        return _read(additional, told, certificate_level(sign_in.authentication_processing_details))
    return steps


def certificate_level(details: Iterable[ProcessingDetail | None]) -> str | None:
    """MULTI_FACTOR or SINGLE_FACTOR, as the record tells the level of the user's certificate; None if it does not."""
    levels = {
        name_key(d.value) for d in details if d and name_key(d.key) == _CERTIFICATE_LEVEL and isinstance(d.value, str)
    }
    return next((level for level in (MULTI_FACTOR, SINGLE_FACTOR) if level in levels), None)


@lru_cache(4096)
def _read(additional: str | None, steps: tuple[Step | None, ...], level: str | None) -> Steps:
    every = [_read_step(step, level) for step in steps if step]
    now = [step for step in every if not step.statement.about_first_factor]
    statements = [read_statement(additional), *(step.statement for step in now)]
    standing = [step.method for step in now if step.state is _State.STANDS]
    first = {method.name for method in standing if method.first_factor}
    open_second = {s.method.name for s in now if s.method.second_factor and s.state is not _State.FAILED}
    failed_second = any(s.method.second_factor and s.state is _State.FAILED for s in now)
    return Steps(
        skipped=any(s.skipped for s in statements),
        external=any(s.external for s in statements),
        done_now=any(s.done for s in statements) or any(m.one_step for m in standing),
        claim=any(s.claim for s in statements),
        contradicts=failed_second and not open_second,
        first_factor=bool(first),
        unconfirmed=bool(first and open_second) and len(first | open_second) > 1,
        level_untold=any(m.level_untold for m in standing),
        certificate=any(m.certificate for m in standing),
        federated=any(step.method.name == "federated" for step in every),
        password=any(m.password for m in standing),
        refused=any(s.refused for s in statements),
        strength=_best(standing),
    )


def _read_step(step: Step, level: str | None) -> _Read:
    statement = read_statement(step.authentication_step_result_detail)
    if statement.pending:
        state = _State.PENDING
    else:
        state = _State.FAILED if step.succeeded is False or statement.denies else _State.STANDS
    return _Read(method_of(step.authentication_method, level), statement, state)


def _best(methods: Sequence[Method]) -> Strength:
    return min((method.strength for method in methods), key=STRENGTHS.index, default=Strength.UNTOLD)
