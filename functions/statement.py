"""What an auditor is handed: the statement of a month, and the signed pack of evidence with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

import azure.functions as func
from pydantic import Field

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, Sends, Ways, Written, endpoint
from functions.who import Role
from shared.app.app import running_app
from shared.app.pack_key import PackKeyProblem
from shared.basics.events import log_event
from shared.basics.queues import Queue
from shared.statement.model import Statement
from shared.statement.packs import (
    EvidencePack,
    PackRequest,
    UnknownPack,
    build_pack,
    content_of,
    find_pack,
    give_up_pack,
    request_pack,
)
from shared.statement.reading import StatementQuery, shown_statement
from shared.statement.render import HEADERS, csv_of, html_of
from shared.wire.models import NotKnown, Query

bp = Blueprint()


class PackQuery(Query):
    """In which form."""

    format: Literal["zip", "json"] = Field(default="zip", description="json: how far it is, also when it is ready.")


@endpoint(
    bp, "GET", "statement", needs=Role.READER, ways=Ways(also=("text/html", "text/csv", "application/octet-stream"))
)
async def statement(call: Call[StatementQuery]) -> Statement | Written:
    """The statement of a month, for an auditor: figures by grade of evidence, coverage by day, incidents, exceptions,
    and what cyber-insurers ask. Final once no re-read of the month is due any more, and then never changed."""
    kept, found = await shown_statement(call.app, call.query)
    name = f"statement-{found.sealed.month}"
    if call.query.format == "sealed":
        named = {"Content-Disposition": f'attachment; filename="{name}.json"'}
        return Written(kept.content, "application/octet-stream", named)
    if call.query.format == "html":
        return Written(html_of(found), "text/html", HEADERS)
    if call.query.format == "csv":
        return Written(csv_of(found), "text/csv", {"Content-Disposition": f'attachment; filename="{name}.csv"'})
    return found


@endpoint(
    bp,
    "POST",
    "evidence-packs",
    needs=Role.READER,
    errors={PackKeyProblem: (HTTPStatus.CONFLICT, None), NotKnown: (HTTPStatus.NOT_FOUND, None)},
    ways=Ways(queue=Queue.PACKS, begins=True),
)
async def request_evidence_pack(call: Call[NoQuery, PackRequest]) -> Sends[EvidencePack]:
    """Have the evidence of a month packed and signed: the statement, every finding with its evidence, coverage,
    register, roster and method. The answer (202) names the address at which the pack will be."""
    pack, message = await request_pack(call.app, call.body, call.actor)
    return Sends(pack, [message])


@endpoint(
    bp,
    "GET",
    "evidence-packs/{id}",
    needs=Role.READER,
    errors={UnknownPack: (HTTPStatus.NOT_FOUND, "There is no such evidence pack.")},
    ways=Ways(also=("application/zip",)),
)
async def evidence_pack(call: Call[PackQuery]) -> EvidencePack | Written:
    """A pack of evidence: the zip itself once it is ready, up to 50 MB; else how far it is, and what to do."""
    shown, pack = await find_pack(call.app, call.path["id"])
    content = await content_of(call.app, pack) if call.query.format == "zip" else None
    if content is None:
        return shown
    name = f"evidence-{shown.month}.zip"
    return Written(content, "application/zip", {"Content-Disposition": f'attachment; filename="{name}"'})


@bp.function_name("build_evidence_pack")
@bp.queue_trigger(arg_name="message", queue_name=Queue.PACKS, connection="AzureWebJobsStorage")
async def build(message: func.QueueMessage) -> None:
    """Build one evidence pack."""
    await build_pack(running_app(), message.get_body())


@bp.function_name("give_up_evidence_pack")
@bp.queue_trigger(arg_name="message", queue_name=Queue.PACKS_POISON, connection="AzureWebJobsStorage")
async def give_up(message: func.QueueMessage) -> None:
    """Note a pack whose message failed again and again."""
    log_event("poison_message", queue=Queue.PACKS_POISON, messageId=message.id)
    await give_up_pack(running_app(), message.get_body())
