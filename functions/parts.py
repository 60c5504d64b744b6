"""All parts of the app: the blueprints that function_app.py registers."""

from typing import Final

from functions import (
    alerts,
    answers,
    changes,
    exceptions,
    incidents,
    inventory,
    maintenance,
    ops,
    page,
    people,
    policies,
    portals,
    preflight,
    register,
    scan,
    self_test,
    statement,
    token_check,
    unknown,
)

PARTS: Final = tuple(
    part.bp
    for part in (
        *(alerts, answers, exceptions, incidents, maintenance, ops, page, people, preflight, scan, self_test),
        *(inventory, policies, portals, changes, register, statement, token_check, unknown),
    )
)
