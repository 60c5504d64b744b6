"""The shapes in which people hold sign-in records, one small module each.

A shape is told by what a record holds and never by the name of its file. Each module turns its own into what Graph
beta would have given, as a dict that `shared.signin` decodes; what is no sign-in at all is named (`foreign`), with what
to export in its place. `normal` puts them together. Imports shared.signin and nothing else of the product.
"""

from __future__ import annotations

from local.commands.shapes.intake import Intake
from local.commands.shapes.normal import read_values

__all__ = ["Intake", "read_values"]
