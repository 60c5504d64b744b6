"""The rules: what is a finding, how severe, and what to do.

`assess` judges one sign-in, `fitting` names the rules that fit it and their severity in its scope, `table` has them
all; `posture` has those about accounts. Each rule stands with its facts, its remedy and named cases that show it
(`rule.RuleOf`). Pure; imports signin and basics only.
"""

from shared.rules.fitting import fitting_rules
from shared.rules.table import RULE, RULES, RULES_VERSION

__all__ = ["RULE", "RULES", "RULES_VERSION", "fitting_rules"]
