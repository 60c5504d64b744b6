"""A dataclass in the columns of a row, by the names and types of its fields.

`lease_until` stands in the column `leaseUntil`. A nested dataclass stands in the row's own columns. Table Storage knows
no lists and its merges cannot empty a column, so that a few types need a form of their own:

| field | column |
|---|---|
| `datetime \\| None` | a time that nobody means (`PAST` unless the codec says another) for None |
| `timedelta \\| None` | whole seconds, `-1` for None |
| `frozenset[str]` | words, sorted, with commas between them |
| `tuple[str, ...]` | a JSON array |
| `StrEnum`, `IntEnum` | its value |
| a field in `packed` | JSON by name, squeezed, in as many binary columns as it takes |

A column that a row lacks gives the field's default: rows of an older version of the app are read on. Only this module
knows which times stand for none; the domain says None. `to_json` gives the same columns as one JSON value, for a thing
that stands within another's row.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from shared.store.packing import ROOM, pack, unpack
from shared.store.tables import Row, utc

PAST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # a merge cannot empty a column, and no sign-in is that old
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)  # where none must sort behind every time
_NO_TIMES: Final = frozenset({PAST, NEVER, datetime(1970, 1, 1, tzinfo=UTC)})


@cache  # of names of fields, at each row
def camel(name: str) -> str:
    """The column of a field: `lease_until` is `leaseUntil`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_json(value: object) -> Any:
    """A dataclass, or anything made of them, as JSON by name; times as ISO 8601. A time that a dataclass holds none of
    is written as PAST, which version 1 of the rows reads."""
    made = msgspec.to_builtins(value, order="deterministic")
    for name in _times_or_none(type(value)):
        made[name] = PAST.isoformat() if made[name] is None else made[name]
    return made


def of_json[T](kind: type[T], value: Any) -> T:
    """What to_json gave. Members that the type does not know are passed over, those that lack take their default."""
    read = msgspec.convert(value, kind)
    none = {name: None for name in _times_or_none(kind) if getattr(read, name) in _NO_TIMES}
    return dataclasses.replace(read, **none) if none else read  # type: ignore[type-var]  # only a dataclass has such


def _times_or_none(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that hold a time or None."""
    if not dataclasses.is_dataclass(kind):
        return ()
    hints = get_type_hints(kind)
    return tuple(field.name for field in dataclasses.fields(kind) if hints[field.name] == datetime | None)


def time_of(at: datetime) -> datetime | None:
    """A time as it was stored; None for one that stands for none."""
    known = utc(at)
    return None if known in _NO_TIMES else known


class Codec[T]:
    """How a dataclass stands in a row's columns, and how it is read again.

    `names` are the columns that are called otherwise than their field; `leaves` the fields that stand in the row's
    keys, so that the caller gives them again; `packed` those squeezed as JSON; `none` the times that stand for None
    where it is not PAST; `longest` how many characters of a text are kept.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        names: Mapping[str, str] | None = None,
        leaves: Collection[str] = (),
        packed: Collection[str] = (),
        none: Mapping[str, datetime] | None = None,
        longest: Mapping[str, int] | None = None,
    ) -> None:
        self._kind = kind
        self._names = names or {}
        self._packed = packed
        self._none = none or {}
        self._longest = longest or {}
        hints = get_type_hints(kind)
        self._fields = [(field, hints[field.name]) for field in _fields(kind) if field.name not in leaves]
        self._nested = {
            field.name: Codec(hint, names=names, packed=packed, none=none, longest=longest)
            for field, hint in self._fields
            if dataclasses.is_dataclass(hint) and isinstance(hint, type) and field.name not in packed
        }
        self._columns = {field.name: self._names.get(field.name) or camel(field.name) for field, _ in self._fields}
        self._forms: dict[str, _Form] = {
            field.name: _form(hint, self._none.get(field.name, PAST))
            for field, hint in self._fields
            if field.name not in self._nested and field.name not in packed
        }

    @property
    def plain_columns(self) -> list[str]:
        """The columns of all fields that are not packed: for reading a row without its large part."""
        nested = [column for codec in self._nested.values() for column in codec.plain_columns]
        return [*nested, *(self._column(name) for name in self._forms)]

    def columns(self, value: T, *, room: int = ROOM) -> dict[str, Any]:
        """The columns of a value; each packed one takes at most `room` bytes. Raises TooLong."""
        made: dict[str, Any] = {}
        for field, _ in self._fields:
            part = getattr(value, field.name)
            if field.name in self._nested:
                made |= self._nested[field.name].columns(part, room=room)
            elif field.name in self._packed:
                made |= pack(self._column(field.name), to_json(part), room)
            else:
                stored = self._forms[field.name].stored(part)
                longest = self._longest.get(field.name)
                made[self._column(field.name)] = stored[:longest] if longest else stored
        return made

    def value(self, row: Row, **given: Any) -> T:
        """The value that a row holds, with the fields that are `given`."""
        return self._kind(**self._members(row), **given)

    def to_json(self, value: T) -> dict[str, Any]:
        """The same columns as one JSON value: times as ISO 8601, words as a list, null for none."""
        made: dict[str, Any] = {}
        for field, _ in self._fields:
            part = getattr(value, field.name)
            nested = self._nested.get(field.name)
            made |= nested.to_json(part) if nested else {self._column(field.name): to_json(part)}
        return made

    def of_json(self, value: Mapping[str, Any], **given: Any) -> T:
        """What `to_json` gave; what it lacks takes the field's default."""
        read: dict[str, Any] = {}
        for field, hint in self._fields:
            column = self._column(field.name)
            if field.name in self._nested:
                read[field.name] = self._nested[field.name].of_json(value)
            elif column in value:
                read[field.name] = msgspec.convert(value[column], hint)
        return self._kind(**read, **given)

    def _members(self, row: Row) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for field, hint in self._fields:
            column = self._column(field.name)
            if field.name in self._nested:
                read[field.name] = self._nested[field.name].value(row)
            elif field.name in self._packed:
                packed = unpack(column, row)
                if packed is not None:
                    read[field.name] = of_json(hint, packed)
            elif column in row:
                read[field.name] = self._forms[field.name].read(row[column])
        return read

    def _column(self, name: str) -> str:
        return self._columns[name]


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """How one type is stored and read."""

    stored: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _form(hint: Any, none: datetime) -> _Form:
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (arg for arg in get_args(hint) if arg is not type(None))
        if inner is datetime:
            return _Form(lambda at: none if at is None else at, time_of)
        if inner is timedelta:
            return _Form(lambda span: -1 if span is None else _seconds(span), lambda n: _span(n) if n >= 0 else None)
    elif hint in _FORMS:
        return _FORMS[hint]
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        return _Form(str, hint)
    elif isinstance(hint, type) and issubclass(hint, IntEnum):
        return _Form(int, lambda n: hint(int(n)))
    raise TypeError(f"a field of type {hint} has no column of its own: pack it")


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _span(seconds: int) -> timedelta:
    return timedelta(seconds=int(seconds))


def _words(listed: str) -> frozenset[str]:
    return frozenset(filter(None, listed.split(",")))


_FORMS: Final[Mapping[Any, _Form]] = {
    str: _Form(str, str),
    bool: _Form(bool, bool),
    int: _Form(int, int),
    datetime: _Form(lambda at: at, utc),
    timedelta: _Form(_seconds, _span),
    tuple[str, ...]: _Form(lambda texts: json.dumps([*texts]), lambda text: tuple(json.loads(text))),
    frozenset[str]: _Form(lambda words: ",".join(sorted(words)), _words),
}


def _fields(kind: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)
