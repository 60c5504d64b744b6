"""A small parser of Bicep: as much of the language as infra/ uses, and an error for anything else.

It is no compiler: types, scopes and rules are the business of the real tools. It exists so that tests can ask what the
templates say without a program that not every machine has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

type Expr = (
    Literal | Text | ArrayOf | ObjectOf | Name | Access | Index | Call | Operation | Choice | Lambda | Loop | When
)


@dataclass(frozen=True)
class Literal:
    value: str | int | bool | None


@dataclass(frozen=True)
class Text:
    """A string with expressions in it."""

    parts: tuple[str | Expr, ...]


@dataclass(frozen=True)
class ArrayOf:
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class ObjectOf:
    entries: tuple[tuple[str | Text, Expr], ...]
    nested: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Access:
    base: Expr
    member: str


@dataclass(frozen=True)
class Index:
    base: Expr
    index: Expr


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Operation:
    """`!x` has one operand, everything else two."""

    operator: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Choice:
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True)
class Lambda:
    parameter: str
    body: Expr


@dataclass(frozen=True)
class Loop:
    item: str
    position: str | None
    source: Expr
    body: Expr


@dataclass(frozen=True)
class When:
    """The body of a resource or module that is deployed only if."""

    condition: Expr
    body: Expr


@dataclass(frozen=True)
class Statement:
    """One declaration. `kind` is its keyword; `of` a type or a path; `line` counts from 1."""

    kind: str
    name: str
    of: str
    value: Expr | None
    line: int
    decorators: tuple[tuple[str, tuple[Expr, ...]], ...] = ()
    existing: bool = False


class BicepError(Exception):
    """The text holds something that this parser does not know."""


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|//[^\n]*|/\*.*?\*/|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<long>'''\n?(?P<raw>.*?)''')
      | (?P<string>')
      | (?P<number>\d+)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>=>|==|!=|<=|>=|=~|&&|\|\||\?\?|\.\?|::|[-+*/%<>=!?:.,(){}\[\]@|])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"\\": "\\", "'": "'", "n": "\n", "t": "\t", "r": "\r", "$": "$"}
_LEVELS = (("??",), ("||",), ("&&",), ("==", "!=", "=~"), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))


def parse(text: str) -> tuple[Statement, ...]:
    """The declarations of a .bicep or .bicepparam text, in order. Raises BicepError with the line."""
    return _Parser(text).statements()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0  # of parentheses: inside them a newline means nothing
        self.kind = self.value = ""
        self.start = 0
        self.next()

    # ---- tokens

    def next(self) -> None:
        while True:
            self.start = self.at
            if self.at == len(self.text):
                self.kind = self.value = "end"
                return
            found = _TOKEN.match(self.text, self.at)
            if found is None or found.lastgroup is None:
                self.fail("this character")
            self.at = found.end()
            self.kind = next(k for k in ("space", "newline", "long", "string", "number", "word", "sign") if found[k])
            self.value = found["raw"] if self.kind == "long" else found[0]
            if self.kind != "space" and not (self.kind == "newline" and self.depth):
                return

    def fail(self, what: str) -> NoReturn:
        line = self.text.count("\n", 0, self.start) + 1
        raise BicepError(f"line {line}: did not expect {what}: {self.text[self.start : self.start + 40]!r}")

    def sees(self, *values: str) -> bool:
        return self.kind in ("sign", "word") and self.value in values

    def take(self, value: str) -> bool:
        if self.sees(value):
            self.next()
            return True
        return False

    def expect(self, value: str) -> None:
        if not self.take(value):
            self.fail(f"this instead of {value!r}")

    def word(self) -> str:
        if self.kind != "word":
            self.fail("this instead of a name")
        value = self.value
        self.next()
        return value

    def newlines(self) -> None:
        while self.kind == "newline":
            self.next()

    # ---- declarations

    def statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        self.newlines()
        while self.kind != "end":
            found.append(self.statement())
            if self.kind not in ("newline", "end"):
                self.fail("this after a declaration")
            self.newlines()
        return tuple(found)

    def statement(self) -> Statement:
        decorators: list[tuple[str, tuple[Expr, ...]]] = []
        while self.take("@"):
            decorators.append((self.word(), self.arguments()))
            self.newlines()
        line = self.text.count("\n", 0, self.start) + 1
        kind = self.word()
        name = of = ""
        value: Expr | None = None
        existing = False
        if kind == "targetScope":
            self.expect("=")
            value = self.expression()
        elif kind == "using":
            value = self.expression()
        elif kind == "extension":
            name = self.word()
        elif kind in ("metadata", "var"):
            name = self.word()
            self.expect("=")
            value = self.expression()
        elif kind in ("param", "output"):
            name = self.word()
            of = self.word() if self.kind == "word" else ""  # a .bicepparam assigns without a type
            if self.take("="):
                value = self.expression()
        elif kind in ("resource", "module"):
            name = self.word()
            of = self.plain_string()
            existing = self.take("existing")
            self.expect("=")
            value = self.body()
        else:
            self.fail(f"the keyword {kind!r} before this")
        return Statement(kind, name, of, value, line, tuple(decorators), existing)

    def body(self) -> Expr:
        if self.take("if"):
            self.depth += 1
            self.expect("(")
            condition = self.expression()
            self.depth -= 1
            self.expect(")")
            return When(condition, self.expression())
        return self.expression()

    def arguments(self) -> tuple[Expr, ...]:
        self.depth += 1
        self.expect("(")
        found: list[Expr] = []
        while not self.sees(")"):
            found.append(self.expression())
            if not self.take(","):
                break
        self.depth -= 1
        self.expect(")")
        return tuple(found)

    # ---- expressions

    def expression(self) -> Expr:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        then = self.expression()
        self.expect(":")
        return Choice(condition, then, self.expression())

    def binary(self, level: int) -> Expr:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.kind == "sign" and self.value in _LEVELS[level]:
            operator = self.value
            self.next()
            left = Operation(operator, (left, self.binary(level + 1)))
        return left

    def unary(self) -> Expr:
        if self.take("!"):
            return Operation("!", (self.unary(),))
        found = self.primary()
        while True:
            if self.take(".") or self.take("::"):
                found = Access(found, self.word())
            elif self.sees("["):
                found = Index(found, self.bracketed())
            elif not self.take("!"):  # "not null": says nothing about a value
                return found

    def bracketed(self) -> Expr:
        outer, self.depth = self.depth, self.depth + 1
        self.expect("[")
        found = self.expression()
        self.depth = outer
        self.expect("]")
        return found

    def primary(self) -> Expr:
        if self.kind == "number":
            value = int(self.value)
            self.next()
            return Literal(value)
        if self.kind == "long":
            text = self.value
            self.next()
            return Literal(text)
        if self.kind == "string":
            return self.string()
        if self.sees("("):
            self.depth += 1
            self.expect("(")
            found = self.expression()
            self.depth -= 1
            self.expect(")")
            return found
        if self.sees("["):
            return self.array()
        if self.sees("{"):
            return self.object()
        name = self.word()
        if name in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[name])
        if self.sees("("):
            return Call(name, self.arguments())
        if self.take("=>"):
            return Lambda(name, self.expression())
        return Name(name)

    def string(self) -> Literal | Text:
        """From the opening quote; reads characters, since what is inside is not made of tokens."""
        parts: list[str | Expr] = [""]
        while (character := self.text[self.at]) != "'":
            self.at += 1
            if character == "\\":
                parts[-1] = str(parts[-1]) + _ESCAPES[self.text[self.at]]
                self.at += 1
            elif character == "$" and self.text[self.at] == "{":
                self.at += 1
                outer, self.depth = self.depth, self.depth + 1
                self.next()
                parts.append(self.expression())
                self.depth = outer
                if not self.sees("}"):
                    self.fail("this in a string")
                self.at = self.start + 1
                parts.append("")
            else:
                parts[-1] = str(parts[-1]) + character
        self.at += 1
        self.next()
        return Literal(str(parts[0])) if len(parts) == 1 else Text(tuple(p for p in parts if p != ""))

    def plain_string(self) -> str:
        found = self.string() if self.kind == "string" else self.fail("this instead of a string")
        if not isinstance(found, Literal):
            self.fail("an expression in this string")
        return str(found.value)

    def array(self) -> Expr:
        outer, self.depth = self.depth, 0
        self.expect("[")
        self.newlines()
        if self.take("for"):
            found: Expr = self.loop()
        else:
            items: list[Expr] = []
            while not self.sees("]"):
                items.append(self.expression())
                self.take(",")
                self.newlines()
            found = ArrayOf(tuple(items))
        self.depth = outer
        self.expect("]")
        return found

    def loop(self) -> Loop:
        position = None
        if self.take("("):
            item = self.word()
            self.expect(",")
            position = self.word()
            self.expect(")")
        else:
            item = self.word()
        self.expect("in")
        source = self.expression()
        self.expect(":")
        return Loop(item, position, source, self.body())

    def object(self) -> ObjectOf:
        outer, self.depth = self.depth, 0
        self.expect("{")
        self.newlines()
        entries: list[tuple[str | Text, Expr]] = []
        nested: list[Statement] = []
        while not self.sees("}"):
            if self.sees("resource") and not self.text[self.at :].lstrip().startswith(":"):
                nested.append(self.statement())
            else:
                key = self.string() if self.kind == "string" else Literal(self.word())
                self.expect(":")
                entries.append((key if isinstance(key, Text) else str(key.value), self.expression()))
            self.take(",")
            self.newlines()
        self.depth = outer
        self.expect("}")
        return ObjectOf(tuple(entries), tuple(nested))
