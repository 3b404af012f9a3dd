"""Made up runs are such as an evaluation leaves."""

from pathlib import Path

import numpy as np
import pytest

from core.analysis.metrics import METRICS
from core.runs.evaluation import read_evaluation, softmax
from core.runs.reading import list_runs
from tests.synthetic import main


def test_made_up_runs_are_read_like_others_and_their_figures_are_true(
    data_dir: Path, tmp_path: Path
) -> None:
    main([str(data_dir), "--classes", "20", "--sketches", "600", "--runs", "2"])
    runs = list_runs(data_dir=data_dir, trained_dir=tmp_path / "none")
    assert {run.run_id: (run.state, run.problem) for run in runs} == {
        "synthetic-1": ("finished", ""),
        "synthetic-2": ("finished", ""),
    }
    found = [read_evaluation(run.path) for run in runs]
    assert found[0].ids == found[1].ids
    assert (found[0].y_true == found[1].y_true).all()
    for evaluation in found:
        assert 0.4 < evaluation.metrics["top1"] < 0.95
        probabilities = softmax(evaluation.logits)
        for name in ("loss", "ece"):
            expected = METRICS[name].compute(evaluation.y_true, probabilities)
            assert evaluation.metrics[name] == pytest.approx(expected, abs=2e-3)
        assert np.mean(evaluation.y_pred == evaluation.y_true) == pytest.approx(
            evaluation.metrics["top1"]
        )
