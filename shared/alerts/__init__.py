"""From pending events to webhooks: dispatch, delivery, digests, and what people do with deliveries.

`dispatch` takes events in and sends, `release` looks at what waits and makes deliveries, `holding` says what an
incident waits for, `deliver` tries one delivery over `post`. Use cases: imports operations, app, store and what stands
below; never scan or people.
"""

from shared.alerts.deliver import deliver_alert, settle_poisoned
from shared.alerts.digest import make_digests
from shared.alerts.dispatch import dispatch_alerts

__all__ = ["deliver_alert", "dispatch_alerts", "make_digests", "settle_poisoned"]
