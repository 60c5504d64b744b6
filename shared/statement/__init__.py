"""The statement of a month that an auditor prints, and the signed pack of evidence that goes with it.

May import answers and everything below them; the page, functions/ and local/ stand above it. `build` makes a statement
of what was read, `freezing` seals it when the month is over, `reading` finds it again, `opening` says what it means.
"""

from shared.statement.freezing import seal_due_months
from shared.statement.reading import StatementQuery, read_statement

__all__ = ["StatementQuery", "read_statement", "seal_due_months"]
