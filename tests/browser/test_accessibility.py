"""axe-core finds nothing serious on any screen, light or dark.

It is an npm package: `npm ci --prefix tests/browser`.
"""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.server import SCREENS, Server, faultless_page, wait_until_idle

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

VIOLATIONS = """async (grave) => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.filter(({ impact }) => grave.includes(impact)).flatMap(
        ({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
            `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}"""


def grave_violations(page: Page) -> Any:
    """What axe-core finds on a page that is serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(VIOLATIONS, GRAVE)


@pytest.mark.skipif(not AXE.exists(), reason="needs npm ci --prefix tests/browser")
def test_axe_finds_nothing_serious(server: Server, browser: Browser) -> None:
    found = {}
    with faultless_page(browser) as page:
        for name, address in SCREENS.items():
            page.emulate_media(color_scheme="light")
            page.goto(server.address + address)
            page.get_by_role("heading", level=1).wait_for()
            wait_until_idle(page)
            for theme in THEMES:
                # An open page follows.
                page.emulate_media(color_scheme=theme)
                expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
                wait_until_idle(page)
                page.wait_for_timeout(500)
                if grave := grave_violations(page):
                    found[name, theme] = grave
    assert not found
