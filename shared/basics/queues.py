"""The app's queues by name; a message that crashed its workers again and again goes to the poison queue beside."""

from __future__ import annotations

from enum import StrEnum


class Queue(StrEnum):
    """A queue's name, as infra/main.bicep makes it and the bindings of functions/ name it."""

    SCAN = "scan-slices"
    SCAN_POISON = "scan-slices-poison"
    ALERTS = "alerts"
    ALERTS_POISON = "alerts-poison"
    PACKS = "evidence-packs"
    PACKS_POISON = "evidence-packs-poison"

    @property
    def is_poison(self) -> bool:
        """Whether it holds messages that crashed their workers."""
        return self.name.endswith("_POISON")
