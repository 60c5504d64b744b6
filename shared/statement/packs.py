"""Evidence packs: asked for over HTTP, built by a message of the queue, fetched when they are ready.

A pack is a signed copy of findings, so it names people: it is kept for thirty days, and erasing anybody removes all
packs, since none can be changed and each can be made again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.app.app import App
from shared.app.pack_key import PackKeyProblem
from shared.basics.events import log_event
from shared.basics.queue_messages import QueueBody, parse_message
from shared.basics.queues import Queue
from shared.basics.spelling import id_key, is_key
from shared.ledger.register import ActKind
from shared.operations.register import Actor, note_act
from shared.statement.archive import PackTooLarge, Writer
from shared.statement.packing import packed
from shared.statement.reading import Month, month_asked
from shared.store.packs import Pack, PackState, all_packs, forget_pack, read_pack, write_pack
from shared.store.statements import CONTAINER, PACKS
from shared.store.tables import Conflict
from shared.wire.models import Answer, BadParameter, Body, Named, NotKnown, shown_id

KEPT_FOR: Final = timedelta(days=30)
MOST_SENT: Final = 50 * 1024 * 1024  # what one HTTP answer holds
_TRIES: Final = 3


class PackRequest(Body):
    """Of which month, and of which customer; of all without one."""

    month: Month = Field(description="UTC month, such as 2026-09.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer; all without it.")


class UnknownPack(Exception):  # noqa: N818 - what is asked for
    """There is no such evidence pack."""


class EvidencePack(Answer):
    """An evidence pack and how far it is: waiting, ready, failed, or removed: past its time, or somebody was erased."""

    id: str
    month: str
    customer_id: str | None
    state: str
    requested_at: datetime
    ready_at: datetime | None = Field(description="When it was ready, UTC; null before.")
    size_kib: int | None = Field(description="KiB of the zip; null before it is ready.")
    sha256: str | None = Field(description="SHA-256 of the zip in hex; null before it is ready.")
    pack_key_id: str | None
    sentence: str = Field(description="What there is to do now.")


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    evidence_pack: str


async def request_pack(app: App, wanted: PackRequest, by: Actor) -> tuple[EvidencePack, str]:
    """Ask for a pack. Returns it, and the message that has it built. Raises BadParameter, NotKnown, PackKeyProblem."""
    month = month_asked(app, wanted.month)
    await app.pack_key.public()
    customer = await _customer(app, wanted.customer) if wanted.customer else ""
    pack = Pack(uuid4().hex, month, customer, app.clock())
    await write_pack((await app.tables()).control, pack, None)
    about = {"month": f"{month:%Y-%m}", "customer": shown_id(customer) or None, "pack": pack.id}
    await note_act(app, ActKind.EVIDENCE_PACK, by, **about)
    return await _shown(app, pack), _Message(evidence_pack=pack.id).model_dump_json(by_alias=True)


async def _customer(app: App, wanted: str) -> str:
    """The key of a customer that the directory names; any tenant id, since a month may know more than the directory."""
    directory = await app.known_directory()
    names = directory.file.tenant_names if directory else {}
    key, name = id_key(wanted), wanted.strip().lower()
    if is_key(key):
        return key
    found = sorted(k for k, n in names.items() if n.strip().lower() == name)
    if not found:
        raise NotKnown("no such customer")
    return found[0]


async def find_pack(app: App, id_: str) -> tuple[EvidencePack, Pack]:
    """A pack and how far it is. Raises UnknownPack."""
    found = await read_pack((await app.tables()).control, id_)
    if found is None:
        raise UnknownPack("there is no such evidence pack")
    return await _shown(app, found[0]), found[0]


async def content_of(app: App, pack: Pack) -> bytes | None:
    """The zip, where it is small enough for an answer and is still there."""
    if pack.state is not PackState.READY or pack.size > MOST_SENT // 1024:
        return None
    return await app.statements.get(pack.blob)


async def _shown(app: App, pack: Pack) -> EvidencePack:
    state, ready = str(pack.state), pack.state is PackState.READY
    if ready and not await app.statements.holds(pack.blob):
        state, ready = "removed", False
    return EvidencePack(
        id=pack.id,
        month=f"{pack.month:%Y-%m}",
        customer_id=shown_id(pack.customer) or None,
        state=state,
        requested_at=pack.requested_at,
        ready_at=pack.ready_at if ready else None,
        size_kib=pack.size if ready else None,
        sha256=pack.sha256 if ready else None,
        pack_key_id=await app.pack_key_id(),
        sentence=_sentence(app, pack, state),
    )


def _sentence(app: App, pack: Pack, state: str) -> str:
    match state:
        case PackState.WAITING:
            return "It is being built; look again in a minute."
        case PackState.FAILED:
            return f"It could not be built: {pack.problem}."
        case "removed":
            return "It is gone: packs are kept for thirty days, and erasing somebody removes all. Ask for a new one."
    if pack.size > MOST_SENT // 1024:
        account = (app.settings.blob_service_uri or "").removeprefix("https://").partition(".")[0] or "<account>"
        return (
            f"It holds {pack.size // 1024:,} MiB, more than an answer can: az storage blob download --auth-mode login "
            f"--account-name {account} -c {CONTAINER} -n {pack.blob} -f evidence-{pack.month:%Y-%m}.zip"
        )
    return "It is ready. Check it with: python -m local verify-pack FILE --key-id HEX"


# --- the message ------------------------------------------------------------------------------------------------------


async def build_pack(app: App, body: QueueBody) -> None:
    """Build the pack that a message names; done again from the start where it was cut off. What will never work is
    noted with the pack; what may work another time is raised."""
    found = await _waiting(app, body)
    if found is None:
        return
    pack, etag = found
    try:
        pack = await _build(app, pack)
    except (NotKnown, BadParameter, PackTooLarge, PackKeyProblem) as problem:
        pack = replace(pack, state=PackState.FAILED, problem=str(problem))
    await _note(app, pack, etag)
    log_event("evidence_pack", pack=pack.id, state=pack.state, kibibytes=pack.size)


async def give_up_pack(app: App, body: QueueBody) -> None:
    """Note that the pack of a message that crashed its workers again and again could not be built."""
    found = await _waiting(app, body)
    if found is not None:
        problem = "it failed again and again; the app's log says why"
        await _note(app, replace(found[0], state=PackState.FAILED, problem=problem), found[1])


async def _build(app: App, pack: Pack) -> Pack:
    await app.statements.create()
    for _ in range(_TRIES):
        before, writer = await _erasures(app), Writer()
        blob = f"{PACKS}{pack.id}-{uuid4().hex[:8]}.zip"
        await app.statements.put_new(blob, packed(app, pack, writer))
        if await _erasures(app) == before:
            made = replace(pack, state=PackState.READY, ready_at=app.clock(), blob=blob)
            return replace(made, size=-(-writer.size // 1024), sha256=writer.sha256, problem="")
        await app.statements.delete(blob)
    raise Conflict("people were erased all the while that the pack was built")


async def _erasures(app: App) -> str:
    """Changes when somebody is erased: a pack that was built meanwhile may name them."""
    directory = await app.known_directory()
    return directory.erasures if directory else ""


async def _waiting(app: App, body: QueueBody) -> tuple[Pack, str] | None:
    message = parse_message(_Message, body, queue=Queue.PACKS)
    if message is None:
        return None
    found = await read_pack((await app.tables()).control, message.evidence_pack)
    return found if found and found[0].state is PackState.WAITING else None


async def _note(app: App, pack: Pack, etag: str) -> None:
    try:
        await write_pack((await app.tables()).control, pack, etag)
    except Conflict:
        return  # another message of it was quicker


async def remove_old_packs(app: App) -> None:
    """Remove the packs that are past their time, and what tries left behind that were cut off."""
    control, now = (await app.tables()).control, app.clock()
    kept: set[str] = set()
    waiting: set[str] = set()
    async for pack, etag in all_packs(control):
        if pack.requested_at < now - KEPT_FOR:
            await forget_pack(control, pack, etag)
        elif pack.state is PackState.WAITING:
            waiting.add(pack.id)
        else:
            kept.add(pack.blob)
    for blob in await app.statements.names(PACKS):
        if blob not in kept and not any(id_ in blob for id_ in waiting):
            await app.statements.delete(blob)
