"""How fast Draw answers: `python -m tests.browser.draw_latency`.

In real Chromium, with a real server on this machine and the mouse: the time from a
cold server's first request to its first guesses, and from the end of each stroke to
changed guesses of both networks on the page, with the networks' own share.
"""

import re
import time

import numpy as np
from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.table import Table

from core.paths import data_dir
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    browsing,
    draw_stroke,
    serving,
    wait_until_idle,
)
from tests.drawings import EVERYDAY

COLD_SERVERS = 3
MEDIAN_LIMIT_MS = 250
P95_LIMIT_MS = 500
COLD_LIMIT_MS = 5000

NETWORK_MS = re.compile(r"took\s+(\d+) ms")

# Guesses are changed once the text of every network's is another than it was when the
# button went up.
WATCH = """() => {
    const texts = () => [...document.querySelectorAll(".guesses")].map(
        (list) => list.innerText);
    window.strokes = [];
    document.addEventListener("mouseup", () => {
        window.strokes.push({ before: texts(), up: performance.now() });
    }, true);
    new MutationObserver(() => {
        const stroke = window.strokes.at(-1);
        if (!stroke || stroke.changed) return;
        const now = texts();
        const networks = Math.max(2, stroke.before.length);
        if (now.length === networks
            && now.every((text, list) => text && text !== stroke.before[list])) {
            stroke.changed = performance.now();
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
LAST_MS = """() => {
    const stroke = window.strokes.at(-1);
    return stroke?.changed ? stroke.changed - stroke.up : null;
}"""


def cold_ms(browser: Browser) -> float:
    """Returns the time from a cold server's first request to its first guesses."""
    with serving(data_dir()) as server:
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(f"{server.address}/draw")
        page.wait_for_selector("canvas.upper-canvas", timeout=START_TIMEOUT_MS)
        draw_stroke(page, EVERYDAY["envelope"][0])
        page.wait_for_selector(".guesses", timeout=START_TIMEOUT_MS)
        taken = time.perf_counter() - started
        page.context.close()
    return 1000 * taken


def stroke_times(page: Page, server: Server) -> tuple[list[float], list[float]]:
    """Draws everyday things and returns each stroke's milliseconds.

    Returns:
        From mouse-up to changed guesses, and the networks' own share. Strokes that
        changed no guess are left out.
    """
    page.goto(f"{server.address}/draw")
    wait_until_idle(page)
    page.evaluate(WATCH)
    times: list[float] = []
    shares: list[float] = []
    for strokes in EVERYDAY.values():
        for stroke in strokes:
            draw_stroke(page, stroke)
            page.wait_for_timeout(900)
            taken = page.evaluate(LAST_MS)
            wait_until_idle(page)
            share = NETWORK_MS.search(page.locator("body").inner_text())
            if taken is not None and share:
                times.append(taken)
                shares.append(float(share.group(1)))
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_selector(".guesses", state="detached")
        wait_until_idle(page)
    return times, shares


def main() -> None:
    """Measures and prints it."""
    table = Table("what", "median", "p95", "slowest", "n", "limit")
    with browsing() as browser:
        colds = [cold_ms(browser) for _ in range(COLD_SERVERS)]
        with serving(data_dir()) as server:
            times, shares = stroke_times(browser.new_page(), server)
    for what, values, limit in (
        ("cold server to first guesses", colds, f"{COLD_LIMIT_MS} ms"),
        (
            "mouse-up to changed guesses",
            times,
            f"{MEDIAN_LIMIT_MS} ms, p95 {P95_LIMIT_MS} ms",
        ),
        ("of which the networks", shares, ""),
    ):
        row = [f"{np.percentile(values, q):.0f} ms" for q in (50, 95, 100)]
        table.add_row(what, *row, str(len(values)), limit)
    Console().print(table)


if __name__ == "__main__":
    main()
