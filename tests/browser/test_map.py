"""The map, from a lasso drawn with the mouse to the failures of that set."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from core.analysis.sketch_sets import read_set
from core.datasets.sources import add_dataset
from core.language import class_word, translations
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    faultless_page,
    serving,
    wait_for_chart,
)
from tests.browser.test_screens import expect_screen

pytestmark = pytest.mark.slow


SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))

PLACE = """(chart, [x, y]) => {
    const { xaxis, yaxis } = chart._fullLayout;
    const box = chart.getBoundingClientRect();
    return [
        box.x + xaxis._offset + xaxis.d2p(x),
        box.y + yaxis._offset + yaxis.d2p(y),
    ];
}"""


def place(page: Page, point: Any) -> list[float]:
    """Where on the page a point of the map is."""
    point = list(map(float, point))
    found: list[float] = wait_for_chart(page).evaluate(PLACE, point)
    return found


def lasso(page: Page, middle: Any, radius: float) -> None:
    """Draws a square line around a point of the map, in the map's units."""
    corners = [np.asarray(middle) + radius * np.asarray(way) for way in SQUARE]
    page.mouse.move(*place(page, corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*place(page, corner), steps=10)
    page.mouse.up()


def set_in_address(page: Page) -> str:
    expect(page).to_have_url(re.compile(r"[?&]set=[\w-]+"))
    found = re.search(r"[?&]set=([\w-]+)", page.url)
    assert found
    return found[1]


def test_a_lasso_gathers_a_set_whose_failures_are_one_click_away(
    lasting_server: Server, page: Page
) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "simple")
    label = evaluation.class_names.index("seagull")
    middle = np.median(evaluation.map_2d[evaluation.y_true == label], axis=0)
    away = np.abs(evaluation.map_2d - middle).max(axis=1)
    page.goto(f"{lasting_server.address}/map?run=simple")
    expect_screen(page, "Map")
    lasso(page, middle, 6)
    count = page.get_by_role("heading", name=re.compile("sketches? gathered"))
    expect(count).to_be_visible()
    rows = read_set(evaluation, set_in_address(page))
    # Of the line's own pixels it is not for us to say on which side they are.
    assert (
        set(np.flatnonzero(away < 5.7)) <= set(rows) <= set(np.flatnonzero(away < 6.3))
    )
    expect(count).to_have_text(f"{len(rows)} sketches gathered")
    is_wrong = evaluation.y_pred != evaluation.y_true
    page.get_by_role("link", name="See its failures").click()
    expect(page.get_by_role("button", name=f"Set of {len(rows)}")).to_be_visible()
    wrong = int(is_wrong[rows].sum())
    told = f"{wrong} of {len(rows)} test sketches are wrong."
    expect(page.get_by_text(told)).to_be_visible()
    tiles = page.locator(".gallery button")
    expect(tiles).to_have_count(min(wrong, 48))
    names = [
        class_word(evaluation.class_names[label], translations("en"))
        for label in evaluation.y_true[rows]
    ]
    for drawn in page.locator(".gallery .drawn").all_inner_texts():
        assert drawn.rsplit(" ", 1)[0] in names
    # Who is sent the address sees the same; leaving the set leads to all.
    page.reload()
    expect(page.get_by_text(told)).to_be_visible(timeout=START_TIMEOUT_MS)
    page.get_by_role("button", name="Set of").click()
    expect(page.get_by_text("of 4,000 test sketches are wrong")).to_be_visible()
    assert "set=" not in page.url


def test_shift_adds_to_a_set_and_a_line_around_nothing_leaves_it(
    lasting_server: Server, page: Page
) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    far = evaluation.map_2d.max(axis=0), evaluation.map_2d.min(axis=0)
    one = evaluation.map_2d[np.argmin(np.abs(evaluation.map_2d - far[0]).sum(axis=1))]
    other = evaluation.map_2d[np.argmin(np.abs(evaluation.map_2d - far[1]).sum(axis=1))]
    page.goto(f"{lasting_server.address}/map?classes=seagull")
    expect_screen(page, "Map")
    lasso(page, one, 4)
    first = set(read_set(evaluation, set_in_address(page)))
    before = page.url
    page.keyboard.down("Shift")
    lasso(page, other, 4)
    page.keyboard.up("Shift")
    expect(page).not_to_have_url(before)
    both = set(read_set(evaluation, set_in_address(page)))
    assert first < both
    expect(page.get_by_text(f"{len(both)} sketches gathered")).to_be_visible()
    lasso(page, (far[1][0], far[0][1]), 2)
    expect(page.get_by_role("heading", name="Gather sketches")).to_be_visible()
    expect(page).to_have_url(re.compile(r"classes=seagull$"))


def test_a_gathered_sketch_opens_on_the_map_and_closes_again(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/map?run=simple&classes=seagull&show=wrong")
    expect_screen(page, "Map")
    page.get_by_role("button", name="Gather these").click()
    page.locator(".gallery button").first.click()
    expect(page.get_by_role("heading", name="seagull, sketch")).to_be_visible()
    expect(page).to_have_url(re.compile(r"run=simple.*sketch=\d+"))
    page.get_by_role("button", name="Back to the map").click()
    expect(page.get_by_text("sketches gathered")).to_be_visible()
    expect(page.locator(".chart")).to_be_visible()


NAMES = "[...document.querySelectorAll('.chart-names span')].map((s) => s.textContent)"


def test_names_thin_out_where_they_crowd_and_come_as_one_zooms_in(
    lasting_server: Server, page: Page
) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    page.goto(f"{lasting_server.address}/map")
    expect_screen(page, "Map")
    page.wait_for_function(f"() => {NAMES}.length")
    shown = page.evaluate(NAMES)
    assert 20 < len(shown) < 120
    birds = ("seagull", "pigeon", "parrot", "duck", "swan", "owl", "rooster")
    # They crowd, so that some have no name yet.
    hidden = next(bird for bird in birds if bird not in shown)
    is_hidden = evaluation.y_true == evaluation.class_names.index(hidden)
    middle = np.median(evaluation.map_2d[is_hidden], axis=0)
    page.mouse.move(*place(page, middle))
    page.keyboard.down("Control")
    for _ in range(30):
        page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(page.locator(".chart-names span", has_text=hidden)).to_be_visible()
    # Without Ctrl, the wheel moves the page and not the map.
    ranges = "[...document.querySelector('.chart')._fullLayout.xaxis.range]"
    before = page.evaluate(ranges)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => document.querySelector('.chart') !== null")
    assert page.evaluate(ranges) == before


@pytest.mark.real
def test_the_card_below_the_mouse_shows_that_sketch(
    real_zip: Path, data_dir: Path, browser: Browser
) -> None:
    dataset = add_dataset(str(real_zip), name="Sketch_EITZ", data_dir=data_dir)
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    # One with nothing near it, so that the mouse can be on no other.
    some = np.random.default_rng(0).choice(len(evaluation.ids), 500, replace=False)
    distance = np.linalg.norm(
        evaluation.map_2d[some, None] - evaluation.map_2d[None], axis=2
    )
    row = int(some[np.sort(distance, axis=1)[:, 1].argmax()])
    with serving(data_dir) as server, faultless_page(browser) as page:
        page.goto(f"{server.address}/map")
        expect_screen(page, "Map")
        page.wait_for_function("() => globalThis.sketchSheets")
        page.mouse.move(*place(page, evaluation.map_2d[row]))
        card = page.locator(".chart-card")
        expect(card).to_be_visible()
        drawn, guess = evaluation.y_true[row], evaluation.y_pred[row]
        for label in (drawn, guess):
            word = class_word(evaluation.class_names[label], translations("en"))
            expect(card).to_contain_text(word)
        expect(card).to_contain_text(f"{evaluation.confidence[row]:.0%}"[:-1])
        expect(card.locator("span").last).to_have_text(evaluation.ids[row])
        shot = page.evaluate(
            """async () => {
                const style = document.querySelector(".chart-card i").style;
                const image = new Image();
                image.src = style.backgroundImage.slice(5, -2);
                await image.decode();
                const pen = document.createElement("canvas").getContext("2d");
                const [x, y] = style.backgroundPosition
                    .split(" ").map((at) => -parseFloat(at) / 2);
                pen.drawImage(image, x, y, 64, 64, 0, 0, 64, 64);
                return [...pen.getImageData(0, 0, 64, 64).data]
                    .filter((_, number) => number % 4 === 0);
            }"""
        )
    sketch = dataset.images[dataset.rows[evaluation.ids[row]]].astype(float)
    small = sketch.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert np.corrcoef(small.ravel(), shot)[0, 1] > 0.9
