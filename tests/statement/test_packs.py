"""Evidence packs from the request to the offline check: intact, changed by a byte, signed by somebody else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from functions.answers import health
from functions.statement import evidence_pack, request_evidence_pack, statement
from local.commands.verify_pack import main as verify
from local.stage.stack import make_pack_key
from shared.answers.register import RegisterQuery, read_register
from shared.app.pack_key import FileKey, PackKey
from shared.maintenance.erase import erase_person
from shared.operations.register import Actor
from shared.rules.rule import CUSTOMER, TECHNICIAN
from shared.statement.archive import Writer, ending, read_archive
from shared.statement.freezing import seal_due_months
from shared.statement.manifest import MANIFEST, SIGNATURE, signature_of
from shared.statement.packs import build_pack, give_up_pack, remove_old_packs
from tests.functions.asking import ADDRESS, Reply, ask
from tests.scan.harness import Rig
from tests.statement.story import COLLEAGUE, OTHER, note_every_night, story

ANN = Actor("ann", "t/ann")
FILES = {
    *("statement.html", "statement.json", "statement.csv", "names.csv", "coverage.csv", "findings.csv"),
    *("findings.jsonl", "register.csv", "roster.csv", "method.txt", "manifest.json", "manifest.jws"),
}


@pytest.fixture
async def at(azurite: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Rig]:
    async with story(azurite, monkeypatch, pack_key_file=str(make_pack_key(tmp_path / "pack.pem"))) as made:
        yield made


async def requested(at: Rig, **body: Any) -> tuple[Reply, list[str]]:
    """Ask for a pack; gives the answer and the messages of the queue."""
    sent: list[str] = []

    class Queue(func.Out[list[str]]):
        def set(self, value: list[str]) -> None:
            sent.extend(value)

        def get(self) -> list[str]:
            return sent

    raw = json.dumps({"month": "2026-09", **body}).encode()
    headers = {"Content-Type": "application/json"}
    request = func.HttpRequest("POST", f"{ADDRESS}/api/evidence-packs", headers=headers, body=raw)
    answer = await request_evidence_pack.serve(at.app, request, Queue())
    kept = Reply(answer.status_code, answer.mimetype, dict(answer.headers), answer.get_body().decode())
    return kept, sent


async def looked_at(at: Rig, id_: str, query: str = "format=json") -> Any:
    reply = await ask(evidence_pack, at.app, query, path={"id": id_})
    assert reply.status == 200, reply.text
    return reply.json


async def fetched(at: Rig, id_: str) -> bytes:
    request = func.HttpRequest("GET", f"{ADDRESS}/api/evidence-packs/{id_}", route_params={"id": id_}, body=b"")
    answer = await evidence_pack.serve(at.app, request)
    assert answer.mimetype == "application/zip"
    return answer.get_body()


async def built(at: Rig, **body: Any) -> tuple[str, bytes]:
    reply, sent = await requested(at, **body)
    assert reply.status == 202, reply.text
    for message in sent:
        await build_pack(at.app, message)
    id_ = reply.json["id"]
    return id_, await fetched(at, id_)


def contents(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def verdict(path: Path, pack: bytes, key_id: str | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    path.write_bytes(pack)
    code = verify([str(path), *(["--key-id", key_id] if key_id else [])])
    return code, capsys.readouterr().out


async def test_from_the_request_to_the_offline_check(
    at: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await note_every_night(at.app)
    await seal_due_months(at.app)
    reply, sent = await requested(at)
    assert reply.status == 202
    id_ = reply.json["id"]
    assert reply.headers["Location"] == f"/api/evidence-packs/{id_}"
    assert (await looked_at(at, id_))["state"] == "waiting"
    assert len(sent) == 1
    await build_pack(at.app, sent[0])
    await build_pack(at.app, sent[0])  # a message may come twice
    shown = await looked_at(at, id_)
    assert shown["state"] == "ready"
    pack = await fetched(at, id_)
    found = contents(pack)
    assert {*found} == FILES
    assert next(iter(found)) == "statement.html"
    page = (await ask(statement, at.app, "month=2026-09")).json
    manifest = json.loads(found[MANIFEST])
    assert manifest["statementSha256"] == page["sha256"]
    assert manifest["monthBefore"]["sha256"] == page["sealed"]["previous"]["sha256"]
    assert json.loads(found["statement.json"]) == page["sealed"]
    lines = [json.loads(line) for line in found["findings.jsonl"].splitlines()]
    assert {line["id"] for line in lines} == {"bad", "ropc", "elsewhere"}
    assert all(line["explanation"] for line in lines)
    assert found["findings.csv"].count(b"\r\n") == 4
    assert b"evidence-pack" in found["register.csv"]
    assert TECHNICIAN.encode() in found["roster.csv"]
    key_id = (await ask(health, at.app)).json["packKeyId"]
    assert page["packKeyId"] == key_id
    path = tmp_path / "pack.zip"
    code, said = verdict(path, pack, key_id.upper(), capsys)
    assert code == 0, said
    assert said.startswith("Evidence pack of 2026-09 (final), all customers")
    code, said = verdict(path, pack, None, capsys)
    assert (code, "SIGNER NOT CHECKED" in said, key_id in said) == (3, True, True)
    assert verdict(path, pack, "00" * 32, capsys)[0] == 1
    assert verify([str(path), "--key-id", "abc"]) == 2
    assert verify([str(tmp_path / "none.zip")]) == 2
    await one_byte_changed(path, pack, key_id, capsys)
    await signed_by_somebody_else(tmp_path, pack, key_id, capsys)


async def one_byte_changed(path: Path, pack: bytes, key_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is: each is told with the file that it is in."""
    entries = read_archive(io.BytesIO(pack)).entries
    starts = [*(entry.offset for entry in entries[1:]), len(pack)]
    places = {*range(0, len(pack), 211), *(start + n for start in starts[:-1] for n in (0, 8, 14, 31)), len(pack) - 1}
    for place in sorted(places):
        bent = bytearray(pack)
        bent[place] ^= 0x01
        code, said = verdict(path, bytes(bent), key_id, capsys)
        assert code == 1, f"byte {place}: {said}"
        assert said.startswith("CHANGED: ")
    for entry, end in zip(entries[:-2], starts, strict=False):
        bent = bytearray(pack)
        middle = (entry.offset + len(entry.head) + end) // 2
        bent[middle] ^= 0x10
        assert entry.name in verdict(path, bytes(bent), key_id, capsys)[1]


async def signed_by_somebody_else(folder: Path, pack: bytes, key_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole and sound pack with a word changed, under a key of somebody's own."""
    other: PackKey = FileKey(make_pack_key(folder / "other.pem"))
    found = contents(pack)
    found["statement.json"] = found["statement.json"].replace(b'"nonCompliant":3', b'"nonCompliant":0')
    writer, made = Writer(), []

    async def one(content: bytes) -> AsyncIterator[bytes]:
        yield content

    for name, content in found.items():
        if name not in (MANIFEST, SIGNATURE):
            made += [piece async for piece in writer.file(name, one(content))]
    manifest = json.loads(found[MANIFEST])
    listed = {e.name: e for e in writer.entries}
    for file in manifest["files"]:
        e = listed[file["name"]]
        file |= {"size": e.size, "sha256": e.sha256, "packedSha256": e.packed_sha256}
    public = await other.public()
    told = json.dumps({**manifest, "keyId": public.id, "publicKey": public.jwk}).encode()
    made += [writer.stored(MANIFEST, told), writer.stored(SIGNATURE, await signature_of(told, other)), writer.end()]
    path = folder / "forged.zip"
    code, said = verdict(path, b"".join(made), key_id, capsys)
    assert (code, "ANOTHER KEY" in said) == (1, True)
    assert verdict(path, b"".join(made), None, capsys)[0] == 3
    # the forger names our key, and cannot sign for it
    claimed = json.dumps(manifest).encode()
    writer.entries = writer.entries[:-2]
    begins = sum(len(p) for p in made[:-3])
    forged = Writer()
    forged.entries, forged._offset = [*writer.entries], begins
    tail = [forged.stored(MANIFEST, claimed), forged.stored(SIGNATURE, await signature_of(claimed, other))]
    whole = b"".join([*made[:-3], *tail])
    code, said = verdict(path, whole + ending(forged.entries, len(whole)), key_id, capsys)
    assert (code, SIGNATURE in said) == (1, True), said


async def test_a_customers_pack_holds_nothing_of_another(at: Rig) -> None:
    await seal_due_months(at.app)
    _, pack = await built(at, customer="Contoso")
    found = contents(pack)
    for name, content in found.items():
        assert OTHER.encode() not in content, name
        assert b"evil.example" not in content, name
    assert COLLEAGUE.encode() not in found["findings.jsonl"] + found["names.csv"] + found["statement.json"]
    assert json.loads(found[MANIFEST])["customer"] == {"customerId": CUSTOMER, "customerName": "Contoso"}


async def test_a_gap_stands_on_its_first_page(azurite: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = str(make_pack_key(tmp_path / "pack.pem"))
    async with story(azurite, monkeypatch, lookback_days=13, pack_key_file=key) as at:
        _, pack = await built(at)
        found = contents(pack)
        page = found["statement.html"].decode()
        assert page.index("Gap in coverage") < page.index("What insurers ask")
        assert any("Gap in coverage" in line for line in json.loads(found[MANIFEST])["firstPage"])


async def test_erasing_somebody_removes_packs_and_a_new_one_does_not_name_them(at: Rig) -> None:
    await seal_due_months(at.app)
    id_, pack = await built(at)
    assert b"technician@partner.example" in contents(pack)["findings.jsonl"]
    await erase_person(at.app, TECHNICIAN, ANN, force=True)
    shown = await looked_at(at, id_, "")
    assert (shown["state"], shown["sha256"]) == ("removed", None)
    _, again = await built(at)
    for name, content in contents(again).items():
        assert b"technician@partner.example" not in content, name
        assert TECHNICIAN.encode() not in content, name
    before, after = (json.loads(contents(p)[MANIFEST])["statementSha256"] for p in (pack, again))
    assert before == after


async def test_packs_go_after_thirty_days_and_what_was_cut_off_at_once(at: Rig) -> None:
    id_, _ = await built(at)

    async def half() -> AsyncIterator[bytes]:
        yield b"half a pack"

    assert await at.app.statements.put_new("packs/left-behind.zip", half())
    await remove_old_packs(at.app)
    assert len(await at.app.statements.names("packs/")) == 1
    at.pass_time(timedelta(days=31))
    await remove_old_packs(at.app)
    assert await at.app.statements.names("packs/") == []
    assert (await ask(evidence_pack, at.app, path={"id": id_})).status == 404


async def test_what_cannot_be_built_says_why(at: Rig) -> None:
    nobody = "99999999-9999-9999-9999-999999999999"
    reply, (message,) = await requested(at, customer=nobody)
    await build_pack(at.app, message)
    shown = await looked_at(at, reply.json["id"])
    assert (shown["state"], "no such customer" in shown["sentence"]) == ("failed", True)
    reply, (message,) = await requested(at)
    await give_up_pack(at.app, message)
    assert (await looked_at(at, reply.json["id"]))["state"] == "failed"
    await build_pack(at.app, "junk")
    assert (await requested(at, customer="Nobody"))[0].status == 404
    assert (await requested(at, month="2027-09"))[0].status == 400
    assert (await requested(at, month="soon"))[0].status == 400
    listed = await read_register(at.app, RegisterQuery())
    assert [item.kind for item in listed.items if item.kind == "evidence-pack"] == ["evidence-pack"] * 2


async def test_without_a_key_nothing_is_promised(azurite: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with story(azurite, monkeypatch) as at:
        reply, sent = await requested(at)
        assert (reply.status, sent) == (409, [])
        assert "PACK_KEY_FILE" in reply.json["detail"]
        assert (await ask(health, at.app)).json["packKeyId"] is None
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    async with story(azurite, monkeypatch, pack_key_file=str(wrong)) as at:
        assert (await requested(at))[0].status == 409


async def test_a_large_pack_is_fetched_by_the_command_that_its_sentence_names(at: Rig) -> None:
    from shared.store.packs import read_pack, write_pack

    id_, _ = await built(at)
    control = (await at.tables()).control
    found = await read_pack(control, id_)
    assert found is not None
    await write_pack(control, replace(found[0], size=60 * 1024), found[1])
    shown = await looked_at(at, id_, "")
    assert shown["sentence"].startswith("It holds 60 MiB, more than an answer can: az storage blob download")
    assert found[0].blob in shown["sentence"]
