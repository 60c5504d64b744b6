"""A sample of findings is the one that would be drawn of whole findings, though only those drawn are read whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.benches.filled_partner import rows_of_findings
from shared.answers.finding_sample import read_finding_sample, sample
from shared.answers.findings import FindingsQuery, read_findings
from shared.app.app import App
from shared.ledger.slices import partition_of
from shared.rules.rule import PARTNER
from shared.store.findings import finding_of_row, finding_row
from shared.wire.models import NotKnown
from tests.functions.asking import app_over, counted_requests, write_rows

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CUSTOMER_TENANT = "33333333-3333-3333-3333-333333333333"


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    """Findings of two tenants, some at one instant, some with ids that cannot be keys."""
    async with app_over(azurite, NOW, PARTNER, CUSTOMER_TENANT) as made:
        tables = await made.tables()
        rows = list(rows_of_findings(120, NOW - timedelta(days=9), NOW))
        for number, row in enumerate(rows):
            if number % 10 == 3:
                finding = finding_of_row({**row, "id": f"odd id/{number}", "at": NOW - timedelta(days=4)})
                rows[number] = finding_row(partition_of(CUSTOMER_TENANT, finding.at), finding)
        for partition in sorted({str(row["PartitionKey"]) for row in rows}):
            await write_rows(tables.slices, [row for row in rows if row["PartitionKey"] == partition])
        yield made


@pytest.mark.parametrize(
    "asked",
    [{}, {"scope": ("customer",)}, {"user": f"{7:032x}"}, {"customer": "22222222-2222-2222-2222-222222222222"}],
    ids=["all", "scope", "user", "customer"],
)
async def test_it_is_drawn_as_of_whole_findings(app: App, asked: dict[str, Any]) -> None:
    query = FindingsQuery.model_validate({"limit": 100, **asked})
    page = await read_findings(app, query)
    whole = [SimpleNamespace(at=item.signed_in_at, id=item.id, item=item) for item in page.items]
    for seed in range(5):
        with counted_requests() as sent:
            drawn = await read_finding_sample(app, query, seed)
        assert drawn.items == [each.item for each in sample(cast(Any, whole), seed)]
        assert (drawn.drawn_from, drawn.are_newest) == (len(page.items), page.cursor is not None)
        assert len(sent) <= 12


async def test_of_nothing_there_is_no_sample_and_of_nobody_none_either(app: App) -> None:
    long_ago = {"from": NOW - timedelta(days=300), "to": NOW - timedelta(days=299)}
    assert (await read_finding_sample(app, FindingsQuery.model_validate(long_ago), 1)).items == []
    with pytest.raises(NotKnown):
        await read_finding_sample(app, FindingsQuery(user="nobody@partner.example"), 1)
