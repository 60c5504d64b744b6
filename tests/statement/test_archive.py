"""The zip of a pack: any program reads it, little memory writes it, and nothing but what was written is taken."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
import zlib
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.app.pack_key import PublicKey, base64url, public_key_of
from shared.statement.archive import CENTRAL, END, LOCAL, ChangedFile, Entry, Writer, ending, read_archive

CONTENT = {"a.txt": b"hello " * 1000, "b.jsonl": bytes(range(256)) * 50, "empty.csv": b""}


async def chunks(content: bytes, size: int = 700) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def written(content: dict[str, bytes] = CONTENT, stored: tuple[str, ...] = ("m.json",)) -> tuple[bytes, Writer]:
    writer, made = Writer(), []
    for name, data in content.items():
        made += [piece async for piece in writer.file(name, chunks(data))]
    made += [writer.stored(name, b"{}") for name in stored]
    made.append(writer.end())
    return b"".join(made), writer


def changed_in(data: bytes) -> str:
    with pytest.raises(ChangedFile) as found:
        read_archive(io.BytesIO(data))
    return found.value.name


async def test_any_program_reads_it() -> None:
    data, writer = await written()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == {**CONTENT, "m.json": b"{}"}
    read = read_archive(io.BytesIO(data))
    assert read.entries == writer.entries
    assert read.stored == {"m.json": b"{}"}
    assert writer.size == len(data)


async def test_bytes_before_between_behind_and_cut_off_are_found() -> None:
    data, writer = await written()
    assert changed_in(b"MZ" + data)
    assert changed_in(data + b"x") == "the list of files at the end"
    second = writer.entries[1].offset
    assert changed_in(data[:second] + b"junk" + data[second:])
    for end in (0, 3, 20, 40, second + 50, len(data) - 1):
        assert changed_in(data[:end])


async def test_every_changed_byte_outside_of_squeezed_content_is_found_and_most_inside() -> None:
    """What is left, bits of a squeezed stream that say nothing, is covered by the manifest's hash of the whole file."""
    data, writer = await written({"a.txt": b"hello", "b.txt": b"world"})
    silent = []
    for at in range(len(data)):
        bent = bytearray(data)
        bent[at] ^= 0x40
        try:
            read = read_archive(io.BytesIO(bytes(bent)))
        except ChangedFile:
            continue
        if read.entries == writer.entries:
            silent.append(at)
    assert silent == []


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "C:evil", "a/b", "A.txt", "", "x" * 101, "ü.txt", ".hidden"]
)
async def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    raw = name.encode()
    head = LOCAL.pack(b"PK\x03\x04", 20, 0x0808, 8, 0, 0x21, 0, 0, 0, len(raw), 0) + raw
    assert changed_in(head + b"\x03\x00" + bytes(100)) == "the archive"


async def test_two_files_of_one_name_are_refused() -> None:
    _, writer = await written({"a.txt": b"hello"}, ())
    again = [piece async for piece in writer.file("a.txt", chunks(b"other"))]
    first = Writer()
    data = [piece async for piece in first.file("a.txt", chunks(b"hello"))]
    whole = b"".join([*data, *again])
    assert changed_in(whole + ending([*first.entries, writer.entries[-1]], len(whole))) == "a.txt"


async def test_a_bomb_is_refused_in_little_memory() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(300)) + squeeze.flush()
    head = Entry("bomb.txt", 0, "", "", 0, 0, 0).head
    assert len(head + bomb) < 500_000
    tracemalloc.start()
    try:
        assert changed_in(head + bomb + bytes(100)) == "bomb.txt"
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


async def test_writing_takes_little_memory_however_long_a_file_is() -> None:
    async def long() -> AsyncIterator[bytes]:
        for n in range(400):
            yield f"{n} a line of a finding\n".encode() * 10_000

    tracemalloc.start()
    try:
        async for _ in Writer().file("findings.jsonl", long()):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_constants_are_those_of_the_format() -> None:
    assert (LOCAL.size, CENTRAL.size, END.size) == (30, 46, 22)


def test_a_fingerprint_is_that_of_rfc_7638() -> None:
    key = public_key_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert PublicKey.of_jwk({**key.jwk, "use": "sig"}).id == key.id
    assert len(bytes.fromhex(key.id)) == 32
    for wrong in ({"kty": "RSA"}, {"crv": "P-384"}, {"x": base64url(bytes(32))}, {"y": "###"}, {"x": ""}):
        with pytest.raises(ValueError, match=r"."):
            PublicKey.of_jwk({**key.jwk, **wrong})
