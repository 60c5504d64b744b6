"""What each channel should have heard: a model to compare with what its receiver took, after any faults.

The contract (docs/alerts.md): a channel's last word about an incident never says open where it was withdrawn, nor
withdrawn where it is open, and the severity it names is the one that stands; every message says something new; and
nothing is told that the log does not hold. What people or an exception have in hand, and what closed by itself, a
channel need not have heard of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.incidents.life import is_in_hand
from shared.incidents.model import Incident, IncidentState
from shared.rules.rule import Severity


@dataclass(frozen=True)
class LastWord:
    """What a receiver knows of an incident, from the newest message about it."""

    withdrawn: bool
    opening: int
    severity: str


def last_words(bodies: Iterable[Mapping[str, Any]]) -> dict[str, LastWord]:
    """The last word about each incident, from the messages as JSON in the order in which they came.

    A message that comes again, under the same id, says nothing new. A message about many incidents lists the worst
    alone: what it does not list is not known.
    """
    return {key: word for _, key, word in _said(bodies)}


# These may say again what a channel knows: new findings came, or something woke it. (A storm may list such.)
_MAY_REPEAT: Final = ("incident.ongoing", "incidents.storm")


def said_twice(bodies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Messages that, under an id of their own, say of an incident what the channel knew. The summary of the first scan
    is about all that it found, also what was told ahead of it."""
    words: dict[str, LastWord] = {}
    summed_up: set[str] = set()
    wrong = []
    for type_, key, word in _said(bodies):
        known = words.get(key)
        may_repeat = type_ in _MAY_REPEAT or (type_ == "incidents.first-scan" and key not in summed_up)
        if known == word and not may_repeat:
            wrong.append(f"{key}: {type_} says {word}, which was said before")
        if word.withdrawn and (known is None or known.withdrawn):
            wrong.append(f"{key}: {type_} takes back what was not told")
        if type_ == "incidents.first-scan":
            summed_up.add(key)
        words[key] = word
    return wrong


def told_falsely(bodies: Iterable[Mapping[str, Any]], true: Collection[str]) -> list[str]:
    """Incidents that a channel was ever told of and that the whole log, read without a fault, does not hold (`true`:
    the keys of those it does)."""
    false = {key: type_ for type_, key, _ in _said(bodies) if key not in true}
    return [f"{key}: {type_} tells it, and it is none" for key, type_ in false.items()]


def _said(bodies: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, LastWord]]:
    """The type of the message, the incident and the word, message by message; each id once."""
    seen: set[str] = set()
    for body in bodies:
        if body["idempotencyKey"] in seen or body.get("test") or not body["type"].startswith("incident"):
            continue
        seen.add(body["idempotencyKey"])
        data = body["data"]
        for incident in data["incidents"] if "incidents" in data else [data["incident"]]:
            withdrawn = body["type"] in ("incident.withdrawn", "incidents.withdrawn")
            yield body["type"], incident["id"], LastWord(withdrawn, incident["opening"], incident["severity"])


def wrong_words(bodies: Sequence[Mapping[str, Any]], incidents: Iterable[Incident], minimum: int = 1) -> list[str]:
    """What is wrong with a channel's last words once everything is delivered: one sentence each, none where all is
    right. `minimum` is the lowest severity that the channel wants."""
    words = last_words(bodies)
    wrong = []
    for incident in incidents:
        word = words.get(incident.key)
        if why := _wrong(incident, word, minimum):
            wrong.append(f"{incident.key} {incident.who.user_name} ({incident.state}): {why}; the last word is {word}")
    return wrong


def _wrong(incident: Incident, word: LastWord | None, minimum: int) -> str:
    if incident.is_withdrawn:
        return "it was withdrawn" if word is not None and not word.withdrawn else ""
    if is_in_hand(incident) or incident.state is IncidentState.RESOLVED or not incident.announced:
        return ""
    stands = incident.facts.stands
    if word is None or word.withdrawn:
        return "it is open, and was not told" if stands >= minimum else ""
    if word.opening != incident.opening and stands >= minimum:
        return f"it is open for the {incident.opening}. time"
    severity = Severity(stands).label
    return "" if word.severity == severity else f"it is {severity}"
