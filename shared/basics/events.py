"""What operators watch: events in the log, one line of JSON each."""

from __future__ import annotations

import json
import logging
from typing import Final

_log: Final = logging.getLogger("monitor")


def log_event(event: str, **facts: object) -> None:
    """One line of JSON in the log for what operators watch: `event` names it. Never a secret, never log text."""
    _log.info(json.dumps({"event": event, **facts}, default=str))
