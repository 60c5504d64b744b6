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
_HEIGHT: Final = 72

type Stack = Sequence[tuple[str, int]]  # kinds from the foot upwards, each with how many


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
    """Two rows of bars, each with a measure of its own, so that a single sign-in without MFA is seen beside thousands
    with it. Days that were not read to their end are hatched, the day that is not over has a dashed edge."""
    lacking = [(bar, (("bad", bar.non_compliant), ("unsure", bar.unknown))) for bar in bars]
    fine = [(bar, (("good", bar.compliant),)) for bar in bars]
    with_mfa = f"{sum(bar.compliant for bar in bars)} sign-ins with MFA in {len(bars)} days"
    return (
        _panel("Without MFA or unknown, a day", lacking, _label(bars), hatch=True)
        + _panel("With MFA, a day", fine, with_mfa)
        + _ends([bar.day for bar in bars])
    )


def _panel(title: str, days: Sequence[tuple[Bar, Stack]], label: str, *, hatch: bool = False) -> Markup:
    """One row of bars below its title and the highest of its numbers."""
    highest = max((sum(count for _, count in stack) for _, stack in days), default=0)
    step = _WIDTH / max(1, len(days))
    drawn = "".join(_day(bar, stack, place * step, step, highest or 1) for place, (bar, stack) in enumerate(days))
    floor = f'<line class="axis-line" x1="0" y1="{_HEIGHT - 0.5}" x2="{_WIDTH}" y2="{_HEIGHT - 0.5}"/>'
    return _axis(title, highest) + _svg("chart", (_WIDTH, _HEIGHT), label, floor + drawn, hatch=hatch)


def _axis(title: str, highest: int) -> Markup:
    """What is drawn below, and how much the highest bar is."""
    return Markup(  # noqa: S704 - our own words and a number
        f'<p class="axis quiet"><span>{title}</span> <span>highest: {highest:,}</span></p>'
    )


def _day(bar: Bar, stack: Stack, x: float, step: float, most: int) -> str:
    width = max(1.0, step - 2)
    drawn, y = [], float(_HEIGHT)
    for kind, count in stack:
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


def _svg(kind: str, size: tuple[int, int], label: str, inside: str, *, hatch: bool = False) -> Markup:
    """Drawn as wide as there is room; what stands in it is stretched, so that text stands beside it. `hatch`: the
    pattern of days that were not read is defined here, once a page."""
    pattern = (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )
    width, height = size
    return Markup(  # noqa: S704 - numbers and dates alone
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{pattern if hatch and "unread" in inside else ""}{inside}</svg>'
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


def lacking_by_day(lacking: Mapping[date, int], first: date, last: date) -> Markup:
    """The same as `spark`, wide, with its highest number and its ends."""
    highest = max((n for day, n in lacking.items() if first <= day <= last), default=0)
    return _axis("Sign-ins a day", highest) + spark(lacking, first, last) + _ends([first, last])


def share(part: int, whole: int) -> Markup:
    """A part of a whole as a bar, for the eye alone: the numbers stand beside it."""
    width = max(1.5, min(100.0, 100 * part / max(1, whole)))
    return Markup(  # noqa: S704 - numbers alone
        '<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="whole" width="100" height="6" rx="1"/>'
        f'<rect class="bad" width="{width:.1f}" height="6" rx="1"/></svg>'
    )
