"""Sign-ins for the tests of the heart: JSON members in, what the product makes of them out."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.rules.assess import Assessment, assess
from shared.rules.rule import CUSTOMER, PARTNER, PLAIN, TECHNICIAN, Policy, Record
from shared.signin.careful import Quarantined
from shared.signin.decoding import decode_page
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Session, SessionKey, root_of, session_of

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]

STRANGER = "99999999-9999-9999-9999-999999999999"
OTHER_TENANT = "88888888-8888-8888-8888-888888888888"
PARTNER_CENTER_APP = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"


def directory_of(**members: Json) -> Directory:
    """The directory of a directory file with those members laid over the sample partner's."""
    file: JsonObject = {
        "partnerTenantId": PARTNER,
        "customers": [{"tenantId": CUSTOMER}],
        "delegatedAdmins": [{"userId": TECHNICIAN}],
    }
    return Directory.of(DirectoryFile.model_validate_json(json.dumps({**file, **members})))


# One technician on the roster, one customer, both without bounds in time.
DIRECTORY = directory_of()


def page_of(values: Iterable[object], **members: Json) -> bytes:
    """The bytes of a Graph page."""
    return json.dumps({**members, "value": list(values)}).encode()


def read(value: object) -> SignIn | Quarantined:
    """What one record becomes when it is the only one of a page."""
    (record,) = decode_page(page_of([value])).records
    return record


def sign_in(members: Record, base: Mapping[str, object] = PLAIN) -> SignIn:
    """The sign-in of those members laid over a compliant technician's; it has to be readable."""
    record = read({**base, **members})
    assert isinstance(record, SignIn), record
    return record


def assessed(members: Record, directory: Directory = DIRECTORY, policy: Policy = Policy.STANDARD) -> Assessment:
    """What is said of those members laid over a compliant technician's sign-in, with no session to ask."""
    return assess(sign_in(members), directory, policy)


def judged(log: Iterable[Record], directory: Directory = DIRECTORY) -> list[Assessment]:
    """A whole log, in two passes: what the sessions proved, then the verdicts."""
    records = [sign_in(members) for members in log]
    roots = {record.id: root_of(record, directory) for record in records}  # of several with one id the last
    proofs: dict[SessionKey, Proof] = {}
    for root in filter(None, roots.values()):
        proofs.setdefault(root.session, Proof()).add(root.at, root.own)

    def session(record: SignIn) -> Session:
        key = session_of(record, directory)
        return proofs[key].at(record.at) if key in proofs else Session.UNSEEN

    return [assess(record, directory, session=session(record)) for record in records]


def at(text: str) -> datetime:
    """An ISO 8601 time as a datetime."""
    return datetime.fromisoformat(text)
