"""How fast Draw answers: `python -m tests.browser.draw_latency`.

In real Chromium, with a real server on this machine and the mouse: the time from a
cold server's first request, at Home, to its first guesses; from the end of each stroke
to changed guesses of both networks on the page, with the networks' own share; while a
line of two seconds is drawn, how many verdicts follow it and how old each one is; and
how many of the things that are drawn are guessed.
"""

import re
import time

import numpy as np
from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.table import Table

from core.language import class_word, translations
from core.paths import data_dir
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    browsing,
    draw_stroke,
    serving,
    wait_until_idle,
)
from tests.drawings import EVERYDAY, by_hand

COLD_SERVERS = 3
MEDIAN_LIMIT_MS = 150
P95_LIMIT_MS = 250
COLD_LIMIT_MS = 4000
LINES = 6
LINE_STEPS = 40
LINE_STEP_MS = 50
LEAST_VERDICTS = 6
AGE_LIMIT_MS = 350

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
        page.goto(server.address)
        page.wait_for_selector("canvas.upper-canvas", timeout=START_TIMEOUT_MS)
        draw_stroke(page, EVERYDAY["envelope"][0])
        page.wait_for_selector(".guesses", timeout=START_TIMEOUT_MS)
        taken = time.perf_counter() - started
        page.context.close()
    return 1000 * taken


def stroke_times(
    page: Page, server: Server
) -> tuple[list[float], list[float], dict[str, list[int]]]:
    """Draws everyday things by hand and returns each stroke's milliseconds.

    Returns:
        From mouse-up to changed guesses, and the networks' own share; strokes that
        changed no guess are left out. And the place of each thing's name among the
        five guesses of each network, counted from 1; 6 where it is not there.
    """
    generator = np.random.default_rng()
    page.goto(f"{server.address}/draw")
    wait_until_idle(page)
    page.evaluate(WATCH)
    times: list[float] = []
    shares: list[float] = []
    places: dict[str, list[int]] = {}
    for name, strokes in EVERYDAY.items():
        for stroke in strokes:
            draw_stroke(page, by_hand(stroke, generator))
            page.wait_for_timeout(900)
            taken = page.evaluate(LAST_MS)
            wait_until_idle(page)
            share = NETWORK_MS.search(page.locator("body").inner_text())
            if taken is not None and share:
                times.append(taken)
                shares.append(float(share.group(1)))
        word = class_word(name, translations("en"))
        places[name] = [
            [*guesses.locator(".name").all_inner_texts(), word].index(word) + 1
            for guesses in page.locator(".guesses").all()
        ]
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_selector(".guesses", state="detached")
        wait_until_idle(page)
    return times, shares, places


FOLLOW = """() => {
    performance.clearMarks("pen line");
    window.verdicts = [];
    let last = "";
    new MutationObserver(() => {
        const now = [...document.querySelectorAll(".guesses")]
            .map((list) => list.innerText).join(" ");
        const told = performance.getEntriesByName("pen line").at(-1);
        if (!now || now === last || !told) return;
        last = now;
        window.verdicts.push(performance.now() - told.startTime);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def line_ages(page: Page, server: Server) -> tuple[list[int], list[float]]:
    """Draws lines of two seconds.

    Returns:
        How many verdicts came while each was drawn, and the milliseconds from when the
        line was told until its verdict stood on the page.
    """
    page.goto(f"{server.address}/draw")
    wait_until_idle(page)
    counts: list[int] = []
    ages: list[float] = []
    for number in range(LINES):
        box = page.locator("canvas.upper-canvas").bounding_box()
        assert box is not None
        across = np.linspace(0.15, 0.85, LINE_STEPS)
        down = 0.15 + 0.1 * number + 0.08 * np.sin(np.arange(LINE_STEPS) / 2)
        points = np.stack([across, down], axis=1) * box["width"] + [box["x"], box["y"]]
        page.evaluate(FOLLOW)
        page.mouse.move(*points[0])
        page.mouse.down()
        started = time.perf_counter()
        for step, point in enumerate(points):
            page.mouse.move(*point)
            left = (step + 1) * LINE_STEP_MS / 1000 - (time.perf_counter() - started)
            page.wait_for_timeout(max(1000 * left, 0))
        seen = page.evaluate("window.verdicts")
        page.mouse.up()
        page.wait_for_timeout(900)
        wait_until_idle(page)
        counts.append(len(seen))
        ages += seen
    return counts, ages


def main() -> None:
    """Measures and prints it."""
    table = Table("what", "median", "p95", "slowest", "n", "limit")
    with browsing() as browser:
        colds = [cold_ms(browser) for _ in range(COLD_SERVERS)]
        with serving(data_dir()) as server:
            times, shares, places = stroke_times(browser.new_page(), server)
            counts, ages = line_ages(browser.new_page(), server)
    for what, values, limit in (
        ("cold server to first guesses", colds, f"{COLD_LIMIT_MS} ms"),
        (
            "mouse-up to changed guesses",
            times,
            f"{MEDIAN_LIMIT_MS} ms, p95 {P95_LIMIT_MS} ms",
        ),
        ("of which the networks", shares, ""),
        ("a line told to its verdict", ages, f"{AGE_LIMIT_MS} ms"),
    ):
        row = [f"{np.percentile(values, q):.0f} ms" for q in (50, 95, 100)]
        table.add_row(what, *row, str(len(values)), limit)
    Console().print(table)
    Console().print(
        f"Verdicts while a line of two seconds is drawn: {counts}; at least "
        f"{LEAST_VERDICTS} are asked for."
    )
    for network, of_each in enumerate(zip(*places.values(), strict=True)):
        first, five = (sum(place <= most for place in of_each) for most in (1, 5))
        Console().print(
            f"Network {network + 1}: {first} of {len(of_each)} everyday things first, "
            f"{five} in the first five."
        )


if __name__ == "__main__":
    main()
