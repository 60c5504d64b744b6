"""Keys, and the page that answers them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from tests.tokens.key_server import RIGHT_KEY, WRONG_KEY, KeyServer, answer_of, public


@pytest.fixture(scope="module")
def keys() -> dict[str, RSAPrivateKey]:
    return {name: generate_private_key(public_exponent=65537, key_size=2048) for name in (RIGHT_KEY, WRONG_KEY)}


@pytest.fixture
def pages(keys: dict[str, RSAPrivateKey]) -> Iterator[KeyServer]:
    server = KeyServer()
    server.answers["/keys"] = answer_of(public(keys[WRONG_KEY], "another"), public(keys[RIGHT_KEY]))
    yield server
    server.close()
