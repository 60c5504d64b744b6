"""An evidence pack from its form to its download."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from shared.operations.register import Actor
from shared.page.asked import Visit
from shared.page.frame import show
from shared.statement.packs import MOST_SENT, PackRequest, find_pack, request_pack
from shared.statement.reading import Month


class PackForm(BaseModel):
    """What the form of the auditor's page sends; no customer: of all."""

    model_config = ConfigDict(extra="forbid")

    month: Month
    customer: str = Field(default="", max_length=300)


class Sent(NamedTuple):
    """Where to go when a form was taken, and the message that goes to the form's queue."""

    then: str
    message: str


async def ask_for_pack(visit: Visit, form: PackForm, by: Actor) -> Sent:
    """Ask for the pack of a month. Raises BadParameter, NotKnown, PackKeyProblem."""
    wanted = PackRequest.model_validate({"month": f"{form.month:%Y-%m}", "customer": form.customer.strip() or None})
    pack, message = await request_pack(visit.app, wanted, by)
    return Sent(visit.link("/audit/packs", pack.id), message)


async def pack_page(visit: Visit) -> str:
    """How far a pack is, and the pack itself once it is ready. Raises UnknownPack."""
    pack, _ = await find_pack(visit.app, visit.path["id"])
    fits = pack.size_kib is not None and pack.size_kib <= MOST_SENT // 1024
    return await show("pack.html", visit, p=pack, fits=fits)
