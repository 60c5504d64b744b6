"""The planted violations of the partner's log that lie in the protocol: legacy clients, password flow, device code.

Rules and severities come from the stories, by docs/semantics.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from . import auth
from .catalog import AZURE_CLI, AZURE_POWERSHELL, DIRECTORY_SYNC, EXCHANGE_ONLINE, GRAPH_POWERSHELL
from .people import SERVICE_ACCOUNT
from .records import Draft
from .stage import Stage


def plant_protocols(stage: Stage) -> None:
    """Stories about how a user signed in, whatever else is said."""
    _legacy(stage)
    _password_flow(stage)
    _attempts(stage)
    _device_code(stage)


def _legacy(stage: Stage) -> None:
    writer = stage.writer
    elena, hugo, ines = stage.who("elena"), stage.who("hugo"), stage.who("ines")
    mailbox = replace(EXCHANGE_ONLINE, client="IMAP4")
    writer.violation(
        "Elena's old phone reads her own mailbox by IMAP",
        [stage.at_home(elena, stage.at(f, 7, 31), mailbox, auth.password_only()) for f in (0.2, 0.5, 0.9)],
        user_id=elena.user_id,
        rules=["legacy-auth", "interactive-without-mfa"],
        severity="high",
    )
    shell = replace(EXCHANGE_ONLINE, client="Exchange Online PowerShell")
    writer.violation(
        "Hugo runs an old Exchange script against a customer with basic authentication",
        [stage.in_customer(hugo, stage.at(0.55, 15, 20), shell, 6, auth.password_only())],
        user_id=hugo.user_id,
        rules=["legacy-auth", "interactive-without-mfa"],
        severity="critical",
    )
    relay = Draft(
        ines,
        stage.at(0.65, 11, 2),
        EXCHANGE_ONLINE,
        stage.customer(7),
        auth.password_only(),
        interactive=False,
        cross="serviceProvider",
        client="Other clients; IMAP",
        user_agent="BAV2ROPC",
    )
    writer.violation(
        "Ines's mail tool reaches a customer through Exchange's own password flow",
        [writer.add(relay, scope="customer", verdict="non-compliant")],
        user_id=ines.user_id,
        rules=["legacy-auth", "password-flow", "non-interactive-without-mfa"],
        severity="critical",
    )


def _password_flow(stage: Stage) -> None:
    account, writer = stage.who(SERVICE_ACCOUNT), stage.writer
    nightly = Draft(
        account,
        stage.start,
        GRAPH_POWERSHELL,
        stage.customer(8),
        auth.password_only(),
        cross="serviceProvider",
        protocol="ropc",
        user_agent="python-requests/2.32.3",
    )
    # Only nights that lie wholly inside the log, as the stories' working days do.
    midnight = (stage.start + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    nights = []
    while midnight + timedelta(hours=3) <= stage.end:
        nights.append(midnight + timedelta(hours=2, minutes=10))
        midnight += timedelta(days=1)
    for number in (8, 9, 10):
        runs = [replace(nightly, when=n + timedelta(minutes=number), tenant=stage.customer(number)) for n in nights]
        writer.violation(
            f"The backup job signs in to customer {number} every night with the password flow",
            [writer.add(run, scope="customer", verdict="non-compliant") for run in runs],
            user_id=account.user_id,
            rules=["password-flow", "interactive-without-mfa"],
            severity="critical",
        )
    exchange = replace(
        nightly,
        when=stage.at(0.4, 4, 15),
        app=EXCHANGE_ONLINE,
        client="Exchange Web Services",
        tenant=stage.customer(11),
    )
    writer.violation(
        "The backup job reads a customer's mailboxes: password flow and a legacy client, in the interactive log",
        [writer.add(exchange, scope="customer", verdict="non-compliant")],
        user_id=account.user_id,
        rules=["legacy-auth", "password-flow", "interactive-without-mfa"],
        severity="critical",
    )
    at_home = replace(nightly, when=stage.at(0.4, 4, 45), tenant=stage.home, cross="none", app=DIRECTORY_SYNC)
    writer.violation(
        "The backup job signs in to the partner tenant with the password flow, non-interactively",
        [writer.add(replace(at_home, interactive=False), scope="partner-tenant", verdict="non-compliant")],
        user_id=account.user_id,
        rules=["password-flow", "non-interactive-without-mfa"],
        severity="high",
    )


def _attempts(stage: Stage) -> None:
    writer = stage.writer
    legacy, flow = "legacy-auth-attempt", "password-flow-attempt"
    active_sync, other = "Exchange ActiveSync", "Other clients"
    # who, story, customer (None: the partner tenant), client, protocol, user agent, code, how often, rules, severity
    stories = (
        ("dmitri", "tries an old phone with a wrong password", None, active_sync, "oAuth2", None, 50126, 3,
         [legacy], "low"),
        ("jonas", "is stopped by policy on a legacy client, with the right password", 12, active_sync, "oAuth2", None,
         53003, 1, [legacy], "medium"),
        ("liam", "mistypes the password in a script that uses the password flow", 13, None, "ropc", None, 50126, 2,
         [flow], "low"),
        ("mira", "runs a script by the password flow and meets MFA: the password was right", 14, None, "ropc", None,
         50076, 1, [flow], "medium"),
        ("nadia", "meets the wish to register in the password flow", 15, None, "ropc", None, 50079, 1,
         [flow], "medium"),
        ("petra", "tries Exchange's password flow by an old client in vain", None, other, "oAuth2", "BAV2ROPC", 50126,
         1, [legacy, flow], "low"),
    )  # fmt: skip
    for name, what, number, client, protocol, user_agent, code, times, rules, severity in stories:
        person = stage.who(name)
        draft = Draft(
            person,
            stage.at(0.5, 12),
            EXCHANGE_ONLINE if number is None or client else AZURE_POWERSHELL,
            stage.home if number is None else stage.customer(number),
            auth.wrong_password() if code == 50126 else auth.not_passed("Text message"),
            cross="none" if number is None else "serviceProvider",
            code=code,
            protocol=protocol,
            client=client,
            user_agent=user_agent,
        )
        scope = "partner-tenant" if number is None else "customer"
        tries = [replace(draft, when=draft.when + timedelta(minutes=9 * n)) for n in range(times)]
        writer.violation(
            f"{name.capitalize()} {what}",
            [writer.add(one, scope=scope, verdict="not-applicable") for one in tries],
            user_id=person.user_id,
            rules=rules,
            severity=severity,
        )


def _device_code(stage: Stage) -> None:
    tara, vera, writer, began = stage.who("tara"), stage.who("vera"), stage.writer, stage.at(0.25, 9, 50)
    root = Draft(
        tara,
        began,
        AZURE_CLI,
        stage.customer(19),
        auth.mfa_now("Mobile app notification"),
        cross="serviceProvider",
        protocol="deviceCode",
        transfer="deviceCodeFlow",
        session=writer.new_id(),
    )
    refresh = replace(root, when=began + timedelta(hours=2), auth=auth.silent(), interactive=False, protocol="oAuth2")
    writer.violation(
        "Tara signs in to a customer by device code with MFA, and a refresh carries it on",
        [writer.add(draft, scope="customer", verdict="compliant") for draft in (root, refresh)],
        user_id=tara.user_id,
        rules=["device-code"],
        severity="medium",
    )
    bare = replace(
        root, who=vera, when=stage.at(0.75, 16, 1), tenant=stage.customer(20), auth=auth.password_only(),
        session=writer.new_id(),
    )  # fmt: skip
    writer.violation(
        "Vera signs in to a customer by device code with one factor",
        [writer.add(bare, scope="customer", verdict="non-compliant")],
        user_id=vera.user_id,
        rules=["device-code", "interactive-without-mfa"],
        severity="high",
    )
