"""Suspect labels, against the paper's definition and its authors' library."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.rank import get_label_quality_scores
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.suspects import (
    NOTHING,
    SuspectOrder,
    find_suspects,
    opinion,
    suspect_pairs,
    thresholds,
)
from core.errors import RunError
from core.runs.evaluation import Evaluation
from tests.unit.runs.test_evaluation import evaluations, make_evaluation

all_labelled = st.builds(
    lambda evaluation: replace(
        evaluation,
        # Each class has a sketch, which cleanlab asks for.
        y_true=np.concatenate(
            [
                np.arange(len(evaluation.class_names)),
                evaluation.y_true[len(evaluation.class_names) :],
            ]
        ).astype(np.int32)[: len(evaluation.ids)],
    ),
    st.builds(
        make_evaluation,
        st.integers(12, 60),
        st.integers(2, 12),
        seed=st.integers(0, 2**31),
        temperature=st.floats(0.3, 4),
    ),
)


def exact(evaluation: Evaluation) -> np.ndarray:
    """All probabilities, in double precision."""
    scaled = evaluation.logits.astype(float) / evaluation.metrics["temperature"]
    scaled -= scaled.max(axis=1, keepdims=True)
    return np.asarray(np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True))


@given(evaluations)
def test_the_confident_class_is_the_paper_s(evaluation: Evaluation) -> None:
    probabilities = exact(evaluation)
    found = opinion(evaluation)
    least = {
        label: np.mean(
            [
                probabilities[row, label]
                for row in range(len(evaluation.ids))
                if evaluation.y_true[row] == label
            ]
        )
        for label in set(evaluation.y_true.tolist())
    }
    for row, own in enumerate(probabilities):
        close = [abs(own[label] - limit) < 1e-6 for label, limit in least.items()]
        reached = [label for label, limit in least.items() if own[label] >= limit]
        if any(close):
            continue  # The last bit decides.
        likeliest = max((own[label] for label in reached), default=None)
        if likeliest is None:
            assert found.confident[row] == NOTHING
        else:
            assert own[found.confident[row]] == pytest.approx(likeliest, rel=1e-5)
    assert found.joint.sum() == (found.confident != NOTHING).sum()


@given(all_labelled)
def test_thresholds_counts_and_scores_are_cleanlab_s(evaluation: Evaluation) -> None:
    probabilities = exact(evaluation)
    least = get_confident_thresholds(evaluation.y_true, probabilities)
    # It takes none for lower than its own rounding.
    own = np.maximum(thresholds(evaluation), 2e-6)
    np.testing.assert_allclose(own, least, rtol=1e-4, atol=1e-9)
    found = opinion(evaluation)
    for method, own in (
        ("normalized_margin", (found.margin + 1) / 2),
        ("self_confidence", found.label_probability),
    ):
        expected = get_label_quality_scores(
            evaluation.y_true, probabilities, method=method
        )
        np.testing.assert_allclose(own, expected, atol=1e-5)
    # Where several classes reach their threshold, cleanlab takes the likeliest of all
    # classes even if that one doesn't; the paper and we the likeliest of those.
    reaches = probabilities >= least - 1e-6
    is_same = reaches[np.arange(len(reaches)), probabilities.argmax(axis=1)] | (
        reaches.sum(axis=1) < 2
    )
    is_clear = (np.abs(probabilities - least) > 2e-6).all(axis=1)
    if (is_same & is_clear).all():
        joint = compute_confident_joint(
            evaluation.y_true, probabilities, calibrate=False
        )
        # On the diagonal, cleanlab has at least one.
        np.testing.assert_array_equal(
            np.maximum(found.joint, np.eye(len(joint), dtype=int)), joint
        )


@given(evaluations, st.integers(0, 2**31), st.sampled_from(get_args(SuspectOrder)))
def test_suspects_are_what_all_runs_call_the_same(
    evaluation: Evaluation, seed: int, order: SuspectOrder
) -> None:
    n, classes = evaluation.logits.shape
    other = replace(
        make_evaluation(n, classes, seed=seed),
        y_true=evaluation.y_true,
        metrics={**evaluation.metrics, "run_id": "other"},
    )
    both = [evaluation, other]
    opinions = [opinion(one) for one in both]
    found = find_suspects(both, opinions, order=order)
    expected = {
        row: opinions[0].confident[row]
        for row in range(n)
        if opinions[0].confident[row] == opinions[1].confident[row]
        and opinions[0].confident[row] not in (NOTHING, evaluation.y_true[row])
    }
    assert dict(zip(found.rows, found.called, strict=True)) == expected
    assert (np.diff(found.score) >= 0).all()
    assert found.total == n
    assert all(len(found.rows) <= alone for alone in found.alone)
    pairs = suspect_pairs(evaluation, opinions, found)
    assert sum(pair.count for pair in pairs) == len(found.rows)
    for pair in pairs:
        assert pair.label != pair.called
        assert pair.count <= min(pair.joint)
        assert pair.n == (evaluation.y_true == pair.label).sum()


def test_labels_that_were_swapped_are_found_first() -> None:
    generator = np.random.default_rng(0)
    drawn = np.repeat(np.arange(4), 50)
    logits = generator.normal(size=(200, 4)) + 6 * np.eye(4)[drawn]
    swapped = generator.choice(200, size=8, replace=False)
    y_true = drawn.copy()
    y_true[swapped] = (drawn[swapped] + 1) % 4
    evaluation = replace(
        make_evaluation(200, 4, seed=0),
        logits=logits.astype(np.float16),
        y_true=y_true.astype(np.int32),
        y_pred=logits.argmax(axis=1).astype(np.int32),
    )
    found = find_suspects([evaluation], [opinion(evaluation)])
    is_found = np.isin(swapped, found.rows)
    assert is_found.mean() >= 0.75
    assert set(found.rows) <= set(swapped)
    assert (found.called == drawn[found.rows]).all()


def test_runs_of_other_sketches_are_refused() -> None:
    first = make_evaluation(5, 3, seed=1)
    first = replace(first, metrics={**first.metrics, "run_id": "a"})
    other = replace(first, ids=tuple("abcde"), metrics={**first.metrics, "run_id": "b"})
    both = [first, other]
    with pytest.raises(RunError, match="not scored on the same test sketches"):
        find_suspects(both, [opinion(one) for one in both])
    with pytest.raises(ValueError, match="at least one"):
        find_suspects([], [])
