"""The members that the product reads of a sign-in, as msgspec types: how fast decoding alone could be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import GenericAlias
from typing import Any, Optional

import msgspec

from shared.signin.model import SignIn


def typed_decoder() -> Callable[[bytes], Any]:
    """Decodes a page of Graph's; gives `value`, the records, and `next_link`."""
    text: Any = str | None

    def struct(name: str, members: dict[str, Any], rename: Any = "camel") -> Any:
        return msgspec.defstruct(name, [(member, kind, None) for member, kind in members.items()], rename=rename)

    def some(kind: Any) -> Any:
        return Optional[kind]  # noqa: UP045 - made at run time

    step = struct(
        "Step",
        {"authentication_method": text, "authentication_step_result_detail": text, "succeeded": bool | None},
    )
    detail = struct("ProcessingDetail", {"key": text, "value": Any})
    special: dict[str, Any] = {
        "created_date_time": datetime,
        "is_interactive": bool | None,
        "sign_in_event_types": list[str] | None,
        "authentication_details": some(GenericAlias(list, (step,))),
        "authentication_processing_details": some(GenericAlias(list, (detail,))),
        "status": some(struct("Status", {"error_code": int | None, "additional_details": text})),
        "agent": some(struct("Agent", {"agent_type": text, "agent_subject_type": text})),
        "result_type": str | int | None,
    }
    names = [name for name in SignIn.__struct_fields__ if name != "applied_conditional_access_policies"]
    sign_in = struct("SignIn", {name: special.get(name, text) for name in names})
    members = {"value": GenericAlias(list, (sign_in,)), "next_link": text}
    return msgspec.json.Decoder(struct("Page", members, {"next_link": "@odata.nextLink"})).decode
