"""What is said of something that cannot be read."""

from __future__ import annotations

from typing import NamedTuple


class Unread(NamedTuple):
    """Something in the place of a record that could not be read: why, and whether it was a JSON object at least."""

    reason: str
    is_object: bool = True


class Fault(Exception):  # noqa: N818 - of the file, raised by the source of the chunks
    """The bytes cannot be had: a corrupt archive, a disk error. Its text says so in a sentence."""
