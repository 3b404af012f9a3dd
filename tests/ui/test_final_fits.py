"""Pages show a run that held nothing out as they show any other."""

import json
from pathlib import Path

import pytest

from core.runs.folder import CONFIG, METRICS_FILE
from core.runs.reading import read_config, read_metrics, read_run, write_history
from tests.synthetic import write_runs
from tests.ui.conftest import Open, words


@pytest.fixture
def final(data_dir: Path) -> str:
    """A run that went on with all training sketches after its third epoch."""
    validated, run_dir = write_runs(data_dir, classes=12, sketches=240, runs=2)
    config = read_config(run_dir)
    settings = config.settings.model_copy(update={"val_fraction": 0.0})
    config = config.model_copy(update={"settings": settings})
    (run_dir / CONFIG).write_text(config.model_dump_json())
    rows = [dict(row) for row in read_run(run_dir).history]
    for row in rows[3:]:
        del row["val_loss"], row["val_top1"]
    write_history(run_dir, rows)
    metrics = {**read_metrics(run_dir), "temperature_from": validated.name}
    (run_dir / METRICS_FILE).write_text(json.dumps(metrics))
    return run_dir.name


@pytest.mark.parametrize(
    "page", ["home", "runs", "train", "curves", "classes", "compare", "trust"]
)
def test_a_page_shows_a_run_without_validation(
    page: str, final: str, open_page: Open
) -> None:
    query = {"runs": final} if page == "curves" else {"run": final}
    app = open_page(page, **query)
    assert not app.exception
    assert not app.error


def test_what_a_final_fit_has_no_metrics_for_is_said(
    final: str, open_page: Open
) -> None:
    said = words(open_page("curves", runs=final)).replace("\\", "")
    assert "what counts is its last epoch, 5 so far" in said
    said = words(open_page("trust", run=final)).replace("\\", "")
    assert "which it has from synthetic-1" in said
