"""What Azurite itself costs in a bench: it runs on the same processors as what is measured, and answers one request
after the other. Linux tells it; elsewhere it counts as nothing.

The emulator looks at every row of a table at each question (its `LokiTableMetadataStore.queryTableEntities`), and the
service seeks the range of keys: so how its own time grows with a table says nothing of the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def azurite_seconds() -> float:
    """Processor seconds so far of the one thread that answers, of the newest Azurite that this process started."""
    pid = _newest_azurite()
    try:
        return int((_PROC / str(pid) / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError):
        return 0.0


def _newest_azurite() -> int:
    children = _PROC / "self" / "task"
    try:
        mine = [int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()]
    except OSError:
        return 0
    return max((pid for pid in mine if b"azurite" in (_PROC / str(pid) / "cmdline").read_bytes()), default=0)
