"""What everything else may use and what knows nothing of it: spelling and ids, times, Retry-After, the log of events.

Imports nothing of the product.
"""

from __future__ import annotations

from shared.basics.events import log_event
from shared.basics.retry_after import retry_after
from shared.basics.spelling import id_key, is_key, name_key, plain
from shared.basics.times import Instant, instant_of

__all__ = ["Instant", "id_key", "instant_of", "is_key", "log_event", "name_key", "plain", "retry_after"]
