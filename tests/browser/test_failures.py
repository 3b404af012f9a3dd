"""Failures, from the address to what each network saw."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.datasets.sources import add_dataset
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from tests.browser.server import faultless_page, serving, wait_until_idle


@pytest.mark.real
@pytest.mark.slow
def test_a_failure_is_found_by_its_address_and_opened(
    real_zip: Path, data_dir: Path, browser: Browser
) -> None:
    add_dataset(str(real_zip), name="Sketch_EITZ", data_dir=data_dir)
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    is_wrong = evaluation.y_pred != evaluation.y_true
    seagull = evaluation.y_true == evaluation.class_names.index("seagull")
    with serving(data_dir) as server, faultless_page(browser) as page:
        tiles = page.locator(".gallery button")
        page.goto(f"{server.address}/failures")
        expect(tiles).to_have_count(48)
        tiles.last.scroll_into_view_if_needed()
        expect(tiles).to_have_count(96)
        page.goto(f"{server.address}/failures?drawn=seagull")
        expect(tiles).to_have_count(int((is_wrong & seagull).sum()))
        tiles.first.focus()
        page.keyboard.press("ArrowRight")
        expect(tiles.nth(1)).to_be_focused()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"drawn=seagull&sketch=\d+"))
        expect(page.get_by_role("heading", name="seagull, sketch")).to_be_visible()
        for run in ("resnet18", "simple"):
            expect(page.get_by_text(re.compile(f"^{run}: "))).to_be_visible()
        expect(page.get_by_text("Where it looks")).to_be_visible()
        expect(page.get_by_text(re.compile("Nearest to ResNet-18"))).to_be_visible()
        expect(page.get_by_text("Of seagull:")).to_be_visible()
        expect(page.get_by_alt_text("Training sketch of seagull")).to_have_count(5)
        wait_until_idle(page)
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("button", name="Previous")).to_be_enabled()
        page.get_by_role("button", name="All failures").click()
        expect(tiles.first).to_be_visible()
        expect(page).to_have_url(re.compile(r"drawn=seagull$"))
