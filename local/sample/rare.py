"""What real logs hold seldom and the verdict's second version knows: guests, agents that act for a person, smart cards,
refused prompts, device codes in vain, records that contradict themselves, names that are no Unicode.

Rules and severities come from the stories, by docs/semantics.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from . import auth
from .catalog import AZURE_CLI, AZURE_PORTAL, EXCHANGE_ADMIN, GRAPH_POWERSHELL, INTUNE, OFFICE_PORTAL, TEAMS
from .model import LogRecord
from .records import Draft
from .stage import Stage

_AGENT = "agenticAppInstance"


def plant_rare_violations(stage: Stage) -> None:
    """Rare stories that break rules."""
    _guest(stage)
    _agent_without_mfa(stage)
    _single_factor_card(stage)
    _refused_prompts(stage)
    _device_code_in_vain(stage)
    _contradiction(stage)
    _name_that_is_no_text(stage)


def plant_rare_harmless(stage: Stage) -> None:
    """Rare stories that must stay quiet."""
    _agent_with_mfa(stage)
    _smart_card(stage)
    _on_premises(stage)


def _guest(stage: Stage) -> None:
    mira = stage.who("mira")
    visit = Draft(
        mira, stage.at(0.35, 15, 10), TEAMS, stage.customer(37), auth.password_only(), cross="b2bCollaboration",
        session=stage.writer.new_id(),
    )  # fmt: skip
    stage.writer.violation(
        "Mira, a guest in a customer's tenant, signs in there with one factor: another way in",
        [stage.writer.add(visit, scope="guest", verdict="non-compliant")],
        user_id=mira.user_id,
        rules=["interactive-without-mfa"],
        severity="low",
    )


def _agent_without_mfa(stage: Stage) -> None:
    petra = stage.who("petra")
    run = _for_a_person(stage, "petra", 38, auth.password_only())
    stage.writer.violation(
        "An agent acts for Petra at a customer, and Petra signed in with one factor",
        [run],
        user_id=petra.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )


def _agent_with_mfa(stage: Stage) -> None:
    run = _for_a_person(stage, "emil", 39, auth.mfa_now("Mobile app notification"))
    stage.writer.nothing("An agent acts for Emil, who did MFA: it is Emil who is judged", [run])


def _for_a_person(stage: Stage, name: str, customer: int, shape: auth.Auth) -> LogRecord:
    """A sign-in by an agent whose subject is a person."""
    draft = Draft(
        stage.who(name), stage.at(0.55, 9, 20), AZURE_CLI, stage.customer(customer), shape, cross="serviceProvider",
        session=stage.writer.new_id(), agent_type=_AGENT, agent_subject="notAgentic",
    )  # fmt: skip
    return stage.writer.add(draft, scope="customer", verdict=shape.proves)


def _single_factor_card(stage: Stage) -> None:
    hugo, card = stage.who("hugo"), auth.certificate("singleFactorAuthentication")
    stage.writer.violation(
        "Hugo's certificate counts as one factor only",
        [stage.in_customer(hugo, stage.at(0.4, 8, 50), AZURE_PORTAL, 40, card)],
        user_id=hugo.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )


def _smart_card(stage: Stage) -> None:
    card = auth.certificate("multiFactorAuthentication")
    stage.writer.nothing(
        "Oskar's smart card is MFA in one step; its level stands beside the steps",
        [stage.in_customer(stage.who("oskar"), stage.at(0.45, 8, 55), INTUNE, 41, card)],
    )


def _refused_prompts(stage: Stage) -> None:
    bianca, begun = stage.who("bianca"), stage.at(0.6, 21, 40)
    prompt = Draft(
        bianca, begun, OFFICE_PORTAL, stage.customer(42), auth.refused("Mobile app notification"),
        cross="serviceProvider", code=500121,
    )  # fmt: skip
    prompts = [replace(prompt, when=begun + timedelta(seconds=50 * n)) for n in range(4)]
    stage.writer.violation(
        "Somebody who knows Bianca's password sends her four prompts at night; she declines",
        [stage.writer.add(one, scope="customer", verdict="not-applicable") for one in prompts],
        user_id=bianca.user_id,
        rules=["mfa-denied"],
        severity="high",
    )


def _device_code_in_vain(stage: Stage) -> None:
    yusuf = stage.who("yusuf")
    code = Draft(
        yusuf, stage.at(0.7, 14, 5), GRAPH_POWERSHELL, stage.customer(43), auth.not_passed("Text message"),
        cross="serviceProvider", protocol="deviceCode", code=53003,
    )  # fmt: skip
    stage.writer.violation(
        "Yusuf enters a phished device code; a policy blocks it after the right password",
        [stage.writer.add(code, scope="customer", verdict="not-applicable")],
        user_id=yusuf.user_id,
        rules=["device-code-attempt"],
        severity="medium",
    )


def _contradiction(stage: Stage) -> None:
    anders, shape = stage.who("anders"), auth.contradicting("Mobile app notification")
    stage.writer.violation(
        "Anders's record demands MFA, shows that it failed, and calls the sign-in a success",
        [stage.in_customer(anders, stage.at(0.75, 11, 25), AZURE_PORTAL, 44, shape)],
        user_id=anders.user_id,
        rules=["mfa-evidence-unknown"],
        severity="medium",
    )


def _name_that_is_no_text(stage: Stage) -> None:
    quentin = stage.who("quentin")
    entry = stage.at_home(quentin, stage.at(0.8, 10, 45), EXCHANGE_ADMIN, auth.password_only())
    entry.record["userDisplayName"] = "Quentin \ud83d"  # half of a character, as a form that was cut off leaves it
    stage.writer.violation(
        "Quentin's display name is cut off within a character, which must hide nothing",
        [entry],
        user_id=quentin.user_id,
        rules=["interactive-without-mfa"],
        severity="high",
    )


def _on_premises(stage: Stage) -> None:
    program = replace(OFFICE_PORTAL, resource_id="adfs")
    draft = Draft(stage.who("umar"), stage.at(0.5, 7, 55), program, stage.home, auth.password_only())
    stage.writer.nothing(
        "Signing in to a program on premises by AD FS gives no token for the cloud",
        [stage.writer.add(draft, scope="on-premises", verdict="out-of-scope")],
    )
