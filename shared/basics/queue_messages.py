"""One way to treat what comes from a queue, and what of it is no message of ours."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from shared.basics.events import log_event
from shared.basics.queues import Queue

type QueueBody = bytes | str
"""What a queue delivers: anybody who may send can send any bytes."""


def message_in[T: BaseModel](kind: type[T], body: QueueBody) -> T | None:
    """Parse a queue message. Returns None for another kind and for no message at all, and says nothing."""
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        return None


def parse_message[T: BaseModel](kind: type[T], body: QueueBody, *, queue: Queue) -> T | None:
    """Parse a queue message. Malformed: log and return None.

    Retrying cannot help. Slices and deliveries are sent again by timers; whoever waits for a dry run, a self-test or an
    evidence pack sees that it does not begin, and asks anew.
    """
    message = message_in(kind, body)
    if message is None:
        log_event("queue_message_unreadable", queue=queue)
    return message
