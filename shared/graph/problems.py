"""What can go wrong between Graph and us, each with what follows from it.

GraphProblem
├── Throttled      429, or 503 with Retry-After: the whole tenant waits; no attempt is counted
├── Refused        401, 403: nobody granted it; the whole tenant waits until somebody does
│   ├── NoToken    the app's identity gets no token, so nothing was asked
│   └── Unlicensed the tenant has no licence for what was asked
├── Unavailable    5xx, time-outs, broken connections: the slice is tried again
└── BadAnswer      an answer that makes no sense: cut off, a lost skip token, a page that comes twice
    └── NotFound   404: what was asked for is not there
"""

from __future__ import annotations

from datetime import timedelta


class GraphProblem(Exception):  # noqa: N818 - the family of what can go wrong
    """A read that failed. The text is a sentence for people: what happened and what to do."""

    tenant_wide = False
    counts = True

    def __init__(self, sentence: str, retry_after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Throttled(GraphProblem):
    """Graph asks us to wait."""

    tenant_wide = True
    counts = False


class Refused(GraphProblem):
    """Graph does not let us: a permission, a consent or an identity is missing."""

    tenant_wide = True
    counts = False


class NoToken(Refused):
    """The app's identity gets no token for Graph."""


class Unlicensed(Refused):
    """The tenant has no licence that includes what was asked."""


class Unavailable(GraphProblem):
    """Graph did not answer, or answered with an error of its own."""


class BadAnswer(GraphProblem):
    """Graph's answer cannot be used."""


class NotFound(BadAnswer):
    """What was asked for is not there."""
