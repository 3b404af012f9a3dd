"""How the dashboard bears many classes and sketches: `python -m tests.browser.views`.

In real Chromium, with a real server on the data folder that is named, such as one that
`python -m tests.synthetic` has made: for each view the time until it stands in a new
browser profile, the first time and again; the time from a press on the menu, in a
browser that has seen the view before; how long a changed filter takes; and the most
memory that the server has ever held.

    python -m tests.browser.views FOLDER [VIEW …]
"""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, expect
from rich.console import Console
from rich.table import Table

from tests.browser.benchmark import Wire
from tests.browser.server import (
    SCREENS,
    START_TIMEOUT_MS,
    Server,
    browsing,
    go_to,
    serving,
    wait_until_idle,
)
from tests.processes import peak_bytes

WIDE: ViewportSize = {"width": 1280, "height": 800}
PAINTS = 3
CHANGES = 8
LIMIT_MS = 5000
LIMIT_MB = 2048

PICTURES_LOADED = """() => [...document.images].every(
    (image) => image.loading === "lazy" || image.complete)"""

VIEWS = {
    **{name: path for name, path in SCREENS.items() if path != "/draw"},
    "Full matrix": "/confusion?view=Full+matrix",
    "Failures of both": "/failures?which=both&sort=surprise",
    "Suspects": "/trust?view=suspects",
}
"""Draw has nothing to do with evaluations."""

WITHOUT_CHART = {
    *("Home", "Runs", "Dataset", "Sweeps"),
    *("Failures", "Failures of both", "Suspects"),
}


def _press(page: Page, *names: str) -> Callable[[int], None]:
    def press(number: int) -> None:
        # A count may stand behind it.
        name = re.compile(rf"^{names[number % len(names)]}( \(.*\))?$")
        page.get_by_role("radio", name=name).first.click()

    return press


CHANGED = {
    "Failures": ("Right class second", "All"),
    "Map": ("Only wrong", "All sketches"),
    "Compare": ("Newly broken", "Fixed"),
    "Suspects": ("Probability of its label", "Margin"),
    "Trust": ("of equally many sketches", "of equal width"),
}
"""Segments to press in turn."""


def open_view(browser: Browser, server: Server, name: str) -> float:
    """Returns after how many milliseconds a view stood."""
    page = browser.new_context(viewport=WIDE).new_page()
    started = time.perf_counter()
    page.goto(server.address + VIEWS[name])
    expect(page.get_by_role("heading").first).to_be_visible(timeout=START_TIMEOUT_MS)
    _wait_until_drawn(page, name)
    duration = 1000 * (time.perf_counter() - started)
    assert not page.get_by_test_id("stException").count(), name
    page.context.close()
    return duration


def switch_views(browser: Browser, server: Server, name: str) -> list[float]:
    """Returns how many milliseconds each of some changes to a view took.

    From the press on the menu until the page's script has run, its charts are drawn
    and its first pictures are loaded.
    """
    page = browser.new_context(viewport=WIDE).new_page()
    wire = Wire(page)
    page.goto(server.address + VIEWS["Dataset"])
    wait_until_idle(page)
    times = []
    for _ in range(PAINTS + 1):
        for screen in (name, "Dataset"):
            page.wait_for_timeout(500)
            finished = len(wire.finished)
            started = time.perf_counter()
            go_to(page, screen)
            _wait_for_end(page, wire, finished)
            _wait_until_drawn(page, screen)
            if screen == name:
                times.append(1000 * (time.perf_counter() - started))
    page.context.close()
    # The first loads what a browser keeps.
    return times[1:]


def _wait_until_drawn(page: Page, name: str) -> None:
    """Waits until a view's script has run and all that it shows first is drawn."""
    if name not in WITHOUT_CHART:
        page.wait_for_selector(".chart .main-svg", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    page.wait_for_function(PICTURES_LOADED)


def _wait_for_end(page: Page, wire: Wire, finished: int) -> None:
    """Waits until a script has run since there were so many that had."""
    patience = time.perf_counter() + START_TIMEOUT_MS / 1000
    while len(wire.finished) == finished:
        if time.perf_counter() > patience:
            raise TimeoutError("The server has not answered; it may have died.")
        page.wait_for_timeout(5)


def change_filter(browser: Browser, server: Server, name: str) -> list[float]:
    """Returns how many milliseconds each of some changes of a filter took."""
    page = browser.new_context(viewport=WIDE).new_page()
    wire = Wire(page)
    page.goto(server.address + VIEWS[name])
    wait_until_idle(page)
    press = _press(page, *CHANGED[name])
    times = []
    for number in range(CHANGES + 2):
        page.wait_for_timeout(300)
        asked, finished = len(wire.asked), len(wire.finished)
        press(number)
        _wait_for_end(page, wire, finished)
        times.append(1000 * (wire.finished[finished] - wire.asked[asked]))
    page.context.close()
    # The first two may fill a cache.
    return times[2:]


def measure(data_dir: Path, names: list[str]) -> Table:
    """Opens views of a data folder, all on one server, and tells what they took.

    Each view's line goes to the standard error output as soon as it is there.
    """
    table = Table(
        "view", "first", "again", "from the menu", "changed filter", "server's peak"
    )
    told = Console(stderr=True)
    with serving(data_dir) as server, browsing() as browser:
        # What every first page of a server costs is no view's own.
        open_view(browser, server, "Dataset")
        for name in names:
            first = open_view(browser, server, name)
            again = np.median([open_view(browser, server, name) for _ in range(PAINTS)])
            menu = changed = ""
            if name in SCREENS and name != "Dataset":
                menu = f"{np.median(switch_views(browser, server, name)):.0f} ms"
            if name in CHANGED:
                changed = f"{np.median(change_filter(browser, server, name)):.0f} ms"
            line = (
                name,
                f"{first:.0f} ms",
                f"{again:.0f} ms",
                menu,
                changed,
                f"{peak_bytes(server.process.pid) / 2**20:.0f} MB",
            )
            told.print(*line, sep=" | ")
            table.add_row(*line)
    return table


def main() -> None:
    """Measures what the command line asks for and prints it."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.browser.views FOLDER [VIEW …]")
    console = Console()
    console.print(measure(Path(sys.argv[1]), sys.argv[2:] or list(VIEWS)))
    console.print(
        f"At most {LIMIT_MS:,} ms a view and {LIMIT_MB:,} MB are wanted for 1,000 "
        f"classes, 100,000 sketches and two runs. Medians of {PAINTS} openings in new "
        f"profiles or from the menu and of {CHANGES} changes."
    )


if __name__ == "__main__":
    main()
