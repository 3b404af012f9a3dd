"""A run's life as its owner sees it: start, zoom, leave, come back, stop, resume."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from core.datasets.store import Dataset
from core.runs.folder import STOP_REQUEST, runs_dir
from core.runs.reading import read_run
from tests.browser.server import (
    START_TIMEOUT_MS,
    faultless_page,
    serving,
    wait_for_chart,
    wait_until_idle,
)
from tests.conftest import hurry

pytestmark = pytest.mark.slow

TRAINING_TIMEOUT_MS = 300_000
EPOCHS = 20


def x_range(page: Page) -> list[float]:
    """Returns what part of the first chart's x axis is shown."""
    return [
        round(end, 3)
        for end in page.locator(".chart").first.evaluate(
            "(chart) => chart._fullLayout.xaxis.range"
        )
    ]


def points(page: Page) -> int:
    """Returns how many points the longest line of the first chart has."""
    return int(
        page.locator(".chart").first.evaluate(
            "(chart) => Math.max(...chart._fullData.map((trace) => trace._length ?? 0))"
        )
    )


@pytest.fixture
def trainings() -> Iterator[list[psutil.Process]]:
    """Those that are to end with the test, however it ends."""
    started: list[psutil.Process] = []
    yield started
    for training in started:
        with suppress(psutil.NoSuchProcess):
            training.kill()


def watch(trainings: list[psutil.Process], run_dir: Path) -> psutil.Process:
    """Finds a run's training, which is not to wait for other tests."""
    trainings.append(psutil.Process(read_run(run_dir).status.pid))
    hurry(trainings[-1].pid)
    return trainings[-1]


def fill(page: Page, label: str, value: str) -> None:
    """Enters a value into a field and waits for the page."""
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    wait_until_idle(page)


def test_a_run_lives_on_without_its_page_and_its_server(
    starter: Dataset,
    data_dir: Path,
    browser: Browser,
    trainings: list[psutil.Process],
) -> None:
    run_dir = runs_dir(data_dir) / "mine"
    with serving(data_dir) as server:
        with faultless_page(browser) as page:
            page.goto(f"{server.address}/train")
            expect(page.get_by_role("button", name="Start")).to_be_visible(
                timeout=START_TIMEOUT_MS
            )
            fill(page, "Epochs", str(EPOCHS))
            fill(page, "Name (optional)", "mine")
            page.get_by_text("All settings").click()
            fill(page, "Image sizes (pixels)", "32")
            command = page.get_by_test_id("stCode").first
            expect(command).to_contain_text(f"--epochs {EPOCHS}")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_text("running", exact=True)).to_be_visible(
                timeout=START_TIMEOUT_MS
            )
            training = watch(trainings, run_dir)
            expect(page.get_by_text(re.compile(r"Epoch \d+ of"))).to_be_visible(
                timeout=TRAINING_TIMEOUT_MS
            )
            page.locator(".chart .main-svg").first.wait_for(timeout=START_TIMEOUT_MS)
            page.wait_for_function(
                """() => document.querySelector(".chart")._fullData
                    ?.some((trace) => trace._length > 1)""",
                timeout=TRAINING_TIMEOUT_MS,
            )
            # It waits wherever a page needs time, so that few epochs suffice.
            training.suspend()
            zoom_in(page)
            zoomed, before = x_range(page), points(page)
            training.resume()
            page.wait_for_function(
                """(before) => Math.max(...document.querySelector(".chart")._fullData
                    .map((trace) => trace._length ?? 0)) > before""",
                arg=before,
                timeout=TRAINING_TIMEOUT_MS,
            )
            training.suspend()
            assert x_range(page) == zoomed
        server.kill()
        assert read_run(run_dir).state == "running"
        server.start()
        with faultless_page(browser) as page:
            page.goto(f"{server.address}/train?run=mine")
            # Not Streamlit's own, which ends a page's work.
            page.locator(".st-key-train_stop button").click(timeout=START_TIMEOUT_MS)
            expect(page.get_by_role("button", name="Stopping")).to_be_visible(
                timeout=START_TIMEOUT_MS
            )
            assert (run_dir / STOP_REQUEST).exists()
            training.resume()
            resume = page.get_by_role("button", name="Resume")
            expect(resume).to_be_visible(timeout=TRAINING_TIMEOUT_MS)
            stopped = read_run(run_dir)
            assert stopped.state == "stopped"
            assert 0 < stopped.status.epoch < EPOCHS
            resume.click()
            expect(page.get_by_text("running", exact=True)).to_be_visible(
                timeout=START_TIMEOUT_MS
            )
            watch(trainings, run_dir)
            expect(page.get_by_text("finished", exact=True)).to_be_visible(
                timeout=TRAINING_TIMEOUT_MS
            )
            expect(page.get_by_text("Test top-1")).to_be_visible()
            finished = read_run(run_dir)
            assert [row["epoch"] for row in finished.history] == list(
                range(1, EPOCHS + 1)
            )
            page.get_by_role("link", name="What it confuses").click()
            expect(
                page.get_by_text(
                    re.compile(r"mine \(Simple, recipe best, starter\) recognises")
                )
            ).to_be_visible(timeout=START_TIMEOUT_MS)


def zoom_in(page: Page) -> None:
    """Drags over the middle of the first chart."""
    box = wait_for_chart(page).locator(".nsewdrag").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=5)
    page.mouse.up()
    page.wait_for_function(
        """() => document.querySelector(".chart")._fullLayout.xaxis.range[0] > 0"""
    )
