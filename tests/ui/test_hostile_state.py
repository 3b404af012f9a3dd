"""What a browser says is chosen need not be there."""

import json
import shutil
from pathlib import Path

import pytest

from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.folder import METRICS_FILE
from pages.shared import tables


@pytest.mark.parametrize("line", [-1, 2, 10**9])
def test_a_line_that_a_shorter_table_lacks_is_not_chosen(
    line: int,
) -> None:
    class Selected:
        class selection:
            cells = ((line, "Class"),)

    assert tables.chosen_line(Selected, 2) is None
    assert (tables.chosen_line(Selected, line + 1) == line) == (line >= 0)


@pytest.mark.parametrize("temperature", [5e-324, 1e-40, 1e308])
def test_a_temperature_that_no_logit_can_be_divided_by_is_damage(
    temperature: float, tmp_path: Path
) -> None:
    path = tmp_path / "runs" / "struck"
    shutil.copytree(TRAINED_DIR / "simple-report", path)
    metrics = json.loads((path / METRICS_FILE).read_text())
    metrics["temperature"] = temperature
    (path / METRICS_FILE).write_text(json.dumps(metrics))
    with pytest.raises(RunError, match="damaged"):
        read_evaluation(path)
