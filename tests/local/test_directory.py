"""`python -m local directory`: the directory file of assess from a deployed app, from exports, by questions."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from local.commands.directory import main
from shared.signin.directory import DirectoryFile

PARTNER: Final = "11111111-aaaa-4aaa-8aaa-111111111111"
BAKERY: Final = "22222222-bbbb-4bbb-8bbb-222222222222"
CLINIC: Final = "44444444-dddd-4ddd-8ddd-444444444444"
TARA: Final = "33333333-cccc-4ccc-8ccc-333333333333"
OMAR: Final = "55555555-eeee-4eee-8eee-555555555555"
GROUP: Final = "66666666-ffff-4fff-8fff-666666666666"


def relationship(tenant: str, name: str, status: str = "active", **members: Any) -> dict[str, Any]:
    return {
        "id": f"{tenant}-{tenant}",
        "displayName": "Relationship of 2026",
        "customer": {"tenantId": tenant, "displayName": name},
        "status": status,
        "activatedDateTime": "2026-02-01T09:00:00Z",
        "endDateTime": "2028-02-01T09:00:00Z",
        "lastModifiedDateTime": "2026-06-01T09:00:00Z",
        **members,
    }


RELATIONSHIPS: Final = {
    "value": [
        relationship(BAKERY, "Harbour Bakery"),
        relationship(CLINIC, "Clinic", "terminated"),
        relationship(OMAR, "Prospect", "approvalPending"),
    ]
}
MEMBERS: Final = {
    "value": [
        {"@odata.type": "#microsoft.graph.user", "id": TARA, "userPrincipalName": "tara@northfold.example"},
        {"@odata.type": "#microsoft.graph.group", "id": GROUP, "displayName": "Night shift"},
    ]
}


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Command:
    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder, self._captured = folder, captured
        self.out = folder / "directory.json"

    def write(self, name: str, content: object) -> str:
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--out", str(self.out)])
        return code, self._captured.readouterr().err

    @property
    def file(self) -> DirectoryFile:
        return DirectoryFile.model_validate_json(self.out.read_text("utf-8"))


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


# --- from exports -----------------------------------------------------------------------------------------------------


def test_graphs_relationships_and_members_make_a_directory(command: Command) -> None:
    code, said = command.run(
        command.write("relationships.json", RELATIONSHIPS), command.write("AdminAgents.json", MEMBERS),
        "--partner-tenant", PARTNER, "--federated", "northfold.example",
    )  # fmt: skip
    assert code == 0
    assert "1 technicians and 2 customers" in said
    assert "Night shift in it; export its members too" in said
    assert "Prospect, which is approvalpending" in said
    assert json.loads(command.out.read_text("utf-8")) == {
        "partnerTenantId": PARTNER,
        "customers": [
            {"tenantId": BAKERY, "displayName": "Harbour Bakery", "from": "2026-02-01T09:00:00Z"},
            {
                "tenantId": CLINIC, "displayName": "Clinic", "from": "2026-02-01T09:00:00Z",
                "to": "2026-06-01T09:00:00Z",
            },
        ],
        "delegatedAdmins": [
            {"userId": TARA, "userPrincipalName": "tara@northfold.example", "roles": ["AdminAgents"]}
        ],
        "federatedDomains": ["northfold.example"],
    }  # fmt: skip


_NEW_MEMBERS: Final = [{"Object ID": TARA, "User principal name": "tara@northfold.example", "Member type": "User"}]
_OLD_MEMBERS: Final = [{"id": TARA, "userPrincipalName": "tara@northfold.example", "objectType": "User"}]
_CUSTOMERS: Final = [{"Microsoft ID": BAKERY, "Company name": "Harbour Bakery", "Primary domain name": "x.example"}]


@pytest.mark.parametrize("members", [_NEW_MEMBERS, _OLD_MEMBERS])
def test_what_the_portals_download_makes_one_too(command: Command, members: list[dict[str, str]]) -> None:
    semicolons = as_csv(_CUSTOMERS).replace(",", ";")
    code, _ = command.run(
        *(command.write("members.csv", as_csv(members)), command.write("customers.csv", "\ufeff" + semicolons)),
        *("--partner-tenant", PARTNER),
    )
    assert code == 0
    assert [(c.tenant_id, c.display_name) for c in command.file.customers] == [(BAKERY, "Harbour Bakery")]
    assert [a.user_principal_name for a in command.file.delegated_admins] == ["tara@northfold.example"]


def test_of_several_relationships_the_whole_time_counts_and_of_groups_all_roles(command: Command) -> None:
    second = relationship(BAKERY, "Harbour Bakery", "expired", activatedDateTime="2024-01-01T00:00:00Z")
    old = relationship(CLINIC, "Clinic", "expired", endDateTime="2025-01-01T00:00:00Z")
    code, _ = command.run(
        command.write("r.json", [relationship(BAKERY, "Harbour Bakery"), second, old]),
        command.write("AdminAgents.json", MEMBERS), command.write("HelpdeskAgents.json", MEMBERS),
        "--partner-tenant", PARTNER,
    )  # fmt: skip
    assert code == 0
    bakery, clinic = command.file.customers
    assert (str(bakery.from_), bakery.to) == ("2024-01-01 00:00:00+00:00", None)
    assert str(clinic.to) == "2025-01-01 00:00:00+00:00"
    assert command.file.delegated_admins[0].roles == ["AdminAgents", "HelpdeskAgents"]


def test_misuse_is_told_in_a_sentence_and_writes_nothing(command: Command) -> None:
    other = command.write("other.json", {"value": [{"id": "x", "displayName": "y"}]})
    members = command.write("members.json", MEMBERS)
    for arguments, says in (
        ((members,), "--partner-tenant must be"),
        ((other, "--partner-tenant", PARTNER), "holds neither customers"),
        ((command.write("prose", "Dear colleague"), "--partner-tenant", PARTNER), "neither JSON nor CSV"),
        ((str(command.folder / "missing"), "--partner-tenant", PARTNER), "cannot be read"),
        ((members, "--from-app", "https://x.example"), "not both"),
        (("--from-app", "http://x.example"), "must begin with https://"),
    ):
        code, said = command.run(*arguments)
        assert (code, said.count("\n")) == (2, 1)
        assert says in said
        assert not command.out.exists()


def test_a_file_that_is_there_is_replaced_only_by_force(command: Command) -> None:
    command.out.write_text("mine")
    arguments = (command.write("m.json", MEMBERS), "--partner-tenant", PARTNER)
    code, said = command.run(*arguments)
    assert (code, command.out.read_text()) == (2, "mine")
    assert "--force" in said
    assert command.run(*arguments, "--force")[0] == 0


# --- by questions -----------------------------------------------------------------------------------------------------


def test_a_few_questions_make_a_directory(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [
        *("what?", PARTNER),
        *(f"{TARA} tara@northfold.example", "nonsense", command.write("AdminAgents.json", MEMBERS), ""),
        *(f"{BAKERY} Harbour Bakery", ""),
        "northfold.example, other.example",
    ]
    monkeypatch.setattr("builtins.input", lambda: answers.pop(0))
    code, said = command.run()
    assert (code, answers) == (0, [])
    assert "An id looks like" in said
    assert command.file.partner_tenant_id == PARTNER
    assert [(a.user_id, a.user_principal_name) for a in command.file.delegated_admins] == [
        (TARA, "tara@northfold.example")
    ]
    assert [(c.tenant_id, c.display_name) for c in command.file.customers] == [(BAKERY, "Harbour Bakery")]
    assert command.file.federated_domains == ["northfold.example", "other.example"]


# --- from a deployed app ----------------------------------------------------------------------------------------------


@contextmanager
def app_that_answers(status: int, body: object) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address, and the headers of the requests that came there."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_a_deployed_app_gives_its_directory(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_KEY", "k3y")
    body = {
        "partnerTenantId": PARTNER,
        "refreshedAt": "2026-11-02T09:00:00Z",
        "customers": [{"tenantId": BAKERY, "displayName": None, "from": "2026-02-01T09:00:00Z", "to": None}],
        "delegatedAdmins": [{"userId": TARA, "userPrincipalName": None, "roles": [], "from": None, "to": None}],
        "federatedDomains": ["northfold.example"],
    }
    with app_that_answers(200, body) as (address, seen):
        code, said = command.run("--from-app", f"{address}/api/")
    assert code == 0
    assert (seen[0]["path"], seen[0]["x-functions-key"]) == ("/api/directory", "k3y")
    assert "k3y" not in said
    assert command.file == DirectoryFile.model_validate(body)


@pytest.mark.parametrize(("status", "says"), [(401, "MONITOR_KEY"), (404, "answered 404"), (500, "answered 500")])
def test_an_app_that_does_not_give_it_is_told(command: Command, status: int, says: str) -> None:
    with app_that_answers(status, {}) as (address, _):
        code, said = command.run("--from-app", address)
    assert code == 2
    assert says in said
