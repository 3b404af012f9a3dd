"""Figures of each test sketch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from core.runs.evaluation import CHUNK, Evaluation


def make_evaluation(
    n: int, classes: int, *, seed: int, temperature: float = 1.0, levels: int = 0
) -> Evaluation:
    """An evaluation of random logits; few `levels` make many of them equal."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=3, size=(n, classes)).astype(np.float16)
    if levels:
        logits = generator.integers(levels, size=(n, classes)).astype(np.float16)
    return Evaluation(
        metrics={"temperature": temperature, "n": n},
        class_names=tuple(f"class {label}" for label in range(classes)),
        ids=tuple(map(str, range(n))),
        y_true=generator.integers(classes, size=n).astype(np.int32),
        y_pred=logits.astype(np.float32).argmax(axis=1).astype(np.int32),
        logits=logits,
        embedding=np.zeros((n, 2), np.float16),
        map_2d=np.zeros((n, 2), np.float32),
    )


evaluations = st.builds(
    make_evaluation,
    st.integers(1, 40),
    st.integers(2, 12),
    seed=st.integers(0, 2**31),
    temperature=st.floats(0.2, 5),
    levels=st.sampled_from((0, 1, 2, 3)),
)


@given(evaluations)
def test_figures_of_sketches_are_scipy_s(evaluation: Evaluation) -> None:
    scaled = evaluation.logits.astype(np.float64) / evaluation.metrics["temperature"]
    expected = softmax(scaled, axis=1)
    rows = np.arange(len(evaluation.ids))
    guess, true = evaluation.y_pred, evaluation.y_true
    np.testing.assert_allclose(evaluation.confidence, expected[rows, guess], rtol=1e-4)
    np.testing.assert_allclose(
        evaluation.true_probability, expected[rows, true], rtol=1e-4, atol=1e-12
    )
    np.testing.assert_allclose(
        evaluation.loss, -log_softmax(scaled, axis=1)[rows, true], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(evaluation.probabilities, expected, atol=1e-5)
    two = np.sort(expected, axis=1)[:, -2:]
    np.testing.assert_allclose(evaluation.margin, two[:, 1] - two[:, 0], atol=1e-5)


@given(evaluations, st.integers(1, 12))
def test_guesses_are_in_order_and_begin_with_the_prediction(
    evaluation: Evaluation, k: int
) -> None:
    rows = np.arange(len(evaluation.ids))[::-1]
    labels, probabilities = evaluation.guesses(rows, k=k)
    order = -evaluation.logits.astype(np.float64)
    np.put_along_axis(order, evaluation.y_pred[:, None], -np.inf, axis=1)
    expected = np.argsort(order, axis=1, kind="stable")[rows, :k]
    assert (labels == expected).all()
    assert (labels[:, 0] == evaluation.y_pred[rows]).all()
    every = evaluation.probabilities[rows]
    np.testing.assert_allclose(
        probabilities, np.take_along_axis(every, labels, axis=1), atol=1e-6
    )


@given(evaluations)
def test_the_true_class_ranks_first_exactly_where_it_was_predicted(
    evaluation: Evaluation,
) -> None:
    is_right = evaluation.y_pred == evaluation.y_true
    assert ((evaluation.true_rank == 1) == is_right).all()
    # Nothing is among the first k that `guesses` does not name there.
    first = evaluation.guesses(np.arange(len(evaluation.ids)), k=3)[0]
    is_named = (first == evaluation.y_true[:, None]).any(axis=1)
    assert is_named[evaluation.true_rank <= 3].all()


@pytest.mark.parametrize("n", [CHUNK - 1, CHUNK, 2 * CHUNK + 1])
def test_parts_make_the_same_whole(n: int) -> None:
    evaluation = make_evaluation(n, 5, seed=n)
    rows = np.arange(n)
    expected = evaluation.probabilities
    np.testing.assert_allclose(
        evaluation.confidence, expected[rows, evaluation.y_pred], rtol=1e-5
    )
    first = evaluation.guesses(np.arange(len(evaluation.ids)), k=5)[0]
    assert (first[:, 0] == evaluation.y_pred).all()
    assert (np.sort(first, axis=1) == np.arange(5)).all()
