"""The kinds of channels. Pure."""

from __future__ import annotations

from enum import StrEnum


class ChannelKind(StrEnum):
    """What a channel understands: the product's own JSON, an Adaptive Card, Slack's blocks."""

    GENERIC = "generic"
    TEAMS = "teams"
    SLACK = "slack"
