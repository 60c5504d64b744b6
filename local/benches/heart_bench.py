"""From the bytes of a Graph page to assessments, beside what others make of the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from local.benches.rows import RECORDS, Row, compare
from local.benches.typed_page import typed_decoder
from local.sample import make_sample
from shared.rules.assess import Assessment, assess
from shared.signin.decoding import decode_page
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn

_END: Final = datetime(2026, 11, 1, tzinfo=UTC)


def heart() -> list[Row]:
    """From the bytes of a 1,000-record Graph page to assessments, against what others make of the same bytes."""
    page, directory = _log()

    def ours() -> list[Assessment]:
        return [assess(r, directory) for r in decode_page(page).records if isinstance(r, SignIn)]

    if len(ours()) != RECORDS:
        raise AssertionError("the page was not read whole")
    sdk = _sdk()
    typed = typed_decoder()
    return [
        compare("Graph page to assessments / orjson.loads", ours, lambda: orjson.loads(page), runs=41, goal=">= 3"),
        compare(
            "Graph page to assessments / msgraph-sdk's models",
            ours,
            lambda: sdk(page),
            runs=7,
            goal=">= 150",
            repeats=100,
        ),
        compare(
            "Graph page to assessments / msgspec's typed decode alone (at most 2.2 times as long)",
            ours,
            lambda: typed(page),
            runs=41,
            goal=">= 0.4546",
        ),
    ]


def _log() -> tuple[bytes, Directory]:
    """A page of the sample partner's log, and its directory. The sample itself is let go: an app holds none, and the
    collector would look through it again and again."""
    sample = make_sample(7, 30, _END)
    partner = [entry for entry in sample.log if entry.tenant_id == sample.people.partner_tenant_id]
    records = [entry.final for entry in partner if entry.is_unicode][-RECORDS:]
    return _page(records), Directory.of(DirectoryFile.model_validate(sample.directory()))


def _page(records: Sequence[object]) -> bytes:
    return json.dumps(
        {"@odata.context": "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns", "value": records}
    ).encode()


def _sdk() -> Callable[[bytes], object]:
    """What the SDK's client makes of the body of an answer: with the backing store that making a client switches on."""
    from kiota_abstractions.authentication import AnonymousAuthenticationProvider
    from kiota_abstractions.serialization import ParseNodeFactoryRegistry
    from msgraph.generated.models.sign_in_collection_response import SignInCollectionResponse
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider()))
    factory = ParseNodeFactoryRegistry()
    return lambda body: factory.get_root_parse_node("application/json", body).get_object_value(SignInCollectionResponse)
