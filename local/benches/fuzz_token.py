"""Fuzzes the reader of access tokens: `python -m local.benches.fuzz_token [--seconds 60] [--seed 1]`.

With atheris installed it is coverage-guided (and takes libFuzzer's options instead, as `-max_total_time=60`); without,
it mutates the seeds at random. `probe` holds what must be true of every input; the tests use it too.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import importlib.util
import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.tokens import Token, TokenCheck, TokenError, check, read_request

NOW = datetime(2026, 11, 1, tzinfo=UTC)
_LEAK = 12  # so many characters of the input in an error's text are no chance
_OWN_WORD = "expectAudience"  # the only long word that both a request and our sentences hold

_HEADER = b'{"typ":"JWT","alg":"RS256","kid":"k"}'
SEEDS = (
    (
        b'{"aud":"https://api.partnercenter.microsoft.com","iss":"https://sts.windows.net/t/","tid":"t","ver":"1.0",'
        b'"scp":"user_impersonation","amr":["pwd","mfa"],"appid":"a","appidacr":"1","exp":1793491200,"nbf":1793487600}'
    ),
    b'{"aud":"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd","idtyp":"app","oid":"x","sub":"x","roles":["r"],"wids":["w"]}',
    b'{"aud":"c","nonce":"n","sub":"s","ver":"2.0","iss":"https://login.microsoftonline.com/t/v2.0","name":"n"}',
    b'{"tid":"t","scp":["a"],"idp":"https://sts.windows.net/h/","altsecid":"5::1","amr":"ngcmfa","azp":"a","azpacr":"0"}',
)
DECODED = b'{"typ":"JWT","alg":"RS256"}.' + SEEDS[0] + b".[Signature]"  # as jwt.ms shows it
_PIECES = (
    b'"amr":',
    b"null",
    b"NaN",
    b"1e999",
    b"9" * 40,
    b"[" * 30,
    b"\\ud800",
    b"\x00",
    b"\xef\xbb\xbf",
    b"{}",
    b",",
)


def compact(payload: bytes, header: bytes = _HEADER, signature: bytes = b"signature") -> bytes:
    """A token in the compact form of these bytes, whatever they hold."""
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload, signature))


WHOLE = (*SEEDS, _HEADER, compact(SEEDS[0]), DECODED)
"""What is mutated."""


def probe(data: bytes) -> TokenCheck | TokenError:
    """Reads and judges the input. Raises AssertionError where a promise is broken, and whatever escapes."""
    try:
        request = read_request(data)
        answer = check(request.token, now=NOW, expect_audience=request.expect_audience, partner_tenant_id="h")
    except TokenError as error:
        _no_leak(error, data)
        return error
    _sound(answer, request.token)
    return answer


def _no_leak(error: TokenError, data: bytes) -> None:
    text = str(error).replace(_OWN_WORD, "")
    seen = data.decode("utf-8", "replace")
    if any(text[at : at + _LEAK] in seen for at in range(len(text) - _LEAK + 1)):
        raise AssertionError("the error repeats the input")
    if error.__cause__ is not None or error.__context__ is not None:
        raise AssertionError("the error carries another that may hold the input")


def _sound(answer: TokenCheck, token: Token) -> None:
    json.dumps(answer, allow_nan=False).encode("ascii")
    gate = answer["partnerCenter"]
    passes = answer["kind"] == "app-only" or (answer["kind"] == "app+user" and answer["mfa"] == "present")
    if gate["accepted"] != (gate["status"] == 200) or (gate["accepted"] and not passes):
        raise AssertionError("the gate contradicts itself")
    if (answer["mfa"] == "not-required") != (answer["kind"] == "app-only"):
        raise AssertionError("MFA is not required of what is not app-only")
    if answer["signature"]["checked"]:
        raise AssertionError("a signature was checked without being asked")
    if not answer["claims"].keys() <= token.claims.keys():
        raise AssertionError("claims are shown that are not there")


def one_input(data: bytes) -> None:
    """What atheris calls: the first byte chooses whether the rest is the input, a payload or a header."""
    mode, rest = data[:1], data[1:]
    if mode < b"\x55":
        probe(rest)
    elif mode < b"\xd5":
        probe(compact(rest))
    else:
        probe(compact(SEEDS[0], header=rest))


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The data after one to eight random changes: bytes flipped, cut, doubled, or pieces put in."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at, to = sorted(rng.randrange(len(changed) + 1) for _ in range(2))
        match rng.randrange(4):
            case 0 if changed:
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            case 1:
                del changed[at : min(to, at + 8)]
            case 2:
                changed[at:at] = changed[at : min(to, at + 64)]
            case _:
                changed[at:at] = rng.choice(_PIECES)
    return bytes(changed)


def main(argv: Sequence[str]) -> int:
    """Fuzzes until the time is over. Returns 0; a broken promise ends it with the exception and the input's bytes."""
    if importlib.util.find_spec("atheris") is not None:
        atheris = importlib.import_module("atheris")
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], *(argv or ["-max_total_time=60"])], one_input)
        atheris.Fuzz()
        return 0
    parser = argparse.ArgumentParser(prog="python -m local.benches.fuzz_token")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    rng, runs, end = random.Random(arguments.seed), 0, time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        data = rng.choice((b"\x00", b"\x60", b"\xf0")) + mutated(rng, rng.choice(WHOLE))
        try:
            one_input(data)
        except BaseException:
            print(f"input: {data!r}", file=sys.stderr)
            raise
        runs += 1
    print(f"{runs} inputs, no promise broken (no atheris here: random mutation)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
