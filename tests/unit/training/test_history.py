"""A history's rows have both metrics of validation or neither."""

import json
from pathlib import Path

import pytest

from core.runs.folder import HISTORY
from core.runs.reading import read_run
from tests.conftest import HISTORY_ROW


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"val_loss": ..., "val_top1": ...}, ""),
        ({"val_top1": ...}, "need each other"),
        ({"val_loss": ...}, "need each other"),
        ({"val_loss": None, "val_top1": None}, "val_loss"),
    ],
)
def test_validation_is_there_whole_or_not_at_all(
    changes: dict[str, object], problem: str, tmp_path: Path
) -> None:
    row = {**json.loads(HISTORY_ROW), **changes}
    row = {name: value for name, value in row.items() if value is not ...}
    (tmp_path / HISTORY).write_text(json.dumps(row))
    run = read_run(tmp_path)
    assert problem in run.problem
    assert len(run.history) == (0 if problem else 1)
