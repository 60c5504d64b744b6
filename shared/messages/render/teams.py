"""A message as an Adaptive Card, in the envelope that a Teams workflow's webhook takes. Pure.

Text of the log stands in TextRuns alone, where Adaptive Cards know no Markdown (schema explorer, "TextRun"); there is
no escape in their Markdown that every client honours. Only the app's own words are in TextBlocks.
"""

from __future__ import annotations

from typing import Any, Final

from shared.messages.message import Message
from shared.messages.render.view import View, fitting, view

# Teams' clients take 1.5; nothing here is newer than 1.2 but the style of the heading (1.5).
_VERSION: Final = "1.5"
_COLOURS: Final = {"critical": "Attention", "high": "Attention", "medium": "Warning", "low": "Accent"}
type Element = dict[str, Any]


def teams(message: Message) -> Element:
    """The body to post."""
    return {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card(message)}
        ],
    }


def card(message: Message) -> Element:
    """The Adaptive Card."""
    shown = view(message)
    content: Element = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": _VERSION,
        "fallbackText": f"{shown.severity.capitalize()}: {shown.title}",
        "msteams": {"width": "Full"},
        "body": [*_head(shown), *_facts(shown), *_paragraphs(shown), *_lines(shown), *_footer(shown)],
    }
    if shown.url:
        content["actions"] = [{"type": "Action.OpenUrl", "title": shown.link, "url": shown.url}]
    return content


def _head(shown: View) -> list[Element]:
    word = {"type": "TextRun", "text": shown.severity.upper(), "weight": "Bolder", "color": _COLOURS[shown.severity]}
    runs = [word] + ([_run(" TEST: nothing happened", weight="Bolder")] if shown.test else [])
    title = {"type": "TextBlock", "style": "heading", "text": shown.title, "size": "Large", "wrap": True}
    return [_block(runs), title]


def _facts(shown: View) -> list[Element]:
    return [_block([_run(f"{label}: ", weight="Bolder"), _run(value)], spacing="None") for label, value in shown.facts]


def _paragraphs(shown: View) -> list[Element]:
    return [_block([_run(text)], spacing="Medium") for text in shown.paragraphs]


def _lines(shown: View) -> list[Element]:
    if not shown.lines:
        return []
    heading = {"type": "TextBlock", "text": shown.heading, "weight": "Bolder", "spacing": "Medium", "wrap": True}
    return [heading, *(_block([_run(f"• {line}")], spacing="Small") for line in fitting(shown))]


def _footer(shown: View) -> list[Element]:
    return [_block([_run(shown.footer, isSubtle=True, size="Small")], spacing="Medium")] if shown.footer else []


def _block(runs: list[Element], **members: str) -> Element:
    return {"type": "RichTextBlock", "inlines": runs, **members}


def _run(text: str, **members: str | bool) -> Element:
    # Two braces begin a date function in every text of a card.
    return {"type": "TextRun", "text": text.replace("{{", "{\u2060{"), **members}
