"""What is signed of an evidence pack: its manifest, as a detached JWS (RFC 7515, ES256). Pure but for the key.

The manifest names every file with its hash, the statement's hash and that of the month before, and the key by its
fingerprint. Checking needs nothing but the pack and that fingerprint, which must come by another way than the pack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from msgspec import Struct

from shared.app.pack_key import PackKey, PublicKey, base64url, from_base64url
from shared.statement.archive import ChangedFile, Entry, Read, read_archive

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
FORMAT: Final = 1


class Intact(NamedTuple):
    """A pack in which nothing was changed since it was signed: the fingerprint of the key, and the manifest."""

    key_id: str
    manifest: Mapping[str, Any]


def manifest_of(facts: Mapping[str, object], entries: list[Entry], key: PublicKey) -> bytes:
    """The manifest: `facts` say what the pack is of."""
    files = [{"name": e.name, "size": e.size, "sha256": e.sha256, "packedSha256": e.packed_sha256} for e in entries]
    told = {"format": FORMAT, **facts, "files": files, "keyId": key.id, "publicKey": key.jwk}
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


async def signature_of(manifest: bytes, key: PackKey) -> bytes:
    """The manifest's signature, as a JWS whose payload is left out. Raises PackKeyProblem."""
    head = base64url(json.dumps({"alg": "ES256", "kid": (await key.public()).id}, separators=(",", ":")).encode())
    signature = await key.sign(f"{head}.{base64url(manifest)}".encode())
    return f"{head}..{base64url(signature)}".encode()


class _File(Struct, rename="camel"):
    name: str
    size: int
    sha256: str
    packed_sha256: str


class _Signed(Struct, rename="camel"):
    """What of a manifest is checked."""

    format: int
    files: list[_File]
    key_id: str
    public_key: dict[str, str]


class _Head(Struct, forbid_unknown_fields=True):
    """The protected header of the signature."""

    alg: str
    kid: str


def check_pack(file: BinaryIO) -> Intact:
    """Check that a pack is as it was signed, in little memory. Raises Changed."""
    read = read_archive(file)
    if [e.name for e in read.entries[-2:]] != [MANIFEST, SIGNATURE] or len(read.stored) != 2:
        raise ChangedFile("the archive", "it does not end with its manifest and the manifest's signature")
    content = read.stored[MANIFEST]
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        told: dict[str, Any] = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        raise ChangedFile(MANIFEST, "it is not the manifest of a pack") from None
    if signed.format != FORMAT:
        raise ChangedFile(MANIFEST, "it was made by a version of the monitor that this one does not know")
    _compare(signed.files, read)
    key = _key(signed)
    _check_signature(read.stored[SIGNATURE], content, key)
    return Intact(key.id, told)


def _compare(files: list[_File], read: Read) -> None:
    listed = {file.name: file for file in files}
    found = {entry.name: entry for entry in read.entries[:-2]}
    for name in found.keys() - listed.keys():
        raise ChangedFile(name, "the manifest does not name this file")
    for file in files:
        entry = found.get(file.name)
        if entry is None:
            raise ChangedFile(file.name[:100], "it is missing")
        if (file.size, file.sha256, file.packed_sha256) != (entry.size, entry.sha256, entry.packed_sha256):
            raise ChangedFile(file.name, "its content was changed")


def _key(signed: _Signed) -> PublicKey:
    try:
        key = PublicKey.of_jwk(signed.public_key)
    except ValueError:
        raise ChangedFile(MANIFEST, "its key is none of the curve P-256") from None
    if signed.key_id != key.id:
        raise ChangedFile(MANIFEST, "its key is not the one that it names")
    return key


def _check_signature(signature: bytes, manifest: bytes, key: PublicKey) -> None:
    head, _, signed = signature.partition(b"..")
    try:
        told = msgspec.json.decode(from_base64url(head.decode("ascii")), type=_Head)
        raw = from_base64url(signed.decode("ascii"))
    except (ValueError, msgspec.MsgspecError):
        raise ChangedFile(SIGNATURE, "it is no signature of a pack") from None
    if (told.alg, told.kid) != ("ES256", key.id) or len(raw) != 64 or base64url(raw).encode() != signed:
        raise ChangedFile(SIGNATURE, "it is no signature of a pack")
    try:
        key.verify(raw, head + b"." + base64url(manifest).encode())
    except (InvalidSignature, ValueError):
        raise ChangedFile(MANIFEST, "the signature is not of this manifest: one of the two was changed") from None
