"""A real keys page on this machine, and tokens that its keys signed."""

from __future__ import annotations

import http.server
import json
import threading
from collections import Counter
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from shared.tokens import Request, Signature, check_request, read_request
from shared.tokens.keys import MAX_KEYS_BYTES, allowed_keys_url
from tests.tokens.samples import (
    NOW,
    Json,
    changed,
)

RIGHT_KEY, WRONG_KEY = "right-key", "wrong-key"


def public(key: RSAPrivateKey, kid: str = RIGHT_KEY, **more: object) -> Json:
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def answer_of(*keys_: Json) -> bytes:
    return json.dumps({"keys": keys_}).encode()


class KeyServer:
    """A real keys page on this machine, with the ways in which one can misbehave."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.arrived, self.let_go = threading.Event(), threading.Event()
        pages = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.asked[self.path] += 1
                pages.arrived.set()
                if self.path == "/hang":
                    pages.let_go.wait()
                    return
                status = {"/redirect": 302, "/broken": 500}.get(self.path, 200)
                body = pages.answers.get(self.path, b"")
                self.send_response(status)
                if self.path == "/redirect":
                    self.send_header("Location", "/keys")
                if self.path == "/huge":
                    body = b" " * (MAX_KEYS_BYTES + 1)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that stops reading is what some of these tests are about

        self.server = Server(("127.0.0.1", 0), Page)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def signed(key: RSAPrivateKey, claims: Mapping[str, object], algorithm: str = "RS256", /, **header: object) -> str:
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers=changed({"kid": RIGHT_KEY}, header))


async def verified(token: str, pages: KeyServer, path: str = "/keys", time_out: float = 20.0) -> Signature:
    request = Request(token=read_request(token.encode()).token, verify=True)
    keys_at = allowed_keys_url(pages.url(path), loopback=True)
    return (await check_request(request, now=NOW, keys_at=[keys_at], time_out=time_out))["signature"]
