"""The page on which the local receivers show what they got: the JSON, the card and the blocks as people see them.

Cards are drawn by Microsoft's own library where it is installed (npm package adaptivecards), else as plain text; blocks
are drawn here. Everything that came is hostile text and is escaped; the page runs no script but its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

LIBRARY: Final = (
    Path(__file__).resolve().parent.parent / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.min.js"
)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Draws each card beside its JSON.
SCRIPT: Final = """
for (const source of document.querySelectorAll("script[type='application/json']")) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig({ fontFamily: "Segoe UI, sans-serif" });
  card.parse(JSON.parse(source.textContent));
  source.nextElementSibling.replaceChildren(card.render());
}
"""
_STYLE: Final = """
body { font: 15px/1.4 "Segoe UI", system-ui, sans-serif; background: #f3f2f1; margin: 2rem auto; max-width: 56rem }
article { background: #fff; border-radius: 6px; box-shadow: 0 1px 3px #0003; margin: 1rem 0; padding: 1rem 1.25rem }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; color: #605e5c; font-weight: 400 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; margin: 0 }
.slack { border-left: 4px solid #d0342c } .fields { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem }
.header { font-weight: 700; font-size: 1.1rem } .context { color: #605e5c; font-size: 13px } p { margin: .5rem 0 }
.field { white-space: pre-line }
"""


def page(messages: Iterable[tuple[str, str, Any]]) -> str:
    """The page of messages: the kind of their receiver, a line about them, and their body."""
    articles = "".join(
        f"<article class='{escape(kind)}'><h2>{escape(kind)} · {escape(about)}</h2>{_drawn(kind, body)}</article>"
        for kind, about, body in messages
    )
    scripts = '<script src="/adaptivecards.js"></script><script src="/cards.js"></script>' if LIBRARY.exists() else ""
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>What the receivers got</title>"
        f"<style>{_STYLE}</style><h1>What the receivers got</h1>{articles or '<p>Nothing yet.</p>'}{scripts}</html>"
    )


def _drawn(kind: str, body: Any) -> str:
    if kind == "teams":
        return _card(body["attachments"][0]["content"])
    if kind == "slack":
        return "".join(_block(block) for block in body["blocks"])
    return f"<pre>{escape(json.dumps(body, indent=2, ensure_ascii=False))}</pre>"


def _card(card: Any) -> str:
    source = json.dumps(card).replace("<", "\\u003c")  # no text can end the script
    return (
        f"<script type='application/json'>{source}</script><div><pre>{escape('\n'.join(card_text(card)))}</pre></div>"
    )


def _block(block: Mapping[str, Any]) -> str:
    texts = block.get("fields") or block.get("elements") or [block["text"]]
    drawn = "".join(f"<p class='field'>{_text(text)}</p>" for text in texts)
    kind = "fields" if "fields" in block else str(block["type"])
    return f"<div class='{escape(kind)}'>{drawn}</div>"


def _text(text: Mapping[str, Any]) -> str:
    shown = escape(slack_text(text["text"]))
    if text["type"] == "mrkdwn":  # the one link that the app makes
        address, _, words = text["text"].removeprefix("<").removesuffix(">").partition("|")
        return f"<a href='{escape(address)}' rel='noreferrer'>{escape(words)}</a>"
    return shown


def slack_text(text: str) -> str:
    """Text of a block as Slack shows it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def card_text(card: Mapping[str, Any]) -> list[str]:
    """The texts of an Adaptive Card from top to bottom."""
    lines = [
        element["text"] if element["type"] == "TextBlock" else "".join(run["text"] for run in element["inlines"])
        for element in card["body"]
    ]
    return lines + [f"[{action['title']}] {action['url']}" for action in card.get("actions", [])]
