"""The report in a real browser: from a file, offline; and from its button."""

import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from core.paths import TRAINED_DIR
from core.report import make_report
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    faultless_page,
    wait_until_idle,
)

BOTH = [TRAINED_DIR / "resnet18", TRAINED_DIR / "simple"]
CHARTS = 7
"""Of two runs: loss, top-1 and the classes, and two matrices of each."""
MATRICES = 4


def expect_charts(page: Page) -> None:
    """Waits until every chart is drawn, each with what it is to show."""
    charts = page.locator(".chart")
    expect(charts).to_have_count(CHARTS)
    for index in range(CHARTS):
        drawn = charts.nth(index).locator(".main-svg").first
        expect(drawn).to_be_visible(timeout=START_TIMEOUT_MS)
    expect(page.locator(".chart .hm image")).to_have_count(MATRICES)
    expect(page.locator(".chart .scatterlayer .point").first).to_be_attached()


def test_a_report_opens_from_its_file_without_a_network(
    browser: Browser, data_dir: Path, tmp_path: Path
) -> None:
    make_report(BOTH, data_dir=data_dir).write(tmp_path / "report")
    file = (tmp_path / "report" / "report.html").as_uri()
    for options in (
        {},
        {"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"},
    ):
        with faultless_page(
            browser, offline=True, ours=(file, "data:", "blob:"), **options
        ) as page:
            page.goto(file)
            expect_charts(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width == page.viewport_size["width"]  # type: ignore[index]
            # Print is laid out for paper, in the light.
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
            ground = "getComputedStyle(document.body).backgroundColor"
            assert page.evaluate(ground) == "rgb(255, 255, 255)"
            page.evaluate("dispatchEvent(new Event('afterprint'))")
            page.locator(".chart").first.locator(".draglayer .nsewdrag").hover()
            expect(
                page.locator(".hoverlayer .legend, .hovertext").first
            ).to_be_visible()


def test_the_button_gives_the_report_of_the_runs_shown(
    lasting_server: Server, browser: Browser, tmp_path: Path
) -> None:
    with faultless_page(browser, accept_downloads=True, locale="es-ES") as page:
        page.goto(f"{lasting_server.address}/classes?run=simple&beside=simple-report")
        button = page.get_by_role("button", name="Informe")
        expect(button).to_be_visible(timeout=START_TIMEOUT_MS)
        wait_until_idle(page)
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename == "report-simple-simple-report.zip"
        download.value.save_as(tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        archive.extractall(tmp_path)
    file = (tmp_path / "report-simple-simple-report" / "report.html").as_uri()
    with faultless_page(browser, offline=True, ours=(file, "data:", "blob:")) as page:
        page.goto(file)
        expect_charts(page)
        expect(page.get_by_role("heading", level=1)).to_contain_text("simple-report")
        expect(page.locator("html")).to_have_attribute("lang", "es")
