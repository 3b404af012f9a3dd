"""What stands before Streamlit: which messages of a browser reach it, and when.

Streamlit runs the page's script for whatever a browser sends, empties all caches where
one asks for it, and lets any page frame it. This is the middleware that `dashboard.py`
puts before it; a proxy limits what is left (SECURITY.md).
"""

import asyncio
import ipaddress
from collections import deque
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import get_option
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.shared.turns import Turns, Visit

RERUN = "rerun_script"
TAKEN = frozenset({RERUN, "stop_script", "file_urls_request", "app_heartbeat"})
"""The kinds of a browser's messages that a page needs, beside that for a file to
download, which is one of several operations.

Others empty everybody's caches, tell of the source code's folder and its git remote,
write into it, or stop the server.
"""

MOST_WAITING = 30
MOST_WAITING_BYTES = 10_000_000
"""Of one page's messages that wait, and can't be dropped; a page that sends more is
hung up on."""

SHORT_BYTES = 1000
"""A message that ends a run is far shorter; longer ones aren't looked at."""

TRIGGERS = (
    *("trigger_value", "string_trigger_value", "json_trigger_value"),
    "chat_input_value",
)
"""What holds for one run only, such as a button that was pressed."""

UPLOADS = "/_stcore/upload_file/"
TOO_MUCH = PlainTextResponse(
    "Too much was uploaded from this address. Wait a minute, and upload it again.",
    status_code=429,
)

POLICY_VIOLATION = 1008
FRAMES = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}


class Guard:
    """Middleware for all that a browser asks of the server.

    Args:
        app: Streamlit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request or a connection, as ASGI has it."""
        if scope["type"] == "http":
            if _is_upload(scope) and not await self._turns.upload(
                address(scope), _upload_bytes(scope)
            ):
                await TOO_MUCH(scope, receive, send)
                return
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] != "websocket":
            await self._app(scope, receive, send)
        elif is_foreign(Headers(scope=scope)):
            # Before Streamlit, which would ask another host for this one's address.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            where = address(scope)
            if not await self._turns.open(where):
                await send({"type": "websocket.close", "code": POLICY_VIOLATION})
                return
            visit = self._turns.visit(where)
            await _Connection(self._turns, visit, receive, send).run(self._app, scope)


class _Connection:
    """One page's websocket."""

    def __init__(
        self, turns: Turns, visit: Visit, receive: Receive, send: Send
    ) -> None:
        self._turns = turns
        self._visit = visit
        self._receive = receive
        self._send = send
        self._waiting: deque[tuple[Message, BackMsg]] = deque()
        self._has_some = asyncio.Event()
        self._reader: asyncio.Task[Message] | None = None
        self._is_hung_up = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        finally:
            if self._reader:
                self._reader.cancel()
            self._turns.give_back(self._visit)

    async def send(self, message: Message) -> None:
        content = message.get("bytes")
        if content and len(content) < SHORT_BYTES:
            told = ForwardMsg.FromString(content)
            if (
                told.WhichOneof("type") == "script_finished"
                and told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ):
                self._turns.give_back(self._visit)
        if not self._is_hung_up:
            await self._send(message)

    async def receive(self) -> Message:
        """Returns the next message that Streamlit is to see, when it is its turn."""
        if self._reader is None:
            opened = await self._receive()
            self._reader = asyncio.create_task(self._read())
            return opened
        if not await self._comes_before_the_end(self._has_some.wait()):
            return self._reader.result()
        is_run = self._waiting[0][1].WhichOneof("type") == RERUN
        turn = self._turns.take if is_run else self._turns.admit
        if not await self._comes_before_the_end(turn(self._visit)):
            return self._reader.result()
        # A later one that has taken the first one's place is a run, too.
        message, _ = self._waiting.popleft()
        if not self._waiting:
            self._has_some.clear()
        return message

    async def _comes_before_the_end(self, event: Coroutine[Any, Any, object]) -> bool:
        """Waits for an event; returns whether the page was still there then."""
        assert self._reader is not None
        waits = asyncio.ensure_future(event)
        try:
            await asyncio.wait({waits, self._reader}, return_when="FIRST_COMPLETED")
            return not self._reader.done()
        finally:
            waits.cancel()

    async def _read(self) -> Message:
        """Takes in what the page sends; returns the message with which it ends."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            asked = BackMsg()
            try:
                asked.ParseFromString(message.get("bytes") or b"")
            except DecodeError:
                return await self._hang_up()
            if not is_taken(asked):
                continue
            if self._waiting and is_superseded(self._waiting[-1][1], asked):
                self._waiting.pop()
            self._waiting.append((message, asked))
            size = sum(len(waiting["bytes"]) for waiting, _ in self._waiting)
            if len(self._waiting) > MOST_WAITING or size > MOST_WAITING_BYTES:
                return await self._hang_up()
            self._has_some.set()

    async def _hang_up(self) -> Message:
        self._waiting.clear()
        self._is_hung_up = True
        await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}


def is_taken(asked: BackMsg) -> bool:
    """Returns whether a message is one that a page needs."""
    kind = asked.WhichOneof("type")
    if kind == "backend_operation_request":
        operation = asked.backend_operation_request.WhichOneof("payload")
        return bool(operation == "deferred_file")
    return kind in TAKEN


def is_superseded(earlier: BackMsg, later: BackMsg) -> bool:
    """Returns whether a message asks for nothing that the next one doesn't, too.

    Each holds the values of all widgets; only what holds for one run is lost with it.
    """
    if earlier.WhichOneof("type") != RERUN or later.WhichOneof("type") != RERUN:
        return False
    one, other = earlier.rerun_script, later.rerun_script
    return (
        one.fragment_id == other.fragment_id
        and one.page_script_hash == other.page_script_hash
        and one.page_name == other.page_name
        and not one.is_history_navigation
        and not any(
            widget.WhichOneof("value") in TRIGGERS
            for widget in one.widget_states.widgets
        )
    )


def is_foreign(headers: Headers) -> bool:
    """Returns whether the page of another server asks for a connection.

    One on another port of this machine is another server. `server.corsAllowedOrigins`
    names those that may.
    """
    origin = headers.get("Origin")
    if origin is None or origin in get_option("server.corsAllowedOrigins"):
        return False
    return urlsplit(origin).netloc != headers.get("Host")


def address(scope: Scope) -> str:
    """Returns where a visitor comes from, by what the nearest proxy says, if any."""
    host = str((scope.get("client") or ("", 0))[0])
    forwarded = Headers(scope=scope).get("X-Forwarded-For", "")
    try:
        # Only a proxy is that near; who comes from afar may write there anything.
        is_near = ipaddress.ip_address(host).is_private
    except ValueError:
        is_near = True
    return forwarded.rpartition(",")[2].strip() or host if is_near else host


def _is_upload(scope: Scope) -> bool:
    # Before it, the address may have a folder of a proxy's.
    return bool(scope["method"] == "PUT" and UPLOADS in scope["path"])


def _upload_bytes(scope: Scope) -> int:
    """Returns how much an upload may bring: what it says, or the most that is taken."""
    most = int(get_option("server.maxUploadSize")) * 2**20
    try:
        return min(int(Headers(scope=scope)["Content-Length"]), most)
    except (KeyError, ValueError):
        return most


def _unframed(send: Send) -> Send:
    """Adds to answers that no page of another server may frame this one."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(FRAMES)
        await send(message)

    return with_headers
