"""Cursors: where a list goes on, opaque to whoever asks and checked when it comes back.

A cursor opens nothing that a question could not ask anyway, so it is not signed with a secret; but it carries a
checksum over itself and the question, so that a mangled or misplaced one is refused instead of giving odd pages.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.basics.times import OLDEST
from shared.wire.models import BadParameter

_CHECK_BYTES: Final = 12
# A cursor's checksum has no key, so anybody can make one: what it holds is bounded, so that no arithmetic overflows.
PlaceTime = Annotated[AwareDatetime, Field(ge=OLDEST, le=datetime(2200, 1, 1, tzinfo=UTC))]


class Place(BaseModel):
    """Where a list goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def to_cursor(place: Place, question: str) -> str:
    """The cursor of a place in the answer to a question."""
    body = place.model_dump_json().encode()
    return base64.urlsafe_b64encode(_check(body, question) + body).decode().rstrip("=")


def from_cursor[P: Place](cursor: str, kind: type[P], question: str) -> P:
    """The place that to_cursor was given. Raises BadParameter for anything else."""
    wrong = BadParameter("cursor", "is not one that this question's answers gave; ask without it to start anew")
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = kind.model_validate_json(raw[_CHECK_BYTES:])
    except (UnicodeEncodeError, binascii.Error, ValidationError):
        raise wrong from None
    if to_cursor(place, question) != cursor:  # the checksum, and that nothing is written in another way
        raise wrong
    return place


def _check(body: bytes, question: str) -> bytes:
    return sha256(question.encode() + b"\n" + body).digest()[:_CHECK_BYTES]
