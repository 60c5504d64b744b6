"""Functions that show what the worker host hands over and what it does with the results.

Settings: QUEUES (prefix of the queue names), NOTES (a folder where functions leave notes), TICKS (a schedule).
"""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import List  # noqa: UP035 - see _Texts

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

_NOTES = Path(os.environ["NOTES"])
_STORAGE = "AzureWebJobsStorage"
_Texts = List[str]  # noqa: UP006 - the worker library does not take func.Out[list[str]]


def _note(name: str, text: str) -> None:
    with (_NOTES / name).open("a") as file:
        file.write(text + "\n")


async def _go() -> None:
    while not (_NOTES / "go").exists():  # noqa: ASYNC110 - the test is another process
        await asyncio.sleep(0.02)


@app.route(route="echo/{kind:alpha}/{id:int}", methods=["GET", "POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Give the body back as it came, and the rest of the request in a header."""
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("X-Asked"),
    }
    response = func.HttpResponse(req.get_body(), status_code=201, mimetype="application/x-echo")
    response.headers["X-Seen"] = json.dumps(seen)
    response.headers["Set-Cookie"] = "crumb=a%20b; Path=/api; HttpOnly; SameSite=Lax"
    return response


@app.route(route="echo/fixed/{id:int}", methods=["GET"])
def fixed(req: func.HttpRequest) -> func.HttpResponse:
    """Stand in the way of echo, with a more specific route."""
    return func.HttpResponse(f"fixed {req.route_params['id']}")


@app.route()
async def plain(req: func.HttpRequest) -> func.HttpResponse:
    """Take every method at the function's own name."""
    return func.HttpResponse(req.method, status_code=200)


@app.route(route="boom", methods=["GET"])
def boom(req: func.HttpRequest) -> func.HttpResponse:
    """Fail."""
    raise RuntimeError("secret cause")


@app.route(route="slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Answer once the test leaves a file named `go`."""
    _note("slow", "started")
    await _go()
    return func.HttpResponse("done")


@app.route(route="hello", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="%QUEUES%-hello", connection=_STORAGE)
def hello(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    """Answer and send, then fail if the body says so."""
    out.set(req.get_body().decode())
    if req.get_body() == b"fail":
        raise RuntimeError("after the output was set")
    return func.HttpResponse(status_code=202)


@app.timer_trigger(arg_name="timer", schedule="%TICKS%")
@app.queue_output(arg_name="$return", queue_name="%QUEUES%-ticks", connection=_STORAGE)
def tick(timer: func.TimerRequest) -> str:
    """Send whether the run is late."""
    return json.dumps({"pastDue": timer.past_due})


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", use_app=False)
@app.queue_output(arg_name="out", queue_name="%QUEUES%-yearly", connection=_STORAGE)
def yearly(timer: func.TimerRequest, out: func.Out[_Texts]) -> None:
    """Send two messages."""
    out.set(["first", "second"])


@app.timer_trigger(arg_name="timer", schedule="23:00:00", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    """Note the run."""
    _note("at_start", str(timer.past_due))


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def broken_timer(timer: func.TimerRequest) -> None:
    """Fail."""
    raise RuntimeError("the timer's cause")


@app.queue_trigger(arg_name="message", queue_name="%QUEUES%-in", connection=_STORAGE)
@app.queue_output(arg_name="$return", queue_name="%QUEUES%-out", connection="")
@app.queue_output(arg_name="copies", queue_name="%QUEUES%-copies", connection=_STORAGE)
def relay(message: func.QueueMessage, copies: func.Out[_Texts]) -> str:
    """Send what is known of the message, and its text twice."""
    text = message.get_body().decode()
    copies.set([text, text])
    return json.dumps(
        {
            "text": text,
            "id": message.id,
            "dequeueCount": message.dequeue_count,
            "insertedUtc": message.insertion_time.isoformat() if message.insertion_time else None,
            "expires": message.expiration_time is not None,
            "hiddenUntil": message.time_next_visible is not None,
            "receipt": bool(message.pop_receipt),
        }
    )


@app.queue_trigger(arg_name="message", queue_name="%QUEUES%-flaky", connection=_STORAGE)
@app.queue_output(arg_name="out", queue_name="%QUEUES%-out", connection=_STORAGE)
async def flaky(message: func.QueueMessage, out: func.Out[str]) -> None:
    """Fail every time, after setting an output."""
    _note("flaky", str(message.dequeue_count))
    out.set("never sent")
    raise RuntimeError("as always")


@app.queue_trigger(arg_name="message", queue_name="%QUEUES%-hang", connection=_STORAGE)
@app.queue_output(arg_name="$return", queue_name="%QUEUES%-out", connection=_STORAGE)
def hang(message: func.QueueMessage) -> str:
    """Never end at the first try, in a thread that nothing can stop; a second one gives the number of the try."""
    _note("hang", str(message.dequeue_count))
    if message.dequeue_count == 1:
        threading.Event().wait()
    return str(message.dequeue_count)


@app.queue_trigger(arg_name="message", queue_name="%QUEUES%-long", connection=_STORAGE)
@app.queue_output(arg_name="$return", queue_name="%QUEUES%-out", connection=_STORAGE)
async def long(message: func.QueueMessage) -> str:
    """Work for as long as the test wants."""
    _note("long", str(message.dequeue_count))
    await _go()
    return f"long {message.dequeue_count}"
