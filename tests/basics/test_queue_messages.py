"""What of a queue is no message."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from shared.basics.queue_messages import message_in, parse_message
from shared.basics.queues import Queue


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    item: str


@pytest.mark.parametrize("body", [b'{"item": "a"}', '{"item": "a"}'])
def test_a_message_is_read_from_bytes_and_from_text(body: bytes | str) -> None:
    assert parse_message(Order, body, queue=Queue.PACKS) == Order(item="a")


@pytest.mark.parametrize(
    "body",
    [b"", b"junk", b"[]", b'{"item": 1}', b'{"item": "a", "more": 1}', b"\xff\xfe", b'{"item": "\xff"}', "\ud800"],
)
def test_what_is_no_message_is_noted_and_nothing_else(body: bytes | str, caplog: pytest.LogCaptureFixture) -> None:
    assert message_in(Order, body) is None
    assert not caplog.records
    caplog.set_level("INFO")
    assert parse_message(Order, body, queue=Queue.PACKS) is None
    assert [record.getMessage() for record in caplog.records] == [
        '{"event": "queue_message_unreadable", "queue": "evidence-packs"}'
    ]
