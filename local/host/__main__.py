"""`python -m local.host`: see the package's own text."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from aiohttp import web

from local.host.queues import Listener, Queues
from local.host.settings import StartError, read_host_json
from local.host.timers import Timer
from local.host.web import Site
from local.host.worker import Invoker, index

log = logging.getLogger("local.host")

_LEASE_SECONDS = 600  # what the Functions host takes
_GRACE_SECONDS = 5.0


def main() -> int:
    """Run the host until it is told to stop; gives the exit code."""
    options = _options()
    logging.basicConfig(
        stream=sys.stderr, level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if options.log_level != "debug":
        logging.getLogger("azure").setLevel(logging.WARNING)  # the libraries tell of every request and invocation
    # Standard output is for one line of ours; what the app and its children print goes to standard error.
    sys.stdout.flush()
    announce = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        with announce:
            asyncio.run(_run(options, announce))
    except StartError as error:
        print(f"The worker host cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs an Azure Functions app locally.")
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py and host.json")
    parser.add_argument("--port", type=_number(0, 65535), default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--lease-seconds", type=_number(1, 604800), default=_LEASE_SECONDS, help="how long a message is hidden"
    )
    parser.add_argument("--grace-seconds", type=float, default=_GRACE_SECONDS, help="for running work when stopped")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--stop-on-eof", action="store_true", help="stop when standard input ends: with the parent")
    return parser.parse_args()


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be {low} to {high}")
        return value

    return number


async def _run(options: argparse.Namespace, announce: TextIO) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = options.app.resolve()
    host_json = read_host_json(app)
    # Bound before the app is imported, so that the app can know its address, but not listening yet.
    with _bind(options.port) as sock:
        address = "{}:{}".format(*sock.getsockname())
        os.environ.update(WEBSITE_HOSTNAME=address, AZURE_FUNCTIONS_ENVIRONMENT="Development")  # as Core Tools do
        functions = await index(app)
        async with Queues(host_json.extensions.queues, os.environ) as queues:
            invoke = Invoker(queues.send)
            prepared = [await queues.prepare(function, invoke, options.lease_seconds) for function in functions]
            listeners = [listener for listener in prepared if listener is not None]
            timers = [
                Timer(function, invoke, os.environ) for function in functions if function.trigger.type == "timerTrigger"
            ]
            site = Site(functions, timers, invoke, host_json.extensions.http.route_prefix)
            server = web.AppRunner(site.application(), access_log=None, shutdown_timeout=options.grace_seconds)
            await server.setup()
            await web.SockSite(server, sock).start()
            for function in functions:
                log.info("function %s (%s)", function.name, function.trigger.type)
            for line in site.addresses():
                log.info("%s", line)
            print(f"ready http://{address}", file=announce, flush=True)

            runners: list[Timer | Listener] = [*timers, *listeners]
            work = [asyncio.create_task(runner.run()) for runner in runners]
            ends = [asyncio.create_task(_told(stop))]
            if options.stop_on_eof:
                ends.append(asyncio.create_task(_end_of_input()))
            done, _ = await asyncio.wait(work + ends, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # an error in the host itself ends it

            log.info("stopping")
            for runner in runners:
                runner.stop()
            work.append(asyncio.create_task(server.cleanup()))
            _, left = await asyncio.wait(work, timeout=options.grace_seconds + 1)
            if left:
                _abandon(len(left))


def _bind(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise StartError(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}.") from None
    return sock


async def _told(stop: asyncio.Event) -> None:
    await stop.wait()


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()


def _abandon(count: int) -> None:
    """End without what still runs: a thread cannot be stopped, and a normal exit would wait for it.

    Their messages are still leased and will show again.
    """
    log.warning("%d still at work after the grace time: left behind", count)
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
