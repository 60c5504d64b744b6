"""A seeded sample of a partner's sign-in log, with the truth about what was planted in it.

`make_sample` makes it, `write_sample` puts it in a directory, `read_log` reads the log back. On a command line:
`python -m local.sample OUT_DIR [--seed 7] [--days 30] [--end ISO]`.
"""

from .files import read_log, read_people, write_sample
from .gaps import configured_policies
from .generate import make_sample
from .model import JsonObject, LogRecord, Quiet, Sample, Violation, iso

__all__ = [
    "JsonObject",
    "LogRecord",
    "Quiet",
    "Sample",
    "Violation",
    "configured_policies",
    "iso",
    "make_sample",
    "read_log",
    "read_people",
    "write_sample",
]
