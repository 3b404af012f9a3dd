"""The Overview, from the dashboard's entry, in every state of the store."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.paths import TRAINED_DIR
from core.runs import CONFIG, HISTORY, runs_dir
from tests.conftest import HISTORY_ROW, REPOSITORY

SHIPPED = sorted(path.parent.name for path in TRAINED_DIR.glob("*/config.json"))


@pytest.fixture
def page(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SKETCHSCOPE_DATA", str(data_dir))
    return AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=30)


def test_the_runs_that_ship_are_shown_on_an_empty_store(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.title[0].value == "SketchScope"
    shown = [card.value for card in page.subheader]
    assert len(shown) == len({name.split("-")[0] for name in SHIPPED})
    if SHIPPED:
        assert set(page.dataframe[0].value["Run"]) == set(SHIPPED)
        assert all(metric.value.endswith("%") for metric in page.metric)
    else:
        assert "dataset add starter" in page.code[0].value


def test_a_damaged_and_a_half_written_run_say_so(page: AppTest, data_dir: Path) -> None:
    damaged, half = (runs_dir(data_dir) / name for name in ("damaged", "half"))
    for path in (damaged, half):
        path.mkdir(parents=True)
    (damaged / CONFIG).write_text("{")
    (half / HISTORY).write_text(HISTORY_ROW + '\n{"epo')
    page.run()
    assert not page.exception
    rows = page.dataframe[0].value.set_index("Run")
    assert rows.loc["damaged", "State"] == "damaged"
    assert "config.json is damaged" in rows.loc["damaged", "Remark"]
    assert "history.jsonl line 2 is damaged" in rows.loc["half", "Remark"]
    assert json.dumps(list(rows.columns))
