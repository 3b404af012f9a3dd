"""Opens pages as a fresh session does, without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import reads
from tests.conftest import REPOSITORY

Open = Callable[..., AppTest]


@pytest.fixture
def open_page(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page at an address, as a fresh session does."""
    monkeypatch.setenv("SKETCHSCOPE_DATA", str(data_dir))

    def run(page: str, **query: str | list[str]) -> AppTest:
        reads.look_again()
        app = AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=600)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "home":
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, app.exception
        return app

    return run


def words(app: AppTest) -> str:
    """Everything that a page says outside of tables and charts."""
    parts = (app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join(str(element.value) for part in parts for element in part)
