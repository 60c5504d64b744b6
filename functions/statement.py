"""What an auditor is handed: the statement of a month, and the signed pack of evidence with it."""

from __future__ import annotations

import azure.functions as func

from functions.http import Call, Ways, Written, endpoint
from functions.who import Role
from shared.statement.model import Statement
from shared.statement.reading import StatementQuery, read_statement
from shared.statement.render import HEADERS, csv_of, html_of

bp = func.Blueprint()  # type: ignore[no-untyped-call]


@endpoint(bp, "GET", "statement", needs=Role.READER, ways=Ways(also=("text/html", "text/csv")))
async def statement(call: Call[StatementQuery]) -> Statement | Written:
    """The statement of a month, for an auditor: figures by grade of evidence, coverage by day, incidents, exceptions,
    and what cyber-insurers ask. Final once no re-read of the month is due any more, and then never changed."""
    found = await read_statement(call.app, call.query)
    name = f"statement-{found.sealed.month}"
    if call.query.format == "html":
        return Written(html_of(found), "text/html", HEADERS)
    if call.query.format == "csv":
        return Written(csv_of(found), "text/csv", {"Content-Disposition": f'attachment; filename="{name}.csv"'})
    return found
