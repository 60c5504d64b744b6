"""What an authentication method is: MFA in one step, a second factor, a first factor; and how strong. Pure.

Methods come in words ("Windows Hello for Business") or as the API's names (`windowsHelloForBusiness`); both are
compared as `name_key`s (docs/semantics.md, "Methods").
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from shared.basics.spelling import name_key

# The values of authenticationProcessingDetails' entry "User certificate authentication level".
MULTI_FACTOR: Final = "multifactorauthentication"
SINGLE_FACTOR: Final = "singlefactorauthentication"


class Strength(StrEnum):
    """How strong the best step of a satisfied sign-in is, strongest first."""

    PHISHING_RESISTANT = "phishing-resistant"
    PASSWORDLESS = "passwordless"
    APP = "app"
    PHONE = "phone"
    UNTOLD = "untold"


# Strongest first, to pick the best.
STRENGTHS: Final = tuple(Strength)


class Method(NamedTuple):
    """A method by its name alone, and for a certificate by the level that the record tells beside it."""

    name: str = ""
    one_step: bool = False
    second_factor: bool = False
    first_factor: bool = False
    password: bool = False
    certificate: bool = False
    level_untold: bool = False
    strength: Strength = Strength.UNTOLD


_RESISTANT: Final = ("fido2", "passkey", "windowshelloforbusiness", "platformcredential", "secureenclavekey")
_PHONE_SIGN_IN: Final = "phonesignin"
_SECOND_FACTORS: Final = (
    *("mobileappnotification", "mobileappcode", "authenticator", "oath", "verificationcode"),
    *("textmessage", "sms", "phonecall", "voice", "externalauthenticationmethod", "externalmfa"),
    *("microsoftauthenticatorpush", "softwareonetimepasscode", "hardwareonetimepasscode"),
    *("mobilephone", "alternatemobilephone", "officephone", "externalauthmethod"),
)
_FIRST_FACTORS: Final = ("textmessage", "sms", "email", "qrcode", "phonecall")
_APPS: Final = ("mobileapp", "authenticator", "oath", "verificationcode", "onetimepasscode")
_PHONES: Final = ("textmessage", "sms", "phonecall", "voice", "mobilephone", "officephone")


@lru_cache(4096)
def method_of(text: str | None, level: str | None = None) -> Method:
    """What a method is. `level` is MULTI_FACTOR or SINGLE_FACTOR where the record tells a certificate's level."""
    name = name_key(text)
    certificate = "certificate" in name
    called_multi, called_single = certificate and "multifactor" in name, certificate and "singlefactor" in name
    multi = called_multi or (certificate and level == MULTI_FACTOR)
    single = called_single or (certificate and level == SINGLE_FACTOR)
    resistant = multi or _holds(name, _RESISTANT)
    passwordless = _PHONE_SIGN_IN in name or ("passwordless" in name and "authenticator" in name)
    one_step = resistant or passwordless or "temporaryaccesspass" in name
    password = name.startswith("password") and not name.startswith("passwordless")
    return Method(
        name=name,
        one_step=one_step,
        second_factor=not one_step and _holds(name, _SECOND_FACTORS),
        first_factor=password or name.startswith(_FIRST_FACTORS) or name == "federated" or single,
        password=password,
        certificate=certificate,
        level_untold=certificate and not (multi or single),
        strength=_strength(name, resistant=resistant, passwordless=passwordless),
    )


def _strength(name: str, *, resistant: bool, passwordless: bool) -> Strength:
    if resistant:
        return Strength.PHISHING_RESISTANT
    if passwordless:
        return Strength.PASSWORDLESS
    if _holds(name, _APPS):
        return Strength.APP
    return Strength.PHONE if _holds(name, _PHONES) else Strength.UNTOLD


def _holds(name: str, names: tuple[str, ...]) -> bool:
    return any(known in name for known in names)
