"""Rows and blobs: how each thing of the domain stands in storage, and is read again. What is written follows from the
domain's functions, which are called here where a row may have changed since it was read.

`tables` knows the service, `swap` the one compare-and-swap, `codec` how a dataclass stands in columns; `exports` and
`statements` are blobs, `once` shares the reads of one request; every other module owns the keys of its rows. May import
the domain, and neither the app nor Graph.
"""

from shared.store.codec import Codec
from shared.store.swap import swap, until_settled
from shared.store.tables import Conflict, Table, Tables

__all__ = ["Codec", "Conflict", "Table", "Tables", "swap", "until_settled"]
