"""Route templates of HTTP triggers (ASP.NET's syntax), as regular expressions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::\w+(?:\([^()]*\))?)*)(?:(\?)|=([^{}]*))?\}")
_CONSTRAINT = re.compile(r":(\w+)(?:\(([^()]*)\))?")

_GUID = r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?"
_CHECKS: dict[str, Callable[[str, str], bool]] = {
    "alpha": lambda value, _: re.fullmatch("[a-z]+", value, re.I) is not None,
    "bool": lambda value, _: value.lower() in ("true", "false"),
    "guid": lambda value, _: re.fullmatch(_GUID, value, re.I) is not None,
    "int": lambda value, _: _is_integer(value, 31),
    "long": lambda value, _: _is_integer(value, 63),
    "length": lambda value, bounds: _between(len(value), *(bounds.split(",") * 2)[:2]),
    "minlength": lambda value, low: len(value) >= int(low),
    "maxlength": lambda value, high: len(value) <= int(high),
    "min": lambda value, low: _is_integer(value, 63) and int(value) >= int(low),
    "max": lambda value, high: _is_integer(value, 63) and int(value) <= int(high),
    "range": lambda value, bounds: _is_integer(value, 63) and _between(int(value), *bounds.split(",")),
}


def _is_integer(value: str, bits: int) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", value) is not None and -(2**bits) <= int(value) < 2**bits


def _between(value: int, low: str, high: str) -> bool:
    return int(low) <= value <= int(high)


@dataclass(frozen=True)
class _Parameter:
    name: str
    constraints: tuple[tuple[str, str], ...]
    default: str | None


@dataclass(frozen=True)
class Route:
    """A parsed template. Routes sort from the most to the least specific, the order in which they are tried."""

    template: str
    rank: tuple[int, ...]
    _pattern: re.Pattern[str]
    _parameters: tuple[_Parameter, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Give the parameters of a path (decoded, without leading and trailing slashes), or None if it is another's."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter, value in zip(self._parameters, found.groups(), strict=True):
            if value:
                if not all(_CHECKS[name](value, argument) for name, argument in parameter.constraints):
                    return None
                values[parameter.name] = value
            elif parameter.default is not None:
                values[parameter.name] = parameter.default
        return values


def parse_route(template: str) -> Route:
    """Read a template such as `items/{id:int}`, `files/{*path}`, `{name}.html`, `list/{page?}` or `list/{page=1}`.

    Raises ValueError if it is malformed or names a constraint that is not in _CHECKS.
    """
    text = template.strip("/")
    pattern, rank, parameters = "", [], list[_Parameter]()
    for number, segment in enumerate(text.split("/") if text else ()):
        pieces = _PARAMETER.split(segment)
        # re.split gives: literal, then five groups and a literal for each parameter
        literals, found = pieces[::6], list(zip(*(pieces[group::6] for group in range(1, 6)), strict=True))
        if any("{" in literal or "}" in literal for literal in literals):
            raise ValueError(f"the route {template!r} is malformed at {segment!r}")
        separator, body, optional = "/" if number else "", re.escape(literals[0]), False
        for (star, name, constraints, mark, default), literal in zip(found, literals[1:], strict=True):
            parameter = _Parameter(name, tuple(_CONSTRAINT.findall(constraints)), default)
            for constraint, _ in parameter.constraints:
                if constraint not in _CHECKS:
                    raise ValueError(f"the route {template!r} has an unknown constraint {constraint!r}")
            parameters.append(parameter)
            body += ("(.*)" if star else "([^/]+?)") + re.escape(literal)
            optional = bool(star or mark or default is not None)
        pattern += f"(?:{separator}{body})?" if optional else separator + body
        rank.append(_rank(found))
    return Route(template, tuple(rank), re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(parameters))


def _rank(parameters: list[tuple[str, ...]]) -> int:
    if not parameters:
        return 0  # a literal segment
    star, _, constraints, *_ = parameters[0]
    return 3 if star else (1 if constraints else 2)


def decode_path(raw: str) -> str:
    """Decode a request's path as the host does: everything but %2F, which would change the segments."""
    return unquote(re.sub("%2f", "%252F", raw, flags=re.IGNORECASE)).strip("/")
