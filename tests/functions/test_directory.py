"""The directory as an answer: what `assess` needs to judge by the app's own knowledge."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.people import directory
from shared.rules.rule import PARTNER
from shared.signin.directory import DirectoryFile
from tests.functions.asking import app_over, ask
from tests.scan.harness import DIRECTORY

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def test_the_app_answers_the_directory_that_it_judges_by(azurite: str) -> None:
    async with app_over(azurite, NOW, PARTNER) as app:
        reply = await ask(directory, app)
    assert (reply.status, reply.json["refreshedAt"]) == (200, "2026-11-02T12:00:00Z")
    assert DirectoryFile.model_validate(reply.json) == DIRECTORY
