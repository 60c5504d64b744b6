"""`python -m local COMMAND …`: what a person runs on their own machine. None of it is deployed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

# Each is a module with main(argv) -> exit code; imported only when it is asked for.
COMMANDS: Final = {
    "assess": ("local.commands.assess", "judge the sign-in records in files"),
    "directory": ("local.commands.directory", "make the directory file that assess needs"),
    "token": ("local.commands.token", "say what an access token on standard input is worth"),
    "verify-pack": ("local.commands.verify_pack", "check that an evidence pack is as it was signed, and by whom"),
    "demo": ("local.stage.demo", "run the whole product on this machine over a sample log"),
    "bench": ("local.benches.bench", "compare with named peers"),
    "ops": ("local.commands.ops", "look after a running installation"),
    "preflight": ("local.commands.preflight", "check what an installation needs before it is made"),
}


def _usage() -> str:
    return "usage: python -m local COMMAND …\n\n" + "".join(
        f"  {name:12} {summary}\n" for name, (_, summary) in COMMANDS.items()
    )


def main(argv: list[str]) -> int:
    """Runs the command that the first argument names with the others; returns its exit code, 2 when there is none such
    and 130 after Ctrl-C."""
    if argv and argv[0] in ("-h", "--help"):
        print(_usage(), end="")
        return 0
    if not argv or argv[0] not in COMMANDS:
        print(_usage(), end="", file=sys.stderr)
        return 2
    try:
        return int(import_module(COMMANDS[argv[0]][0]).main(argv[1:]))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
