"""Whether an installation has what it needs: permissions, licences, storage, queues, webhooks, rules; and what to do.

Use cases: may import `app`, alerts, scan, people and everything below them. `self_test` sends a made-up violation the
whole way.
"""

from shared.preflight.model import Check, CheckKind, CheckState, Preflight
from shared.preflight.run import preflight, preflight_when_due, recent_preflight

__all__ = ["Check", "CheckKind", "CheckState", "Preflight", "preflight", "preflight_when_due", "recent_preflight"]
