"""The form of questions and answers, and hostile text made harmless. Pure.

Models that parse, answer and describe themselves (`models`), cursors of lists (`cursor`), lists as comma-separated
values (`csv_text`), pages of which only some rows are asked for (`filling`), text of the log fit to be shown (`text`).
May import `rules`, `signin` and `basics`.
"""

from shared.wire.models import Answer, BadParameter, Body, ListQuery, NotKnown, Page, Query, Versioned

__all__ = ["Answer", "BadParameter", "Body", "ListQuery", "NotKnown", "Page", "Query", "Versioned"]
