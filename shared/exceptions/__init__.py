"""Technical exceptions: a dated, documented acceptance of risk that silences incidents and never makes them right.

Domain, pure: what an exception is and covers, what may be asked for, what happens to it. May import incidents, ledger,
wire, rules and below; its rows are in `shared/store/exceptions.py`.
"""

from shared.exceptions.model import Covers, Papers, TechnicalException

__all__ = ["Covers", "Papers", "TechnicalException"]
