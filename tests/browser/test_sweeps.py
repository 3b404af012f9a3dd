"""A sweep's screen in a real browser: a click opens a trial, a button keeps it."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.sweeps.analysis import best_trial
from core.sweeps.record import SweepRecord, read_record, sweep_dir
from tests.browser.server import Server, click_point, wait_for_chart, wait_until_idle
from tests.swept import NAME

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ui sweeps")]


@pytest.fixture
def record(swept: Path) -> SweepRecord:
    found = read_record(sweep_dir(NAME, data_dir=swept))
    assert found is not None
    return found


def test_a_line_opens_its_trial_and_the_best_is_kept(
    record: SweepRecord, server: Server, page: Page, data_dir: Path
) -> None:
    best = best_trial(record)
    assert best is not None
    page.goto(f"{server.address}/sweeps")
    wait_until_idle(page)
    expect(page.get_by_role("heading", name=best.run_id)).to_be_visible()
    lines = page.locator(".chart").first
    expect(lines).to_have_attribute("aria-label", re.compile("2 trials as lines"))
    texts = json.loads(
        wait_for_chart(page).evaluate(
            "chart => JSON.stringify(chart._fullData.map(t => [...t.customdata]))"
        )
    )
    trace, number = next(
        (trace, number)
        for trace, points in enumerate(texts)
        for number, text in enumerate(points)
        if best.run_id not in text
    )
    other = texts[trace][number].partition("<br>")[0]
    click_point(page, 0, trace, number)
    expect(page.get_by_role("heading", name=other)).to_be_visible()
    expect(page).to_have_url(re.compile(f"trial={other}"))
    page.get_by_label("Keep it as the run").fill("mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("Kept as mine.")).to_be_visible()
    assert read_run(runs_dir(data_dir) / "mine").state == "finished"
    page.get_by_role("link", name="Its classes").click()
    expect(page).to_have_url(re.compile(f"classes.*run={other}"))
    wait_until_idle(page)


def test_a_trial_that_begins_appears_by_itself(
    record: SweepRecord, server: Server, page: Page, data_dir: Path
) -> None:
    page.goto(f"{server.address}/sweeps")
    expect(page.get_by_text("2 of 3 trials are finished")).to_be_visible()
    wait_until_idle(page)
    left = record.trials[-1]
    done = runs_dir(data_dir) / record.trials[0].run_id
    # What a worker elsewhere writes.
    config = json.loads((done / "config.json").read_text())
    made = runs_dir(data_dir) / ".made"
    made.mkdir()
    for path in done.iterdir():
        if path.is_file():
            (made / path.name).write_bytes(path.read_bytes())
    (made / "config.json").write_text(json.dumps({**config, "run_id": left.run_id}))
    made.rename(runs_dir(data_dir) / left.run_id)
    expect(page.get_by_text("3 of 3 trials are finished")).to_be_visible()
    lines = page.locator(".chart").first
    expect(lines).to_have_attribute("aria-label", re.compile("3 trials as lines"))
