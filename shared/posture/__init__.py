"""What the tenant's controls leave open: the policies as configured, the risk of relationships, what closes a gap.

Pure. May import rules, signin and basics; knows nothing of tables, Graph or answers. Why a single sign-in was possible
is worked out where findings are made (shared/rules/cause.py, shared/incidents/causes.py).
"""

from shared.posture.policies import Policies

__all__ = ["Policies"]
