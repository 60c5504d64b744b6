"""A Graph for this machine: the sign-in log, the managed identity endpoint, and a way to make trouble.

`LocalGraph` serves inside a test; `python -m local.graph_server --sample DIR` is a process of its own.
"""

from .control import Control
from .directory import PartnerDirectory
from .errors import GraphError, bad_request
from .server import Call, LocalGraph

__all__ = ["Call", "Control", "GraphError", "LocalGraph", "PartnerDirectory", "bad_request"]
