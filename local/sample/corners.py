"""Planted violations at the corners of scope: customers that only one sign shows, people on the roster for a time."""

from __future__ import annotations

from dataclasses import replace

from . import auth
from .catalog import AZURE_PORTAL, EXCHANGE_ADMIN, OFFICE_PORTAL
from .people import GUEST, JOINER, LEAVER
from .records import Draft
from .stage import Stage

UNLISTED_CUSTOMER = "0b6f2f6e-41f4-4f0c-9d0e-7b1c7a3f9d52"
"""A customer that no directory source knows: only serviceProvider says that it is one."""


def plant_corners_of_scope(stage: Stage) -> None:
    """Customers that only one sign shows, and people who are on the roster for a part of the time."""
    writer = stage.writer
    single = auth.password_only()
    anders, bianca, greta = stage.who("anders"), stage.who("bianca"), stage.who("greta")
    old = [
        Draft(
            anders, stage.at(f, 11, 25), AZURE_PORTAL, stage.customer(27), single, cross=cross, session=writer.new_id()
        )
        for f, cross in ((0.05, "none"), (0.1, None), (0.15, ""))
    ]
    unlisted = Draft(
        bianca, stage.at(0.5, 11), AZURE_PORTAL, UNLISTED_CUSTOMER, single, cross="serviceProvider",
        session=writer.new_id(),
    )  # fmt: skip
    unheard_of = replace(
        unlisted, who=stage.who("carla"), tenant=stage.customer(28), cross="delegatedAgent", session=writer.new_id()
    )
    leaving = replace(unlisted, who=greta, when=stage.at(0.0, 11), tenant=stage.customer(58), cross="none")
    for story, drafts in (
        ("Anders's older records at a customer leave the type of access empty", old),
        ("Bianca reaches a customer that no directory lists; the type says serviceProvider", [unlisted]),
        ("Carla reaches a customer with a type of access that nobody knows yet", [unheard_of]),
        ("Greta signs in with one factor to a customer in its last days as one", [leaving]),
    ):
        writer.violation(
            story,
            [writer.add(draft, scope="customer", verdict="non-compliant") for draft in drafts],
            user_id=drafts[0].who.user_id,
            rules=["interactive-without-mfa"],
            severity="high",
        )
    for name, when, story in (
        (LEAVER, stage.at(0.0, 12), "Igor signs in at home with one factor before he leaves the roster"),
        (JOINER, stage.at(1.0, 12), "Hanna signs in at home with one factor after she joined the roster"),
    ):
        writer.violation(
            story,
            [stage.at_home(stage.who(name), when, OFFICE_PORTAL, single)],
            user_id=stage.who(name).user_id,
            rules=["interactive-without-mfa"],
            severity="high",
        )
    guest = Draft(
        stage.who(GUEST), stage.at(0.85, 10, 5), EXCHANGE_ADMIN, stage.home, single, cross="b2bCollaboration",
        session=writer.new_id(),
    )  # fmt: skip
    writer.violation(
        "Nora, a guest on the roster, signs in to the partner tenant without MFA",
        [writer.add(guest, scope="partner-tenant", verdict="non-compliant")],
        user_id=guest.who.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
