"""How the demo ends: six lines of at most eighty columns, and an excerpt of the alert. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.stage.first_alert import is_right

WIDTH: Final = 80
_EXCERPT: Final = 8
_PLACE: Final = "127.0.0.1:7071"


@dataclass(frozen=True, slots=True)
class End:
    """What the last lines say. `told` is the number in the alert of the first scan (None: none came), `open_all` how
    many incidents the app says are open. `causes` is the answer of that name. `address` is the app's, None where
    it does not stay up."""

    summary: Mapping[str, Any]
    causes: Mapping[str, Any]
    planted: int
    found: int
    others: int
    told: int | None
    open_all: int
    address: str | None

    @property
    def is_right(self) -> bool:
        """Whether every planted violation was found, nothing else was, and the alert tells as many as the app."""
        return self.found == self.planted and not self.others and is_right(self.told, self.open_all)


def last_lines(end: End) -> list[str]:
    """Six lines: how compliant and how much of that was read; what was found and told; the worst three with what to do;
    what to try next."""
    signins, coverage = end.summary["delegatedSignIns"], end.summary["coverage"]
    until = str(coverage["measuredUntil"] or "nowhere")[5:16].replace("T", " ")
    share = "nothing to judge" if signins["compliancePercent"] is None else f"{signins['compliancePercent']} % had MFA"
    others = "nothing else" if not end.others else f"{end.others} that nobody planted"
    told = "NO alert of the first scan" if end.told is None else f"the alert tells {end.told} of {end.open_all} open"
    worst = [_worst(place, cause) for place, cause in enumerate(end.causes["items"][:3], 1)]
    return [
        _cut(f"{share} ({signins['unknown']} unknown); {coverage['percent']} % of the log read, until {until} UTC."),
        _cut(f"{end.found} of {end.planted} planted violations found, {others}; {told}."),
        *(worst + ["–"] * (3 - len(worst))),
        _try(end.address),
    ]


def _try(address: str | None) -> str:
    if address is None:
        return f"Try: make demo SERVE=1 PORT=7071 | curl {_PLACE}/api/causes | make help"
    return f"Try: curl {address}/api/causes, …/api/changes, …/api/rules"


def excerpt(lines: Sequence[str]) -> list[str]:
    """The first lines of a message, to be set in by two columns."""
    shown = [_cut(line, WIDTH - 2) for line in lines if line.strip()]
    return [*shown[:_EXCERPT], *(["…"] if len(shown) > _EXCERPT else [])]


def _worst(place: int, cause: Mapping[str, Any]) -> str:
    """The gap, how many sign-ins it let pass, and the first step that closes it."""
    step = str(next(iter(cause["whatCloses"]["steps"]), ""))
    gap = _cut(re.split(r"[(;]", str(cause["title"]), maxsplit=1)[0].strip(), 34)
    return _cut(f"{place}. {gap}: {cause['signIns']} of {cause['ofAll']}. {step}")


def _cut(text: str, width: int = WIDTH) -> str:
    """At most so wide, cut at a word where it is too long."""
    if len(text) <= width:
        return text
    return text[: width - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"
