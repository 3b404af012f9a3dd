"""Every screen in a real browser, cold by its address on a fresh server."""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.datasets.store import Dataset
from core.runs.create import create_run
from core.runs.folder import runs_dir
from core.runs.status import Status, current_process
from tests.browser.server import (
    SCREENS,
    SECTIONS,
    START_TIMEOUT_MS,
    Server,
    faultless_page,
    go_to,
    serving,
    wait_for_chart,
    wait_until_idle,
)
from tests.conftest import pretend, shipped_confusion

pytestmark = pytest.mark.slow


def expect_screen(page: Page, name: str) -> None:
    """Expects a whole screen: all told in words, and nothing that went wrong."""
    heading = "SketchScope" if name == "Home" else name
    title = "SketchScope" if name == "Home" else f"{name} · SketchScope"
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    expect(page).to_have_title(title)
    menu = page.get_by_test_id("stTopNav")
    for entry in ("Home", "Draw"):
        expect(menu.get_by_role("link", name=entry, exact=True)).to_be_visible()
    for section in SECTIONS:
        expect(menu.get_by_role("button", name=section)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    expect_words(page)


WITHOUT_WORDS = """() => [
    ...[...document.querySelectorAll("main img")].filter((image) => !image.alt),
    ...[...document.querySelectorAll(".chart")].filter(
        (chart) => (chart.getAttribute("aria-label") ?? "").length < 20),
].map((element) => element.outerHTML.slice(0, 200))"""


def expect_words(page: Page) -> None:
    """Expects that each chart and image of a page is told in words."""
    # A chart has its words as soon as its script runs, after its frame is there.
    for _ in range(100):
        wait_until_idle(page)
        without = page.evaluate(WITHOUT_WORDS)
        if not without:
            break
        page.wait_for_timeout(500)
    assert not without


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_opens_cold_by_its_address(
    name: str, server: Server, page: Page
) -> None:
    page.goto(server.address + SCREENS[name])
    expect_screen(page, name)


def test_the_menu_leads_to_every_screen(lasting_server: Server, page: Page) -> None:
    page.goto(lasting_server.address)
    expect_screen(page, "Home")
    for name in list(SCREENS)[1:]:
        go_to(page, name)
        expect_screen(page, name)


@pytest.mark.parametrize("name", SCREENS)
def test_a_narrow_dark_window_shows_a_screen(
    name: str, lasting_server: Server, page: Page
) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto(lasting_server.address + SCREENS[name])
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", "dark")
    heading = "SketchScope" if name == "Home" else name
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    is_wider_than_the_window = page.evaluate(
        "() => document.scrollingElement.scrollWidth > innerWidth"
    )
    assert not is_wider_than_the_window


def test_a_class_opens_by_its_address(lasting_server: Server, page: Page) -> None:
    page.goto(f"{lasting_server.address}/classes?class=seagull")
    expect_screen(page, "Classes")
    expect(page.get_by_role("heading", name="seagull", exact=True)).to_be_visible()
    expect(page.get_by_text("test sketches recognised").first).to_be_visible()


def test_a_wrong_address_falls_back_to_what_there_is(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/confusion?run=../../etc&drawn=nothing&view=x")
    expect_screen(page, "Confusion")
    page.goto(f"{lasting_server.address}/classes?run=<script>&class=%2e%2e&beside=")
    expect_screen(page, "Classes")


def click_cell(page: Page, row: str, column: str) -> None:
    """Clicks the middle of a cell of the matrix on the page."""
    place = wait_for_chart(page).evaluate(
        """(chart, [row, column]) => {
            const { xaxis, yaxis } = chart._fullLayout;
            const box = chart.getBoundingClientRect();
            return [
                box.x + xaxis._offset + xaxis.d2p(column),
                box.y + yaxis._offset + yaxis.d2p(row),
            ];
        }""",
        [row, column],
    )
    page.mouse.move(*place)
    page.mouse.click(*place)


def test_a_click_in_the_full_matrix_shows_that_pair_s_sketches(
    lasting_server: Server, page: Page
) -> None:
    count, n = shipped_confusion("barn", "house")
    sentence = f"{count} of {n} sketches of barn taken for house"
    page.goto(
        f"{lasting_server.address}/confusion?run=resnet18&view=Full+matrix&find=barn"
    )
    expect_screen(page, "Confusion")
    click_cell(page, "barn", "house")
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page).to_have_url(re.compile(r"drawn=barn.*guess=house"))
    # Without the dataset, their numbers; one click leads to the pictures.
    expect(page.get_by_text("is not installed").first).to_be_visible()
    page.reload()
    expect(page.get_by_text(sentence)).to_be_visible(timeout=START_TIMEOUT_MS)


def test_the_gallery_shows_the_sketches_of_a_class(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/dataset?class=spider&split=test")
    expect_screen(page, "Dataset")
    expect(page.get_by_text("4 test sketches of spider")).to_be_visible()
    expect(page.get_by_role("img", name="of spider")).to_have_count(4)


CONTROLS = """() => {
    const all = document.querySelectorAll(
        ":is(main, header) :is(button, a[href]), main :is(input, textarea)");
    const shown = [...all].filter((control) => {
        const box = control.getBoundingClientRect();
        const style = getComputedStyle(control);
        return box.width > 1 && box.height > 1 && !control.disabled
            && style.visibility !== "hidden" && !control.closest("[inert]")
            && !control.closest('[data-testid="stElementToolbar"]')
            && !control.closest('[data-testid="stCode"]')
            && !control.closest(".modebar");
    });
    // Arrow keys move within a group; Tab reaches one of it.
    const places = new Map();
    for (const control of shown) {
        const group = control.closest('[role="radiogroup"]');
        const spinner = control.closest('[data-testid="stNumberInput"]');
        const chooser = control.closest(
            '[data-testid="stSelectbox"], [data-testid="stMultiSelect"]');
        places.set(group ?? spinner ?? chooser ?? control, control);
    }
    window.places = [...places.keys()];
    window.reached ??= new Set();
    return window.places.length;
}"""

REACHED = """() => {
    const now = document.activeElement;
    window.places.forEach((place) => {
        if (place === now || place.contains(now)) window.reached.add(place);
    });
    return window.places
        .filter((place) => !window.reached.has(place))
        .map((place) => place.outerHTML.slice(0, 200));
}"""


def most_presses(page: Page) -> int:
    """Returns how often Tab may be pressed until it has been everywhere."""
    # A component's own buttons lie in its shadow, where the script doesn't look.
    inner = page.locator(".strips button").count()
    return 10 * int(page.evaluate(CONTROLS)) + inner


@pytest.mark.parametrize("name", SCREENS)
def test_a_keyboard_reaches_every_control(
    name: str, lasting_server: Server, page: Page
) -> None:
    page.goto(lasting_server.address + SCREENS[name])
    expect_screen(page, name)
    assert page.evaluate(CONTROLS) >= 2 + len(SECTIONS)
    page.mouse.click(640, 100)
    pressed = 0
    # A slow page goes on growing: what there is to reach is counted at each press.
    while pressed < most_presses(page) and page.evaluate(REACHED):
        page.keyboard.press("Tab")
        pressed += 1
    assert page.evaluate(REACHED) == []


@pytest.mark.parametrize(
    "address",
    ["/confusion?view=Full+matrix", "/classes?class=cat", "/dataset?class=key"],
)
def test_charts_and_images_that_are_asked_for_are_told_in_words(
    address: str, lasting_server: Server, page: Page
) -> None:
    page.goto(lasting_server.address + address)
    expect_words(page)


@pytest.mark.parametrize("screen", ["curves?runs=simple&runs=new", "train?run=new"])
def test_a_run_without_an_epoch_leaves_the_charts_whole(
    screen: str, tiny: Dataset, data_dir: Path, server: Server, page: Page
) -> None:
    run_dir = create_run(
        "simple",
        "tiny",
        "best",
        data_dir=data_dir,
        run_id="new",
        overrides={"batch_size": 16},
    )
    status = Status("running", "training", **current_process(), epochs=15, step=7)
    pretend(run_dir, replace(status, steps_per_epoch=9, loss=1.0, top1=0.5))
    page.goto(f"{server.address}/{screen}")
    wait_until_idle(page)
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    expect(page.locator(".chart .scatterlayer .trace").first).to_be_visible()


def test_a_second_click_in_the_same_place_removes_no_other_run(
    tiny: Dataset, data_dir: Path, server: Server, page: Page
) -> None:
    for name in ("one", "two", "three"):
        create_run("simple", "tiny", "best", data_dir=data_dir, run_id=name)
    page.goto(f"{server.address}/train?run=two")
    opener = page.get_by_role("button", name="Remove", exact=True)
    opener.click(timeout=START_TIMEOUT_MS)
    remove = page.get_by_role("button", name="Remove two")
    box = remove.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    expect(page.get_by_text("two is in the trash")).to_be_visible()
    for _ in range(3):
        page.mouse.click(x, y)
        wait_until_idle(page)
    assert {path.name for path in runs_dir(data_dir).iterdir()} == {"one", "three"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("is in the trash")).to_have_count(0)
    wait_until_idle(page)
    assert (runs_dir(data_dir) / "two").is_dir()


# Plotly takes a wheel's zoom over 50 ms after it is seen.
ZOOMED = """(zoomed) => {
    const { autorange, range: [low, high] } =
        document.querySelector(".chart")._fullLayout.xaxis;
    return (!autorange && Math.abs(high - low) < 240) === zoomed;
}"""


def test_a_double_click_takes_the_zoom_back_and_opens_no_cell(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/confusion?run=resnet18&view=Full+matrix")
    expect_screen(page, "Confusion")
    box = wait_for_chart(page).locator(".nsewdrag").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    # Without Ctrl, a wheel scrolls the page.
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(ZOOMED, arg=True)
    page.mouse.dblclick(x, y)
    page.wait_for_function(ZOOMED, arg=False)
    page.wait_for_timeout(1000)
    wait_until_idle(page)
    assert "drawn=" not in page.url


def test_an_uploaded_zip_becomes_a_dataset(
    tiny_pictures: Path, tmp_path: Path, server: Server, page: Page
) -> None:
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", tiny_pictures)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(Path(archive).read_bytes()[:2000])
    page.goto(f"{server.address}/dataset")
    expect_screen(page, "Dataset")
    page.get_by_role("tab", name="Upload").click()
    panel = page.get_by_role("tabpanel", name="Upload")
    chooser = panel.locator('input[type="file"]')
    chooser.set_input_files(broken)
    expect(panel.get_by_text("broken.zip")).to_be_visible()
    panel.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("broken.zip is")).to_be_visible(timeout=START_TIMEOUT_MS)
    panel.get_by_role("button", name="Remove broken.zip").click()
    chooser.set_input_files(archive)
    expect(panel.get_by_text("mine.zip")).to_be_visible()
    panel.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("training sketches of house")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    expect(page.get_by_role("img", name="of house")).to_have_count(16)


@pytest.mark.parametrize(
    ("address", "button", "lines"),
    [
        ("/confusion?run=simple", "Matrix as CSV", 251),
        ("/classes", "Classes as CSV", 251),
        ("/families", "Classes and families as CSV", 251),
        ("/curves?runs=simple", "Metrics as CSV", 23),
    ],
)
def test_numbers_come_as_csv(
    address: str, button: str, lines: int, lasting_server: Server, page: Page
) -> None:
    page.goto(lasting_server.address + address)
    wait_until_idle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == lines
    assert len({len(row) for row in rows}) == 1


SLOW_SCRIPTS = """(() => {
    const { Blob } = globalThis;
    globalThis.Blob = function (parts, options) {
        const wait = "await new Promise((done) => setTimeout(done, 1500));";
        return new Blob(
            options?.type === "text/javascript" ? [wait, ...parts] : parts, options);
    };
})()"""
"""Components' own scripts, which Streamlit makes blobs of, load as late as they do on a
busy machine."""


def test_charts_and_galleries_work_where_the_theme_changes_as_they_load(
    lasting_server: Server, browser: Browser
) -> None:
    with faultless_page(browser, color_scheme="light") as page:
        page.add_init_script(SLOW_SCRIPTS)
        page.goto(
            f"{lasting_server.address}/compare?run=resnet18&beside=simple&show=broken"
        )
        for part in (".chart", ".gallery-root"):
            page.locator(part).first.wait_for(state="attached")
        page.emulate_media(color_scheme="dark")
        tiles = page.locator(".gallery button")
        expect(tiles).to_have_count(48)
        # Streamlit has cleaned up after each component's first call by now.
        page.wait_for_timeout(500)
        expect(page.locator(".chart .main-svg").first).to_be_attached(timeout=20_000)
        tiles.last.scroll_into_view_if_needed()
        expect(tiles).not_to_have_count(48, timeout=20_000)


def test_charts_have_their_library_once_and_below_a_folder_too(
    browser: Browser, data_dir: Path
) -> None:
    with (
        serving(data_dir, options=["--server.baseUrlPath=sketches"]) as server,
        faultless_page(browser) as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.address}/sketches/runs")
        wait_until_idle(page)
        assert not any("plotly" in address for address in asked)
        go_to(page, "Classes")
        wait_for_chart(page)
        go_to(page, "Confusion")
        wait_for_chart(page)
        assert sum("plotly" in address for address in asked) == 1
