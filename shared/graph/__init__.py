"""Graph over HTTP: the client with its pace and limits, the pages of the sign-in log, the questions about people.

An adapter: may import the domain below it, and knows no tables. `problems` has the tree of all that can go wrong.
"""

from shared.graph.problems import (
    BadAnswer,
    GraphProblem,
    NotFound,
    NoToken,
    Refused,
    Throttled,
    Unavailable,
    Unlicensed,
)

__all__ = [
    "BadAnswer",
    "GraphProblem",
    "NoToken",
    "NotFound",
    "Refused",
    "Throttled",
    "Unavailable",
    "Unlicensed",
]
