"""What questions and answers over HTTP are made of: the models parse, answer and describe themselves (OpenAPI).

Names are camelCase on the wire; times are UTC, ISO 8601 with Z.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from shared.basics.spelling import id_key, is_key
from shared.basics.times import OLDEST, Instant
from shared.rules import RULE
from shared.rules.assess import Verdict
from shared.rules.cause import CauseKind
from shared.rules.rule import Severity, SeverityName
from shared.signin.evidence import Evidence, Why
from shared.signin.how import How
from shared.signin.methods import Strength
from shared.signin.traits import WATCHED

_WHOLE: Final = re.compile(r"-?[0-9]{1,9}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{5,8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?)?")

E = TypeVar("E")


class BadParameter(Exception):  # noqa: N818 - what is wrong with the question
    """A parameter cannot be used; `detail` says why, without repeating its value."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class NotKnown(Exception):  # noqa: N818 - what the question names
    """A question names something that nobody knows: a customer, a person, an application. `str()` is the sentence."""


class Answer(BaseModel):
    """A part of an answer. Every member is present, null where there is nothing to say."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)


class Versioned(Answer):
    """An answer that can be changed: its `etag` goes into the header ETag too, and comes back as If-Match."""

    etag: str


class Page[T: Answer](Answer):
    """A part of a list. `cursor` goes on with it, null at its end; a page may hold few items, even none, and still have
    a cursor."""

    items: list[T]
    cursor: str | None
    total: int | None = Field(
        default=None, description="How many items all pages hold together; null where only reading all of them tells."
    )


class Body(BaseModel):
    """The JSON body of a request. Strict: true is not 1, "on" is not true, and no number is a date."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True, defer_build=True
    )


class Query(BaseModel):
    """The query parameters of a route. All arrive as text; one that is not named here is refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, defer_build=True)


def _whole(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


def _flag(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value


def _listed(value: object) -> object:
    return tuple(dict.fromkeys(value.split(","))) if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _scopes(value: object) -> object:
    """A comma list of scopes, in any case; `all` stands for each of them."""
    named = _listed(_lower(value))
    return SCOPE_NAMES if named == ("all",) else named


def _written(value: object) -> object:
    if isinstance(value, str) and not _TIME.fullmatch(value):
        raise ValueError("must be a time such as 2026-11-02T09:00:00Z (in an address, write + as %2B)")
    return value


def _recent(at: datetime) -> datetime:
    if at < OLDEST:
        raise ValueError("must not be before the year 2000")
    return at


def _rule(value: object) -> object:
    if not isinstance(value, str) or value not in RULE:
        raise ValueError("must be the id of a rule: " + ", ".join(RULE))
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Whole = Annotated[int, BeforeValidator(_whole)]
# Some days: the settings allow 3650 at most; the answer knows how many are kept here.
DayCount = Annotated[int, Field(ge=1, le=3650), BeforeValidator(_whole)]
Listed = Annotated[tuple[E, ...], BeforeValidator(_listed)]  # a comma list
AskedTime = Annotated[Instant, BeforeValidator(_written), AfterValidator(_recent)]  # of a question, in UTC
RuleId = Annotated[str, BeforeValidator(_rule), WithJsonSchema({"type": "string", "enum": [*RULE]})]
# What an answer shows of these; a row that a newer version wrote may hold another.
ShownRule = Annotated[str, WithJsonSchema({"type": "string", "enum": [*RULE]})]
ShownScope = Annotated[str, WithJsonSchema({"type": "string", "enum": [*WATCHED]})]
ShownEvidence = Annotated[str, WithJsonSchema({"type": "string", "enum": [*Evidence]})]
ShownVerdict = Annotated[str, WithJsonSchema({"type": "string", "enum": [*Verdict]})]
ShownCause = Annotated[str, WithJsonSchema({"type": "string", "enum": [*CauseKind]})]
ShownWhy = Annotated[str, WithJsonSchema({"type": "string", "enum": [*Why]})]
ShownHow = Annotated[str, WithJsonSchema({"type": "string", "enum": [*How]})]
ShownStrength = Annotated[str, WithJsonSchema({"type": "string", "enum": [*Strength]})]
Named = Annotated[str, Field(min_length=1, max_length=1024)]
ScopeName = Literal["customer", "partner-center", "partner-tenant", "guest"]  # those of WATCHED
SCOPE_NAMES: Final[tuple[ScopeName, ...]] = get_args(ScopeName)
HEADLINE_NAMES: Final[tuple[ScopeName, ...]] = ("customer", "partner-center")  # those of HEADLINE
Scopes = Annotated[tuple[ScopeName, ...], BeforeValidator(_scopes)]  # a comma list, or "all"
SeverityFilter = Annotated[SeverityName, BeforeValidator(_lower)]


class ListQuery(Query):
    """What every list takes."""

    limit: Whole = Field(default=100, ge=1, le=1000, description="How many items a page holds at most.")
    cursor: Named | None = Field(default=None, description="The cursor of the page before, as it was given.")
    format: Literal["json", "csv"] = Field(default="json", description="csv gives the cursor in X-Next-Cursor.")

    def question(self, route: str) -> str:
        """What is asked, whatever the page: a cursor goes on with this question only."""
        return f"{route} {self.model_dump_json(by_alias=True, exclude={'limit', 'cursor', 'format'})}"


def severity_name(severity: int) -> SeverityName:
    """The name of a severity; one that nobody knows yet is at most critical and at least low."""
    return Severity(min(max(severity, 1), len(Severity))).label


def shown_id(key: str) -> str:
    """An id as people know it: 32 hex digits become a GUID with hyphens, anything else stays."""
    if not is_key(key):
        return key
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def same_id(wanted: str | None, key: str, *names: str) -> bool:
    """Whether a filter fits: it is not set, or names the key (with or without hyphens) or one of the names."""
    return wanted is None or id_key(wanted) == id_key(key) or wanted.lower() in [name.lower() for name in names if name]
