"""Visitors of the dashboard without a browser: they speak Streamlit's own protocol.

A browser and its server exchange protobuf messages over one websocket: `BackMsg` asks
for a run of the page's script with the values of its widgets, `ForwardMsg` brings what
to show, element by element, and at last that the run is finished.
"""

import asyncio
import base64
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Self

from google.protobuf.message import Message
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

TIMEOUT_S = 60.0
FAREWELL_S = 1.0
"""For an answer to a goodbye; a browser that is closed waits for none."""

TEXT_FIELDS = frozenset({"body", "text", "label", "caption", "message"})
"""Fields of Streamlit's elements that hold what a visitor reads."""

FABRIC_VERSION = "6.7.1"
"""Of the drawing library that the canvas names in its JSON."""

Stroke = NDArray[Any]
"""Points of shape `(n, 2)`, x and y in the unit square."""


@dataclass(frozen=True)
class Answer:
    """What a visitor got for one message.

    Attributes:
        duration_s: From the message's sending to the end of the script's run.
        texts: What the whole page then shows, in order.
        problems: Exceptions and errors among it.
    """

    duration_s: float
    texts: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Component:
    """A custom component on the page.

    Attributes:
        id: Its widget's id.
        data: What the script handed it.
        fragment_id: The fragment it is in, or "".
    """

    id: str
    data: dict[str, Any]
    fragment_id: str


@dataclass(frozen=True)
class _Shown:
    """An element on the page, and the run and fragment that put it there."""

    element: Element
    fragment_id: str
    run: int


class Visitor:
    """One open page; `visiting` opens it."""

    def __init__(
        self, socket: ClientConnection, address: str, *, page: str, query: str
    ) -> None:
        self._socket = socket
        self._address = address
        self._session_id = ""
        self._page = page
        self._query = query
        self._page_script_hash = ""
        self._widgets: dict[str, WidgetState] = {}
        self._shown: dict[tuple[int, ...], _Shown] = {}
        self._cached: dict[str, ForwardMsg] = {}
        self._run = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """What the page shows, from top to bottom."""
        return tuple(
            text
            for _, shown in sorted(self._shown.items())
            for text in _texts(shown.element)
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """Exceptions and errors that the page shows."""
        return tuple(
            " ".join(_texts(shown.element))
            for _, shown in sorted(self._shown.items())
            if shown.element.WhichOneof("type") == "exception"
            or shown.element.alert.format == Alert.ERROR
        )

    def component(self, key: str) -> Component:
        """Finds a component by its key.

        Raises:
            LookupError: If the page shows none.
        """
        for shown in self._shown.values():
            found = shown.element.bidi_component
            # Streamlit ends a widget's id in its key.
            if found.id.endswith(f"-{key}"):
                data = json.loads(found.json or found.mixed.json or "{}")
                return Component(found.id, data, shown.fragment_id)
        raise LookupError(f"The page shows no component {key!r}: {self.texts}")

    @property
    def buttons(self) -> dict[str, str]:
        """The ids of the page's buttons by their labels."""
        return {
            shown.element.button.label: shown.element.button.id
            for shown in self._shown.values()
            if shown.element.WhichOneof("type") == "button"
        }

    @property
    def inputs(self) -> dict[str, str]:
        """The ids of the page's text inputs by their labels."""
        return {
            shown.element.text_input.label: shown.element.text_input.id
            for shown in self._shown.values()
            if shown.element.WhichOneof("type") == "text_input"
        }

    def type(self, input_id: str, text: str) -> None:
        """Fills a text input, to be sent with the next message."""
        self._widgets[input_id] = WidgetState(id=input_id, string_value=text)

    async def press(self, button_id: str) -> Answer:
        """Presses a button, or claims to: the page need not show it.

        Raises:
            TimeoutError: If the answer takes longer than `TIMEOUT_S`.
            ConnectionError: If the server hangs up.
        """
        self._widgets[button_id] = WidgetState(id=button_id, trigger_value=True)
        try:
            return await self.rerun()
        finally:
            del self._widgets[button_id]

    async def rerun(self, *, fragment_id: str = "") -> Answer:
        """Asks for a run of the script, or of one fragment, and waits for its end.

        Raises:
            TimeoutError: If it takes longer than `TIMEOUT_S`.
            ConnectionError: If the server hangs up.
            websockets.ConnectionClosedError: If the connection breaks.
        """
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_script_hash = self._page_script_hash
        state.page_name = "" if self._page_script_hash else self._page
        state.fragment_id = fragment_id
        state.cached_message_hashes.extend(self._cached)
        state.widget_states.widgets.extend(self._widgets.values())
        content = message.SerializeToString()
        started = time.perf_counter()
        await self._socket.send(content)
        async with asyncio.timeout(TIMEOUT_S):
            await self._receive_run()
        duration_s = time.perf_counter() - started
        return Answer(duration_s, self.texts, self.problems)

    async def send(self, key: str, value: dict[str, Any]) -> Answer:
        """Sets the state of a component, as its front end does, and waits.

        Args:
            key: The component's key.
            value: A value for each name that the front end sets.

        Raises:
            LookupError: If the page shows no such component.
            TimeoutError: If the answer takes longer than `TIMEOUT_S`.
            ConnectionError: If the server hangs up.
            websockets.ConnectionClosedError: If the connection breaks.
        """
        component = self.component(key)
        self._widgets[component.id] = WidgetState(
            id=component.id, json_value=json.dumps(value)
        )
        return await self.rerun(fragment_id=component.fragment_id)

    async def upload(
        self, key: str, content: bytes, *, name: str, wait_s: float = TIMEOUT_S
    ) -> Answer:
        """Uploads a file to the uploader of a key, as the front end does, and waits.

        A file that the server refuses is sent to the page all the same; it has so many
        seconds to take it.

        Raises:
            LookupError: If the page shows no such uploader.
            TimeoutError: If the answer takes longer than `TIMEOUT_S`.
            ConnectionError: If the server hangs up.
            websockets.ConnectionClosedError: If the connection breaks.
        """
        shown = [one.element.file_uploader.id for one in self._shown.values()]
        uploader = next((one for one in shown if one.endswith(f"-{key}")), None)
        if uploader is None:
            raise LookupError(f"The page shows no uploader {key!r}: {self.texts}")
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session_id
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(TIMEOUT_S):
            urls = await self._receive_urls()
        await asyncio.to_thread(
            put, self._address, urls.upload_url, content, name=name, timeout_s=wait_s
        )
        state = WidgetState(id=uploader)
        file = state.file_uploader_state_value.uploaded_file_info.add()
        file.name, file.size, file.file_id = name, len(content), urls.file_id
        file.file_urls.CopyFrom(urls)
        self._widgets[uploader] = state
        return await self.rerun()

    async def _receive_urls(self) -> FileURLs:
        async for content in self._socket:
            message = ForwardMsg.FromString(_as_bytes(content))
            if message.WhichOneof("type") == "file_urls_response":
                urls: FileURLs = message.file_urls_response.file_urls[0]
                return urls
        raise ConnectionError("The server has closed the connection.")

    async def _receive_run(self) -> None:
        """Takes in what a run shows, up to its end."""
        fragments: frozenset[str] = frozenset()
        async for content in self._socket:
            message = ForwardMsg.FromString(_as_bytes(content))
            match message.WhichOneof("type"):
                case "new_session":
                    self._run += 1
                    self._session_id = message.new_session.initialize.session_id
                    self._page_script_hash = message.new_session.page_script_hash
                    fragments = frozenset(message.metadata.run.fragment_ids)
                case "navigation":
                    self._page_script_hash = message.navigation.page_script_hash
                case "ref_hash":
                    known = ForwardMsg.FromString(
                        self._cached[message.ref_hash].SerializeToString()
                    )
                    known.metadata.CopyFrom(message.metadata)
                    self._show(known)
                case "delta":
                    if message.metadata.cacheable:
                        self._cached[message.hash] = message
                    self._show(message)
                case "script_finished":
                    if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        continue
                    self._drop_stale(fragments)
                    return
        raise ConnectionError("The server has closed the connection.")

    def _show(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        if message.delta.WhichOneof("type") != "new_element":
            return
        for other in [p for p in self._shown if p[: len(path)] == path]:
            del self._shown[other]
        self._shown[path] = _Shown(
            message.delta.new_element, message.delta.fragment_id, self._run
        )

    def _drop_stale(self, fragments: frozenset[str]) -> None:
        """Removes what the run that has ended did not show again."""
        self._shown = {
            path: shown
            for path, shown in self._shown.items()
            if shown.run == self._run
            or (fragments and shown.fragment_id not in fragments)
        }


def put(
    address: str, path: str, content: bytes, *, name: str, timeout_s: float = TIMEOUT_S
) -> int:
    """Sends a file, as the page's form does; returns the status of the answer."""
    with urllib.request.urlopen(f"{address}/_stcore/health") as page:
        token = SimpleCookie(page.headers["Set-Cookie"])["_streamlit_xsrf"].value
    boundary = "sketchscope"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f'filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    request = urllib.request.Request(
        f"{address}{path}",
        data=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        method="PUT",
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": f"_streamlit_xsrf={token}",
            "X-Xsrftoken": token,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@asynccontextmanager
async def visiting(
    address: str, path: str, *, query: str = ""
) -> AsyncIterator[tuple[Visitor, Answer]]:
    """Opens a page and leaves it at the end.

    Args:
        address: The server's, such as `http://127.0.0.1:8501`.
        path: The page's, such as `/draw`.
        query: What stands after the question mark.

    Yields:
        The visitor, and what the page showed first.
    """
    async with connect(
        f"{address.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=address,  # type: ignore[arg-type]
        max_size=None,
        open_timeout=TIMEOUT_S,
        close_timeout=FAREWELL_S,
    ) as socket:
        visitor = Visitor(socket, address, page=path.strip("/"), query=query)
        yield visitor, await visitor.rerun()


class Drawing:
    """What a hand has drawn on a canvas of `streamlit-drawable-canvas`."""

    def __init__(self, canvas: Component) -> None:
        self._data = canvas.data
        size = (int(self._data["canvasWidth"]), int(self._data["canvasHeight"]))
        ground = self._data["backgroundColor"] or (0, 0, 0, 0)
        self._image = Image.new("RGBA", size, ground)
        self._objects: list[dict[str, Any]] = []

    def add(self, stroke: Stroke) -> Self:
        """Draws one more stroke with the canvas's pen."""
        points = [(float(x), float(y)) for x, y in stroke * self._image.size]
        width, colour = int(self._data["strokeWidth"]), self._data["strokeColor"]
        pen = ImageDraw.Draw(self._image)
        pen.line(points, fill=colour, width=width, joint="curve")
        (left, top), (right, bottom) = stroke.min(axis=0), stroke.max(axis=0)
        self._objects.append(
            {
                "type": "Path",
                "version": FABRIC_VERSION,
                "originX": "left",
                "originY": "top",
                "left": float(left * self._image.width) - width / 2,
                "top": float(top * self._image.height) - width / 2,
                "width": float((right - left) * self._image.width),
                "height": float((bottom - top) * self._image.height),
                "fill": None,
                "stroke": colour,
                "strokeWidth": width,
                "strokeLineCap": "round",
                "strokeLineJoin": "round",
                "path": [
                    ["M" if number == 0 else "L", *point]
                    for number, point in enumerate(points)
                ],
            }
        )
        return self

    def value(self) -> dict[str, Any]:
        """Returns what the canvas's front end sends: objects, and a PNG if asked."""
        url = None
        if self._data["returnImageData"]:
            png = io.BytesIO()
            self._image.save(png, "PNG", compress_level=1)
            url = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
        background = self._data["backgroundColor"]
        raw = {"version": FABRIC_VERSION, "objects": self._objects}
        return {"drawing": {"raw": {**raw, "background": background}, "data": url}}


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _texts(message: Message) -> Iterator[str]:
    """Yields what of an element is meant to be read."""
    for field, value in message.ListFields():
        if isinstance(value, str):
            if field.name in TEXT_FIELDS and value:
                yield value
        elif isinstance(value, Message):
            yield from _texts(value)
        elif isinstance(value, Sequence) and field.message_type is not None:
            for part in value:
                if isinstance(part, Message):
                    yield from _texts(part)
