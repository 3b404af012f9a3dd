"""How fast the dashboard is: `python -m tests.browser.benchmark`.

In real Chromium, with a real server on this machine, on the data folder that
`SKETCHSCOPE_DATA` names. For each screen the first paint in a new browser profile,
until its heading stands and until its charts are drawn, and the time from a changed
widget to the end of the page's run; and the bytes of the full confusion matrix.
"""

import time
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Browser, Page, WebSocket, expect
from rich.console import Console
from rich.table import Table
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.paths import data_dir
from tests.browser.server import (
    SCREENS,
    START_TIMEOUT_MS,
    Server,
    browsing,
    serving,
    wait_until_idle,
)

PAINTS = 5
CHANGES = 20
LIMIT_MS = 300
LIMIT_BYTES = 200_000


class Wire:
    """What went over a page's websocket, and when."""

    def __init__(self, page: Page) -> None:
        self.asked: list[float] = []
        self.finished: list[float] = []
        self.chart_bytes: list[int] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda _: self.asked.append(time.perf_counter()))
        socket.on("framereceived", self._receive)

    def _receive(self, frame: str | bytes) -> None:
        message = ForwardMsg()
        message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
        if message.WhichOneof("type") == "script_finished":
            self.finished.append(time.perf_counter())
        component = message.delta.new_element.bidi_component
        if component.component_name == "chart":
            self.chart_bytes.append(len(frame))


def _press(page: Page, name: str, *, role: str = "radio") -> None:
    button = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    button.first.click()


def _toggle(page: Page, label: str) -> None:
    page.get_by_test_id("stCheckbox").filter(has_text=label).locator("label").click()


def _enter_class(page: Page, number: int) -> None:
    field = page.get_by_role("combobox", name="Class")
    field.fill(("seagull", "cat", "bush", "scorpion")[number % 4])
    field.press("Enter")


def _rerun(page: Page, _number: int) -> None:
    page.keyboard.press("r")


CHANGE: dict[str, tuple[str, str, Callable[[Page, int], None]]] = {
    "Home": ("/", "the page run again", _rerun),
    "Dataset": ("/dataset", "the page run again", _rerun),
    "Train": (
        "/train",
        "the page run again",
        _rerun,
    ),
    "Curves": ("/curves", "Training too", lambda p, _: _toggle(p, "Training too")),
    "Confusion": (
        "/confusion?view=Full+matrix",
        "Hide the diagonal",
        lambda page, _: _toggle(page, "Hide the diagonal"),
    ),
    "Classes": ("/classes?class=cat", "another class", _enter_class),
}


def first_paint_ms(browser: Browser, server: Server, name: str) -> tuple[float, float]:
    """Returns when a screen's heading stood, and when all was drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    heading = "SketchScope" if name == "Home" else name
    started = time.perf_counter()
    page.goto(server.address + SCREENS[name])
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    stood = time.perf_counter()
    wait_until_idle(page)
    drawn = time.perf_counter()
    context.close()
    return 1000 * (stood - started), 1000 * (drawn - started)


def change_ms(browser: Browser, server: Server, name: str) -> list[float]:
    """Returns how long each of some changes of a widget took."""
    address, _, change = CHANGE[name]
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    wire = Wire(page)
    page.goto(server.address + address)
    wait_until_idle(page)
    times = []
    for number in range(CHANGES + 1):
        page.wait_for_timeout(300)
        asked, finished = len(wire.asked), len(wire.finished)
        change(page, number)
        while len(wire.finished) == finished:
            page.wait_for_timeout(5)
        times.append(1000 * (wire.finished[finished] - wire.asked[asked]))
    page.context.close()
    # The first may fill a cache.
    return times[1:]


def matrix_bytes(browser: Browser, server: Server) -> int:
    """Returns the bytes sent for the full matrix, the greater of its two forms."""
    page = browser.new_page()
    wire = Wire(page)
    for unit in ("Count", "%25+of+drawn"):
        page.goto(f"{server.address}/confusion?view=Full+matrix&unit={unit}")
        wait_until_idle(page)
    page.context.close()
    return max(wire.chart_bytes)


def main() -> None:
    """Measures everything and prints it."""
    console = Console()
    table = Table(
        "screen", "heading", "all drawn", "change", "median", "p95", "slowest"
    )
    with browsing() as browser:
        for name in SCREENS:
            with serving(data_dir()) as server:
                cold = first_paint_ms(browser, server, name)
                warm = np.median(
                    [first_paint_ms(browser, server, name) for _ in range(PAINTS)],
                    axis=0,
                )
                row = [name]
                row += [
                    f"{w:.0f} ms ({c:.0f} cold)"
                    for w, c in zip(warm, cold, strict=True)
                ]
                if name in CHANGE:
                    times = change_ms(browser, server, name)
                    row += [
                        CHANGE[name][1],
                        f"{np.median(times):.0f} ms",
                        f"{np.percentile(times, 95):.0f} ms",
                        f"{max(times):.0f} ms",
                    ]
                table.add_row(*row)
        with serving(data_dir()) as server:
            size = matrix_bytes(browser, server)
    console.print(table)
    console.print(f"Full matrix: {size:,} bytes (at most {LIMIT_BYTES:,} wanted)")
    console.print(
        f"Medians of {PAINTS} paints in new profiles; cold: the server's first. "
        f"{CHANGES} changes a screen; at most {LIMIT_MS} ms wanted."
    )


if __name__ == "__main__":
    main()
