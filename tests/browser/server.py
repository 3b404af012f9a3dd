"""A real dashboard server and a real browser, for tests, pictures and the benchmark."""

import math
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.conftest import PAGES, REPOSITORY, cli_environment
from tests.preloaded import Process, preloaded

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            ("chromium-headless-shell", "chromium", "chromium-browser"),
        ),
    ),
    None,
)
"""The first is the same browser without windows, at three quarters of the work."""
START_TIMEOUT_MS = 120_000
"""A busy machine is no fault of the page: a test fails by what never comes."""

PROBES = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit's own page asks for these below the address of a deep link first, is told
404, and finds them at the root."""

SCREENS = {page.capitalize(): "/" if page == "home" else f"/{page}" for page in PAGES}


SECTIONS = ("Data & training", "Results", "Judge")
"""Of the menu; what is in none of them stands in the menu itself."""


class Server:
    """A dashboard on a data folder, which can be killed and started again.

    Attributes:
        libraries: What its process finds loaded already; nothing where its start or its
            memory is measured.
    """

    libraries: ClassVar[tuple[str, ...]] = ()
    # The ports of servers that have ended. The next has the address of one of them, so
    # that a browser finds the dashboard's scripts in its cache.
    _left: ClassVar[list[int]] = []

    def __init__(
        self, data_dir: Path, *, options: Sequence[str] = (), **variables: str
    ) -> None:
        self._data_dir = data_dir
        self._options = options
        self._variables = variables
        self._port = self._find_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def _find_port(self) -> int:
        left = self._left.pop() if self._left else 0
        with socket.socket() as free:
            # As the server does, whose visitors may have left a moment ago.
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                free.bind(("127.0.0.1", left))
            except OSError:
                # Another program has taken it meanwhile.
                free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
            return port

    def start(self) -> None:
        """Starts it and waits until it listens."""
        words = [
            *("-m", "streamlit", "run", "dashboard.py"),
            *("--server.headless=true", f"--server.port={self._port}"),
            *self._options,
        ]
        env = {**cli_environment(self._data_dir), **self._variables}
        self.process: Process | subprocess.Popen[bytes]
        if self.libraries:
            self.process = preloaded(*self.libraries).start(words, env=env, stderr=2)
        else:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=REPOSITORY,
                env=env,
                stdout=subprocess.DEVNULL,
            )
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                continue
            return
        raise AssertionError("the server ended at once")

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ends it as Ctrl-C does."""
        self.process.terminate()
        self.process.wait()
        self._left.append(self._port)


@contextmanager
def serving(
    data_dir: Path, *, options: Sequence[str] = (), **variables: str
) -> Iterator[Server]:
    """Runs a server for as long as the context lasts.

    Args:
        data_dir: Its data folder.
        options: What else stands on its command line.
        variables: What else its environment holds.
    """
    server = Server(data_dir, options=options, **variables)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Runs Debian's Chromium for as long as the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                # No page stays open long enough for V8's slowest compiler to pay.
                "--js-flags=--no-opt",
            ],
        )
        yield browser
        browser.close()


VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
OURS = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
"""How the addresses begin that a page may ask for."""


@contextmanager
def faultless_page(
    browser: Browser, *, ours: tuple[str, ...] = OURS, **options: Any
) -> Iterator[Page]:
    """A page in a new profile, on which nothing may go wrong or leave this machine."""
    context = browser.new_context(**{"viewport": VIEWPORT, **options})
    try:
        with watched_page(context, ours=ours) as page:
            yield page
    finally:
        context.close()


@contextmanager
def watched_page(
    context: BrowserContext, *, ours: tuple[str, ...] = OURS
) -> Iterator[Page]:
    """A page in a profile, on which nothing may go wrong or leave this machine."""
    context.set_default_timeout(START_TIMEOUT_MS)
    page = context.new_page()
    errors: list[str] = []
    strangers: list[str] = []
    page.on(
        "console",
        lambda message: (
            errors.append(f"{message.text} {message.location['url']}")
            if message.type == "error" and not message.location["url"].endswith(PROBES)
            else None
        ),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(ours) else strangers.append(request.url)
        ),
    )
    try:
        yield page
    finally:
        page.close()
    assert not strangers, f"asked other hosts: {strangers}"
    assert not errors, f"console errors: {errors}"


def wait_until_idle(page: Page) -> None:
    """Waits until the page's script has run and its charts are drawn."""
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"]',
        timeout=START_TIMEOUT_MS,
    )
    page.wait_for_function(
        """() => [...document.querySelectorAll(".chart")].every(
            (chart) => chart.querySelector(".main-svg"))""",
        timeout=START_TIMEOUT_MS,
    )


def wait_until_told(page: Page) -> None:
    """Waits until the canvas has told of each line that the pen has drawn."""
    page.wait_for_function(
        """() => {
            const parts = document.querySelectorAll('[class*="_pen"] *');
            const pens = [...parts].map((part) => (part.shadowRoot ?? part).pen);
            return pens.some((pen) => pen) && pens.every((pen) => !pen?.lines.length);
        }""",
        timeout=START_TIMEOUT_MS,
    )
    # The guesses follow what was told within the same run of the page.
    page.wait_for_timeout(300)
    wait_until_idle(page)


def go_to(page: Page, name: str) -> None:
    """Goes to a screen by the menu, whose section is opened where it is in one."""
    menu = page.get_by_test_id("stTopNav")
    if (link := menu.get_by_role("link", name=name, exact=True)).count():
        link.click()
        return
    item = page.get_by_role("menuitem", name=name, exact=True)
    for section in SECTIONS:
        menu.get_by_role("button", name=section).click()
        expect(page.get_by_role("menu", name=section)).to_be_visible()
        if item.count():
            item.click()
            return
        page.keyboard.press("Escape")
    raise AssertionError(f"the menu has no {name}")


def wait_for_chart(page: Page, number: int = 0) -> Locator:
    """Waits until a chart of the page is drawn, and brings it into view."""
    chart = page.locator(".chart").nth(number)
    expect(chart.locator(".main-svg").first).to_be_attached(timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    # In one step: a page that runs anew may replace the chart between two.
    page.wait_for_function(
        """(number) => {
            const chart = document.querySelectorAll(".chart")[number];
            if (chart?._fullData) chart.scrollIntoViewIfNeeded();
            return chart?._fullData;
        }""",
        arg=number,
    )
    return chart


STEP_PX = 30
"""How far a quick mouse moves between two events."""


def draw_stroke(page: Page, corners: Sequence[tuple[float, float]]) -> None:
    """Draws one stroke on the canvas with the mouse, moved in steps to each corner."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    # Corners are those of a canvas of 360 pixels.
    scale = box["width"] / 360
    points = [(box["x"] + scale * x, box["y"] + scale * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for start, end in pairwise(points):
        page.mouse.move(*end, steps=math.ceil(math.dist(start, end) / STEP_PX) or 1)
    page.mouse.up()


def click_point(page: Page, chart: int, trace: int, number: int) -> None:
    """Clicks a point of a scatter trace of one of the page's charts."""
    place = wait_for_chart(page, chart).evaluate(
        """(chart, [trace, number]) => {
            const { x, y, xaxis, yaxis } = chart._fullData[trace];
            const layout = chart._fullLayout;
            const [across, down] = [xaxis, yaxis].map(
                (name) => layout[name.replace(/^([xy])/, "$1axis")]);
            chart.scrollIntoView({ block: "center" });
            const box = chart.getBoundingClientRect();
            return [
                box.x + across._offset + across.d2p(x[number]),
                box.y + down._offset + down.d2p(y[number]),
            ];
        }""",
        [trace, number],
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
