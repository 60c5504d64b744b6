"""Building an evidence pack: every file as a stream, so that memory stays flat however many findings there are."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from pydantic import Field

from shared.answers.directories import tenant_names
from shared.answers.findings import FindingItem, finding_detail, finding_item
from shared.answers.register import RegisterItem, register_item
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.incidents.findings import Finding
from shared.ledger.slices import DAY, days_between
from shared.statement.archive import Writer
from shared.statement.build import held_in, month_after
from shared.statement.manifest import MANIFEST, SIGNATURE, manifest_of, signature_of
from shared.statement.model import Sealed, Statement, StatementDay, StatementPerson
from shared.statement.reading import Found, StatementQuery, shown_statement
from shared.statement.render import csv_of, html_of
from shared.statement.texts import METHOD
from shared.store.findings import findings_within
from shared.store.packs import Pack
from shared.store.register import page_of_acts
from shared.wire.csv_text import csv_text
from shared.wire.models import Answer

# What is gathered before it is squeezed.
_PIECE: Final = 256 * 1024
_AT_ONCE: Final = 100
_MANY: Final = 300


class RosterLine(Answer):
    """Somebody who held or could take delegated rights in the month, since when and until when."""

    user_id: str
    user_name: str | None
    roles: list[str]
    from_: datetime | None = Field(alias="from")
    to: datetime | None


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a pack is made of."""

    app: App
    pack: Pack
    found: Found
    statement: Statement
    names: Mapping[str, str]

    @property
    def end(self) -> datetime:
        return month_after(self.pack.month)


async def packed(app: App, pack: Pack, writer: Writer) -> AsyncIterator[bytes]:
    """The bytes of a pack. Raises NotKnown, BadParameter for a month or a customer that there is none of, PackTooLarge,
    PackKeyProblem."""
    key = await app.pack_key.public()
    query = StatementQuery(month=pack.month, customer=pack.customer or None)
    found, statement = await shown_statement(app, query)
    contents = _Contents(app, pack, found, statement, tenant_names(await app.known_directory()))
    for name, chunks in _files(contents):
        async for piece in writer.file(name, chunks):
            yield piece
    manifest = manifest_of(_facts(contents), writer.entries, key)
    yield writer.stored(MANIFEST, manifest)
    yield writer.stored(SIGNATURE, await signature_of(manifest, app.pack_key))
    yield writer.end()


def _files(contents: _Contents) -> list[tuple[str, AsyncIterator[bytes]]]:
    """Every file, the first page first."""
    statement, sealed = contents.statement, contents.statement.sealed
    return [
        ("statement.html", _one(html_of(statement).encode())),
        ("statement.json", _one(contents.found.content)),
        ("statement.csv", _one(csv_of(statement).encode())),
        ("names.csv", _one(csv_text(StatementPerson, statement.people).encode())),
        ("coverage.csv", _one(csv_text(StatementDay, sealed.days).encode())),
        ("findings.csv", _findings_csv(contents)),
        ("findings.jsonl", _findings_jsonl(contents)),
        ("register.csv", _register(contents)),
        ("roster.csv", _roster(contents)),
        ("method.txt", _one(METHOD.encode())),
    ]


def _facts(contents: _Contents) -> dict[str, Any]:
    sealed: Sealed = contents.statement.sealed
    customer = sealed.customer
    return {
        "pack": contents.pack.id,
        "month": sealed.month,
        "state": sealed.state,
        "partnerTenantId": sealed.partner_tenant_id,
        "customer": customer.model_dump(mode="json", by_alias=True) if customer else None,
        "createdAt": f"{contents.app.clock():%Y-%m-%dT%H:%M:%SZ}",
        "statementSha256": contents.statement.sha256,
        "monthBefore": sealed.previous.model_dump(mode="json", by_alias=True) if sealed.previous else None,
        "firstPage": contents.statement.first_page,
        "algorithm": "ES256",
    }


async def _one(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), _PIECE):
        yield content[at : at + _PIECE]


# --- findings ---------------------------------------------------------------------------------------------------------


async def _findings(contents: _Contents) -> AsyncIterator[list[Finding]]:
    """The month's findings, some at once, in order of time for each tenant's log."""
    table = (await contents.app.tables()).slices
    customer = contents.pack.customer
    for tenant in contents.app.settings.tenants:
        for day in days_between(contents.pack.month, contents.end - DAY):
            after, more = "", True
            while more:
                rows, more = await findings_within(table, tenant, day, day + DAY, after=after)
                for some in batched(rows, _AT_ONCE, strict=False):
                    yield [finding for _, finding in some if customer in ("", finding.customer)]
                if not rows:
                    break
                after = rows[-1][0]
                if len(rows) >= _MANY:
                    # The SDK leaves each answer in a circle of references, which Python lets lie while memory grows.
                    del rows, some
                    gc.collect()


async def _findings_csv(contents: _Contents) -> AsyncIterator[bytes]:
    yield csv_text(FindingItem, []).encode()
    async for findings in _findings(contents):
        text = csv_text(FindingItem, [finding_item(finding, contents.names) for finding in findings])
        yield text.partition("\r\n")[2].encode("utf-8", "replace")


async def _findings_jsonl(contents: _Contents) -> AsyncIterator[bytes]:
    async for findings in _findings(contents):
        lines = [
            finding_detail(finding, contents.names).model_dump(mode="json", by_alias=True, exclude={"rule_texts"})
            for finding in findings
        ]
        yield "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("utf-8", "replace")


# --- register and roster ----------------------------------------------------------------------------------------------


async def _register(contents: _Contents) -> AsyncIterator[bytes]:
    """What operators had the app do since the month began, the newest first."""
    yield csv_text(RegisterItem, []).encode()
    control = (await contents.app.tables()).control
    before, more = None, True
    while more:
        rows, more = await page_of_acts(control, before)
        acts = [act for _, act in rows if act.at >= contents.pack.month]
        yield (
            csv_text(RegisterItem, [register_item(act) for act in acts]).partition("\r\n")[2].encode("utf-8", "replace")
        )
        if len(acts) < len(rows) or not rows:
            return
        before = rows[-1][0]


async def _roster(contents: _Contents) -> AsyncIterator[bytes]:
    """Who had rights at some time of the month."""
    directory = await contents.app.known_directory()
    admins = directory.file.delegated_admins if directory else []
    mine = [a for a in admins if held_in(contents.pack.month, a.from_, a.to)]
    lines = [
        RosterLine(user_id=a.user_id, user_name=a.user_principal_name, roles=a.roles, from_=a.from_, to=a.to)
        for a in sorted(mine, key=lambda a: id_key(a.user_id))
    ]
    yield csv_text(RosterLine, lines).encode("utf-8", "replace")
