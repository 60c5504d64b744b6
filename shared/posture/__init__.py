"""What the tenant's controls leave open: the cause of a finding, the policies as configured, the risk of relationships.

Pure. May import signin and basics, and the findings that causes are told of; knows nothing of tables, Graph or answers.
"""

from shared.posture.cause import Cause, CauseKind, Configured, cause_of
from shared.posture.findings import cause_of_finding
from shared.posture.policies import Policies

__all__ = ["Cause", "CauseKind", "Configured", "Policies", "cause_of", "cause_of_finding"]
