"""Strangers who send a real server all that it takes, beside a visitor who is timed.

`python -m tests.faults.strangers` lets each kind do so for two minutes. A kind holds if
95 % of the visitor's answers come within `MAX_ANSWER_S`, while it lasts and when it is
over, and the server never has more than `MAX_BYTES`.
"""

import argparse
import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from core.sketches.images import MAX_VISITOR_PIXELS
from tests.browser.load import CANVAS
from tests.browser.server import serving
from tests.browser.visitors import FAREWELL_S, visiting
from tests.processes import apart, peak_bytes

MAX_ANSWER_S = 2.0
MAX_BYTES = 1.5e9
PAUSE_S = 0.2
"""Between two of the visitor's messages."""
MESSAGE_BYTES = 19_000_000

Stranger = Callable[[str, Generator], Awaitable[None]]
"""Does something costly once, or a thousand times, at a server's address."""


def _open(address: str) -> connect:
    # From one address, as a proxy tells it.
    return connect(
        f"{address.replace('http', 'ws', 1)}/_stcore/stream",
        origin=address,  # type: ignore[arg-type]
        additional_headers={"X-Forwarded-For": "203.0.113.9"},
        max_size=None,
        close_timeout=FAREWELL_S,
    )


def _message(widget: WidgetState) -> bytes:
    message = BackMsg()
    message.rerun_script.page_name = "draw"
    message.rerun_script.widget_states.widgets.append(widget)
    return bytes(message.SerializeToString())


async def _send(socket: ClientConnection, content: bytes, pause_s: float) -> None:
    for _ in range(1000):
        await socket.send(content)
        await asyncio.sleep(pause_s)


async def flood(address: str, generator: Generator, *, pause_s: float) -> None:
    """Sends a thousand messages."""
    pressed = WidgetState(id="nothing", trigger_value=bool(generator.integers(2)))
    async with _open(address) as socket:
        await _send(socket, _message(pressed), pause_s)


async def send_large(address: str, generator: Generator) -> None:
    """Sends messages of 19 MB: a widget's state, some bytes, or what is none."""
    size = MESSAGE_BYTES
    contents = (
        _message(WidgetState(id="large", json_value="[" * size)),
        _message(WidgetState(id="$$ID-0-draw_canvas", string_value="a" * size)),
        generator.bytes(size),
    )
    async with _open(address) as socket:
        await _send(socket, contents[generator.integers(len(contents))], PAUSE_S)


PATIENCE_S = 5.0
"""With an upload that the server lets wait; then it is hung up on, and begun anew."""


async def upload(address: str, generator: Generator) -> None:
    """Uploads a picture of as many pixels, or as many bytes, as are taken."""
    side = int((MAX_VISITOR_PIXELS * generator.uniform(0.5, 1.0)) ** 0.5)
    mode = str(generator.choice(["L", "RGBA", "1", "P"]))
    stream = io.BytesIO()
    Image.new("L", (side, side), 255).convert(mode).save(stream, "PNG")
    content = stream.getvalue()
    if generator.integers(2):
        content += bytes(MESSAGE_BYTES - len(content))
    async with visiting(address, "/draw") as (visitor, _):
        await visitor.upload("draw_upload", content, name="it.png", wait_s=PATIENCE_S)
        await visitor.rerun()


async def draw(address: str, generator: Generator) -> None:
    """Draws what no canvas has room for, again and again."""
    async with visiting(address, "/draw") as (visitor, _):
        for _number in range(20):
            num_paths = int(generator.choice([1, 10, 100, 1000]))
            points = generator.uniform(-1e4, 1e4, (num_paths, 4000 // num_paths, 2))
            paths = [
                {
                    "type": "path",
                    "path": [["M" if n == 0 else "L", *p] for n, p in enumerate(path)],
                    "stroke": str(generator.choice(["#000", "#ffffff"])),
                    "strokeWidth": float(generator.choice([1, 40, 1e4])),
                    "left": 0,
                    "top": 0,
                }
                for path in points.tolist()
            ]
            await visitor.send(
                CANVAS, {"drawing": {"raw": {"objects": paths}, "data": None}}
            )


KINDS: dict[str, tuple[int, Stranger]] = {
    "one connection": (1, partial(flood, pause_s=0)),
    "20 connections": (20, partial(flood, pause_s=0)),
    "50 connections": (50, partial(flood, pause_s=PAUSE_S)),
    "large messages": (4, send_large),
    "pictures": (6, upload),
    "drawings": (10, draw),
}
"""How many at once, and what each does."""


@dataclass(frozen=True)
class Held:
    """What came of one kind.

    Attributes:
        answers: How many the visitor got.
        within_s: What 95 % of them came within.
        slowest_s: The slowest.
        peak_bytes: The most memory that the server has had.
        problems: Exceptions and errors that the visitor saw.
    """

    answers: int
    within_s: float
    slowest_s: float
    peak_bytes: int
    problems: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether the visitor noticed nothing, and the server had memory enough."""
        return (
            self.answers > 3
            and self.within_s < MAX_ANSWER_S
            and self.peak_bytes < MAX_BYTES
            and not self.problems
        )


async def _repeat(
    stranger: Stranger, address: str, generator: Generator, ends_at: float
) -> None:
    while time.monotonic() < ends_at:
        with suppress(WebSocketException, OSError, LookupError):
            async with asyncio.timeout(ends_at - time.monotonic()):
                await stranger(address, generator)
        # As the shipped proxy has it: two pages a second from one address.
        await asyncio.sleep(0.5)


async def _meet(
    kind: str, address: str, seconds: float
) -> tuple[list[float], set[str]]:
    number, stranger = KINDS[kind]
    durations_s: list[float] = []
    problems = set[str]()
    async with visiting(address, "/draw") as (visitor, _):
        ends_at = time.monotonic() + seconds
        strangers = [
            asyncio.create_task(
                _repeat(stranger, address, np.random.default_rng(seed), ends_at)
            )
            for seed in range(number)
        ]
        while not all(one.done() for one in strangers):
            answer = await visitor.rerun()
            durations_s.append(answer.duration_s)
            problems.update(answer.problems)
            await asyncio.sleep(PAUSE_S)
        # And when they have left.
        durations_s.append((await visitor.rerun()).duration_s)
        await asyncio.gather(*strangers, return_exceptions=True)
    return durations_s, problems


def meet(kind: str, *, seconds: float, data_dir: Path) -> Held:
    """Lets strangers of a kind do what they do at a server of its own."""
    with serving(data_dir) as server:
        durations_s, problems = apart(
            lambda: asyncio.run(_meet(kind, server.address, seconds))
        )
        peak = peak_bytes(server.process.pid)
        # It would wait for the uploads that it still keeps waiting.
        server.kill()
    return Held(
        answers=len(durations_s),
        within_s=float(np.quantile(durations_s, 0.95)),
        slowest_s=max(durations_s),
        peak_bytes=peak,
        problems=tuple(problems),
    )


def main() -> None:
    """Prints a line for each kind; ends with 1 if any did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    arguments = parser.parse_args()
    failed = False
    for kind in arguments.kinds:
        with tempfile.TemporaryDirectory(prefix="sketchscope-strangers-") as root:
            held = meet(kind, seconds=arguments.seconds, data_dir=Path(root))
        failed = failed or not held.is_good
        sys.stdout.write(
            f"{kind:15} {held.answers:5} answers, 95 % within {held.within_s:5.2f} s, "
            f"slowest {held.slowest_s:5.2f} s, at most {held.peak_bytes / 1e6:5.0f} MB"
            f"{'' if held.is_good else '  FAILED'}\n"
        )
        for problem in held.problems:
            sys.stdout.write(f"  {problem!r}\n")
        sys.stdout.flush()
    sys.exit(failed)


if __name__ == "__main__":
    main()
