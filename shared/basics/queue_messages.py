"""One way to treat what comes from a queue and is no message of ours."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from shared.basics.events import log_event


def parse_message[T: BaseModel](kind: type[T], body: str, *, queue: str) -> T | None:
    """Parse a queue message. Malformed: log and return None.

    Retrying cannot help, and nothing hangs on it: the timers send again whatever was lost.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        log_event("queue_message_unreadable", queue=queue)
        return None
