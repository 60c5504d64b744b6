"""Schedules of timer triggers: six-field NCRONTAB, or a time span between runs."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from croniter import CroniterError, croniter

from local.host.settings import parse_time_span

# NCRONTAB is the common part only: no @daily, ?, L, W, # or random fields, which croniter would take.
_VALUE = r"(?:\*|(?:\d+|[A-Za-z]{3})(?:-(?:\d+|[A-Za-z]{3}))?)(?:/\d+)?"
_FIELD = re.compile(rf"{_VALUE}(?:,{_VALUE})*")


class Schedule(Protocol):
    """When a timer is due."""

    def after(self, moment: datetime) -> datetime:
        """Give the first time due after a moment (time zone kept)."""
        ...


@dataclass(frozen=True)
class Every:
    """A fixed time between runs."""

    interval: timedelta

    def after(self, moment: datetime) -> datetime:
        """Give the moment one interval later."""
        return moment + self.interval


@dataclass(frozen=True)
class Cron:
    """An NCRONTAB expression with the seconds first; five fields mean second 0."""

    expression: str

    def after(self, moment: datetime) -> datetime:
        """Give the next occurrence; a day must fit both the day of the month and of the week, unlike in Unix cron."""
        due: datetime = croniter(self.expression, moment, second_at_beginning=True, day_or=False).get_next(datetime)
        return due


def parse_schedule(text: str, now: datetime) -> Schedule:
    """Read a timer's schedule; `now` is any time to try it with. Raises ValueError that says what is wrong."""
    if ":" in text:
        interval = parse_time_span(text)
        if not interval:
            raise ValueError("the time span is zero")
        return Every(interval)
    fields = text.split()
    if len(fields) not in (5, 6) or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError("an NCRONTAB expression has six fields: second minute hour day month day-of-week")
    if re.search(r"(?<!/)\b7\b", fields[-1]):
        raise ValueError("days of the week are 0 (Sunday) to 6")
    schedule = Cron(" ".join(fields))
    try:
        schedule.after(now)
    except CroniterError as error:
        raise ValueError(str(error)) from None
    return schedule
