"""What the forms of an incident and of a cause have in common: what a person does, in the words of the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.answers.incident_detail import IncidentChange


def _none_if_blank(value: object) -> object:
    return None if value == "" else value


class ActForm(BaseModel):
    """What such a form sends. `act` is a state to set, comment or assign; `version` the etag that the person saw;
    `due_on` the day by which it is to be done."""

    model_config = ConfigDict(extra="forbid")

    act: str
    version: str = Field(min_length=1, max_length=200)
    comment: str = Field(default="", max_length=2000)
    days: int = Field(default=7, ge=1, le=90)
    assignee: str = Field(default="", max_length=200)
    due_on: Annotated[date | None, BeforeValidator(_none_if_blank)] = None

    def change(self, now: datetime) -> IncidentChange:
        """What is asked for, as the API takes it."""
        words = self.comment.strip() or None
        if self.act == "assign":
            return IncidentChange(assignee=self.assignee.strip(), due_on=self.due_on, comment=words)
        if self.act == "comment":
            return IncidentChange(comment=words or "(no words)")
        until = now + timedelta(days=self.days) if self.act == "snoozed" else None
        return IncidentChange.model_validate({"state": self.act, "snoozedUntil": until, "comment": words})
