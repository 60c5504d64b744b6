"""Dataclasses in columns, by the names and types of their fields."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from shared.store.codec import NEVER, PAST, Codec, of_json, to_json

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@dataclass(frozen=True)
class Who:
    user_name: str
    app: str = "none"


@dataclass(frozen=True)
class Thing:
    key: str
    who: Who
    at: datetime = NOW
    told_at: datetime | None = None
    due: datetime | None = None
    age: timedelta | None = None
    colour: Colour = Colour.RED
    size: Size = Size.LARGE
    rules: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    is_there: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


CODEC = Codec(
    Thing, names={"user_name": "name"}, leaves=("key",), packed=("extra",), none={"due": NEVER}, longest={"app": 3}
)
EMPTY = Thing("k", Who("Ann"))
FULL = Thing(
    key="k",
    who=Who("Ann", "app"),
    told_at=NOW,
    due=NOW,
    age=timedelta(minutes=2),
    rules=frozenset("ba"),
    notes=("x,y", "z"),
    extra={"a": [1]},
)


@pytest.mark.parametrize("thing", [EMPTY, FULL])
def test_what_is_written_is_read(thing: Thing) -> None:
    read = CODEC.value(CODEC.columns(thing), key="k")
    assert read == (thing if thing is FULL else Thing("k", Who("Ann", "non")))
    assert type(read.colour) is Colour
    assert type(read.size) is Size


def test_the_columns_have_the_names_and_forms_that_rows_have() -> None:
    assert {name: v for name, v in CODEC.columns(FULL).items() if name != "extra0"} == {
        "name": "Ann",
        "app": "app",
        "at": NOW,
        "toldAt": NOW,
        "due": NOW,
        "age": 120,
        "colour": "red",
        "size": 3,
        "rules": "a,b",
        "notes": '["x,y", "z"]',
        "isThere": True,
    }


def test_none_is_a_time_that_nobody_means_since_a_merge_empties_no_column() -> None:
    columns = CODEC.columns(EMPTY)
    assert (columns["toldAt"], columns["due"], columns["age"]) == (PAST, NEVER, -1)


def test_columns_that_lack_give_the_defaults() -> None:
    assert CODEC.value({"name": "Ann"}, key="k") == EMPTY


def test_the_plain_columns_are_all_but_the_packed() -> None:
    assert set(CODEC.plain_columns) == CODEC.columns(EMPTY).keys() - {"extra0"}


def test_a_type_without_a_form_is_refused_when_the_codec_is_made() -> None:
    with pytest.raises(TypeError, match="pack it"):
        Codec(Thing, leaves=("key",))


def test_json_by_name_and_none_as_version_1_reads_it() -> None:
    made = to_json(EMPTY)
    assert (made["told_at"], made["who"]) == (PAST.isoformat(), {"user_name": "Ann", "app": "none"})
    assert of_json(Thing, {**made, "new": 1}) == EMPTY


@pytest.mark.parametrize("thing", [EMPTY, FULL])
def test_the_same_columns_are_one_json_value_too(thing: Thing) -> None:
    made = json.loads(json.dumps(CODEC.to_json(thing)))
    assert {*made} == {
        "name",
        "app",
        "at",
        "toldAt",
        "due",
        "age",
        "colour",
        "size",
        "rules",
        "notes",
        "isThere",
        "extra",
    }
    assert CODEC.of_json(made, key="k") == thing


def test_what_a_json_value_lacks_takes_its_default() -> None:
    assert CODEC.of_json({"name": "Ann", "later": 1}, key="k") == EMPTY
