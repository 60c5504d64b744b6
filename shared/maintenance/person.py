"""A person as text knows them: an object id and names, and what stands in their place. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from shared.incidents.erased import Erasure
from shared.incidents.traits import undescribed
from shared.wire.models import shown_id


class ErasedPerson:
    """Who is erased: an object id, the names it had, and the pseudonym in their place; `incidents` are the keys of
    those about them."""

    def __init__(self, key: str, names: set[str], erasure: Erasure, incidents: Collection[str] = ()) -> None:
        self.key = key
        self.erasure = erasure
        self.incidents = frozenset(incidents)
        self._whole = {name.strip().lower() for name in names if name.strip()}
        self._spelled = _pattern(key, self._whole)

    def in_text(self, text: str) -> str:
        """The text under the pseudonym."""
        if text.strip().lower() in self._whole and "@" not in text:
            return self.erasure.name
        return self._spelled.sub(self._instead, text)

    def in_json(self, value: Any) -> Any:
        """A JSON value under the pseudonym, in its keys too. An incident about the person says no more what it was in
        their sign-ins that it woke for."""
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, list):
            return [self.in_json(item) for item in value]
        if isinstance(value, dict):
            if isinstance(reason := value.get("reason"), str) and value.get("id") in self.incidents:
                value = {**value, "reason": undescribed(reason)}
            return {self.in_text(name): self.in_json(item) for name, item in value.items()}
        return value

    def is_in(self, raw: bytes) -> bool:
        """Whether bytes of the log name the person."""
        return bool(self._spelled.search(raw.decode(errors="replace")))

    def _instead(self, found: re.Match[str]) -> str:
        text = found[0]
        if text.lower() == self.key:
            return self.erasure.pseudonym
        if text.lower() == shown_id(self.key):
            return shown_id(self.erasure.pseudonym)
        return self.erasure.name_for(text) if "@" in text else self.erasure.name


def _pattern(key: str, names: set[str]) -> re.Pattern[str]:
    ids = f"{key}|{shown_id(key)}"
    # A display name of one part may be a word of the language: it counts as a whole text only. Between the parts of a
    # longer one people write whatever space their keyboard gives.
    within = [r"\s+".join(map(re.escape, name.split())) for name in names if "@" in name or len(name.split()) > 1]
    if not within:
        return re.compile(ids, re.IGNORECASE)
    listed = "|".join(sorted(within, key=len, reverse=True))
    # ann@partner.example is not in joann@partner.example.
    return re.compile(rf"{ids}|(?<![\w.+-])(?:{listed})(?![\w-]|\.\w)", re.IGNORECASE)
