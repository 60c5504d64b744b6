"""The page on which the local receivers show what they got: the JSON, the card and the blocks as people see them.

Cards are drawn by Microsoft's own library where it is installed (npm package adaptivecards), with Markdown as Teams has
it, else as plain text; blocks are drawn here, with mrkdwn as Slack has it. So text that a client would take for a link
or a mention becomes one here too. Everything that came is hostile and is escaped; the page runs no script but its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

LIBRARY: Final = (
    Path(__file__).resolve().parents[2] / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.min.js"
)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Draws each card beside its JSON. Of Markdown it knows what Teams takes in a TextBlock and what strangers would use.
SCRIPT: Final = """
const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = text
    .replace(/[&<>"]/g, (c) => entities[c])
    .replace(/\\[([^\\]]*)\\]\\(([^)]*)\\)/g, '<a href="$2">$1</a>')
    .replace(/[*]{2}(.+?)[*]{2}/g, "<strong>$1</strong>");
  result.didProcess = true;
};
const colours = {
  default: { default: "#242424", subtle: "#616161" },
  attention: { default: "#c4314b", subtle: "#c4314b" },
  warning: { default: "#8f4e00", subtle: "#8f4e00" },
  accent: { default: "#5b5fc7", subtle: "#5b5fc7" },
};
const look = {
  fontFamily: "Segoe UI, system-ui, sans-serif",
  fontSizes: { small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 },
  containerStyles: { default: { backgroundColor: "#ffffff", foregroundColors: colours } },
  actions: { actionsOrientation: "horizontal", actionAlignment: "left" },
};
for (const source of document.querySelectorAll("script[type='application/json']")) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig(look);
  card.parse(JSON.parse(source.textContent));
  source.nextElementSibling.replaceChildren(card.render());
}
"""
_STYLE: Final = """
body { font: 15px/1.4 "Segoe UI", system-ui, sans-serif; background: #f3f2f1; margin: 2rem auto; max-width: 46rem;
  padding: 0 1.5rem; overflow-wrap: anywhere }
article { background: #fff; border-radius: 6px; box-shadow: 0 1px 3px #0003; margin: 0 0 1.5rem; padding: 1rem 1.25rem }
h1 { font-size: 1.4rem } h2 { font-size: .85rem; color: #605e5c; font-weight: 400; margin: 0 0 .5rem }
pre { white-space: pre-wrap; font-size: 13px; margin: 0 }
.ac-pushButton { background: #fff; border: 1px solid #d1d1d1; border-radius: 4px; font: inherit; font-weight: 600;
  padding: .3rem .8rem }
.slack { color: #1d1c1d; padding-left: 4.25rem; position: relative }
.slack h2::before { content: ""; background: #4a154b; border-radius: 6px; height: 36px; left: 1.25rem;
  position: absolute; width: 36px }
.fields { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); column-gap: 1rem }
.header { font-weight: 700; font-size: 18px } .context { color: #616061; font-size: 13px } p { margin: .25rem 0 }
.field { white-space: pre-line } .slack a { color: #1264a3 } .mention { background: #f2c74466; color: #1264a3 }
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
    if text["type"] == "plain_text":
        return escape(slack_text(text["text"]))
    begin, *marked = text["text"].split("<")
    return escape(slack_text(begin)) + "".join(_mark(*one.partition(">")) for one in marked)


def _mark(mark: str, _: str, after: str) -> str:
    """What stands in angle brackets of mrkdwn: a link, or a mention of people, of a channel, of everybody."""
    address, _, words = mark.partition("|")
    shown = escape(slack_text(words or address))
    if address[:1] in "@#!":
        return f"<b class='mention'>{shown}</b>{escape(slack_text(after))}"
    return f"<a href='{escape(address)}' rel='noreferrer'>{shown}</a>{escape(slack_text(after))}"


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
