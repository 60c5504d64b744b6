"""Refusals and failures as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import azure.functions as func
from pydantic import Field

from shared.wire.models import Answer

# A list of everything that is wrong with a hostile body would be as long as the body.
_MOST_ERRORS: Final = 20
_NAMED_IN_DETAIL: Final = 5
# Answers hold sign-in data: no cache keeps them, and no browser takes one for a page.
HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class FieldError(Answer):
    """What is wrong with one parameter, or one member of a body."""

    field: str
    detail: str


class ProblemDocument(Answer):
    """RFC 9457. `errors` names the parameters that are wrong, where that is the problem."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = Field(default=None)


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Ends a request. `detail` is for people and holds no secret and nothing of the app's inside."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = errors
        self.headers = headers or {}

    @classmethod
    def of_fields(cls, errors: Sequence[FieldError]) -> Problem:
        """A 400 that names what is wrong: at most 20 fields."""
        return cls(HTTPStatus.BAD_REQUEST, summed_up(errors), errors=errors[:_MOST_ERRORS])

    def response(self) -> func.HttpResponse:
        """The problem as an answer."""
        document = ProblemDocument(
            title=self.status.phrase, status=self.status, detail=str(self), errors=[*self.errors] or None
        )
        return func.HttpResponse(
            document.model_dump_json(by_alias=True, exclude_none=True),
            status_code=self.status,
            mimetype="application/problem+json",
            headers={**HEADERS, **self.headers},
        )


def summed_up(errors: Sequence[FieldError]) -> str:
    """What is wrong in one sentence: each field with its own where they are few, else how many and which first."""
    if len(errors) <= _NAMED_IN_DETAIL:
        return "; ".join(f"{error.field}: {error.detail}" for error in errors)
    first = ", ".join(error.field for error in errors[:_NAMED_IN_DETAIL])
    return f"{len(errors)} fields are missing or wrong: {first} and others; errors says what is wrong with each."
