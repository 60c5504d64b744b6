"""What a period adds up to: how much of the log was read, where not and why, and how compliant that leaves the partner.

Pure: may import ledger, incidents, wire, rules, signin and basics. The days come from `shared/store/days.py`.
"""

from shared.compliance.coverage import Coverage, Measured, Window, measure, percent
from shared.compliance.summary import Beside, Summary, SummaryOf, summarise

__all__ = [
    "Beside",
    "Coverage",
    "Measured",
    "Summary",
    "SummaryOf",
    "Window",
    "measure",
    "percent",
    "summarise",
]
