"""Charts as SVG, made on the server. Pure: numbers and dates in, markup out; no text of a log is ever drawn.

Each chart stands beside its table, so it is an image with one sentence for who cannot see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Final

from markupsafe import Markup

from shared.compliance.summary import TrendDay

_WIDTH: Final = 720
_HEIGHT: Final = 140


@dataclass(frozen=True, slots=True)
class Bar:
    """One UTC day. `unread`: some of it was not read, or none; `open`: the day is not over."""

    day: date
    compliant: int
    non_compliant: int
    unknown: int
    unread: bool
    open: bool

    @property
    def total(self) -> int:
        """All that was judged."""
        return self.compliant + self.non_compliant + self.unknown


def bar_of(day: TrendDay, now: datetime) -> Bar:
    """A day of the summary's trend as a bar."""
    today = day.date == now.date()
    unread = day.coverage_percent is not None and day.coverage_percent < 100
    return Bar(day.date, day.compliant, day.non_compliant, day.unknown, unread and not today, today)


def trend(bars: Sequence[Bar]) -> Markup:
    """Stacked bars a day, the worst at the foot so that a single sign-in without MFA is seen. Days that were not read
    to their end are hatched, the day that is not over has a dashed edge."""
    most = max((bar.total for bar in bars), default=0) or 1
    step = _WIDTH / max(1, len(bars))
    drawn = "".join(_day(bar, place * step, step, most) for place, bar in enumerate(bars))
    return _svg("chart", (_WIDTH, _HEIGHT), _label(bars), drawn) + _ends([bar.day for bar in bars])


def _day(bar: Bar, x: float, step: float, most: int) -> str:
    width = max(1.0, step - 2)
    drawn, y = [], float(_HEIGHT)
    for kind, count in (("bad", bar.non_compliant), ("unsure", bar.unknown), ("good", bar.compliant)):
        if count:
            height = max(2.0, count / most * (_HEIGHT - 4))
            y -= height
            drawn.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
    if bar.unread:
        drawn.append(f'<rect class="unread" x="{x:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}"/>')
    if bar.open:
        drawn.append(f'<rect class="open-day" x="{x:.1f}" y="1" width="{width:.1f}" height="{_HEIGHT - 1}"/>')
    return "".join(drawn)


def _label(bars: Sequence[Bar]) -> str:
    bad, total = sum(bar.non_compliant for bar in bars), sum(bar.total for bar in bars)
    unread = sum(bar.unread for bar in bars)
    days = f"{unread} day was not read to its end" if unread == 1 else f"{unread} days were not read to their end"
    return f"{total} sign-ins in {len(bars)} days, {bad} without MFA; {days}"


def _svg(kind: str, size: tuple[int, int], label: str, inside: str) -> Markup:
    """Drawn as wide as there is room; what stands in it is stretched, so that text stands beside it."""
    hatch = (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )
    width, height = size
    return Markup(  # noqa: S704 - numbers and dates alone
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{hatch if "unread" in inside else ""}{inside}</svg>'
    )


def _ends(days: Sequence[date]) -> Markup:
    """The first and the last day, below the ends of a chart."""
    if not days:
        return Markup("")
    return Markup(  # noqa: S704 - dates alone
        f'<p class="ends quiet"><span>{days[0]:%d %b}</span> <span>{days[-1]:%d %b}</span></p>'
    )


def spark(
    counted: Mapping[date, int], first: date, last: date, *, what: str = "sign-ins without MFA", kind: str = "bad"
) -> Markup:
    """Numbers by UTC day, from the first day to the last, as a line of small bars of a kind (bad, unsure, good); days
    without a number are zero. `what` is counted."""
    count = max(1, (last - first).days + 1)
    most = max(counted.values(), default=0) or 1
    step = 120 / count
    drawn = "".join(
        f'<rect class="{kind}" x="{(day - first).days * step:.1f}" y="{24 - max(2, n / most * 22):.1f}" '
        f'width="{max(1, step - 0.5):.1f}" height="{max(2, n / most * 22):.1f}"/>'
        for day, n in sorted(counted.items())
        if n and first <= day <= last
    )
    total = sum(counted.values())
    label = f"{total} {what} in {count} days, at most {max(counted.values(), default=0)} a day"
    floor = '<line class="axis-line" x1="0" y1="23.5" x2="120" y2="23.5"/>'
    return _svg("spark", (120, 24), label, floor + drawn)
