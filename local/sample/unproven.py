"""The planted violations of the partner's log that lie in the evidence: no MFA, MFA skipped, MFA not told.

Rules and severities come from the stories, by docs/semantics.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from . import auth
from .catalog import (
    AZURE_CLI,
    AZURE_PORTAL,
    AZURE_POWERSHELL,
    EXCHANGE_ADMIN,
    EXCHANGE_POWERSHELL,
    INTUNE,
    OFFICE_PORTAL,
    PARTNER_CENTER,
)
from .corners import plant_corners_of_scope
from .model import LogRecord
from .records import Draft
from .stage import Stage


def plant_unproven(stage: Stage) -> None:
    """Stories about what was proved."""
    _single_factor(stage)
    _silent_children(stage)
    _skipped(stage)
    _third_party(stage)
    _unknown(stage)
    plant_corners_of_scope(stage)
    _late(stage)


def _single_factor(stage: Stage) -> None:
    _john(stage)
    aisha = stage.who("aisha")
    visits = [stage.in_customer(aisha, stage.at(f, 10, 12), AZURE_PORTAL, 4, auth.password_only()) for f in (0.35, 0.8)]
    stage.writer.violation(
        "Aisha opens a customer's Azure portal with a password alone, twice",
        visits,
        user_id=aisha.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    fiona = stage.who("fiona")
    stage.writer.violation(
        "Fiona opens the Exchange admin center with one factor: the log shows only the partner tenant",
        [stage.at_home(fiona, stage.at(0.6, 13, 5), EXCHANGE_ADMIN, auth.password_only())],
        user_id=fiona.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )


def _john(stage: Stage) -> None:
    """Fabrikam's story (docs/entra-facts.md): one factor at the overview; sent back for MFA at a protected page."""
    john, writer = stage.who("john"), stage.writer
    overview: list[LogRecord] = []
    steps: list[LogRecord] = []
    verified: list[LogRecord] = []
    # The first day he must register and then verify; another day he only verifies.
    for fraction, codes in ((0.3, (50074, 50079)), (0.7, (50074, 50076))):
        began = stage.at(fraction, 9, 3)
        draft = Draft(john, began, PARTNER_CENTER, stage.home, auth.password_only(), session=writer.new_id())
        overview.append(writer.add(draft, scope="partner-center", verdict="non-compliant"))
        correlation = writer.new_id()
        for n, code in enumerate(codes):
            step = replace(
                draft,
                when=began + timedelta(minutes=6, seconds=20 * n),
                auth=auth.not_passed("Text message"),
                code=code,
                correlation=correlation,
                session=None,
            )
            steps.append(writer.add(step, scope="partner-center", verdict="not-applicable"))
        passed = replace(
            draft,
            when=began + timedelta(minutes=8),
            auth=auth.mfa_now("Text message"),
            correlation=correlation,
            session=writer.new_id(),
        )
        verified.append(writer.add(passed, scope="partner-center", verdict="compliant"))
    writer.violation(
        "John signs in to Partner Center's overview with one factor",
        overview,
        user_id=john.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    writer.nothing("John is sent back for MFA: interrupts are steps, not sign-ins", steps)
    writer.nothing("John passes MFA at the protected page, in the same correlation", verified)


def _silent_children(stage: Stage) -> None:
    bruno, writer, began = stage.who("bruno"), stage.writer, stage.at(0.45, 8, 40)
    root = Draft(
        bruno,
        began,
        AZURE_CLI,
        stage.customer(5),
        auth.password_only(),
        cross="serviceProvider",
        session=writer.new_id(),
    )
    first = writer.add(root, scope="customer", verdict="non-compliant")
    children = [
        writer.add(
            replace(root, when=began + timedelta(minutes=55 * n), auth=auth.silent(), interactive=False),
            scope="customer",
            verdict="non-compliant",
        )
        for n in (1, 2, 3)
    ]
    writer.violation(
        "Bruno's Azure CLI session at a customer begins with one factor",
        [first],
        user_id=bruno.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    writer.violation(
        "Bruno's silent refreshes come from that session, so they have no MFA either",
        children,
        user_id=bruno.user_id,
        rules=["non-interactive-without-mfa"],
        severity="high",
    )


def _skipped(stage: Stage) -> None:
    stories = (
        ("petra", "on a remembered device", auth.skipped("MFA requirement skipped due to remembered device"), 16),
        (
            "quentin",
            "from an office address",
            auth.skipped_in_status("MFA requirement skipped due to IP address"),
            None,
        ),
        ("rosa", "after MFA ran out", auth.skipped("MFA has expired due to the policies configured on tenant"), 17),
        ("sven", "and is only prompted to register", auth.skipped_in_status("MFA registration prompted"), 18),
    )
    for name, where, shape, number in stories:
        person, when = stage.who(name), stage.at(0.5, 14, 30)
        record = (
            stage.at_home(person, when, OFFICE_PORTAL, shape)
            if number is None
            else stage.in_customer(person, when, OFFICE_PORTAL, number, shape)
        )
        stage.writer.violation(
            f"{name.capitalize()} signs in without a fresh MFA {where}",
            [record],
            user_id=person.user_id,
            rules=["mfa-skipped"],
            severity="medium",
        )


def _third_party(stage: Stage) -> None:
    writer = stage.writer
    unheard = ["third-party-mfa-unrecognised", "mfa-evidence-unknown"]
    farid, kaya, umar = stage.who("farid"), stage.who("kaya"), stage.who("umar")
    said_nothing = Draft(
        farid,
        stage.at(0.15, 10, 10),
        AZURE_PORTAL,
        stage.customer(21),
        auth.federated_silent(),
        cross="serviceProvider",
        session=writer.new_id(),
    )
    child = replace(said_nothing, when=said_nothing.when + timedelta(minutes=50), auth=auth.silent(), interactive=False)
    writer.violation(
        "Farid's federated provider says nothing of MFA, and his refresh has no better root",
        [writer.add(draft, scope="customer", verdict="unknown") for draft in (said_nothing, child)],
        user_id=farid.user_id,
        rules=unheard,
        severity="medium",
    )
    typed = replace(
        said_nothing, who=kaya, when=stage.at(0.35, 10, 10), tenant=stage.customer(22), auth=auth.federated_password(),
        session=writer.new_id(),
    )  # fmt: skip
    writer.violation(
        "Kaya types her password at the federated provider; whether it asked for more is not said",
        [writer.add(typed, scope="customer", verdict="unknown")],
        user_id=kaya.user_id,
        rules=unheard,
        severity="medium",
    )
    flow = replace(
        typed, who=umar, when=stage.at(0.6, 5, 10), tenant=stage.customer(23), app=AZURE_POWERSHELL, protocol="ropc",
        session=None,
    )  # fmt: skip
    writer.violation(
        "Umar, a federated user, uses the password flow at a customer",
        [writer.add(flow, scope="customer", verdict="non-compliant")],
        user_id=umar.user_id,
        rules=["password-flow", "interactive-without-mfa", "third-party-mfa-unrecognised"],
        severity="critical",
    )


def _unknown(stage: Stage) -> None:
    writer = stage.writer
    wim, xenia, zoe = stage.who("wim"), stage.who("xenia"), stage.who("zoe")
    silent = Draft(
        wim,
        stage.at(0.1, 9, 15),
        INTUNE,
        stage.customer(24),
        auth.silent(),
        interactive=False,
        cross="serviceProvider",
        session=writer.new_id(),
    )
    writer.violation(
        "Wim's refreshes come from a session that began before the log did",
        [
            writer.add(replace(silent, when=stage.at(f, 9, 15)), scope="customer", verdict="unknown")
            for f in (0.1, 0.25, 0.4)
        ],
        user_id=wim.user_id,
        rules=["mfa-evidence-unknown"],
        severity="low",
    )
    no_session = replace(silent, who=zoe, tenant=stage.customer(25), auth=auth.first_by_claim(), session=None)
    writer.violation(
        "Zoe's refresh names no session; a custom control sent her to Duo, which tells nothing",
        [writer.add(no_session, scope="customer", verdict="unknown")],
        user_id=zoe.user_id,
        rules=["third-party-mfa-unrecognised", "mfa-evidence-unknown"],
        severity="medium",
    )
    mixed = replace(silent, who=xenia, when=stage.at(0.55, 9), tenant=stage.customer(26), session=writer.new_id())
    bare = replace(mixed, auth=auth.password_only(), interactive=True)
    proven = replace(bare, when=bare.when + timedelta(minutes=20), auth=auth.mfa_now("Mobile app notification"))
    child = replace(mixed, when=mixed.when + timedelta(minutes=70))
    writer.violation(
        "Xenia begins a session at a customer with one factor",
        [writer.add(bare, scope="customer", verdict="non-compliant")],
        user_id=xenia.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    writer.nothing(
        "Xenia passes MFA later in that session", [writer.add(proven, scope="customer", verdict="compliant")]
    )
    writer.violation(
        "Xenia's refresh could come from either root of that session",
        [writer.add(child, scope="customer", verdict="unknown")],
        user_id=xenia.user_id,
        rules=["mfa-evidence-unknown"],
        severity="medium",
    )


def _late(stage: Stage) -> None:
    writer = stage.writer
    liam, mira = stage.who("liam"), stage.who("mira")
    corrected = Draft(
        liam,
        stage.at(0.7, 10, 13),
        EXCHANGE_POWERSHELL,
        stage.customer(29),
        auth.claim_interactive(),
        cross="serviceProvider",
        session=writer.new_id(),
    )
    writer.violation(
        "Liam's record first shows a claim by mistake; hours later it shows one factor",
        [
            writer.add(
                corrected,
                scope="customer",
                verdict="non-compliant",
                late=auth.password_only(),
                late_after=timedelta(hours=5),
            )
        ],
        user_id=liam.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
    tardy = replace(
        corrected, who=mira, when=stage.at(0.8, 15), tenant=stage.customer(30), auth=auth.password_only(),
        session=writer.new_id(),
    )  # fmt: skip
    writer.violation(
        "Mira's sign-in with one factor reaches the log five hours late",
        [writer.add(tardy, scope="customer", verdict="non-compliant", arrives_after=timedelta(hours=5))],
        user_id=mira.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )
