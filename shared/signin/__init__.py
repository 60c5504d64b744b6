"""One sign-in: from the bytes of a log to what its record says. Pure; imports basics only.

`decoding` makes records (`model`) of bytes or quarantines them; `statements`, `methods` and `steps` read what they say
of MFA, `traits`, `outcome` and `protocol` whose they are, into what, how they ended and how they were made; `evidence`
grades them, `sessions` tells what the roots of a session proved, `how` and `details` what a finding keeps. The whole of
it in words: docs/semantics.md.
"""

from __future__ import annotations

from shared.signin.careful import NotJson, Quarantined, decode_value
from shared.signin.decoding import SignInPage, decode_page, decode_plain
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.lines import decode_lines
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome
from shared.signin.sessions import Proof, Root, Session, root_of
from shared.signin.traits import HEADLINE, WATCHED, Identity, Scope

__all__ = [
    "HEADLINE",
    "WATCHED",
    "Directory",
    "DirectoryFile",
    "Evidence",
    "Identity",
    "NotJson",
    "Outcome",
    "Proof",
    "Quarantined",
    "Root",
    "Scope",
    "Session",
    "SignIn",
    "SignInPage",
    "Strength",
    "Why",
    "decode_lines",
    "decode_page",
    "decode_plain",
    "decode_value",
    "root_of",
]
