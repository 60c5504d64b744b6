"""Planted records that look like trouble and must raise nothing, each with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from . import auth
from .catalog import (
    AZURE_CLI,
    AZURE_PORTAL,
    EXCHANGE_ONLINE,
    INTUNE,
    OFFICE,
    OFFICE_PORTAL,
    PARTNER_CENTER,
    TEAMS,
    WINDOWS_SIGN_IN,
)
from .model import Employee
from .people import JOINER, LEAVER
from .records import Draft
from .stage import Stage

UNRELATED_TENANT = "6b1f9c58-0d5f-4b0e-8a39-2f4f3a1f7e10"
"""A tenant that is neither the partner's nor a customer's."""


def plant_harmless(stage: Stage) -> None:
    """Every story of the partner's log that must stay quiet."""
    _overview_with_mfa(stage)
    _odd_looking_mfa(stage)
    _refusals(stage)
    _out_of_scope(stage)
    _off_the_roster(stage)
    _settled_later(stage)


def _overview_with_mfa(stage: Stage) -> None:
    """Jane's and Trent's stories (docs/entra-facts.md): MFA at the overview, so no second prompt at protected pages."""
    writer = stage.writer
    for name, proof, story in (
        ("jane", auth.mfa_now("Mobile app notification"), "Jane completes MFA at the overview and goes on by claim"),
        ("trent", auth.external(), "Trent's federated provider does MFA and the claim comes back"),
    ):
        overview = Draft(
            stage.who(name), stage.at(0.3, 9, 30), PARTNER_CENTER, stage.home, proof, session=writer.new_id()
        )
        pages = [
            overview,
            replace(overview, when=overview.when + timedelta(minutes=3), auth=auth.claim_interactive()),
            replace(overview, when=overview.when + timedelta(minutes=64), auth=auth.claim_refresh(), interactive=False),
            replace(overview, when=overview.when + timedelta(minutes=99), auth=auth.silent(), interactive=False),
        ]
        writer.nothing(story, [writer.add(page, scope="partner-center", verdict="compliant") for page in pages])


def _odd_looking_mfa(stage: Stage) -> None:
    method = "Mobile app notification"
    universal = replace(EXCHANGE_ONLINE, client="Universal Outlook")
    for name, app, shape, reason in (
        ("carla", AZURE_PORTAL, auth.mfa_with_denials(method), "A refused request was followed by one that was passed"),
        ("dmitri", INTUNE, auth.mfa_marked_failed(method), "The log marks a completed MFA step as failed and primary"),
        ("hugo", AZURE_CLI, auth.requirement_only(), "Only authenticationRequirement says that MFA was done"),
        ("ines", universal, auth.claim_interactive(), "Universal Outlook is not a legacy client"),
    ):
        record = stage.in_customer(stage.who(name), stage.at(0.45, 13, 40), app, 31, shape)
        stage.writer.nothing(reason, [record])


def _refusals(stage: Stage) -> None:
    writer, begun = stage.writer, stage.at(0.5, 10, 1)
    shape = auth.not_passed("Text message")
    blocked = Draft(stage.who("jonas"), begun, OFFICE_PORTAL, stage.customer(32), shape, cross="serviceProvider")
    drafts = [replace(blocked, code=code) for code in (53003, 530034, 50053, 500121)]
    drafts.append(replace(blocked, code=50126, auth=auth.wrong_password()))
    writer.nothing(
        "Blocks and failures of a modern client are not sign-ins",
        [writer.add(draft, scope="customer", verdict="not-applicable") for draft in drafts],
    )


def _out_of_scope(stage: Stage) -> None:
    writer, people = stage.writer, stage.people
    single = auth.password_only()
    mira, office, begun = stage.who("mira"), people.employees[0], stage.at(0.6, 8, 20)
    guest = Draft(mira, begun, TEAMS, stage.customer(33), single, cross="b2bCollaboration")
    imap = replace(EXCHANGE_ONLINE, client="IMAP4")
    flow = Draft(office, begun, AZURE_CLI, stage.home, single, protocol="ropc")
    stories = (
        ("Somebody whom Microsoft's support let in is not the customer's delegated admin",
         [replace(guest, cross="microsoftSupport")], "none"),
        ("A tenant that is no customer and no service-provider access",
         [replace(guest, tenant=UNRELATED_TENANT, cross="none")], "none"),
        ("Employees who are not on the roster use no delegated privileges",
         [flow, replace(flow, protocol="oAuth2", app=OFFICE), replace(flow, protocol="oAuth2", app=imap)], "none"),
        ("Signing in to a device is single factor every morning",
         [Draft(stage.who(n), begun, WINDOWS_SIGN_IN, stage.home, single) for n in ("jane", "anders")], "device"),
    )  # fmt: skip
    for reason, drafts, scope in stories:
        writer.nothing(reason, [writer.add(draft, scope=scope, verdict="out-of-scope") for draft in drafts])

    verified = replace(guest, auth=auth.mfa_now("Mobile app notification"))
    writer.nothing(
        "A guest of a customer is not its delegated admin; with MFA there is nothing to say",
        [
            writer.add(replace(verified, cross=cross), scope="guest", verdict="compliant")
            for cross in ("b2bCollaboration", "b2bDirectConnect", "passthrough")
        ],
    )
    agent = Employee(writer.new_id(), f"agent9@{people.managed_domain}", "Support Agent 9", stage.home)
    run = Draft(agent, begun, AZURE_CLI, stage.customer(34), single, cross="serviceProvider")
    kinds = ("agenticApp", "agenticAppInstance", "agentIDuser")
    writer.nothing(
        "Agents cannot do MFA; they are counted apart",
        [writer.add(replace(run, agent_type=kind), scope="customer", verdict="not-applicable") for kind in kinds],
    )


def _off_the_roster(stage: Stage) -> None:
    writer = stage.writer
    single = auth.password_only()
    leaver, joiner, greta = stage.who(LEAVER), stage.who(JOINER), stage.who("greta")
    afterwards = Draft(leaver, stage.at(1.0, 12, 30), OFFICE_PORTAL, stage.home, single)
    before = replace(afterwards, who=joiner, when=stage.at(0.0, 12, 30))
    ended = replace(before, who=greta, when=stage.at(1.0, 11, 30), tenant=stage.customer(58))
    not_yet = replace(before, who=greta, when=stage.at(0.0, 11, 30), tenant=stage.customer(57))
    for reason, draft in (
        ("Igor has left the roster", afterwards),
        ("Hanna is not on the roster yet", before),
        ("The customer's contract has ended and nothing else says delegated access", ended),
        ("The tenant is not a customer yet and nothing else says delegated access", not_yet),
    ):
        writer.nothing(reason, [writer.add(draft, scope="none", verdict="out-of-scope")])


def _settled_later(stage: Stage) -> None:
    """Late details that are there before the first re-read of the record's slice, at 15 minutes of age."""
    writer = stage.writer
    cyril, nadia = stage.who("cyril"), stage.who("nadia")
    spurious = Draft(
        cyril, stage.at(0.65, 10, 13), AZURE_PORTAL, stage.customer(35), auth.password_only(),
        cross="serviceProvider", session=writer.new_id(),
    )  # fmt: skip
    settled = writer.add(
        spurious,
        scope="customer",
        verdict="compliant",
        arrives_after=timedelta(minutes=1),
        late=auth.mfa_now("Mobile app notification"),
        late_after=timedelta(minutes=12),
    )
    writer.nothing("The record first shows one factor; minutes later its MFA step is there", [settled])

    root = replace(spurious, who=nadia, when=stage.at(0.75, 10, 8), tenant=stage.customer(36))
    root = replace(root, auth=auth.mfa_now("Mobile app verification code"), session=writer.new_id())
    child = replace(root, when=root.when + timedelta(minutes=4), auth=auth.silent(), interactive=False)
    writer.nothing(
        "The silent child is in the log before the sign-in that its session came from",
        [
            writer.add(child, scope="customer", verdict="compliant", arrives_after=timedelta(minutes=1)),
            writer.add(root, scope="customer", verdict="compliant", arrives_after=timedelta(minutes=12)),
        ],
    )
