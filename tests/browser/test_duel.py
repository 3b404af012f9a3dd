"""Duel, on a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.datasets.store import Dataset
from tests.browser.server import faultless_page, serving, wait_until_idle
from tests.browser.test_accessibility import AXE, grave_violations
from tests.synthetic import write_runs_on

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 740}


def test_three_sketches_are_named_by_touch_and_by_keys(
    tiny: Dataset, data_dir: Path, browser: Browser
) -> None:
    write_runs_on(tiny, data_dir)
    with (
        serving(data_dir) as server,
        faultless_page(browser, has_touch=True, viewport=PHONE) as page,
    ):
        page.goto(f"{server.address}/draw?mode=Game")
        page.get_by_role("link", name="Beat the network").tap()
        page.get_by_role("button", name="Start").tap()
        choices = page.locator(".st-key-duel_choices button")
        for number in range(1, 4):
            expect(page.get_by_text(f"Drawing {number} of 10")).to_be_visible()
            expect(
                page.get_by_role("img", name="A drawing to be named")
            ).to_be_visible()
            expect(choices).to_have_count(4)
            expect(choices.last).to_be_in_viewport(ratio=1)
            if number < 3:
                choices.nth(number).tap()
            else:
                page.keyboard.press("4")
            following = page.get_by_role("button", name="Next")
            expect(following).to_be_in_viewport(ratio=1)
            for who in ("You", "Simple", "ResNet-18"):
                expect(page.get_by_text(f"{who}: ").first).to_be_visible()
            if number == 1 and AXE.exists():
                wait_until_idle(page)
                # The verdict is spoken once it has stood.
                expect(page.get_by_role("status")).to_contain_text("It is")
                # Streamlit's own menu of a phone is no list to axe.
                found = grave_violations(page)
                assert not [one for one in found if not one.startswith("list")]
            following.tap()
        expect(page.get_by_text("Drawing 4 of 10")).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == PHONE["width"]
