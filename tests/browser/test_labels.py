"""From suspect labels to a better network, as its owner does it by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.datasets.decisions import read_decisions
from core.datasets.store import Dataset
from core.datasets.versions import open_any
from core.runs.folder import runs_dir
from core.runs.reading import read_config, read_run
from tests.browser.server import START_TIMEOUT_MS, Server, wait_until_idle
from tests.conftest import Cli, hurry
from tests.suspected import suspect_labels

pytestmark = pytest.mark.slow

TRAINING_TIMEOUT_MS = 300_000
QUICK = ("--epochs=2", "--set=image_sizes=[32]")
DECIDED = ("2", "2", "2", "1", "2", "3", "2", "4", "2", "2")
"""A key a suspect: six wrong labels, then one right, ambiguous and no drawing."""


def decide(page: Page, key: str, *, decided: int) -> None:
    """Presses a key and waits until so many suspects are decided."""
    page.keyboard.press(key)
    expect(page.get_by_text(f"{decided} of 10 suspects are decided")).to_be_visible()
    wait_until_idle(page)


def test_ten_suspects_are_decided_by_keyboard_and_a_version_is_trained_on(
    starter: Dataset, data_dir: Path, cli: Cli, server: Server, page: Page
) -> None:
    ids = suspect_labels(starter, len(DECIDED))
    before = cli("train", "simple", "--dataset=starter", "--run-id=before", *QUICK)
    assert before.code == 0, before.err
    page.goto(f"{server.address}/labels?dataset=starter")
    expect(page.get_by_text("0 of 10 suspects are decided")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    for number, key in enumerate(DECIDED, start=1):
        decide(page, key, decided=number)
    expect(page.get_by_text("All suspects are decided.")).to_be_visible()
    decide(page, "u", decided=9)
    expect(page.get_by_text(ids[-1], exact=True)).to_be_visible()
    decide(page, "3", decided=10)
    standing = read_decisions(starter).standing
    verdicts = {"1": "right", "2": "wrong", "3": "ambiguous", "4": "not_a_drawing"}
    keys = (*DECIDED[:-1], "3")
    assert [standing[one].verdict for one in ids] == [verdicts[key] for key in keys]
    page.get_by_role("button", name="Make a version").click()
    expect(page.get_by_text("starter@v1 has 799 training sketches")).to_be_visible()
    page.get_by_role("button", name="Train on starter@v1").click()
    expect(page.get_by_test_id("stCode").first).to_contain_text(
        "--dataset starter@v1", timeout=START_TIMEOUT_MS
    )
    wait_until_idle(page)
    for label, value in (("Epochs", "2"), ("Name (optional)", "after")):
        field = page.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
        wait_until_idle(page)
    page.get_by_text("All settings").click()
    field = page.get_by_label("Image sizes (pixels)", exact=True)
    field.fill("32")
    field.press("Enter")
    wait_until_idle(page)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("after is on its way.")).to_be_visible(
        timeout=START_TIMEOUT_MS
    )
    run_dir = runs_dir(data_dir) / "after"
    # It is not to wait for other tests.
    hurry(read_run(run_dir).status.pid)
    page.goto(f"{server.address}/train?run=after")
    expect(page.get_by_text("finished", exact=True)).to_be_visible(
        timeout=TRAINING_TIMEOUT_MS
    )
    config = read_config(run_dir)
    version = open_any("starter@v1", data_dir=data_dir)
    assert config.dataset_fingerprint == version.fingerprint
    page.goto(f"{server.address}/compare?run=after&beside=before")
    expect(
        page.get_by_text(re.compile(r"earning from starter@v1 instead of starter"))
    ).to_be_visible(timeout=START_TIMEOUT_MS)
    expect(page.get_by_text("differ in other settings")).to_have_count(0)
