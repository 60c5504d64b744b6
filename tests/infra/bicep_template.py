"""What a template would deploy: its resources with their values, for given parameters.

A value that only Azure knows is a `Runtime`: a text in angle brackets that says where it comes from, and whose members
are such texts too. What this does not know raises, so that a test never passes on a value that was not worked out.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.infra.bicep_parser import (
    Access,
    ArrayOf,
    BicepError,
    Call,
    Choice,
    Expr,
    Index,
    Lambda,
    Literal,
    Loop,
    Name,
    ObjectOf,
    Operation,
    Statement,
    Text,
    When,
    parse,
)

type Value = bool | int | str | list[Value] | dict[str, Value] | Resource | Module | None


class Runtime(str):
    """A value that is known only when the deployment runs."""

    __slots__ = ()

    def member(self, name: str) -> Runtime:
        """What a member of this value would be."""
        return Runtime(f"{self[:-1]}.{name}>")


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource that the template declares. `file` is the file's name, `type` without the version."""

    file: str
    symbol: str
    type: str
    version: str
    existing: bool
    body: dict[str, Value]

    @property
    def name(self) -> str:
        """Its name; of a child, with those of its parents before it."""
        parent = self.body.get("parent")
        own = str(self.body.get("name", ""))
        return f"{parent.name}/{own}" if isinstance(parent, Resource) else own

    def get(self, path: str) -> Value:
        """The value at a path such as `properties.networkAcls.bypass`; raises KeyError where there is none."""
        value: Value = self.body
        for step in path.split("."):
            if not isinstance(value, dict):
                raise KeyError(path)
            value = value[step]
        return value


@dataclass(frozen=True, eq=False)
class Module:
    """A module that is deployed, with the values of its outputs."""

    outputs: dict[str, Value]


@dataclass
class Template:
    """One .bicep file with the values of its parameters."""

    path: Path
    parameters: dict[str, Value]
    names: dict[str, Value] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.declared = {(s.kind, s.name): s for s in parse(self.path.read_text(encoding="utf-8"))}
        for statement in self.declared.values():
            if statement.kind == "param":
                self.names[statement.name] = self._parameter(statement)
        if unknown := self.parameters.keys() - {name for kind, name in self.declared if kind == "param"}:
            raise BicepError(f"{self.path.name} has no parameter {sorted(unknown)}")
        for statement in self.declared.values():
            if statement.kind in ("resource", "module"):
                self._look_up(statement.name, {})
        self.outputs = {
            name: self._value(s.value, {}) for (kind, name), s in self.declared.items() if kind == "output" and s.value
        }

    def _parameter(self, statement: Statement) -> Value:
        value = (
            self.parameters[statement.name]
            if statement.name in self.parameters
            else self._value(_there(statement, statement.value), {})
        )
        for decorator, arguments in statement.decorators:
            limit = self._value(arguments[0], {}) if arguments else None
            size = value if isinstance(value, int) else len(value) if isinstance(value, str | list) else 0
            wrong = (
                (decorator == "allowed" and isinstance(limit, list) and value not in limit)
                or (decorator.startswith("min") and isinstance(limit, int) and size < limit)
                or (decorator.startswith("max") and isinstance(limit, int) and size > limit)
            )
            if wrong and not isinstance(value, Runtime):
                raise BicepError(f"{self.path.name}: {value!r} breaks @{decorator} of the parameter {statement.name}")
        return value

    # ---- names

    def _look_up(self, name: str, scope: Mapping[str, Value]) -> Value:
        if name in scope:
            return scope[name]
        if name not in self.names:
            for kind in ("var", "resource", "module"):
                if (kind, name) in self.declared:
                    self.names[name] = self._declare(self.declared[kind, name], None)
                    break
            else:
                raise BicepError(f"{self.path.name}: what is {name}?")
        return self.names[name]

    def _declare(self, statement: Statement, parent: Resource | None) -> Value:
        expression = _there(statement, statement.value)
        if statement.kind == "var":
            return self._value(expression, {})
        if isinstance(expression, When):
            if not self._value(expression.condition, {}):
                return None
            expression = expression.body
        if isinstance(expression, Loop):
            return [self._deploy(statement, expression.body, scope, parent) for scope in self._turns(expression, {})]
        return self._deploy(statement, expression, {}, parent)

    def _deploy(self, statement: Statement, body: Expr, scope: dict[str, Value], parent: Resource | None) -> Value:
        values = self._value(body, scope)
        if not isinstance(values, dict):
            raise BicepError(f"{self.path.name}: {statement.name} has no body")
        if statement.kind == "module":
            parameters = values.get("params", {})
            inner = Template(self.path.parent / statement.of, parameters if isinstance(parameters, dict) else {})
            self.resources += inner.resources
            return Module(inner.outputs)
        kind, version = statement.of.split("@") if "@" in statement.of else (statement.of, "")
        if parent is not None:
            kind, version = f"{parent.type}/{kind}", version or parent.version
            values["parent"] = parent
        resource = Resource(self.path.name, statement.name, kind, version, statement.existing, values)
        self.resources.append(resource)
        if isinstance(body, ObjectOf):
            for child in body.nested:
                values[f"::{child.name}"] = self._declare(child, resource)
        return resource

    def _turns(self, loop: Loop, scope: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
        source = self._value(loop.source, scope)
        if not isinstance(source, list):
            raise BicepError(f"{self.path.name}: the loop over {loop.item} has no list")
        for position, item in enumerate(source):
            yield {**scope, loop.item: item, **({loop.position: position} if loop.position else {})}

    # ---- values

    def _value(self, e: Expr, scope: Mapping[str, Value]) -> Value:
        match e:
            case Literal():
                return e.value
            case Text():
                return "".join(p if isinstance(p, str) else _text(self._value(p, scope)) for p in e.parts)
            case ArrayOf():
                return [self._value(item, scope) for item in e.items]
            case ObjectOf():
                return {
                    k if isinstance(k, str) else _text(self._value(k, scope)): self._value(v, scope)
                    for k, v in e.entries
                }
            case Name():
                return self._look_up(e.name, scope)
            case Access():
                return self._member(self._value(e.base, scope), e.member)
            case Index():
                return self._item(self._value(e.base, scope), self._value(e.index, scope))
            case Choice():
                return self._value(e.then if self._value(e.condition, scope) else e.otherwise, scope)
            case Loop():
                return [self._value(e.body, turn) for turn in self._turns(e, scope)]
            case Operation():
                return self._operation(e, scope)
            case Call():
                return self._call(e, scope)
            case Lambda() | When():
                raise BicepError(f"{self.path.name}: {e} stands where a value should")

    def _member(self, base: Value, name: str) -> Value:
        match base:
            case Runtime():
                return base.member(name)
            case Module():
                return base.outputs[name] if name != "outputs" else {**base.outputs}
            case Resource():
                if f"::{name}" in base.body:
                    return base.body[f"::{name}"]
                if name in base.body and name not in ("properties", "identity"):
                    return base.body[name]
                return Runtime(f"<{base.type} {base.name} {name}>")
            case dict():
                return base[name]
            case _:
                raise BicepError(f"{self.path.name}: {base!r} has no member {name}")

    def _item(self, base: Value, index: Value) -> Value:
        if isinstance(base, Runtime):
            return base.member(str(index))
        if isinstance(base, list) and isinstance(index, int):
            return base[index]
        if isinstance(base, dict) and isinstance(index, str):
            return base[index]
        raise BicepError(f"{self.path.name}: {base!r} has no item {index!r}")

    def _operation(self, e: Operation, scope: Mapping[str, Value]) -> Value:
        left = self._value(e.operands[0], scope)
        if e.operator == "!":
            return not left
        if e.operator == "&&":
            return bool(left and self._value(e.operands[1], scope))
        if e.operator == "||":
            return bool(left or self._value(e.operands[1], scope))
        right = self._value(e.operands[1], scope)
        if e.operator == "==":
            return left == right
        if e.operator == ">" and isinstance(left, int) and isinstance(right, int):
            return left > right
        if e.operator == "+" and isinstance(left, int) and isinstance(right, int):
            return left + right
        raise BicepError(f"{self.path.name}: the operator {e.operator} is not known here")

    def _call(self, e: Call, scope: Mapping[str, Value]) -> Value:
        if e.function in ("filter", "map") and isinstance(e.arguments[1], Lambda):
            source, turn = self._value(e.arguments[0], scope), e.arguments[1]
            if isinstance(source, Runtime):
                return source.member(e.function)
            items = source if isinstance(source, list) else []
            results = [(item, self._value(turn.body, {**scope, turn.parameter: item})) for item in items]
            return [new for _, new in results] if e.function == "map" else [item for item, keep in results if keep]
        arguments = [self._value(a, scope) for a in e.arguments]
        if e.function == "loadJsonContent":
            loaded: Value = json.loads((self.path.parent / _text(arguments[0])).read_text(encoding="utf-8"))
            return loaded
        if e.function not in _FUNCTIONS:
            raise BicepError(f"{self.path.name}: the function {e.function} is not known here")
        return _FUNCTIONS[e.function](*arguments)


@dataclass
class _Parameters(Template):
    """A .bicepparam file; `environment` stands for the variables that azd sets."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def _parameter(self, statement: Statement) -> Value:
        return self._value(_there(statement, statement.value), {})

    def _call(self, e: Call, scope: Mapping[str, Value]) -> Value:
        if e.function == "readEnvironmentVariable":
            name, default = (_text(self._value(a, scope)) for a in e.arguments)
            return self.environment.get(name, default)
        return super()._call(e, scope)


def parameters_of(path: Path, environment: Mapping[str, str]) -> dict[str, Value]:
    """The parameters that a .bicepparam file gives under these environment variables."""
    file = _Parameters(path, {}, environment=environment)
    return {name: file.names[name] for kind, name in file.declared if kind == "param"}


def _there(statement: Statement, value: Expr | None) -> Expr:
    if value is None:
        raise BicepError(f"line {statement.line}: {statement.kind} {statement.name} has no value")
    return value


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value)


def _union(*values: Value) -> Value:
    """Objects: later members win. Lists: no item twice."""
    if all(isinstance(v, dict) for v in values):
        return {k: v for value in values if isinstance(value, dict) for k, v in value.items()}
    found: list[Value] = []
    for value in values:
        found += [v for v in value if v not in found] if isinstance(value, list) else []
    return found


def _concat(*values: Value) -> Value:
    return [item for value in values if isinstance(value, list) for item in value]


def _items(value: Value) -> Value:
    pairs: list[Value] = [{"key": k, "value": v} for k, v in sorted(value.items())] if isinstance(value, dict) else []
    return pairs


def _split(value: Value, by: Value) -> Value:
    parts: list[Value] = [*_text(value).split(_text(by))]
    return parts


def _contains(container: Value, item: Value) -> Value:
    if isinstance(container, str | dict):
        return _text(item) in container
    return isinstance(container, list) and item in container


def _join(values: Value, glue: Value) -> Value:
    return _text(glue).join(_text(v) for v in values) if isinstance(values, list) else ""


def _unique_string(*values: Value) -> Value:
    """Thirteen characters a to z and 2 to 7, as Azure's; not the same ones."""
    digest = hashlib.sha256("|".join(map(_text, values)).encode()).digest()
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in digest[:13])


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "bool": lambda v: {"true": True, "false": False}[_text(v).lower()],
    "concat": _concat,
    "contains": _contains,
    "empty": lambda v: not v,
    "environment": lambda: Runtime("<environment>"),
    "guid": lambda *v: str(uuid.uuid5(uuid.NAMESPACE_OID, "|".join(map(_text, v)))),
    "int": lambda v: int(_text(v)),
    "items": _items,
    "join": _join,
    "json": lambda v: json.loads(_text(v)),
    "replace": lambda v, old, new: _text(v).replace(_text(old), _text(new)),
    "resourceGroup": lambda: Runtime("<resourceGroup>"),
    "shallowMerge": lambda objects: _union(*objects) if isinstance(objects, list) else None,
    "split": _split,
    "string": _text,
    "subscription": lambda: Runtime("<subscription>"),
    "subscriptionResourceId": lambda kind, name: f"{_text(kind)}/{_text(name)}",
    "tenant": lambda: Runtime("<tenant>"),
    "toLower": lambda v: _text(v).lower(),
    "toUpper": lambda v: _text(v).upper(),
    "trim": lambda v: _text(v).strip(),
    "union": _union,
    "uniqueString": _unique_string,
}
