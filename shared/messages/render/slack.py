"""A message as Slack blocks. Pure.

Text of the log stands in plain_text objects alone, which know no mrkdwn, and is escaped as Slack asks for every text
object; a mention that a client might still find is taken apart.
"""

from __future__ import annotations

import json
import re
from itertools import batched
from typing import Any, Final

from shared.messages.message import Message
from shared.messages.render.view import View, fitting, view

# Slack's reference of blocks: a header holds 150 characters, a section 3,000 and ten fields of 2,000, a message 50
# blocks.
_HEADER: Final = 150
_SECTION: Final = 3000
_FIELD: Final = 2000
_FIELDS: Final = 10
# All blocks together: Slack documents no limit and refuses what is longer than about 12,000 characters
# (slackapi/bolt-js, issue 2509). The lines of a list take at most this.
_ROOM: Final = 6_000
_MENTION: Final = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
type Block = dict[str, Any]


def slack(message: Message) -> Block:
    """The body to post. `text` is what notifications show: the app's own words."""
    shown = view(message)
    return {
        "text": escaped(_title(shown)),
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": _plain(_title(shown), _HEADER)},
            *_facts(shown),
            *({"type": "section", "text": _plain(text)} for text in shown.paragraphs),
            *_lines(shown),
            *_link(shown),
            *([{"type": "context", "elements": [_plain(shown.footer, _FIELD)]}] if shown.footer else []),
        ],
    }


def escaped(text: str) -> str:
    """Text in which Slack finds no mark-up: no links, no mentions of people, channels or everybody."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTION.sub("@\u2060", text)


def _title(shown: View) -> str:
    return f"{'TEST: ' if shown.test else ''}{shown.severity.capitalize()}: {shown.title}"


def _facts(shown: View) -> list[Block]:
    fields = [_plain(f"{label}\n{value}", _FIELD) for label, value in shown.facts]
    return [{"type": "section", "fields": [*batch]} for batch in batched(fields, _FIELDS, strict=False)]


def _lines(shown: View) -> list[Block]:
    """A block for each line: together they could be longer than one block may be."""
    if not shown.lines:
        return []
    heading = {"type": "section", "text": _plain(shown.heading)}
    return [heading, *(_line(line) for line in fitting(shown, lambda line: _size(_line(line)), _ROOM))]


def _line(line: str) -> Block:
    return {"type": "section", "text": _plain(f"• {line}")}


def _size(block: Block) -> int:
    return len(json.dumps(block, ensure_ascii=False))


def _link(shown: View) -> list[Block]:
    if not shown.url:
        return []
    url = shown.url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return [{"type": "section", "text": {"type": "mrkdwn", "text": f"<{url}|{shown.link}>", "verbatim": True}}]


def _plain(text: str, longest: int = _SECTION) -> Block:
    """A text object; what is cut is cut before escaping, so that no entity is torn, and again if it grew."""
    text = text[:longest]
    whole = escaped(text)
    while len(whole) > longest:
        text = text[: len(text) * longest // len(whole)]
        whole = escaped(text)
    return {"type": "plain_text", "text": whole, "emoji": False}
