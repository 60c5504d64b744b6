"""The partner's own Conditional Access policies."""

from __future__ import annotations

from functions.blueprint import Blueprint
from functions.http import Call, endpoint
from functions.who import Role
from shared.answers.policies import PoliciesAnswer, PoliciesQuery, read_policies_answer

bp = Blueprint()


@endpoint(bp, "GET", "policies", needs=Role.READER)
async def policies(call: Call[PoliciesQuery]) -> PoliciesAnswer:
    """The partner's own policies as they were read last: who has to do MFA for every application, who is left out and
    how many sign-ins went that way, what is blocked, which way of implementing MFA is used, whose MFA counts."""
    return await read_policies_answer(call.app, call.query)
