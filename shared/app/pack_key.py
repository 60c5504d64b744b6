"""The key that signs evidence packs: in the vault, which it never leaves, or in a file on a person's own machine.

ES256 (ECDSA over P-256 with SHA-256). A key is known by its fingerprint: the SHA-256, in hex, of its JWK as RFC 7638
has it, which whoever receives a pack gets by another way than the pack.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

if TYPE_CHECKING:  # few processes sign, and every process starts
    from azure.keyvault.keys.crypto.aio import CryptographyClient

_BYTES: Final = 32  # of a coordinate, and of each half of a signature


class PackKeyProblem(Exception):  # noqa: N818 - what is the matter with it
    """Nothing can be signed; the text says why and what to do, and shows nothing secret."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half: the coordinates of a point on P-256, 32 bytes each."""

    x: bytes
    y: bytes

    @property
    def jwk(self) -> dict[str, str]:
        """As JWK, with the members of RFC 7638 alone."""
        return {"crv": "P-256", "kty": "EC", "x": base64url(self.x), "y": base64url(self.y)}

    @property
    def id(self) -> str:
        """The fingerprint: 64 hex digits."""
        return sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @classmethod
    def of_jwk(cls, jwk: Mapping[str, object]) -> PublicKey:
        """The key of a JWK. Raises ValueError for one that is no point on P-256."""
        x, y = (from_base64url(str(jwk.get(name, ""))) for name in ("x", "y"))
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or len(x) != _BYTES or len(y) != _BYTES:
            raise ValueError("no key of the curve P-256")
        made = cls(x, y)
        made.point()
        return made

    def point(self) -> ec.EllipticCurvePublicKey:
        """As cryptography has it. Raises ValueError for what is no point on the curve."""
        x, y = int.from_bytes(self.x), int.from_bytes(self.y)
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature (both halves, 64 bytes). Raises InvalidSignature (cryptography)."""
        r, s = int.from_bytes(signature[:_BYTES]), int.from_bytes(signature[_BYTES:])
        self.point().verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))


class PackKey(Protocol):
    """A key that signs."""

    async def public(self) -> PublicKey:
        """Its public half. Raises PackKeyProblem."""

    async def sign(self, data: bytes) -> bytes:
        """The signature of bytes: both halves, 64 bytes. Raises PackKeyProblem."""

    async def close(self) -> None:
        """Give back the connections."""


class FileKey:
    """A private key in a PEM file, without a password."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def public(self) -> PublicKey:
        """Its public half. Raises PackKeyProblem."""
        return public_key_of((await self._private()).public_key())

    async def sign(self, data: bytes) -> bytes:
        """The signature of bytes. Raises PackKeyProblem."""
        made = (await self._private()).sign(data, ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(made)
        return r.to_bytes(_BYTES) + s.to_bytes(_BYTES)

    async def close(self) -> None:
        """Nothing to give back."""

    async def _private(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = serialization.load_pem_private_key(await asyncio.to_thread(self._path.read_bytes), None)
        except (OSError, ValueError, TypeError):
            raise PackKeyProblem(f"PACK_KEY_FILE: {self._path} is no private key in PEM without a password") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise PackKeyProblem("PACK_KEY_FILE: the key must be of the curve P-256 (openssl ecparam -name prime256v1)")
        return key


class VaultKey:
    """A key in Azure Key Vault, by its address without a version: the newest version signs. `options` go to the SDK's
    clients."""

    def __init__(self, uri: str, credential: AsyncTokenCredential, **options: Any) -> None:
        from azure.keyvault.keys.aio import KeyClient

        parts = urlsplit(uri)
        self._vault = f"{parts.scheme}://{parts.netloc}"
        self._name = parts.path.removeprefix("/keys/").strip("/")
        self._credential = credential
        self._options = options
        self._client = KeyClient(self._vault, credential, **options)
        self._signer: tuple[PublicKey, CryptographyClient] | None = None

    async def public(self) -> PublicKey:
        """Its public half. Raises PackKeyProblem."""
        return (await self._known())[0]

    async def sign(self, data: bytes) -> bytes:
        """The signature of bytes, made in the vault. Raises PackKeyProblem."""
        from azure.keyvault.keys.crypto import SignatureAlgorithm

        _, signer = await self._known()
        try:
            return (await signer.sign(SignatureAlgorithm.es256, sha256(data).digest())).signature
        except AzureError as error:
            raise self._problem(error) from error

    async def close(self) -> None:
        """Give back the connections."""
        if self._signer is not None:
            await self._signer[1].close()
        await self._client.close()

    async def _known(self) -> tuple[PublicKey, CryptographyClient]:
        if self._signer is None:
            from azure.keyvault.keys.crypto.aio import CryptographyClient

            try:
                found = await self._client.get_key(self._name)
            except AzureError as error:
                raise self._problem(error) from error
            x, y, curve = (getattr(found.key, name, None) for name in ("x", "y", "crv"))
            if not x or not y or curve != "P-256":
                raise PackKeyProblem("PACK_KEY_URI: the key in the vault is not of the curve P-256")
            public = PublicKey(x.rjust(_BYTES, b"\0"), y.rjust(_BYTES, b"\0"))
            self._signer = (public, CryptographyClient(str(found.id), self._credential, **self._options))
        return self._signer

    def _problem(self, error: AzureError) -> PackKeyProblem:
        return PackKeyProblem(
            f"the vault did not let the key {self._name} be used ({type(error).__name__}): the app's identity "
            "needs the role Key Vault Crypto User on it (azd provision --no-state puts it back)"
        )


def public_key_of(key: ec.EllipticCurvePublicKey) -> PublicKey:
    """The public half of a key that cryptography has."""
    numbers = key.public_numbers()
    return PublicKey(numbers.x.to_bytes(_BYTES), numbers.y.to_bytes(_BYTES))


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """What base64url made. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
