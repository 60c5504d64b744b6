"""Who the partner's people and customers are: read from Graph, dated, published, and judged for their posture.

Use cases around pure parts: `fetched`, `roster`, `merge` and `lists` compute, `refresh` and `publish` read and write.
May import `app`, `operations` and everything below them.
"""

from shared.people.refresh import refresh_directory

__all__ = ["refresh_directory"]
