"""Cards for Teams and blocks for Slack: what they may hold, and that text of the log stays text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.incidents.model import IncidentState
from shared.messages.compose import one
from shared.messages.kind import ChannelKind
from shared.messages.message import of_json, to_json
from shared.messages.render import render
from shared.messages.render.slack import escaped, slack
from shared.messages.render.teams import card, teams
from shared.messages.render.view import MOST_SHOWN, defanged, view
from tests.alerts.samples import AROUND, HOSTILE, messages, telling

ALL = messages()
# Names that grow: four bytes each, escaped as entities, escaped in JSON, and no space to break a line at.
LONG = {"wide": "\U0001f600" * 300, "entities": "&<>" * 100, "quotes": '"\\' * 150}
WIDE = {
    f"{kind} {name}": message for name, text in LONG.items() for kind, message in messages(text, customer=text).items()
}
CHECKER = Path(__file__).with_name("check_card.mjs")
_LINK = re.compile(r"https?://(?!monitor\.example/)", re.IGNORECASE)


# --- Teams ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_a_card_comes_in_the_envelope_of_a_workflow(kind: str) -> None:
    body = teams(ALL[kind])
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"


@pytest.mark.parametrize("kind", ALL)
def test_text_of_the_log_stands_where_a_card_knows_no_markdown(kind: str) -> None:
    for element in card(ALL[kind])["body"]:
        assert element["type"] in ("TextBlock", "RichTextBlock")
        if element["type"] == "TextBlock":  # Markdown: the app's own words alone
            assert not set("[]*_`<>{}") & set(element["text"])
        else:
            assert {run["type"] for run in element["inlines"]} == {"TextRun"}
            assert all("{{" not in run["text"] for run in element["inlines"])


@pytest.mark.parametrize("kind", ALL)
def test_a_card_has_no_link_but_to_the_app(kind: str) -> None:
    content = card(ALL[kind])
    assert not _LINK.search(json.dumps({**content, "$schema": ""}))
    assert all(action["url"].startswith("https://monitor.example/") for action in content.get("actions", []))


@pytest.mark.parametrize("kind", WIDE)
def test_a_card_fits_into_what_teams_takes(kind: str) -> None:
    """28 KB; somebody measured 21 (the Ruby client msteams_hermes)."""
    assert len(render(ChannelKind.TEAMS, WIDE[kind])) < 20_000


def test_a_card_says_all_that_one_needs() -> None:
    text = json.dumps(card(messages("jane@partner.example")["incident.opened"]), ensure_ascii=False)
    for needed in ("CRITICAL", "legacy authentication", "jane@partner.example", "Contoso", "T1078.004", "What to do"):
        assert needed in text
    assert "TEST" in json.dumps(card(ALL["test"]))
    storm = json.dumps(card(ALL["incidents.storm"]))
    assert storm.count("\\u2022") == MOST_SHOWN + 1
    assert f"and {150 - MOST_SHOWN} more" in storm
    stored = of_json(json.loads(json.dumps(to_json(ALL["incidents.storm"]), sort_keys=True)))  # as the table keeps it
    assert [label for label, _ in view(stored).facts] == ["Critical", "High", "Medium", "Low"]


def test_an_incident_that_is_no_longer_open_says_so() -> None:
    gone = telling("withdrawn", count=0)
    gone = replace(gone, incident=replace(gone.incident, state=IncidentState.RESOLVED, reason="quiet for 7 days"))
    message = one(gone, "m", AROUND)
    for text in (json.dumps(card(message)), json.dumps(slack(message))):
        assert "resolved: quiet for 7 days" in text
    assert "State" not in json.dumps(card(ALL["incident.opened"]))


def found_wrong(tmp_path: Path, *cards: Any) -> list[str]:
    """What Microsoft's own library finds wrong with cards, for the version that Teams takes."""
    node = shutil.which("node")
    assert node
    file = tmp_path / "cards.json"
    file.write_text(json.dumps(cards), "utf-8")
    ran = subprocess.run([node, CHECKER, file], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_cards_are_right_by_microsofts_own_library(tmp_path: Path) -> None:
    assert found_wrong(tmp_path, *(card(message) for message in (*ALL.values(), *WIDE.values()))) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"body": [{"type": "TextBlok", "text": "x"}]}, "elements were dropped"),
        ({"body": [{"type": "TextBlock", "text": "x", "colour": "Good"}]}, "body.0.colour is not understood"),
        ({"body": [{"type": "TextBlock", "text": "x", "size": "Huge"}]}, "body.0.size is not understood"),
        ({"body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "x", "bold": True}]}]}, "bold"),
        ({"actions": [{"type": "Action.OpenUrl", "title": "x"}]}, "url"),
        ({"version": "1.6"}, "version"),
    ],
)
def test_the_library_would_find_what_is_wrong(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    found = found_wrong(tmp_path, {**card(ALL["incident.opened"]), **change})
    assert any(says in line for line in found), found


# --- Slack ------------------------------------------------------------------------------------------------------------


def texts(value: Any) -> Iterator[dict[str, Any]]:
    """Every text object."""
    if isinstance(value, dict):
        if value.get("type") in ("plain_text", "mrkdwn"):
            yield value
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


@pytest.mark.parametrize("kind", [*ALL, *WIDE])
def test_blocks_keep_slacks_rules(kind: str) -> None:
    body = slack((ALL | WIDE)[kind])
    assert 0 < len(body["text"]) <= 3000
    # All together, with their JSON: Slack refused 11,341 characters of text (slackapi/bolt-js, issue 2867).
    assert len(json.dumps(body["blocks"], ensure_ascii=False)) < 10_000
    assert 0 < len(body["blocks"]) <= 50
    for block in body["blocks"]:
        match block["type"]:
            case "header":
                assert block["text"]["type"] == "plain_text"
                assert 0 < len(block["text"]["text"]) <= 150
            case "section":
                assert set(block) in ({"type", "text"}, {"type", "fields"})
                if "text" in block:
                    assert 0 < len(block["text"]["text"]) <= 3000
                else:
                    assert 0 < len(block["fields"]) <= 10
                    assert all(0 < len(field["text"]) <= 2000 for field in block["fields"])
            case "context":
                assert 0 < len(block["elements"]) <= 10
            case other:
                raise AssertionError(other)
    for text in texts(body["blocks"]):
        known = {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
        assert set(text) == known


@pytest.mark.parametrize("kind", ALL)
def test_nothing_of_the_log_is_mark_up_for_slack(kind: str) -> None:
    body = slack(ALL[kind])
    for text in texts(body["blocks"]):
        if text["type"] == "mrkdwn":
            assert re.fullmatch(
                r"<https://monitor\.example/incidents(/[0-9a-f]{32}\|Open the incident|\|Open the incidents)>",
                text["text"],
            )
        else:
            assert not set("<>") & set(text["text"])
            assert not re.search(r"@(channel|here|everyone)\b", text["text"], re.IGNORECASE)
            assert not re.search(r"&(?!amp;|lt;|gt;)", text["text"])
            assert not _LINK.search(text["text"])
    assert not set("<>*_`~@") & set(body["text"])
    assert body["link_names"] is False


def test_escaping_can_be_read_back() -> None:
    back = escaped(HOSTILE).replace("\u2060", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert back == HOSTILE


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("see https://evil.example/x", "see hxxps://evil.example/x"),
        ("HTTP://EVIL.example", "hxxp://EVIL.example"),
        ("jane@partner.example", "jane@partner.example"),
        ("the http: scheme", "the http: scheme"),
    ],
)
def test_addresses_are_no_links(text: str, safe: str) -> None:
    assert defanged(text) == safe


@pytest.mark.parametrize("kind", [ChannelKind.TEAMS, ChannelKind.SLACK])
def test_an_application_is_shown_with_its_id_whatever_it_calls_itself(kind: ChannelKind) -> None:
    for name in ("Microsoft Azure Portal", "\u3164", "\u2800\u115f", "x" * 500):
        text = render(kind, messages(name=name)["incident.opened"]).decode()
        assert "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb" in text
        assert "\u3164" not in text
        assert "\u2800" not in text
