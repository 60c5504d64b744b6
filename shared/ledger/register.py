"""The register: what people had the app do beyond looking, and when its settings changed. Pure.

It is only ever added to. A name is for show; `by_id` says who somebody was (tenant and object id) where the app knew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue


class ActKind(StrEnum):
    """What was done."""

    RESCAN = "rescan"
    RELEASE = "release"
    REPLAY = "replay"
    ACCEPT_QUARANTINE = "accept-quarantine"
    PAUSE = "pause"
    TRY_CHANNEL = "try-channel"
    REDELIVER = "redeliver"
    SELF_TEST = "self-test"
    ERASE_BEGUN = "erase-begun"
    ERASE_DONE = "erase-done"
    EVIDENCE_PACK = "evidence-pack"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Act:
    """One entry. `at` is UTC; `detail` says what of, by name: periods, tenants, counts, reasons."""

    id: str
    at: datetime
    kind: ActKind
    by: str
    by_id: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
