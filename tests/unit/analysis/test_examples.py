"""Which sketches stand for a class."""

from pathlib import Path

import numpy as np
import pytest

from core.analysis.examples import example_sketches
from core.paths import TRAINED_DIR
from core.runs.evaluation import Evaluation, read_evaluation


def scored(right: int, wrong: int) -> Evaluation:
    """Sketches of class 0, the right ones first and the surest first of each."""
    n = right + wrong
    guesses = np.array([0] * right + [1] * wrong, dtype=np.int32)
    logits = np.zeros((n, 2), dtype=np.float16)
    logits[np.arange(n), guesses] = np.linspace(4, 2, n)
    return Evaluation(
        metrics={"temperature": 1.0},
        class_names=("cat", "dog"),
        ids=tuple(map(str, range(n))),
        y_true=np.zeros(n, dtype=np.int32),
        y_pred=guesses,
        logits=logits,
        embedding=np.zeros((n, 0), dtype=np.float16),
        map_2d=np.zeros((n, 2), dtype=np.float32),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "shown"),
    [
        (3, 2, [0, 1, 2, 3, 4]),  # All that there are.
        (12, 0, [0, 2, 4, 7, 9, 11]),
        (0, 12, [0, 2, 4, 7, 9, 11]),
        (1, 20, [0, 1, 6, 11, 15, 20]),  # One right one, though a sixth is less.
        (20, 1, [0, 5, 10, 14, 19, 20]),
        (6, 6, [0, 2, 5, 6, 8, 11]),
    ],
)
def test_right_and_wrong_sketches_are_shown_in_their_share(
    right: int, wrong: int, shown: list[int]
) -> None:
    assert example_sketches(scored(right, wrong), 0, limit=6) == shown


def test_a_class_without_sketches_has_no_examples() -> None:
    assert example_sketches(scored(3, 3), 1, limit=6) == []


def test_examples_of_a_run_that_ships_are_its_class_s() -> None:
    evaluation = read_evaluation(Path(TRAINED_DIR) / "resnet18")
    for label in range(len(evaluation.class_names)):
        rows = example_sketches(evaluation, label, limit=6)
        assert 0 < len(rows) <= 6
        assert len(set(rows)) == len(rows)
        assert set(evaluation.y_true[rows]) == {label}
