"""Templates to HTML: escaped throughout, with headers that let nothing run but what this app serves itself."""

from __future__ import annotations

import re
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from shared.page.charts import share
from shared.page.places import ENTRANCES
from shared.wire.text import percentage

_SHORT: Final = 80  # characters
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HERE: Final = Path(__file__).parent
STYLE: Final = (_HERE / "templates" / "style.css").read_text(encoding="utf-8")
# No script, no inline style, no frame, nothing from elsewhere; forms go to this app alone.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _time(at: datetime | None) -> str:
    return f"{at:%d %b %Y %H:%M} UTC" if at else "never"


def _date(at: datetime | date | None) -> str:
    return f"{at:%d %b %Y}" if at else "–"


def _percent(value: float | None) -> str:
    return "not measurable" if value is None else percentage(value)


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _plural(count: int, one: str, many: str) -> str:
    return f"{_number(count)} {one if count == 1 else many}"


def _bound(sentence: str) -> str:
    """A sentence of an answer whose percentages are not torn from their sign at the end of a line."""
    return sentence.replace(" %", "\u202f%")


def _soft(text: str) -> Markup:
    """A name that is rather broken before its @ than within a word."""
    return escape(_upright(text)).replace("@", Markup("<wbr>@"))


def _cell(value: float | None) -> str:
    """A share in a table; a dash where nothing could be divided."""
    return "–" if value is None else percentage(value)


def _short(text: str) -> str:
    """What a table has room for of a name; its own page has all of it."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT].rstrip()}…"


def _upright(value: object) -> object:
    """A value that is put into a template: text that would turn round what stands after it shows a mark there."""
    if isinstance(value, str) and not isinstance(value, Markup) and _TURNS.search(value):
        return _TURNS.sub("\ufffd", value)
    return value


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_upright,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"entrances": ENTRANCES, "share": share}
    made.filters |= {
        "time": _time,
        "date": _date,
        "percent": _percent,
        "number": _number,
        "plural": _plural,
        "bound": _bound,
        "short": _short,
        "soft": _soft,
        "cell": _cell,
    }
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return made


_ENVIRONMENT: Final = _environment()


def render(template: str, **shown: Any) -> str:
    """A page. Raises UndefinedError where the template asks for something that is not given."""
    return _ENVIRONMENT.get_template(template).render(**shown)


_NEXT: Final = {
    HTTPStatus.UNAUTHORIZED: "Sign in with your work account, then open the page again.",
    HTTPStatus.FORBIDDEN: "Ask who administers this app in Entra (Enterprise applications, Users and groups) for the "
    "app role Reader, or Operator to act.",
    HTTPStatus.NOT_FOUND: "Look whether the address is whole; what was removed after the retention time is gone.",
    HTTPStatus.BAD_REQUEST: "Change the filter or the address as it says, and try again.",
    HTTPStatus.CONFLICT: "Go back, read it again, and act on what stands there now.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a minute. If it stays, look at the app's storage account: "
    "docs/operations.md says how.",
}


def error_page(status: HTTPStatus, detail: str) -> str:
    """What a person reads in place of a page: what happened, what to do, and where to go."""
    to_do = _NEXT.get(status, "Try again; if it stays, look into the app's log (Application Insights).")
    return render("error.html", title=status.phrase, detail=detail, to_do=to_do)
