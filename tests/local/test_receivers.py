"""The local receivers: they check signatures as a customer's endpoint would, and show hostile text as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import aiohttp
import pytest
from rich.console import Console

from local.stage.receivers import Receiver, Receivers, new_secret
from shared.alerts.deliver import signed
from shared.app.channels import Channel
from shared.messages.kind import ChannelKind
from shared.messages.render import render
from tests.alerts.samples import messages

ALL = messages()


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Mapping[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def posted(receiver: Receiver, body: bytes, headers: Mapping[str, str]) -> int:
    async with aiohttp.ClientSession() as http, http.post(receiver.url, data=body, headers=headers) as answer:
        return answer.status


def channel(secret: str) -> Channel:
    return Channel.model_validate({"kind": "generic", "url": "http://127.0.0.1/", "secret": secret})


async def test_a_right_signature_is_taken_and_no_other() -> None:
    secret, body, now = new_secret(), render(ChannelKind.GENERIC, ALL["incident.opened"]), datetime.now(UTC)
    hook = Receiver("generic", secret, "/hooks/x")
    async with Receivers(hook) as receivers:
        assert await posted(hook, body, signed(channel(secret), "msg_1", now, body)) == 200
        assert await posted(hook, body, signed(channel(new_secret()), "msg_1", now, body)) == 401
        assert await posted(hook, body + b" ", signed(channel(secret), "msg_1", now, body)) == 401
        assert await posted(hook, body, signed(channel(secret), "msg_1", now - timedelta(minutes=6), body)) == 401
        assert await posted(hook, body, {}) == 401
        assert [(r.id, r.verified) for r in receivers.received] == [("msg_1", True)]
        assert await receivers.first() == receivers.received[0]


async def test_the_settings_are_those_of_channels() -> None:
    async with Receivers() as receivers:
        settings = receivers.settings()
    kinds = {settings[f"CHANNELS__{kind.upper()}__KIND"] for kind in ("generic", "teams", "slack")}
    assert kinds == {"generic", "teams", "slack"}
    assert settings["CHANNELS__GENERIC__SECRET"].startswith("whsec_")


@pytest.mark.parametrize("kind", ALL)
async def test_the_page_shows_hostile_text_as_text(kind: str) -> None:
    async with Receivers() as receivers, aiohttp.ClientSession(receivers.url) as http:
        for receiver in receivers.all:
            body = render(ChannelKind(receiver.kind), ALL[kind])
            headers = {"webhook-id": "msg_<b>"}
            if receiver.secret:
                headers = signed(channel(receiver.secret), "msg_<b>", datetime.now(UTC), body)
            assert await posted(receiver, body, headers) == 200
        async with http.get("/") as answer:
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            text = await answer.text()
        tags = Tags(text).found
        assert {name for name, _ in tags} <= {
            *("html", "meta", "title", "style", "h1", "h2", "article", "pre", "div", "p", "a", "script"),
        }
        links = [attributes["href"] or "" for name, attributes in tags if name == "a"]
        assert all(link.startswith("https://monitor.example/") for link in links)
        data = [attributes for name, attributes in tags if name == "script" and "src" not in attributes]
        assert data == [{"type": "application/json"}]
        assert len([name for name, _ in tags if name == "article"]) == 3
        console = Console(width=100, record=True, quiet=True)
        receivers.show(console)
    source = text.partition("application/json'>")[2].partition("</script>")[0]
    assert json.loads(source)["type"] == "AdaptiveCard"
