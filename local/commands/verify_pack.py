"""`python -m local verify-pack FILE --key-id HEX`: whether an evidence pack is as it was signed, and by whom. Offline.

The fingerprint comes from outside the pack: `packKeyId` of GET /api/health, of a digest, or printed on a statement.
Exit 0: intact and signed by that key; 1: changed, or signed by another key; 2: misuse; 3: intact, signer not checked.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.statement.archive import ChangedFile
from shared.statement.manifest import Intact, check_pack

_HEX = re.compile(r"[0-9a-f]{64}")


def main(argv: list[str]) -> int:
    """Check a pack; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local verify-pack", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the pack, a zip")
    parser.add_argument("--key-id", metavar="HEX", help="fingerprint of the key, 64 hex digits, from outside the pack")
    options = parser.parse_args(argv)
    wanted = re.sub(r"[\s:]", "", options.key_id).lower() if options.key_id is not None else None
    if wanted is not None and not _HEX.fullmatch(wanted):
        print("verify-pack: --key-id is 64 hex digits, as packKeyId says it", file=sys.stderr)
        return 2
    try:
        with options.file.open("rb") as file:
            intact = check_pack(file)
    except OSError as error:
        print(f"verify-pack: {options.file}: {error.strerror}", file=sys.stderr)
        return 2
    except ChangedFile as changed:
        print(f"CHANGED: {changed}")
        return 1
    return _signer(intact, wanted)


def _signer(intact: Intact, wanted: str | None) -> int:
    if wanted is not None and wanted != intact.key_id:
        print("SIGNED BY ANOTHER KEY: the pack is intact, but it was not signed by the key that you named.")
        print(f"  its key: {intact.key_id}\n  yours:   {wanted}")
        return 1
    for line in _about(intact.manifest):
        print(line)
    if wanted is None:
        print("INTACT, SIGNER NOT CHECKED: anybody can sign a pack. Compare this fingerprint with packKeyId of")
        print(f"GET /api/health, or with a printed statement, and name it with --key-id:\n  {intact.key_id}")
        return 3
    print(f"INTACT and signed by {intact.key_id}.")
    return 0


def _about(manifest: Mapping[str, Any]) -> list[str]:
    """What the pack is of; its texts are hostile until the signer is known."""
    customer = manifest.get("customer")
    whose = f", customer {_plain(customer.get('customerId'))}" if isinstance(customer, dict) else ", all customers"
    first_page = manifest.get("firstPage")
    told = first_page if isinstance(first_page, list) else []
    state, made = _plain(manifest.get("state")), _plain(manifest.get("createdAt"))
    about = f"Evidence pack of {_plain(manifest.get('month'))} ({state}){whose}, made {made}."
    return [about, *(f"Note: {_plain(line)}" for line in told)]


def _plain(value: object) -> str:
    """Text that cannot steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(value))[:400]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
