"""What is due with the time and not with a finding: quiet incidents, ended snoozes, digests, exceptions.

Use cases of the timers: imports alerts, app, store and what stands below.
"""

from shared.tending.exceptions import tend_exceptions
from shared.tending.timer import tend_incidents

__all__ = ["tend_exceptions", "tend_incidents"]
