"""Messages as a browser draws them: cards by Microsoft's own library, blocks as Slack shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import aiohttp

from local.stage.receivers import Receivers
from shared.messages.kind import ChannelKind
from shared.messages.render import render
from tests.alerts.samples import messages
from tests.page.browser import browser_path

SECONDS = 60
# What people would try: a script, a handler, a link and a mention in each form, text that turns round, and no end.
HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><!channel> "
    "[x](https://evil.example) <https://evil.example|y> **bold** \u202egnp.exe\u202c\nnext line " + "A" * 5000
)
SHOWN = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><!channel>"
ELEMENTS = {"article", "h2", "div", "p", "span", "button", "a", "script", "pre"}
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Drawn(HTMLParser):
    """What stands in the articles of the drawn page. `texts` are by kind of receiver."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title = ""
        self.elements: set[str] = set()
        self.classes: list[str] = []
        self.links: list[str] = []
        self.texts: dict[str, str] = {}
        self._path: list[str] = []
        self._kind = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "article":
            self._kind = attributes.get("class") or ""
        if tag not in VOID:
            self._path.append(tag)
        if self._kind:
            self.elements.add(tag)
            self.classes += (attributes.get("class") or "").split()
            self.links += [value or "" for name, value in attrs if name in ("href", "src")]
            assert not any(name.startswith("on") for name in attributes)

    def handle_endtag(self, tag: str) -> None:
        while self._path and self._path.pop() != tag:
            continue
        if tag == "article":
            self._kind = ""

    def handle_data(self, data: str) -> None:
        if "title" in self._path:
            self.title += data
        if self._kind and "script" not in self._path:
            self.texts[self._kind] = self.texts.get(self._kind, "") + data


async def drawn(tmp_path: Path, name: str, bodies: Mapping[ChannelKind, list[bytes]] | None = None) -> Drawn:
    """The page after a browser drew each message for each of the chats, for a user of that name."""
    every = [*messages(name).values()]
    async with Receivers() as receivers, aiohttp.ClientSession() as http:
        for kind in (ChannelKind.TEAMS, ChannelKind.SLACK):
            (receiver,) = (one for one in receivers.all if one.kind == kind)
            for body in (bodies or {}).get(kind, [render(kind, message) for message in every]):
                async with http.post(receiver.url, data=body, headers={"webhook-id": "msg_1"}) as answer:
                    assert answer.status == 200
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}")
        process = await asyncio.create_subprocess_exec(
            browser_path(),
            *options,
            "--dump-dom",
            f"{receivers.url}/",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0
    return Drawn(out.decode())


async def test_hostile_names_are_drawn_as_text(tmp_path: Path) -> None:
    page = await drawn(tmp_path, HOSTILE)
    assert page.title == "What the receivers got"  # no script of a name has run
    assert page.elements <= ELEMENTS
    assert "mention" not in page.classes
    assert page.links
    assert all(link.startswith("https://monitor.example/incidents") for link in page.links)
    for text in page.texts.values():
        assert SHOWN in text
        assert "hxxps://evil.example" in text
        assert not set("\u202e\u202c") & set(text)
        assert "A" * 200 not in text


async def test_cards_and_blocks_say_what_one_needs(tmp_path: Path) -> None:
    page = await drawn(tmp_path, "jane@partner.example")
    assert {"ac-adaptiveCard", "ac-pushButton", "header", "fields", "context"} <= set(page.classes)
    assert page.classes.count("ac-adaptiveCard") == len(messages())
    for text in page.texts.values():
        for needed in (
            "Delegated admin signed in by legacy authentication",
            "jane@partner.example",
            "Move the client that the finding names to one with modern authentication",
            "Storm: 150 incidents at once",
            "and 130 more",
            "Weekly digest",
            "90 % (-2.5 points)",
            "1 new, 2 open, 4 acknowledged, 3 resolved",
            "TEST",
            "Open the incident",
        ):
            assert needed in text


async def test_the_page_would_show_what_is_not_escaped(tmp_path: Path) -> None:
    """It draws marks as the chats do, so that the tests above can fail."""
    marked = "[x](https://evil.example) **b**"
    teams = (
        b'{"attachments":[{"content":{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"'
        + marked.encode()
        + b'"}]}}]}'
    )
    slack = (
        b'{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"<!channel> and <https://evil.example|here>"}}]}'
    )
    page = await drawn(tmp_path, "", {ChannelKind.TEAMS: [teams], ChannelKind.SLACK: [slack]})
    assert page.links == ["https://evil.example", "https://evil.example"]
    assert "strong" in page.elements
    assert "mention" in page.classes
