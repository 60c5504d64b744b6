"""What HTTP asks and answers: one function a question or an act, from an App and a parsed query or body to a model.

May import everything in shared/ but `page` and `statement`, which stand above. Each call makes a bounded number of
storage requests.
"""

from shared.answers.customers import read_customers
from shared.answers.findings import read_findings
from shared.answers.incidents import read_incidents
from shared.answers.overview import read_coverage, read_summary
from shared.answers.technicians import read_technicians

__all__ = ["read_coverage", "read_customers", "read_findings", "read_incidents", "read_summary", "read_technicians"]
