"""Families of classes, against SciPy, scikit-learn and statsmodels."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree
from sklearn.metrics import accuracy_score, confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from core.analysis.confusions import similarity_tree
from core.analysis.families import (
    LEAST_CLASSES,
    cut,
    family_matrix,
    find_similarity,
    measure,
    modularities,
)
from core.runs.evaluation import Evaluation
from tests.unit.runs.test_evaluation import make_evaluation

evaluations = st.builds(
    make_evaluation,
    st.integers(1, 80),
    st.integers(LEAST_CLASSES, 9),
    seed=st.integers(0, 2**31),
)


def in_pairs() -> Evaluation:
    """Six classes, of which 0 and 3, 1 and 4, and 2 and 5 are taken for each other."""
    logits = np.zeros((60, 6), np.float16)
    true = np.arange(60) % 6
    logits[np.arange(60), true] = 6
    logits[np.arange(60), (true + 3) % 6] = 5
    run = make_evaluation(60, 6, seed=0)
    wrong = np.arange(60) < 12
    return replace(
        run,
        logits=logits,
        y_true=true.astype(np.int32),
        y_pred=np.where(wrong, (true + 3) % 6, true).astype(np.int32),
    )


def test_classes_that_are_taken_for_each_other_are_a_family() -> None:
    run = in_pairs()
    similarity = find_similarity(run)
    assert similarity.best_count == 3
    found = measure(run.confusion, similarity, cut(similarity.tree, 3))
    assert {frozenset(one.labels) for one in found.families} == {
        frozenset({0, 3}),
        frozenset({1, 4}),
        frozenset({2, 5}),
    }
    assert (found.correct, found.near, found.wild) == (48, 12, 0)
    assert found.near_share == 1
    assert found.family_accuracy == 1
    for family in found.families:
        assert sorted(family.heads) == sorted(family.labels)
        assert sum(pair.count for pair in family.top) == family.near == 4
        assert not family.strays


@given(evaluations)
def test_a_cut_is_scipy_s_and_follows_the_tree(run: Evaluation) -> None:
    tree = find_similarity(run).tree
    classes = len(run.class_names)
    for count in range(1, classes + 1):
        family = cut(tree, count)
        expected = cut_tree(tree.merges, n_clusters=count)[:, 0]
        assert len(set(zip(family, expected, strict=True))) == count
        # Along the tree each family stands in one piece, and they are numbered so.
        along = family[tree.order]
        assert (np.diff(along) >= 0).all()
        assert set(along) == set(range(count))
    for count in (0, classes + 1):
        with pytest.raises(ValueError, match="`count` must be from 1"):
            cut(tree, count)


@given(evaluations)
def test_modularity_is_what_its_formula_says(run: Evaluation) -> None:
    similarity = find_similarity(run)
    mutual = similarity.mutual
    classes = len(mutual)
    whole, ends = mutual.sum(), mutual.sum(axis=1)
    for count in range(1, classes + 1):
        family = cut(similarity.tree, count)
        same = family[:, None] == family[None, :]
        expected = ((mutual - np.outer(ends, ends) / whole) * same).sum() / whole
        assert similarity.modularities[count - 1] == pytest.approx(expected, abs=1e-9)
    assert similarity.best_count == 2 + np.argmax(similarity.modularities[1:])


def test_without_any_confusion_no_cut_is_better_than_another() -> None:
    tree = similarity_tree(np.eye(4))
    assert (modularities(tree, np.zeros((4, 4))) == 0).all()


@given(evaluations, st.data())
def test_families_are_measured_as_one_counts_one_by_one(
    run: Evaluation, data: st.DataObject
) -> None:
    classes = len(run.class_names)
    finder = make_evaluation(50, classes, seed=len(run.ids))
    similarity = find_similarity(finder)
    count = data.draw(st.integers(2, classes))
    family = cut(similarity.tree, count)
    found = measure(run.confusion, similarity, family)
    true, guess = family[run.y_true], family[run.y_pred]
    right = run.y_true == run.y_pred
    assert found.n == len(run.ids)
    assert found.correct == right.sum()
    assert found.near == ((true == guess) & ~right).sum()
    assert found.wild == (true != guess).sum()
    assert found.family_accuracy == pytest.approx(accuracy_score(true, guess))
    expected = proportion_confint((true == guess).sum(), len(true), method="wilson")
    assert found.interval == pytest.approx(expected, abs=1e-9)
    summed = family_matrix(run.confusion, family)
    labels = range(count)
    assert (summed == confusion_matrix(true, guess, labels=labels)).all()
    for one in found.families:
        mine = true == one.number
        assert set(one.labels) == set(np.flatnonzero(family == one.number))
        assert one.n == mine.sum()
        assert one.correct == (mine & right).sum()
        assert one.near == (mine & (guess == one.number) & ~right).sum()
        assert one.wild == (mine & (guess != one.number)).sum()
        assert dict(one.strays) == {
            number: int(n)
            for number, n in enumerate(summed[one.number])
            if n and number != one.number
        }
        assert [n for _, n in one.strays] == sorted(
            (n for _, n in one.strays), reverse=True
        )
        for pair in one.top:
            assert {pair.true, pair.predicted} <= set(one.labels)
            assert run.confusion[pair.true, pair.predicted] == pair.count
            assert pair.n == (run.y_true == pair.true).sum()
        assert len(one.heads) == min(2, len(one.labels))
        if len(one.heads) == 2:
            within = similarity.mutual[np.ix_(one.labels, one.labels)]
            assert similarity.mutual[one.heads] == within.max()
        if one.n:
            assert one.interval[0] <= one.family_accuracy <= one.interval[1]


@given(evaluations)
def test_fewer_families_never_lower_their_accuracy(run: Evaluation) -> None:
    similarity = find_similarity(run)
    classes = len(run.class_names)
    found = [
        measure(run.confusion, similarity, cut(similarity.tree, count))
        for count in range(1, classes + 1)
    ]
    accuracies = [one.family_accuracy for one in found]
    assert accuracies == sorted(accuracies, reverse=True)
    assert (found[0].wild, found[-1].near) == (0, 0)
    assert found[0].near_by_chance == 1
    assert found[-1].near_by_chance == 0


def test_the_share_by_chance_is_the_mean_of_all_ways_to_deal_classes() -> None:
    run = make_evaluation(40, 5, seed=3)
    similarity = find_similarity(run)
    family = cut(similarity.tree, 2)
    wrong = len(run.ids) - int(np.trace(run.confusion))
    shares = [
        measure(run.confusion, similarity, np.array(dealt)).near / wrong
        for dealt in permutations(family.tolist())
    ]
    found = measure(run.confusion, similarity, family)
    assert found.near_by_chance == pytest.approx(np.mean(shares))


def test_a_run_without_mistakes_has_no_share_of_near_misses() -> None:
    run = in_pairs()
    right = replace(run, y_pred=run.y_true)
    similarity = find_similarity(run)
    assert (
        measure(right.confusion, similarity, cut(similarity.tree, 2)).near_share is None
    )


def test_two_classes_are_too_few_for_families() -> None:
    with pytest.raises(ValueError, match=r"at least 3 classes\. Received: 2"):
        find_similarity(make_evaluation(10, 2, seed=0))
