"""What the words of a statement mean. They are sealed with its figures, so that a later wording changes no old one.

docs/semantics.md has the same in full.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.ledger.tallies import NOT_RECORDED
from shared.rules.cause import CauseKind
from shared.signin.evidence import Evidence, Strength, Why

METHOD: Final = (Path(__file__).parent / "templates" / "method.txt").read_text(encoding="utf-8")

MEANING: Final = (
    "Compliance is the share of successful sign-ins with delegated administrative rights, of those that could be "
    "judged, for which the sign-in log proves multifactor authentication: compliant ÷ (compliant + without MFA). "
    "Sign-ins of which the log says neither are unknown; they never count as compliant and stand beside the figure. "
    "The worst case counts each of them as made without MFA. A technical exception changes no verdict."
)
GRADES: Final = {
    Evidence.PROVEN: "MFA was done in this sign-in, and the log says so: a second factor, or a method that is both.",
    Evidence.CLAIM: "The sign-in required MFA, or a claim in its token satisfied that requirement.",
    Evidence.EXTERNAL: "An external provider did MFA, and Entra ID accepted its claim.",
    Evidence.SESSION: "The sign-in says nothing of MFA; every sign-in that began its session was made with it.",
    Evidence.SKIPPED: "MFA was passed over: a remembered device, a trusted place, it ran out. Counted as without MFA.",
    Evidence.NONE: "One factor alone, or a protocol in which nobody can be asked for MFA. Counted as without MFA.",
    Evidence.UNKNOWN: "The log does not say whether there was MFA.",
}
STRENGTHS: Final = {
    Strength.PHISHING_RESISTANT: "FIDO2, passkey, Windows Hello for Business, platform credential, MFA certificate.",
    Strength.PASSWORDLESS: "Phone sign-in with Microsoft Authenticator.",
    Strength.APP: "A notification or a code of an app, or another one-time passcode.",
    Strength.PHONE: "A text message or a phone call.",
    Strength.UNTOLD: "MFA is proven, and the log does not say by which method: most often by a claim in the token.",
}
WHYS: Final = {
    Why.CONTRADICTION: "MFA was required and a second factor failed, yet the sign-in succeeded.",
    Why.SESSION_MIXED: "The session began with MFA once and without it another time.",
    Why.SECOND_FACTOR_UNCONFIRMED: "A second factor was begun, and the log does not say how it ended.",
    Why.CERTIFICATE_LEVEL_UNTOLD: "A certificate was used, and the log does not say whether it counts as MFA.",
    Why.FEDERATED_SILENT: "The sign-in is federated, and the provider's claim says nothing of MFA.",
    Why.SESSION_UNSEEN: "The sign-in goes on with a session whose beginning was not in the log.",
    Why.NO_SESSION: "The sign-in says nothing of MFA and names no session.",
}
CAUSES: Final = {
    CauseKind.EXCLUDED: "A policy leaves them out, by a group, a role, a place or the like.",
    CauseKind.REPORT_ONLY: "A policy would have asked for MFA and only reports.",
    CauseKind.CONDITION_MISSED: "A policy was not for that place, platform or client.",
    CauseKind.NOT_MFA_CONTROL: "A policy was met that demands something else than MFA.",
    CauseKind.REMEMBERED: "The device was remembered, so that nobody was asked.",
    CauseKind.LEGACY_NOT_BLOCKED: "Legacy authentication, which cannot ask for MFA, was not blocked.",
    CauseKind.DEVICE_CODE_NOT_BLOCKED: "The device code flow was not blocked.",
    CauseKind.FEDERATION_UNTOLD: "The federation provider does not say whether it did MFA.",
    CauseKind.CUSTOM_CONTROL: "A custom control was met, which leaves no proof of MFA.",
    CauseKind.CUSTOMER_SIDE: "A sign-in into a customer, of which the log names no policy.",
    CauseKind.NO_POLICY_APPLIED: "No policy demanded MFA.",
    CauseKind.CANNOT_TELL: "The log does not say.",
    NOT_RECORDED: "Not recorded: an older version of the app read them, or they are no longer kept one by one.",
}
SCOPES: Final = {
    "customer": "Sign-ins into customers' tenants",
    "partner-center": "Sign-ins to Partner Center",
    "partner-tenant": "Sign-ins into the partner's own tenant",
    "guest": "Sign-ins into customers' tenants as a guest",
}
LIMITS: Final = (
    "It rests on the sign-in log of the partner's tenant alone. What Microsoft did not log there is not in it.",
    "The log is read again for seven days; a record that Microsoft delivers later than that is not counted.",
    "Applications and agents that sign in as themselves cannot do MFA; they are not in these figures.",
    (
        "Rights that come neither by a GDAP relationship, a DAP group nor an admin role of the partner's tenant (Azure "
        "Lighthouse, guest accounts in a customer's tenant) count only for people who also hold one of those."
    ),
    (
        "What the policies were, who was enrolled and how many people had rights is noted each night, as Entra ID told "
        "it then; what changed and was changed back between two nights is not seen."
    ),
    "It tells that MFA was done, not that the right person did it.",
)
GAP_WORDS: Final = {
    "parked": "given up after many tries",
    "inconsistent": "the log showed less than before",
    "failing": "reading failed",
    "unfinished": "reading is not finished",
    "overdue": "a re-read is overdue",
    "unread": "not read yet",
    "expired": "not read while the log still held it",
    "before-installation": "before the monitor was installed",
    "quarantined": "records that could not be read",
    "tenant": "the log could not be read",
    "no-longer-kept": "no longer kept (FINDING_RETENTION_DAYS)",
}
