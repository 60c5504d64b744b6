"""A kind of sign-in that is judged once is judged as each of its records is, whatever the roster said at its time."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from local.sample import make_sample
from shared.incidents.findings import customer_of, person_of
from shared.rules.assess import assess
from shared.rules.rule import Policy
from shared.scan import kinds as room
from shared.scan.kinds import Kinds
from shared.signin.decoding import decode_page, decode_plain
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.sessions import Session
from tests.scan.harness import record
from tests.signin.records import DIRECTORY

_NEAR_MISSES: Final = Path(__file__).parents[1] / "cases" / "near-misses"
_START = datetime(2026, 11, 2, tzinfo=UTC)
_MIDDLE = _START + timedelta(hours=12)
_SAMPLE = make_sample(3, 7, _START)


def _sign_ins(records: list[dict[str, Any]]) -> list[SignIn]:
    return [r for r in decode_page(json.dumps({"value": records}).encode()).records if isinstance(r, SignIn)]


def _directory(*, moved: bool) -> Directory:
    """Half of the customers came, and half of the roster went, in the middle of the log."""
    people, middle = _SAMPLE.people, _MIDDLE if moved else None
    users = sorted({str(entry.final["userId"]) for entry in _SAMPLE.log if entry.is_unicode and entry.final["userId"]})
    return Directory.of(
        DirectoryFile(
            partner_tenant_id=people.partner_tenant_id,
            customers=[
                Customer(tenant_id=c.tenant_id, from_=middle if n % 2 else None) for n, c in enumerate(people.customers)
            ],
            delegated_admins=[
                DelegatedAdmin(user_id=user, to=middle if n % 2 else None) for n, user in enumerate(users)
            ],
        )
    )


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("most", [3, 20_000])
def test_every_record_is_judged_as_if_it_were_the_only_one(
    policy: Policy, moved: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_MOST_KINDS", most)
    monkeypatch.setattr(room, "_MOST_PEOPLE", most)
    directory = _directory(moved=moved)
    kinds = Kinds(directory, policy)
    log = [entry.final for entry in _SAMPLE.log if entry.is_unicode]
    later = [{**one, "id": f"{one['id']}-2", "createdDateTime": "2026-11-02T20:00:00Z"} for one in log]
    for sign_in in _sign_ins([*log, *later]):
        for session in (Session.UNSEEN, Session.SATISFIED, Session.UNSEEN):
            number, what = kinds.what(sign_in, session)
            assert what.assessment == assess(sign_in, directory, policy, session)
            assert what.customer == customer_of(sign_in, what.assessment.scope, directory)
            assert kinds.kinds[number] == what
        person = kinds.who(sign_in)
        assert kinds.people[person].user == person_of(sign_in, directory)


def test_no_member_that_a_verdict_hangs_on_is_left_out() -> None:
    """Each record of the near misses, with each of its members in turn as another record has it: all of one reading, so
    that a member which told two kinds apart and was not looked at would give one the other's verdict."""
    lines = [line for file in sorted(_NEAR_MISSES.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    records = [sign_in for line in lines if (sign_in := decode_plain(line))]
    directory = Directory.of(DirectoryFile.model_validate_json((_NEAR_MISSES / "directory.json").read_bytes()))
    draw = random.Random(11)  # noqa: S311 - nothing secret
    kinds = Kinds(directory, Policy.STANDARD)
    members = [member for member in SignIn.__struct_fields__ if member not in ("id", "created_date_time")]
    for plain in records:
        for member in members:
            other = msgspec.structs.replace(plain, **{member: getattr(draw.choice(records), member)})
            for sign_in in (plain, other):
                what = kinds.what(sign_in).what
                assert what.assessment == assess(sign_in, directory), member
                assert what.customer == customer_of(sign_in, what.assessment.scope, directory), member
                assert what.protocol == kinds._judged(sign_in, Session.UNSEEN).what.protocol, member
                person = kinds.who(sign_in)
                assert kinds.people[person].user == person_of(sign_in, directory), member


def test_what_cannot_be_compared_is_judged_alone() -> None:
    odd = {"authenticationProcessingDetails": [{"key": "a", "value": {"any": ["thing"]}}]}
    kinds = Kinds(DIRECTORY, Policy.STANDARD)
    for sign_in in _sign_ins([{**record("a", _START), **odd}, record("b", _START)]):
        assert kinds.what(sign_in).what.assessment == assess(sign_in, DIRECTORY)


def test_a_verdict_that_hangs_on_more_than_its_kind_is_no_kinds() -> None:
    """Two records that say a password alone: of one a third party's control was met."""
    weak = {
        **record("a", _START),
        "authenticationRequirement": "singleFactorAuthentication",
        "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": True}],
    }
    duo = {"appliedConditionalAccessPolicies": [{"result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}]}
    kinds = Kinds(DIRECTORY, Policy.STANDARD)
    rules = [kinds.what(s).what.assessment.rules for s in _sign_ins([weak, {**weak, **duo, "id": "b"}])]
    assert "third-party-mfa-unrecognised" in rules[1]
    assert "third-party-mfa-unrecognised" not in rules[0]
