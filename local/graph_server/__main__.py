"""`python -m local.graph_server --sample DIR [--port 0]`: serve a sample until SIGINT or SIGTERM.

When ready it prints one line of JSON: `{"url","identityEndpoint","identityHeader"}`. The header is the environment's
IDENTITY_HEADER where that is set, else a new one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from local.sample import configured_policies, read_log, read_people

from .directory import PartnerDirectory
from .identity import IdentityEndpoint
from .server import LocalGraph


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as `arguments` say. Returns 0 when it was stopped, 2 when the sample or the port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local.graph_server", description=__doc__)
    parser.add_argument("--sample", type=Path, required=True, metavar="DIR", help="as python -m local.sample wrote it")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--now", type=datetime.fromisoformat, help="stop the server's clock there (ISO 8601, zoned)")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(options.sample, options.port, options.page_size, options.now))
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"graph_server: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(sample: Path, port: int, page_size: int, now: datetime | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    directory = json.loads((sample / "directory.json").read_text(encoding="utf-8"))
    tenant_id, header = directory["partnerTenantId"], os.environ.get("IDENTITY_HEADER")
    graph = LocalGraph(
        read_log(sample),
        tenant_id=tenant_id,
        page_size=page_size,
        now=now,
        port=port,
        identity=IdentityEndpoint(header, tenant_id) if header else None,
    )
    people = read_people(sample)
    served = PartnerDirectory(graph, people, page_size=page_size)
    served.policies.conditional_access = configured_policies(people)
    async with graph:
        ready = {"url": graph.url, "identityEndpoint": graph.identity_url, "identityHeader": graph.identity.header}
        print(json.dumps(ready), flush=True)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
