"""`python -m local directory`: makes the directory file of `assess`: who the technicians are and which the customers.

From a deployed app (`--from-app URL`), from exports (GDAP relationships, customers, members of the groups that hold
delegated rights; JSON or CSV), or by a few questions. Exit 0 when it was written, 2 on misuse with one sentence.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from local.commands.partner_exports import Found, NotAnExport, read_exports
from local.commands.unread import Fault
from shared.app.setting_types import LOOPBACK_HOSTS
from shared.basics.spelling import id_key, is_key
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile, reason_of

_KEY, _TOKEN = "MONITOR_KEY", "MONITOR_TOKEN"
_SECONDS: Final = 60


class Misuse(Exception):  # noqa: N818 - what it is
    """The command cannot be run like that; the text says why in a sentence."""


def main(argv: list[str]) -> int:
    """Runs the command with the arguments after its name; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        _check(arguments)
        file = _file(arguments)
        _write(file, arguments.out)
    except (Misuse, NotAnExport, Fault) as error:
        print(f"directory: {error}", file=sys.stderr)
        return 2
    except ValidationError as error:
        print(f"directory: {reason_of(error)}", file=sys.stderr)
        return 2
    except (EOFError, OSError) as error:
        print(f"directory: {error or 'the questions were not answered'}", file=sys.stderr)
        return 2
    print(
        f"{len(file.delegated_admins)} technicians and {len(file.customers)} customers. Now: "
        f"python -m local assess FILE… --directory {arguments.out} --format table",
        file=sys.stderr,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local directory",
        description="Make the directory file of assess; without a file and --from-app, by a few questions.",
        epilog=f"A deployed app is asked with the function key in {_KEY}, or the access token in {_TOKEN}.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE",
        help="GDAP relationships, customers, or a group's members, as JSON or CSV; a group's name is its file's",
    )  # fmt: skip
    parser.add_argument("--from-app", metavar="URL", help="address of a deployed app")
    parser.add_argument("--partner-tenant", metavar="ID", help="your own tenant's id (with files)")
    parser.add_argument(
        "--federated", action="append", default=[], metavar="DOMAIN", help="a domain that another provider signs in"
    )
    parser.add_argument("--out", default="directory.json", metavar="PATH", help="default: directory.json; - prints it")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    return parser


def _check(arguments: argparse.Namespace) -> None:
    if arguments.out != "-" and Path(arguments.out).exists() and not arguments.force:
        raise Misuse(f"{arguments.out} exists; name another with --out, or replace it with --force")
    if arguments.from_app and arguments.files:
        raise Misuse("name files or --from-app, not both")


def _file(arguments: argparse.Namespace) -> DirectoryFile:
    if arguments.from_app:
        return _from_app(arguments.from_app)
    if not arguments.files:
        return _by_questions(_ask)
    tenant = arguments.partner_tenant or ""
    if not is_key(id_key(tenant)):
        raise Misuse("--partner-tenant must be your tenant's id (Entra admin center > Overview > Tenant ID)")
    return _put_together(tenant, read_exports(arguments.files), arguments.federated)


def _put_together(tenant: str, found: Found, domains: list[str]) -> DirectoryFile:
    for sentence in found.left_out:
        print(f"left out of {sentence}", file=sys.stderr)
    return DirectoryFile(
        partner_tenant_id=tenant,
        customers=[*found.customers.values()],
        delegated_admins=[*found.admins.values()],
        federated_domains=domains,
    )


# --- from a deployed app ----------------------------------------------------------------------------------------------


def _from_app(address: str) -> DirectoryFile:
    base = address.rstrip("/").removesuffix("/api")
    parts = urlsplit(base)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise Misuse("the app's address must begin with https:// (http:// only on this machine)")
    headers = {}
    if key := os.environ.get(_KEY):
        headers["x-functions-key"] = key
    if token := os.environ.get(_TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = httpx.get(f"{base}/api/directory", headers=headers, timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Misuse(f"the app did not answer: {type(error).__name__}") from None
    if answer.status_code in (401, 403):
        raise Misuse(f"the app refused ({answer.status_code}): set {_KEY} to a function key, or {_TOKEN} to a token")
    if answer.status_code != 200:
        raise Misuse(f"the app answered {answer.status_code}: is {base} a Partner MFA Monitor of this version?")
    return DirectoryFile.model_validate_json(answer.content)


# --- by questions -----------------------------------------------------------------------------------------------------


def _ask(question: str) -> str:
    print(question, end=" ", file=sys.stderr, flush=True)
    return input().strip()


def _by_questions(ask: Callable[[str], str]) -> DirectoryFile:
    tenant = _asked_id(ask, "Your own tenant's id (Entra admin center > Overview):")
    found = Found()
    print("Technicians: object id and user name, or an export's file, one a line; an empty line ends.", file=sys.stderr)
    while line := ask("technician:"):
        _take_line(line, found, lambda key, name: DelegatedAdmin(user_id=key, user_principal_name=name or None))
    print("Customers: tenant id and name, or an export's file, one a line; an empty line ends.", file=sys.stderr)
    while line := ask("customer:"):
        _take_line(line, found, lambda key, name: Customer(tenant_id=key, display_name=name or None))
    domains = ask("Domains that another identity provider signs in (AD FS, Okta, …), or nothing:")
    return _put_together(tenant, found, domains.replace(",", " ").split())


def _asked_id(ask: Callable[[str], str], question: str) -> str:
    while not is_key(id_key(answer := ask(question))):
        print("An id looks like 11111111-aaaa-4aaa-8aaa-111111111111.", file=sys.stderr)
    return answer


def _take_line(line: str, found: Found, entry: Callable[[str, str], DelegatedAdmin | Customer]) -> None:
    """An id with a name, or a file. A line that is neither is told and forgotten."""
    key, _, name = line.partition(" ")
    if is_key(id_key(key)):
        taken = entry(key, name.strip())
        if isinstance(taken, Customer):
            found.add_customer(taken)
        else:
            found.add_admin(taken)
        return
    try:
        more = read_exports([line])
    except (NotAnExport, Fault) as error:
        print(error, file=sys.stderr)
        return
    for customer in more.customers.values():
        found.add_customer(customer)
    for admin in more.admins.values():
        found.add_admin(admin)
    found.left_out.extend(more.left_out)


def _write(file: DirectoryFile, out: str) -> None:
    text = directory_text(file)
    if out == "-":
        print(text)
    else:
        Path(out).write_text(text + "\n", encoding="utf-8")


def directory_text(file: DirectoryFile) -> str:
    """A directory file as people read it, without what is open."""
    return file.model_dump_json(by_alias=True, exclude_none=True, indent=2)
