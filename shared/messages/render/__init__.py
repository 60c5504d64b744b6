"""A message in the form that a kind of channel understands: the product's JSON, an Adaptive Card, Slack's blocks.

Pure: may import messages and wire. Everything in a message that comes from a log is shown as text alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.messages.kind import ChannelKind
from shared.messages.message import Message, to_json
from shared.messages.render.slack import slack
from shared.messages.render.teams import teams

__all__ = ["render"]

_RENDERERS: Final[Mapping[ChannelKind, Callable[[Message], dict[str, Any]]]] = {
    ChannelKind.GENERIC: to_json,
    ChannelKind.TEAMS: teams,
    ChannelKind.SLACK: slack,
}


def render(kind: ChannelKind, message: Message) -> bytes:
    """The body to send, as UTF-8 JSON."""
    return json.dumps(_RENDERERS[kind](message), ensure_ascii=False, separators=(",", ":")).encode()
