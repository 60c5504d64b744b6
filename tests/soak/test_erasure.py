"""Erasing people over HTTP from the served app, and asking for the same time again: the numbers are those of before,
and nobody is named, in tables, blobs, answers or the host's log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from local.sample.model import Sample
from shared.basics.spelling import id_key
from shared.store.packing import unpack_bytes
from tests.e2e.adding_up import Items, listed
from tests.soak.rig import Rig, rig

pytestmark = pytest.mark.soak

_LISTS: Final = (
    "customers", "technicians", "accounts", "applications", "causes", "causes?verdict=unknown", "findings", "incidents",
    "portals", "coverage", "exceptions", "register", "alerts", "directory", "policies", "samples", "requirement",
)  # fmt: skip
# What says who somebody is, or leads to them, and what hangs on the hour at which one asks.
_OF_A_PERSON: Final = frozenset(
    (
        "userId", "userName", "userPrincipalName", "displayName", "userDisplayName", "ipAddress", "userAgent",
        "sessionId", "uniqueTokenIdentifier", "correlationId", "country", "countryOrRegion", "city", "deviceId",
        "deviceName", "key", "topUsers", "people", "generatedAt", "refreshedAt", "lagSeconds", "newestRead", "hash",
        "sha256", "etag", "newestRefresh", "asOf", "readAt", "ageSeconds", "version", "to",
    )
)  # fmt: skip


def _numbers(value: Any) -> Any:
    """An answer without who people are; lists in an order that a pseudonym does not change."""
    if isinstance(value, Mapping):
        return {name: _numbers(part) for name, part in value.items() if name not in _OF_A_PERSON}
    if isinstance(value, list):
        return sorted((_numbers(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
    return value


async def _listed(at: Rig, path: str) -> Items:
    async def get(path: str) -> Any:
        return await at.ask("GET", path.removeprefix("/api/"))

    return await listed(get, path)


async def _refreshed(at: Rig) -> None:
    """Wait until the directory was read once more, from its beginning."""
    began = datetime.now(UTC)
    async with asyncio.timeout(180):
        while True:
            read_at = (await at.ask("GET", "accounts"))["refreshedAt"]
            if read_at is not None and datetime.fromisoformat(read_at) > began:
                return
            await asyncio.sleep(1)


async def _asked(at: Rig) -> dict[str, Any]:
    """Every answer of the app about the sample's days."""
    period = f"from={at.sample.start:%Y-%m-%d}&to={at.sample.end:%Y-%m-%d}"
    found: dict[str, Any] = {}
    for scope in ("all", "customer,partner-center"):
        found[f"summary {scope}"] = await at.ask("GET", f"summary?{period}&scope={scope}")
    for name in ("customers", "technicians", "applications", "causes", "portals"):
        found[name] = await _listed(at, f"{name}?{period}")
    for name in ("findings", "incidents"):
        found[name] = await _listed(at, name)
    for month in sorted({f"{day:%Y-%m}" for day in (at.sample.start, at.sample.end)}):
        found[f"statement {month}"] = await at.ask("GET", f"statement?month={month}")
    return found


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    found = [*_differences(before, after)]
    assert not found, "\n".join(found)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, answer in before.items():
        yield from _unlike(name, _numbers(answer), _numbers(after[name]))


def _unlike(where: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _unlike(f"{where}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list):
        yield from (f"{where}: {item} is gone" for item in one if item not in other)
        yield from (f"{where}: {item} came" for item in other if item not in one)
        if len(one) != len(other):
            yield f"{where}: {len(one)} are {len(other)} now"
    elif one != other:
        yield f"{where}: {one} is {other} now"


async def _texts(at: Rig) -> AsyncIterator[tuple[str, str]]:
    """All that is kept and all that is answered, as text."""
    tables = at.tables()
    try:
        for name, table in tables.by_name.items():
            async for row in table.everything():
                packed = [
                    unpack_bytes(column[:-1], row) or b"" for column in row if re.fullmatch(r"[A-Za-z]+0", column)
                ]
                said = [*map(str, row.values()), *(_unescaped(part) for part in packed)]
                yield f"{name} {row['PartitionKey']} {row['RowKey']}", "\n".join(said)
    finally:
        await tables.close()
    async with at.blobs() as service:
        async for container in service.list_containers():
            async for blob in service.get_container_client(container.name).list_blobs():
                client = service.get_blob_client(container.name, blob.name)
                yield f"blob {blob.name}", _unescaped(await (await client.download_blob()).readall())
    for path in _LISTS:
        items = (
            await at.ask("GET", path)
            if path in ("directory", "policies", "samples", "requirement")
            else (await _listed(at, path))
        )
        yield f"GET {path}", json.dumps(items, ensure_ascii=False)
    yield "host.log", (at.work / "host.log").read_text("utf-8")


def _unescaped(data: bytes) -> str:
    """Text in which letters stand as they are and not as JSON escapes them."""
    text = data.decode("utf-8", "replace")
    try:
        return text + json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def _spellings(sample: Sample, user: str) -> list[str]:
    """How a person may be written."""
    people = sample.people
    named = [(p.user_id, p.user_principal_name, p.display_name) for p in people.technicians]
    named += [(p.user_id, p.user_principal_name, p.display_name) for p in people.employees]
    names = [name for id_, *names in named if id_ == user for name in names]
    return [text.lower() for text in (user, id_key(user), *names)]


async def _chosen(at: Rig, findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Five people: those with the most findings of different kinds, on the roster or not."""
    rules: dict[str, set[str]] = {}
    for finding in findings:
        rules.setdefault(finding["userId"], set()).update(finding["rules"])
    return sorted(rules, key=lambda user: (-len(rules[user]), user))[:5]


async def test_five_are_erased_and_the_month_says_what_it_said(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        await at.begin()
        await at.start({"DIRECTORY_SCHEDULE": "*/15 * * * * *"})
        await at.settle()
        await _refreshed(at)
        await at.rescan()
        await at.settle()
        before = await _asked(at)
        five = await _chosen(at, before["findings"])
        named = {user: _spellings(at.sample, user) for user in five}
        partner, customer = at.sample.people.partner_tenant_id, at.sample.people.customers[0].tenant_id
        app = before["findings"][0]["appId"]
        for id_ in (partner, customer, app, "00000000-0000-0000-0000-000000000000"):
            assert (await at.reply("POST", "ops/erase", json={"user": id_, "force": True}))[0] == 404, id_
        admins = {t.user_id for t in at.sample.people.technicians if t.valid_to is None}
        refused = 0
        for user in five:
            status, _ = await at.reply("POST", "ops/erase", json={"user": user})
            assert status == (409 if user in admins else 200), user
            refused += status == 409
            assert (await at.reply("POST", "ops/erase", json={"user": user, "force": True}))[0] == 200
        assert refused, "nobody of the five was on the roster"
        _same(before, await _asked(at))
        for _ in range(2):
            await at.rescan()
            await at.settle()
            await _refreshed(at)
            _same(before, await _asked(at))
        left = [
            f"{where} names {text}"
            async for where, said in _texts(at)
            for spelled in named.values()
            for text in spelled
            if text in said.lower()
        ]
        assert left == []
