"""One request to a webhook, against receivers that misbehave and names that lie. Real servers, real sockets."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.stage.receivers import Fault, Receiver, Receivers
from shared.alerts.post import MOST_BYTES, Answer, Target, post

BODY = b'{"some":"message"}'
SHORT = 0.5  # seconds; what hangs must end by the time-out, however short that is
NAME = "hooks.receiver.example"


@asynccontextmanager
async def receiving(*faults: Fault) -> AsyncIterator[tuple[Receiver, Receivers]]:
    receiver = Receiver("slack", None, "/hooks/S3CRETPATH", faults=[*faults])
    async with Receivers(receiver) as receivers:
        yield receiver, receivers


async def sent(url: str, timeout_seconds: float = 10.0) -> Answer:
    return await post(Target(url, local=True), BODY, {"webhook-id": "msg_1"}, timeout_seconds=timeout_seconds)


async def test_a_message_arrives_as_it_is() -> None:
    async with receiving() as (receiver, _):
        answer = await sent(receiver.url)
    assert answer.delivered
    assert answer == Answer(200, "")
    assert [(r.body, r.headers["webhook-id"]) for r in receiver.tries] == [(BODY, "msg_1")]
    assert receiver.tries[0].headers["host"] == receiver.url.split("/")[2]


async def test_a_failure_says_how_it_began() -> None:
    async with receiving(Fault.FAIL) as (receiver, _):
        assert await sent(receiver.url) == Answer(500, "no")


async def test_an_answer_that_repeats_the_url_is_not_kept() -> None:
    async with receiving(Fault.REFUSE) as (receiver, _):
        answer = await sent(receiver.url)
    assert answer == Answer(400, "the answer repeats the URL")


async def test_a_redirect_is_not_followed() -> None:
    async with receiving(Fault.REDIRECT) as (receiver, receivers):
        answer = await sent(receiver.url)
        assert receivers.redirected == 0
    assert answer.status == 302
    assert not answer.delivered


async def test_a_receiver_that_hangs_costs_the_time_out() -> None:
    async with receiving(Fault.HANG) as (receiver, _):
        assert await sent(receiver.url, SHORT) == Answer(0, "no answer within 0.5 seconds")


async def test_an_answer_that_never_ends_still_says_yes() -> None:
    async with receiving(Fault.HANG_IN_ANSWER, Fault.LIE_SHORT) as (receiver, _):
        assert (await sent(receiver.url)).delivered
        assert (await sent(receiver.url)).delivered


async def test_an_endless_answer_is_read_no_further_than_the_cap() -> None:
    async with receiving(Fault.ENDLESS, Fault.LIE_LONG) as (receiver, _):
        endless = await sent(receiver.url)
        assert endless.status == 500
        assert len(endless.text) <= MOST_BYTES
        lied = await sent(receiver.url)
        assert lied.status == 500
        assert lied.text == "x" * 10


async def test_the_status_counts_whatever_the_length_says() -> None:
    async with receiving(Fault.TAKE_AND_LIE_LONG, Fault.FAIL_AND_LIE_SHORT) as (receiver, _):
        assert await sent(receiver.url) == Answer(200, "")
        assert await sent(receiver.url) == Answer(500, "x" * 10)


async def test_a_date_to_come_back_at() -> None:
    async with receiving(Fault.SLOW_DOWN) as (receiver, _):
        receiver.retry_after = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        wait = (await sent(receiver.url)).retry_after
    assert wait is not None
    assert timedelta(minutes=50) < wait <= timedelta(hours=1)


async def test_throttling_and_the_end_of_a_receiver_are_understood() -> None:
    async with receiving(Fault.SLOW_DOWN, Fault.GONE) as (receiver, _):
        assert (await sent(receiver.url)).retry_after == timedelta(seconds=120)
        assert (await sent(receiver.url)).gone


async def test_a_connection_that_breaks_is_an_answer_too() -> None:
    async with receiving(Fault.DROP) as (receiver, _):
        broken = await sent(receiver.url)
        assert broken.status == 0
        assert broken.text.startswith("the connection broke")
        url = receiver.url
    assert await sent(url) == Answer(0, "no connection could be made")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/x", False),
        ("https://127.0.0.1:1/x", False),
        ("https://localhost:1/x", False),
        ("https://169.254.169.254/metadata/instance", True),
        ("https://[::ffff:169.254.169.254]/metadata/instance", True),
        ("https://168.63.129.16/x", True),
        ("https://10.255.255.1/x", True),
        ("http://hooks.example/x", True),
        ("https://2130706433/x", False),
        ("https://0x7f.1/x", False),
    ],
)
async def test_nothing_is_sent_where_it_must_not_go(url: str, local: bool) -> None:
    answer = await post(Target(url, local=local), BODY, {})
    assert answer.status == 0
    assert answer.text.startswith("refused: ")


async def test_a_name_that_has_a_private_address_is_refused_and_may_be_allowed() -> None:
    async def private(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8", "10.0.0.1"]

    refused = await post(Target(f"https://{NAME}/x"), BODY, {}, resolve=private)
    assert refused == Answer(0, "refused: the host is a private address")

    async def metadata(host: str, port: int) -> Sequence[str]:
        return ["169.254.169.254"]

    never = await post(Target(f"https://{NAME}/x", internal=True), BODY, {}, resolve=metadata)
    assert never == Answer(0, "refused: the host is a metadata or link-local address")


async def test_a_name_that_answers_otherwise_the_next_time_changes_nothing() -> None:
    """The first answer is checked and used: the name is asked once."""
    answers = [["127.0.0.2"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with receiving() as (receiver, _):  # listens on 127.0.0.1 alone
        url = receiver.url.replace("127.0.0.1", "localhost")
        answer = await post(Target(url, local=True), BODY, {}, resolve=rebinding)
    assert answer == Answer(0, "no connection could be made")
    assert receiver.tries == []
    assert answers == [["127.0.0.1"]]


async def test_the_next_address_is_tried_when_one_is_down() -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with receiving() as (receiver, _):
        url = receiver.url.replace("127.0.0.1", "localhost")
        assert (await post(Target(url, local=True), BODY, {}, resolve=two)).delivered


async def test_a_name_that_does_not_exist() -> None:
    assert await sent("https://nobody.invalid/x") == Answer(0, "the host's name could not be resolved")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server that is localhost by name, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


async def test_https_goes_to_the_checked_address_under_the_receivers_name(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server_tls, client_tls = certificate
    hosts: list[str] = []
    names: list[str | None] = []
    server_tls.sni_callback = lambda _socket, name, _context: names.append(name)

    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def handle(request: web.Request) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/x", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls).start()
        port = runner.addresses[0][1]

        right = await post(Target(f"https://localhost:{port}/x", local=True), BODY, {}, resolve=here, tls=client_tls)
        assert right == Answer(200, "")
        assert (names, hosts) == (["localhost"], [f"localhost:{port}"])
        wrong = await post(Target(f"https://127.0.0.1:{port}/x", local=True), BODY, {}, resolve=here, tls=client_tls)
        assert wrong == Answer(0, "the connection could not be secured")
        strange = await post(Target(f"https://localhost:{port}/x", local=True), BODY, {}, resolve=here)
        assert strange == Answer(0, "the connection could not be secured")
        assert len(hosts) == 1
    finally:
        await runner.cleanup()


async def test_no_log_tells_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with receiving(Fault.FAIL, Fault.DROP) as (receiver, _):
            for _ in range(3):
                await sent(receiver.url)
    assert "S3CRETPATH" not in caplog.text
    assert "S3CRETPATH" not in repr(Target(receiver.url))
