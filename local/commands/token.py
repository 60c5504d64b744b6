"""`python -m local token`: reads an access token, or its decoded claims, on standard input and says what it is worth.

One sentence for people goes to standard error, the JSON of `POST /api/token-check` to standard output. Exit 0 when
Partner Center would take it, 1 when not, 2 on misuse and on unreadable input. Nothing of the token goes to standard
error, and it is never an argument: command lines are kept in histories and process lists.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Never, override

from shared.tokens import MAX_BYTES, TokenError, check_request, expected_audience, read_request
from shared.tokens.keys import allowed_keys_url


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> Never:
        # argparse's own message repeats what was typed, which may be a token.
        raise TokenError("The token is read on standard input; the options are --help, " + _OPTIONS + ".")


_OPTIONS = "--expect-audience URL, --partner-tenant-id ID, --verify and --keys-url URL"


def main(argv: list[str]) -> int:
    """Run the command with the arguments after its name. Returns the exit code: 0, 1 or 2."""
    try:
        arguments = _arguments(argv)
        if sys.stdin.isatty():
            print("Paste the token, then press Enter and Ctrl-D.", file=sys.stderr)
        request = read_request(sys.stdin.buffer.read(MAX_BYTES + 1))
        if arguments.expect_audience is not None:
            request = replace(request, expect_audience=expected_audience(arguments.expect_audience))
        keys_at = [] if arguments.keys_url is None else [allowed_keys_url(arguments.keys_url, loopback=True)]
        request = replace(request, verify=request.verify or arguments.verify or bool(keys_at))
        answer = asyncio.run(
            check_request(
                request, now=datetime.now(UTC), partner_tenant_id=arguments.partner_tenant_id, keys_at=keys_at
            )
        )
    except TokenError as error:
        print(error, file=sys.stderr)
        return 2
    gate = answer["partnerCenter"]
    print("Accepted:" if gate["accepted"] else "Refused (401):", gate["reason"], file=sys.stderr, flush=True)
    print(json.dumps(answer, indent=2))  # ASCII only: what a hostile token says cannot steer a terminal
    return 0 if gate["accepted"] else 1


class _Arguments(argparse.Namespace):
    expect_audience: str | None
    partner_tenant_id: str | None
    keys_url: str | None
    verify: bool


def _arguments(argv: list[str]) -> _Arguments:
    parser = _Parser(prog="python -m local token", description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--expect-audience", metavar="URL", help="the audience it should have (Partner Center's)")
    parser.add_argument("--partner-tenant-id", metavar="ID", help="tells the partner's technicians from other guests")
    parser.add_argument("--verify", action="store_true", help="check the signature too (needs the network)")
    parser.add_argument("--keys-url", metavar="URL", help="where the tenant's keys are, if not where its issuer says")
    return parser.parse_args(argv, namespace=_Arguments())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
