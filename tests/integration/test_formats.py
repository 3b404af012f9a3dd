"""Run folders of earlier releases still open, and those of later ones say so."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.datasets.store import Dataset
from core.errors import RunError
from core.inference.classify import Classifier
from core.runs.evaluation import read_evaluation
from core.runs.folder import CONFIG
from core.runs.reading import read_config, read_run
from tests.conftest import REPOSITORY

FIRST_RELEASE = REPOSITORY / "tests" / "data" / "first_release"
"""What the first release made of two epochs on the drawings of `tiny_pictures`."""


def test_a_run_of_the_first_release_still_opens(tiny: Dataset) -> None:
    run = read_run(FIRST_RELEASE)
    assert run.problem == ""
    assert run.state == "finished"
    assert len(run.history) == 2
    evaluation = read_evaluation(FIRST_RELEASE)
    rows = [tiny.rows[sketch] for sketch in evaluation.ids]
    assert evaluation.y_true.tolist() == tiny.labels[rows].tolist()
    # Its weights answer as they did then.
    logits = Classifier(FIRST_RELEASE).analyse(tiny.images[rows]).logits
    np.testing.assert_allclose(logits, evaluation.logits, atol=5e-3)


def test_a_run_of_a_later_release_says_so(tmp_path: Path) -> None:
    path = tmp_path / "later"
    shutil.copytree(FIRST_RELEASE, path)
    config = json.loads((path / CONFIG).read_text())
    (path / CONFIG).write_text(json.dumps({**config, "format_version": 2, "x": 1}))
    run = read_run(path)
    assert run.state == "damaged"
    assert "has format 2, which a later version wrote" in run.problem
    with pytest.raises(RunError, match="this version reads 1"):
        read_config(path)
