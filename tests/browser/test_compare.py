"""Compare and Families, from the address to a sketch and a family."""

import csv
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.analysis.comparison import compare, find_sketches
from core.analysis.families import cut, find_similarity
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from tests.browser.server import START_TIMEOUT_MS, Server, click_point, wait_until_idle

pytestmark = pytest.mark.slow


def test_two_runs_are_compared_by_their_address_and_a_broken_sketch_is_opened(
    lasting_server: Server, page: Page
) -> None:
    run, other = (read_evaluation(TRAINED_DIR / n) for n in ("resnet18", "simple"))
    found = compare(run, other)
    page.goto(
        f"{lasting_server.address}/compare?run=resnet18&beside=simple&show=broken"
    )
    tiles = page.locator(".gallery button")
    expect(tiles).to_have_count(48, timeout=START_TIMEOUT_MS)
    expect(page.get_by_text("resnet18 is better than simple by")).to_be_visible()
    expect(page.get_by_text(f"Newly broken ({found.paired.broken})")).to_be_visible()
    wait_until_idle(page)
    # The first point is the class that gained most, or one of them.
    most = max(one.paired.change for one in found.classes)
    best = {one.class_name for one in found.classes if one.paired.change == most}
    click_point(page, 0, 0, 0)
    expect(page).to_have_url(re.compile("class="))
    [opened] = parse_qs(urlsplit(page.url).query)["class"]
    assert opened in best
    expect(page.get_by_text(f"{opened}: resnet18 recognises")).to_be_visible()
    broken_of = Counter(run.y_true[find_sketches(run, other, "broken")].tolist())
    [(label, count)] = broken_of.most_common(1)
    name = run.class_names[label]
    rows = find_sketches(run, other, "broken", label=label)
    assert len(rows) == count > 1
    page.goto(f"{lasting_server.address}/compare?show=broken&class={name}")
    expect(tiles).to_have_count(len(rows), timeout=START_TIMEOUT_MS)
    tiles.first.click()
    expect(page).to_have_url(re.compile(f"sketch={run.ids[rows[0]]}"))
    heading = f"{name}, sketch {run.ids[rows[0]]}"
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    for run_id in ("resnet18", "simple"):
        expect(page.get_by_text(re.compile(f"^{run_id}: "))).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Previous")).to_be_enabled()
    page.get_by_role("button", name="All sketches").click()
    expect(tiles).to_have_count(len(rows))
    page.get_by_text("As a table", exact=True).click()
    # A button that the page is just making anew gives nothing, and opened tiles have
    # the page run twice more, a tenth of a second apart.
    page.wait_for_timeout(500)
    wait_until_idle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="All test sketches as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == len(run.ids)
    outcomes = [line["Outcome"] for line in lines]
    assert outcomes.count("broken") == found.paired.broken


def test_families_are_drawn_as_a_tree_beside_the_matrix_and_open_by_a_click(
    lasting_server: Server, page: Page
) -> None:
    finder = find_similarity(read_evaluation(TRAINED_DIR / "simple"))
    family = cut(finder.tree, 40)
    page.goto(f"{lasting_server.address}/families?families=40")
    chart = page.locator(".chart").first
    expect(chart.locator(".heatmaplayer image")).to_have_count(
        1, timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    # The tree in two colours, and the frames of the families of more than one class.
    framed = sum(1 for number in range(40) if (family == number).sum() > 1)
    shapes = chart.locator(".shapelayer path")
    expect(shapes).to_have_count(2 + framed)
    tree = shapes.first.bounding_box()
    matrix = chart.locator(".heatmaplayer image").bounding_box()
    assert tree is not None
    assert matrix is not None
    assert tree["height"] > 0.9 * matrix["height"]
    assert tree["x"] + tree["width"] <= matrix["x"] + 2
    # A leaf opens its family. It is two pixels wide; here its neighbours are, too.
    sizes = np.bincount(family)
    mine = int(sizes.argmax())
    places = np.flatnonzero(family[finder.tree.order] == mine)
    click_point(page, 0, 1, int(places[len(places) // 2]))
    words = f"Family {mine + 1} has {sizes[mine]} classes"
    expect(page.get_by_text(words)).to_be_visible()
    expect(page).to_have_url(re.compile("families=40&class="))
