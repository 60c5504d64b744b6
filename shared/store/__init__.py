"""Rows: how each thing of the domain stands in Table Storage, and is read again. Nothing is decided here.

`tables` knows the service, `swap` the one compare-and-swap, `codec` how a dataclass stands in columns; every other
module owns the keys of its rows. May import the domain, and neither the app nor Graph.
"""

from shared.store.codec import Codec
from shared.store.swap import swap, until_settled
from shared.store.tables import Conflict, Table, Tables

__all__ = ["Codec", "Conflict", "Table", "Tables", "swap", "until_settled"]
