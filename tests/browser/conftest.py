"""One browser for all browser tests, and a server for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.server import (
    CHROMIUM,
    START_TIMEOUT_MS,
    VIEWPORT,
    Server,
    browsing,
    serving,
    watched_page,
)

expect.set_options(timeout=START_TIMEOUT_MS)

Server.libraries = (
    *("streamlit.web.cli", "streamlit.web.bootstrap", "streamlit.web.server"),
    *("pandas", "plotly.graph_objects", "scipy.stats", "scipy.cluster.hierarchy"),
    *("core.training.work", "core.datasets.drawings"),
)
"""So that some sixty servers start in no time. Whether pages load what they should, and
nothing more, is tested in `tests/rules`."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium-headless-shell")
    with browsing() as launched:
        yield launched


@pytest.fixture
def server(data_dir: Path) -> Iterator[Server]:
    """A fresh server on an empty data folder."""
    with serving(data_dir) as started:
        yield started


@pytest.fixture(scope="session")
def lasting_server(
    tiny_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on the tiny dataset, for all tests that only look."""
    data_dir = tmp_path_factory.mktemp("lasting") / "data"
    shutil.copytree(tiny_files, data_dir)
    with serving(data_dir) as started:
        yield started


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A profile whose cache saves each page from loading the dashboard's scripts."""
    context = browser.new_context(viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may go wrong or leave this machine."""
    profile.clear_cookies()
    with watched_page(profile) as opened:
        yield opened
        if opened.url.startswith("http"):
            opened.evaluate("localStorage.clear()")
