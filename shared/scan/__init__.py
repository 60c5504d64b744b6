"""The scan: what is due (plan, due), sending it (launch), and reading one slice (job, hold, reading, sessions, changes,
writing, splitting).

Uses the app, its tables and Graph; stands beside alerts and people and knows nothing of them.
"""

from shared.scan.dry_run_job import go_on, read_dry_run, start_dry_run
from shared.scan.job import park_poisoned, scan_slice
from shared.scan.plan import plan_scans

__all__ = ["go_on", "park_poisoned", "plan_scans", "read_dry_run", "scan_slice", "start_dry_run"]
