"""Views of an evaluation, on answers small enough to check by hand."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from core.analysis.classes import (
    common_classes,
    measure_classes,
    pair_classes,
    rank_classes,
    sketches_of_class,
    taken_for,
    takes_in,
    tally_classes,
)
from core.analysis.confusions import (
    check_comparable,
    class_order,
    mean_probabilities,
    most_confused_classes,
    normalise,
    similarity_order,
    sketches_of_cell,
    top_confusions,
)
from core.errors import RunError
from core.runs.evaluation import CHUNK, Evaluation
from tests.unit.runs.test_evaluation import make_evaluation

NAMES = ("cat", "dog", "Ant")


def evaluation(
    y_true: Sequence[int],
    y_pred: Sequence[int],
    *,
    class_names: tuple[str, ...] = NAMES,
    sure: Sequence[float] | None = None,
) -> Evaluation:
    """Answers of which each is as sure as `sure` says."""
    n = len(y_true)
    logits = np.zeros((n, len(class_names)), dtype=np.float16)
    logits[np.arange(n), list(y_pred)] = 5 if sure is None else sure
    return Evaluation(
        metrics={"temperature": 1.0, "run_id": "r"},
        class_names=class_names,
        ids=tuple(map(str, range(n))),
        y_true=np.array(y_true, dtype=np.int32),
        y_pred=np.array(y_pred, dtype=np.int32),
        logits=logits,
        embedding=np.zeros((n, 2), dtype=np.float16),
        map_2d=np.zeros((n, 2), dtype=np.float32),
    )


@st.composite
def answers(draw: st.DrawFn) -> Any:
    classes = draw(st.integers(2, 7))
    labels = st.lists(st.integers(0, classes - 1), min_size=1, max_size=60)
    y_true = draw(labels)
    y_pred = draw(
        st.lists(
            st.integers(0, classes - 1), min_size=len(y_true), max_size=len(y_true)
        )
    )
    names = tuple(f"class {label}" for label in range(classes))
    return evaluation(y_true, y_pred, class_names=names)


@given(answers())
def test_the_tally_of_classes_counts_what_it_says(found: Evaluation) -> None:
    tally = tally_classes(
        measure_classes(found.y_true, found.y_pred, class_names=found.class_names)
    )
    missed = sorted(
        (
            int((found.y_pred[found.y_true == label] != label).sum())
            for label in set(found.y_true.tolist())
        ),
        reverse=True,
    )
    assert tally.total == len(missed)
    assert tally.whole == missed.count(0)
    assert tally.mistakes == sum(missed)
    half = tally.half_of_mistakes
    assert 2 * sum(missed[:half]) >= tally.mistakes
    assert half == 0 or 2 * sum(missed[: half - 1]) < tally.mistakes


def test_exactly_half_is_not_fewer_than_half() -> None:
    found = evaluation([0, 0, 1, 1, 1], [0, 1, 1, 0, 0])
    tally = tally_classes(
        measure_classes(found.y_true, found.y_pred, class_names=found.class_names)
    )
    assert (tally.total, tally.under_half) == (2, 1)


@given(answers())
def test_the_confusions_are_scikit_learn_s(found: Evaluation) -> None:
    labels = range(len(found.class_names))
    expected = confusion_matrix(found.y_true, found.y_pred, labels=labels)
    assert (found.confusion == expected).all()
    pairs = top_confusions(found.confusion, limit=found.confusion.size)
    assert sum(pair.count for pair in pairs) == expected.sum() - np.trace(expected)
    for pair in pairs:
        assert pair.true != pair.predicted
        assert expected[pair.true, pair.predicted] == pair.count
        assert pair.n == expected[pair.true].sum()
    assert [p.count for p in pairs] == sorted((p.count for p in pairs), reverse=True)


def test_equal_counts_are_ordered_by_their_share() -> None:
    found = evaluation([0, 0, 0, 1, 1, 2], [1, 0, 0, 2, 1, 2])
    pairs = top_confusions(found.confusion, limit=5)
    assert [(p.true, p.predicted) for p in pairs] == [(1, 2), (0, 1)]


def test_the_most_confused_classes_are_at_most_as_many_as_asked_for() -> None:
    found = evaluation([0, 0, 1, 2], [1, 1, 2, 0])
    assert most_confused_classes(found.confusion, limit=2) == [0, 1]
    assert sorted(most_confused_classes(found.confusion, limit=9)) == [0, 1, 2]
    right = evaluation([0, 1], [0, 1])
    assert most_confused_classes(right.confusion, limit=5) == []


@given(answers(), st.sampled_from(["row", "column"]))
def test_normalised_rows_or_columns_add_up_to_a_hundred_or_nothing(
    found: Evaluation, by: Any
) -> None:
    axis = 1 if by == "row" else 0
    totals = normalise(found.confusion, by).sum(axis=axis)
    assert np.allclose(totals, np.where(found.confusion.sum(axis=axis) > 0, 100, 0))


def test_counts_are_left_as_they_are() -> None:
    matrix = evaluation([0, 0, 1], [0, 1, 1]).confusion
    assert (normalise(matrix, "count") == matrix).all()


@given(answers(), st.sampled_from(["name", "accuracy", "similarity"]))
def test_an_order_has_every_class_once(found: Evaluation, by: Any) -> None:
    labels = list(range(len(found.class_names)))
    assert sorted(class_order(found, by)) == labels


def test_the_order_by_name_ignores_case() -> None:
    assert class_order(evaluation([0], [0]), "name") == [2, 0, 1]


def test_the_order_by_accuracy_begins_with_the_worst() -> None:
    found = evaluation([0, 0, 1, 1, 2], [0, 0, 1, 0, 0])
    assert class_order(found, "accuracy") == [2, 1, 0]


def test_classes_that_are_taken_for_each_other_become_neighbours() -> None:
    affinity = np.eye(6)
    for one, other in ((0, 3), (1, 4), (2, 5)):
        affinity[one, other] = 0.4
    order = similarity_order(affinity)
    place = {label: order.index(label) for label in order}
    for one, other in ((0, 3), (1, 4), (2, 5)):
        assert abs(place[one] - place[other]) == 1


@given(
    st.integers(1, 40) | st.just(CHUNK + 3),
    st.integers(2, 9),
    st.integers(0, 2**31),
    st.floats(0.2, 5),
)
def test_mean_probabilities_are_means_of_the_probabilities(
    n: int, classes: int, seed: int, temperature: float
) -> None:
    found = make_evaluation(n, classes, seed=seed, temperature=temperature)
    means = mean_probabilities(found)
    for label in range(classes):
        rows = found.y_true == label
        expected = found.probabilities[rows].mean(axis=0) if rows.any() else 0
        np.testing.assert_allclose(means[label], expected, atol=1e-5)


def test_a_hundred_thousand_sketches_of_a_thousand_classes_fit_in_memory() -> None:
    n, classes = 100_000, 1000
    generator = np.random.default_rng(0)
    some = make_evaluation(1, classes, seed=0)
    # All rows are one, so that only what is computed takes memory.
    found = replace(
        some,
        ids=("same",) * n,
        y_true=generator.integers(classes, size=n).astype(np.int32),
        y_pred=np.full(n, 5, np.int32),
        logits=np.broadcast_to(some.logits, (n, classes)),
    )
    tracemalloc.start()
    means = mean_probabilities(found)
    sketches_of_cell(found, 7, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert means[7] == pytest.approx(some.probabilities[0], abs=1e-6)
    assert peak < 500e6


def test_the_sketches_of_a_cell_come_surest_first() -> None:
    found = evaluation([0, 0, 0, 1], [1, 1, 0, 1], sure=[2, 4, 3, 5])
    assert sketches_of_cell(found, 0, 1) == [1, 0]
    assert sketches_of_cell(found, 2, 1) == []


def test_runs_scored_on_other_sketches_are_not_compared() -> None:
    check_comparable(evaluation([0], [1]), evaluation([0], [0]))
    with pytest.raises(RunError, match="same test sketches"):
        check_comparable(evaluation([0], [1]), evaluation([0, 1], [0, 1]))


def metrics_of(found: Evaluation) -> Any:
    return measure_classes(found.y_true, found.y_pred, class_names=found.class_names)


def test_a_ranking_names_those_as_good_as_its_last() -> None:
    names = ("a", "b", "c", "d", "empty")
    found = evaluation([0, 1, 2, 3, 3], [0, 1, 2, 0, 3], class_names=names)
    best = rank_classes(metrics_of(found), limit=2)
    assert [f.class_name for f in best.class_metrics] == ["a", "b"]
    assert best.tied == ("c",)
    worst = rank_classes(metrics_of(found), limit=1, worst=True)
    assert [f.class_name for f in worst.class_metrics] == ["d"]
    assert worst.tied == ()


@pytest.mark.parametrize("right", [[0, 1, 2, 3, 4], [1, 1, 1, 1, 1], [0, 0, 2, 2, 4]])
def test_no_class_is_among_the_best_and_the_worst(right: list[int]) -> None:
    found = evaluation([0, 1, 2, 3, 4], right, class_names=tuple("abcde"))
    best, worst = (
        {
            f.class_name
            for f in rank_classes(
                metrics_of(found), limit=10, worst=worst
            ).class_metrics
        }
        for worst in (False, True)
    )
    assert not best & worst
    assert best | worst == set("abcde")


def test_of_equal_accuracies_the_one_with_more_sketches_comes_first() -> None:
    found = evaluation([0, 1, 1, 2], [0, 1, 1, 0])
    best = rank_classes(metrics_of(found), limit=2)
    assert [f.class_name for f in best.class_metrics] == ["dog", "cat"]


def test_hard_for_both_needs_both_to_fail() -> None:
    one = evaluation([0, 1, 2, 2], [1, 1, 2, 0])
    other = evaluation([0, 1, 2, 2], [1, 0, 2, 2])
    pairs = pair_classes(metrics_of(one), metrics_of(other))
    hard = common_classes(pairs, limit=1, which="hard")
    easy = common_classes(pairs, limit=1, which="easy")
    assert [pair.first.class_name for pair in hard] == ["cat"]
    assert [pair.first.class_name for pair in easy] == ["Ant"]
    assert {p.first.class_name: p.change for p in pairs} == {
        "cat": 0,
        "dog": -1,
        "Ant": 0.5,
    }


def test_a_class_is_told_by_what_it_is_taken_for_and_what_for_it() -> None:
    found = evaluation([0, 0, 0, 0, 1, 2], [1, 1, 2, 0, 0, 0])
    away = taken_for(found, 0)
    assert [(s.class_name, s.count, s.n) for s in away] == [
        ("dog", 2, 4),
        ("Ant", 1, 4),
    ]
    assert [(s.class_name, s.count) for s in takes_in(found, 0)] == [
        ("Ant", 1),
        ("dog", 1),
    ]


@given(answers())
def test_right_and_wrong_sketches_are_all_of_a_class(found: Evaluation) -> None:
    for label in range(len(found.class_names)):
        right, wrong = sketches_of_class(found, label)
        expected = np.nonzero(found.y_true == label)[0].tolist()
        assert sorted(right + wrong) == expected
        assert all(found.y_pred[row] == label for row in right)
