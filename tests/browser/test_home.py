"""The way in: from Home to a first guess, to the worst classes, to a run."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.datasets.store import Dataset
from core.runs.create import create_run
from core.training.work import train_run_dir
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    draw_stroke,
    go_to,
    wait_until_idle,
    wait_until_told,
)
from tests.drawings import EVERYDAY

pytestmark = pytest.mark.slow

SCROLLED = """() => document.querySelector('[data-testid="stMain"]').scrollTop"""
TO_END = """() => {
    const main = document.querySelector('[data-testid="stMain"]');
    main.scrollTo(0, main.scrollHeight);
}"""


@pytest.fixture
def trained(tiny: Dataset, data_dir: Path) -> str:
    """The id of a run on a dataset that is here."""
    run_dir = create_run(
        "simple",
        "tiny",
        "best",
        data_dir=data_dir,
        run_id="trained",
        overrides={"epochs": 1, "batch_size": 16, "image_sizes": [32]},
    )
    train_run_dir(run_dir, data_dir=data_dir)
    return run_dir.name


def test_the_first_stroke_on_home_gets_its_guess(
    lasting_server: Server, page: Page
) -> None:
    page.goto(lasting_server.address)
    page.wait_for_selector("canvas.upper-canvas", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    tried = page.locator(".small-sketches").first.get_by_role("img")
    expect(tried).to_have_count(6)
    draw_stroke(page, EVERYDAY["envelope"][0])
    expect(page.locator(".guesses")).to_have_count(2, timeout=START_TIMEOUT_MS)
    # A hand takes longer from the canvas to the menu than the canvas to tell of it.
    wait_until_told(page)
    go_to(page, "Draw")
    expect(page.get_by_role("heading", name="Draw", exact=True)).to_be_visible()
    expect(page.locator(".guesses")).to_have_count(2, timeout=START_TIMEOUT_MS)


def test_the_worst_classes_are_in_view_and_a_whole_row_opens(
    trained: str, server: Server, page: Page
) -> None:
    page.goto(server.address)
    page.get_by_role("link", name="Best and worst classes").click()
    expect(page.get_by_role("heading", name="Classes", exact=True)).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    page.goto(f"{server.address}/classes?run={trained}")
    rows = page.locator(".strips button")
    expect(rows.first).to_be_visible(timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    # Each row has four test sketches, each marked.
    expect(rows.first.locator(".cell")).to_have_count(4)
    assert set("".join(rows.first.locator(".mark").all_inner_texts())) <= {"✓", "✗"}
    name = rows.last.locator(".name").inner_text()
    page.evaluate(TO_END)
    box = rows.last.bounding_box()
    assert box is not None
    rows.last.click(position={"x": box["width"] - 3, "y": box["height"] / 2})
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"class={name}"))
    wait_until_idle(page)
    assert page.evaluate(SCROLLED) == 0
    page.get_by_role("button", name="All classes").click()
    expect(rows.first).to_be_visible()
    page.goto(f"{server.address}/classes?run={trained}&class=key")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="spider", exact=True)).to_be_visible()
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_role("heading", name="key", exact=True)).to_be_visible()


def test_a_row_of_the_runs_opens_its_run(lasting_server: Server, page: Page) -> None:
    page.goto(f"{lasting_server.address}/runs")
    table = page.get_by_test_id("stDataFrame").locator(".dvn-scroller")
    expect(table).to_be_visible(timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    table.click(position={"x": 350, "y": 50})
    expect(page.get_by_role("heading", name="resnet18", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("run=resnet18"))
    page.get_by_role("button", name="All runs", exact=True).click()
    expect(table).to_be_visible()
    expect(page).not_to_have_url(re.compile("run="))


def test_a_page_that_is_opened_begins_at_its_top(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/classes")
    expect(page.locator(".strips button").first).to_be_visible(timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    page.evaluate(TO_END)
    assert page.evaluate(SCROLLED) > 0
    go_to(page, "Confusion")
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible()
    wait_until_idle(page)
    assert page.evaluate(SCROLLED) == 0
