"""The key of evidence packs: in a file, and in a vault that speaks as Azure Key Vault does."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from local.stage.stack import make_pack_key
from shared.app.pack_key import FileKey, PackKeyProblem, VaultKey, base64url, from_base64url, public_key_of

DATA = b"what is signed"


class _Credential:
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://vault.azure.net/.default",)
        return AccessToken("token", 2**31)

    async def close(self) -> None:
        """Nothing to give back."""

    async def __aenter__(self) -> _Credential:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to give back."""


def _certificate(folder: Path) -> ssl.SSLContext:
    """A context of 127.0.0.1, whose certificate stands in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "tls.pem")
    return context


@asynccontextmanager
async def vault(folder: Path, key: ec.EllipticCurvePrivateKey, status: int = 200) -> AsyncIterator[str]:
    """A vault that holds that key, and gives it and signs with it as Azure does; gives the key's address."""
    public = public_key_of(key.public_key())

    async def serve(request: web.Request) -> web.Response:
        if "Authorization" not in request.headers:
            challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if status != 200:
            return web.json_response({"error": {"code": "Forbidden", "message": "no"}}, status=status)
        kid = f"https://127.0.0.1:{request.url.port}/keys/evidence-packs/abc"
        if request.method == "GET":
            jwk = {"kid": kid, "key_ops": ["sign", "verify"], **public.jwk}
            return web.json_response({"key": jwk, "attributes": {"enabled": True}})
        asked = await request.json()
        assert (request.path, asked["alg"]) == ("/keys/evidence-packs/abc/sign", "ES256")
        signed = key.sign(from_base64url(asked["value"]), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        r, s = utils.decode_dss_signature(signed)
        return web.json_response({"kid": kid, "value": base64url(r.to_bytes(32) + s.to_bytes(32))})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_certificate(folder)).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/keys/evidence-packs"
    finally:
        await runner.cleanup()


async def test_the_vault_signs_and_its_key_is_known_by_the_same_fingerprint(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    async with vault(tmp_path, key) as uri:
        made = VaultKey(
            uri, _Credential(), connection_verify=str(tmp_path / "cert.pem"), verify_challenge_resource=False
        )
        try:
            public = await made.public()
            assert public == public_key_of(key.public_key())
            signature = await made.sign(DATA)
            public.verify(signature, DATA)
            with pytest.raises(InvalidSignature):
                public.verify(signature, DATA + b"!")
        finally:
            await made.close()


async def test_a_vault_that_refuses_is_told_with_what_to_do(tmp_path: Path) -> None:
    async with vault(tmp_path, ec.generate_private_key(ec.SECP256R1()), status=403) as uri:
        made = VaultKey(
            uri, _Credential(), connection_verify=str(tmp_path / "cert.pem"), verify_challenge_resource=False
        )
        try:
            with pytest.raises(PackKeyProblem, match="Key Vault Crypto User"):
                await made.public()
        finally:
            await made.close()


async def test_a_file_signs_and_a_wrong_one_says_what_is_wrong(tmp_path: Path) -> None:
    made = FileKey(make_pack_key(tmp_path / "pack.pem"))
    (await made.public()).verify(await made.sign(DATA), DATA)
    with pytest.raises(PackKeyProblem, match="no private key"):
        await FileKey(tmp_path / "none.pem").public()
    other = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / "384.pem").write_bytes(
        other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(PackKeyProblem, match="P-256"):
        await FileKey(tmp_path / "384.pem").public()
