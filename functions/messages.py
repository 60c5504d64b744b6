"""What a function that sends queue messages writes to."""

from typing import List  # noqa: UP035

import azure.functions as func

# The worker takes typing.List here and refuses list: it asks whether the annotation is a class.
Messages = func.Out[List[str]]  # noqa: UP006
