"""A thousand runs: how soon their list stands, and how soon a word filters it.

`python -m pytest -rP -n 0 tests/browser/test_many_runs.py` prints the figures.
"""

import shutil
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.benchmark import Wire
from tests.browser.server import faultless_page, serving, wait_until_idle
from tests.synthetic import write_runs

NUM_RUNS = 1000
OPENS_S, FILTERS_S = 2.0, 0.3
SLACK = 2.0
"""Tests run two at a time."""
WORDS = ("made-05", "made-09", "synthetic", "made-01", "made-03")


def write_many(data_dir: Path) -> None:
    """Writes runs that differ in their id."""
    first = write_runs(data_dir, classes=20, sketches=200, runs=1)[0]
    for number in range(1, NUM_RUNS):
        copy = first.with_name(f"made-{number:04d}")
        shutil.copytree(first, copy)
        for name in ("config.json", "metrics.json"):
            text = (copy / name).read_text(encoding="utf-8")
            text = text.replace(first.name, copy.name)
            (copy / name).write_text(text, encoding="utf-8")


def opened_s(page: Page, address: str) -> float:
    """Opens the list; returns after how many seconds it stands."""
    asked = time.perf_counter()
    page.goto(address)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=60_000)
    return time.perf_counter() - asked


def filtered_s(page: Page, wire: Wire, word: str) -> float:
    """Filters the list; returns after how many seconds the answer is there."""
    done, asked = len(wire.finished), time.perf_counter()
    page.get_by_role("searchbox").or_(page.get_by_label("Find runs")).first.fill(word)
    while len(wire.finished) == done:
        page.wait_for_timeout(5)
        assert time.perf_counter() - asked < 60
    return time.perf_counter() - asked


def test_a_thousand_runs_open_and_are_filtered_at_once(
    tmp_path: Path, browser: Browser
) -> None:
    write_many(tmp_path / "data")
    opens: list[float] = []
    with serving(tmp_path / "data") as server:
        # The first visitor's page reads them all.
        for _ in range(4):
            with faultless_page(browser) as page:
                wire = Wire(page)
                opens.append(opened_s(page, f"{server.address}/runs"))
                wait_until_idle(page)
                filters = [filtered_s(page, wire, word) for word in WORDS]
                expect(page.get_by_text("100 of 1,004 runs")).to_be_visible()
    filtered = sorted(filters)[len(filters) // 2]
    first, *later = opens
    print(  # noqa: T201  What `-rP` shows.
        f"{first:.2f} s at first, {min(later):.2f} s later, filtered {filtered:.2f} s"
    )
    assert min(later) < SLACK * OPENS_S
    assert filtered < SLACK * FILTERS_S
