"""Templates to HTML: escaped throughout, with headers that let nothing run but what this app serves itself."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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


def _percent(value: float | None) -> str:
    return "not measurable" if value is None else f"{value:.2f}".rstrip("0").rstrip(".") + " %"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"time": _time, "percent": _percent, "number": _number}
    return made


_ENVIRONMENT: Final = _environment()


def render(template: str, **shown: Any) -> str:
    """A page. Raises UndefinedError where the template asks for something that is not given."""
    return _ENVIRONMENT.get_template(template).render(**shown)


def error_page(status: HTTPStatus, detail: str) -> str:
    """What a person reads in place of a page: what happened, and where to go."""
    return render("error.html", title=status.phrase, status=int(status), detail=detail)
