"""Trust, from a sentence to the sketches behind it."""

import re

from playwright.sync_api import Page, expect

from core.analysis.coverage import answers_from
from core.analysis.robustness import read_robustness
from core.analysis.suspects import find_suspects, opinion
from core.analysis.trust import measure_trust
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from tests.browser.server import START_TIMEOUT_MS, Server, click_point, wait_until_idle


def test_a_threshold_is_clicked_and_its_mistakes_are_one_click_away(
    lasting_server: Server, page: Page
) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    found = measure_trust(evaluation)
    page.goto(f"{lasting_server.address}/trust?least=60")
    expect(page.get_by_text("at least 60\N{NO-BREAK SPACE}% sure")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    # Coverage, before, after, classes.
    expect(page.locator(".chart .main-svg:first-child")).to_have_count(4)
    click_point(page, 0, 3, 200)
    expect(page).to_have_url(re.compile(r"least=\d+"))
    expect(page.get_by_text("at least 60\N{NO-BREAK SPACE}% sure")).to_have_count(0)
    wait_until_idle(page)
    asked = re.search(r"least=(\d+)", page.url)
    assert asked is not None
    now = answers_from(found.coverage, int(asked[1]) / 100)
    # Half of the points, half of the sketches.
    assert 0.48 < now.share < 0.55
    # The first is the class of which the run claims least in proportion to the truth.
    low = min(found.classes, key=lambda one: (one.gap, one.class_name))
    click_point(page, 3, 0, 0)
    expect(page.get_by_text(f"When resnet18 says {low.class_name}")).to_be_visible()
    expect(page).to_have_url(re.compile(f"class={low.class_name}"))
    link = page.get_by_role("link", name=f"All of {low.class_name}")
    expect(link).to_have_attribute("href", re.compile("classes.*class="))
    mistakes = now.n - now.right
    page.get_by_text(f"{mistakes} mistakes of resnet18 where it is so sure").click()
    expect(page.get_by_text(f"{mistakes} of them are shown")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )


def test_a_suspect_is_opened_and_the_next_one_after_it(
    lasting_server: Server, page: Page
) -> None:
    evaluations = [read_evaluation(TRAINED_DIR / run) for run in ("resnet18", "simple")]
    found = find_suspects(evaluations, [opinion(one) for one in evaluations])
    page.goto(f"{lasting_server.address}/trust?view=suspects")
    told = f"{len(found.rows)} of 4,000 test sketches are suspect"
    expect(page.get_by_text(told)).to_be_visible(timeout=START_TIMEOUT_MS)
    page.locator(".gallery button").first.click()
    first = evaluations[0].ids[found.rows[0]]
    expect(page).to_have_url(re.compile(f"sketch={first}"))
    heading = page.get_by_role("heading", name=f"sketch {first}")
    expect(heading).to_be_visible()
    wait_until_idle(page)
    page.get_by_role("button", name="Next").click()
    second = evaluations[0].ids[found.rows[1]]
    expect(page).to_have_url(re.compile(f"sketch={second}"))
    page.get_by_role("button", name="All suspects").click()
    expect(page.locator(".gallery button")).to_have_count(48)


def test_both_networks_are_shown_on_changed_sketches(
    lasting_server: Server, page: Page
) -> None:
    broken = read_robustness(TRAINED_DIR / "simple").kinds["turned"].broken
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{lasting_server.address}/trust?view=robustness&lang=es&broken=simple")
    expect(page.get_by_text("Lo primero que falla")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    # A chart for each kind of change, both networks in each.
    expect(page.locator(".chart .main-svg:first-child")).to_have_count(10)
    expect(page.locator(".chart .errorbar").first).to_be_attached()
    assert (
        page.evaluate("document.querySelectorAll('.chart .legend .traces').length")
        == 20
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".gallery button").first.click()
    expect(page).to_have_url(re.compile(f"sketch={broken[0]}"))
    page.get_by_role("button", name="Todos los que fallan").click()
    expect(page.get_by_text("Lo primero que falla")).to_be_visible()
