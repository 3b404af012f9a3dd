"""Two runs on the same sketches, against statsmodels and by counting one by one."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, norm
from statsmodels.stats.contingency_tables import mcnemar

from core.analysis.comparison import (
    OUTCOMES,
    compare,
    find_outcomes,
    find_sketches,
    gain,
)
from core.analysis.statistics import (
    expected_by_chance,
    mcnemar_p,
    paired_interval,
    paired_test,
    tarone,
)
from core.errors import RunError
from core.language import translations
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.runs.status import Status
from core.sentences.comparison import comparison_words, many_tests_words
from tests.unit.runs.test_evaluation import make_evaluation

counts = st.integers(0, 60)


def two_runs(n: int, classes: int, seed: int) -> tuple[Evaluation, Evaluation]:
    """Two runs that are right more often than by chance, on the same sketches."""
    run = make_evaluation(n, classes, seed=seed)
    other = make_evaluation(n, classes, seed=seed + 1)
    easy = np.random.default_rng(seed).random((2, n)) < 0.4
    return (
        replace(run, y_pred=np.where(easy[0], run.y_true, run.y_pred)),
        replace(
            other,
            y_true=run.y_true,
            y_pred=np.where(easy[1], run.y_true, other.y_pred),
        ),
    )


pairs = st.builds(
    two_runs, st.integers(1, 80), st.integers(2, 6), st.integers(0, 2**31)
)


@given(counts, counts)
def test_mcnemar_s_test_counts_half_of_what_was_seen(first: int, second: int) -> None:
    exact = mcnemar([[3, first], [second, 5]], exact=True).pvalue
    seen = binom.pmf(first, first + second, 0.5)
    expected = 1.0 if first == second else exact - seen
    assert mcnemar_p(first, second) == pytest.approx(expected)


def test_mcnemar_s_test_by_hand() -> None:
    # Of 5 coins all heads or all tails: 2 in 32, half of it.
    assert mcnemar_p([5, 0, 4, 1, 0], [0, 5, 1, 1, 0]).tolist() == pytest.approx(
        # 4 to 1: 2 · (1 + 5) / 32, less 5 / 32.
        [1 / 32, 1 / 32, 7 / 32, 1, 1]
    )


def test_what_comes_out_by_chance_is_what_can_come_out() -> None:
    # Of four differing sketches none can have p < 0.05; of five, 5 to 0 and 0 to 5
    # have 1 / 32 and come up 2 times in 32; 8 coins give 0, 1, 7 or 8 heads 18 times
    # in 256, of which 1 to 7 has (1 + 9) / 256 = 0.039.
    assert expected_by_chance([0, 1, 4], level=0.05) == 0
    assert expected_by_chance([4, 5, 5], level=0.05) == pytest.approx(2 * 2 / 32)
    assert expected_by_chance([8], level=0.05) == pytest.approx(18 / 256)


def test_only_tests_that_can_come_out_are_counted() -> None:
    # 0.05 / 2 is below 1 / 32: of three tests two can reach 0.05 and one 0.025.
    p_values, least = [0.02, 1 / 32, 1 / 16], [1 / 64, 1 / 32, 1 / 16]
    adjusted, counted = tarone(p_values, least, level=0.05)
    assert counted.tolist() == [True, False, False]
    assert adjusted.tolist() == pytest.approx([0.04, 1, 1])
    # Where all can, it is Bonferroni's.
    adjusted, counted = tarone([0.01, 0.02, 0.5], [0.001] * 3, level=0.05)
    assert counted.all()
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 1])
    adjusted, counted = tarone([], [], level=0.05)
    assert not counted.any()


def test_where_no_class_could_differ_that_is_said() -> None:
    # Two classes of four sketches, of which one run alone recognises four and none.
    run, baseline = two_of([0] * 4 + [1] * 4, [1] * 8, [0] * 4 + [1] * 4)
    found = compare(run, baseline)
    assert [c.paired.fixed for c in found.classes] == [4, 0]
    assert found.testable == 0
    assert found.by_chance == 0
    said = many_tests_words(found, named("a"), named("b"), translations("en"))
    assert "0 of 2 classes differ" in said
    assert "0.0 would be expected" in said
    assert "no difference could be shown" in said
    assert "for certain" not in said


def test_a_class_that_could_differ_and_does_is_named() -> None:
    run, baseline = two_of([0] * 8 + [1] * 4, [1] * 12, [0] * 8 + [1] * 4)
    found = compare(run, baseline)
    # p is 1 / 256, and the other class, of which nothing differs, isn't counted.
    assert [c.adjusted_p for c in found.classes] == [pytest.approx(1 / 256), 1]
    said = many_tests_words(found, named("a"), named("b"), translations("en"))
    assert "could be shown in 1 of 2 classes" in said
    assert "it is shown in 1: class 0" in said


@pytest.mark.parametrize(("fixed", "is_told"), [(4, False), (5, True)])
def test_nothing_explains_a_difference_that_may_be_chance(
    fixed: int, is_told: bool
) -> None:
    true = [0] * 10
    run, baseline = two_of(true, [1] * 10, [0] * fixed + [1] * (10 - fixed))
    found = compare(run, baseline)
    told = gain(found.classes, limit=3)
    said = comparison_words(found, told, named("a"), named("b"), translations("en"))
    assert ("can't be told apart" in said) is not is_told
    assert ("half of the net gain" in said) is is_told


def two_of(
    true: list[int], before: list[int], now: list[int]
) -> tuple[Evaluation, Evaluation]:
    """A run and its baseline with the guesses that are given."""
    run = make_evaluation(len(true), 2, seed=0)
    y_true, y_pred, other = (np.array(v, np.int32) for v in (true, now, before))
    run = replace(run, y_true=y_true, y_pred=y_pred)
    return run, replace(run, y_pred=other)


def named(run_id: str) -> Run:
    return Run(Path(run_id), None, Status(state="finished"), (), None, "")


def likelihood_statistic(first: int, second: int, n: int, delta: float) -> float:
    """The score statistic, its nuisance share found by maximum likelihood."""

    def loss(share: float) -> float:
        # The chances of only the first, only the second, and of neither alone.
        chances = np.array([share + delta, share, 1 - 2 * share - delta])
        seen = np.array([first, second, n - first - second])
        return float(-(seen * np.log(np.maximum(chances, 1e-300))).sum())

    low, high = max(0.0, -delta), (1 - delta) / 2
    share = minimize_scalar(
        loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    ).x
    return float(
        (first - second - n * delta) / np.sqrt(n * (2 * share + delta - delta**2))
    )


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 40))
def test_an_interval_ends_where_the_score_test_begins_to_reject(
    first: int, second: int, others: int
) -> None:
    n = first + second + others
    low, high = (float(end) for end in paired_interval(first, second, n))
    assert -1 < low < (first - second) / n < high < 1
    z = norm.ppf(0.975)
    for end, edge in ((low, z), (high, -z)):
        # At 0, mid-p rejects less than the score test does.
        if end:
            found = likelihood_statistic(first, second, n, end)
            assert found == pytest.approx(edge, abs=1e-3)


@given(counts, counts, counts)
def test_an_interval_leaves_out_nought_where_the_test_rejects_it(
    first: int, second: int, others: int
) -> None:
    low, high = paired_interval(first, second, first + second + others)
    assert (low > 0 or high < 0) == (mcnemar_p(first, second) < 0.05)


def test_four_to_none_is_no_difference_in_either_way() -> None:
    # The score test has z = 2 and would leave 0 out; mid-p is 1 / 16.
    low, _ = paired_interval([4, 5], [0, 0], 16)
    assert low[0] == 0
    assert low[1] > 0
    assert mcnemar_p([4, 5], [0, 0]).tolist() == pytest.approx([1 / 16, 1 / 32])


@given(counts, counts, counts)
def test_an_interval_of_the_second_less_the_first_is_the_mirror_image(
    first: int, second: int, others: int
) -> None:
    n = first + second + others
    low, high = paired_interval(first, second, n)
    mirrored_low, mirrored_high = paired_interval(second, first, n)
    assert [low, high] == pytest.approx([-mirrored_high, -mirrored_low], abs=1e-9)
    assert -1 <= low <= high <= 1


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    n = 16
    tables = [(f, s) for f, s in product(range(n + 1), repeat=2) if f + s <= n]
    first, second = np.array(tables).T
    low, high = paired_interval(first, second, n)
    factorials = np.cumsum(np.log(np.maximum(np.arange(n + 1), 1)))
    ways = factorials[n] - factorials[first] - factorials[second]
    ways -= factorials[n - first - second]
    for only_first, only_second in ((0.3, 0.1), (0.2, 0.2), (0.5, 0.1), (0.1, 0.05)):
        neither = np.log(1 - only_first - only_second)
        chances = np.exp(
            ways
            + first * np.log(only_first)
            + second * np.log(only_second)
            + (n - first - second) * neither
        )
        assert chances.sum() == pytest.approx(1)
        truth = only_first - only_second
        held = chances[(low <= truth) & (truth <= high)].sum()
        assert 0.93 < held < 0.985


def test_without_samples_an_interval_says_nothing() -> None:
    assert [float(end) for end in paired_interval(0, 0, 0)] == [-1, 1]
    low, high = paired_interval([1, 0], [0, 1], 1)
    assert high[0] == 1
    assert low[1] == -1


@given(pairs)
def test_a_comparison_is_what_one_counts_one_by_one(
    both: tuple[Evaluation, Evaluation],
) -> None:
    run, baseline = both
    found = compare(run, baseline)
    names = {
        (True, True): "both_right",
        (True, False): "fixed",
        (False, True): "broken",
        (False, False): "both_wrong",
    }
    expected = [
        names[bool(a), bool(b)]
        for a, b in zip(
            run.y_pred == run.y_true, baseline.y_pred == run.y_true, strict=True
        )
    ]
    assert [OUTCOMES[place] for place in find_outcomes(run, baseline)] == expected
    for class_metrics in found.outcomes:
        rows = [
            row for row, name in enumerate(expected) if name == class_metrics.outcome
        ]
        assert class_metrics.count == len(rows)
        assert class_metrics.share == pytest.approx(len(rows) / len(expected))
        assert getattr(found.paired, class_metrics.outcome) == len(rows)
        if rows:
            assert class_metrics.sure == pytest.approx(
                run.confidence[rows].mean(), rel=1e-5
            )
            assert class_metrics.baseline_sure == pytest.approx(
                baseline.confidence[rows].mean(), rel=1e-5
            )
        assert sorted(find_sketches(run, baseline, class_metrics.outcome)) == rows
    test = paired_test(run.y_pred == run.y_true, baseline.y_pred == run.y_true)
    paired = found.paired
    assert (paired.fixed, paired.broken) == (test.only_first, test.only_second)
    assert paired.p_value == pytest.approx(test.p_value)
    accuracies = [(one.y_pred == one.y_true).mean() for one in both]
    assert paired.change == pytest.approx(accuracies[0] - accuracies[1])
    assert paired.right / paired.n == pytest.approx(accuracies[0])
    assert paired.baseline_right / paired.n == pytest.approx(accuracies[1])
    assert paired.low <= paired.change <= paired.high


@given(pairs)
def test_classes_add_up_to_the_whole(both: tuple[Evaluation, Evaluation]) -> None:
    found = compare(*both)
    for part in ("n", "fixed", "broken", "both_right", "both_wrong", "net"):
        whole = sum(getattr(one.paired, part) for one in found.classes)
        assert whole == getattr(found.paired, part)
    assert [one.label for one in found.classes] == np.unique(both[0].y_true).tolist()
    differ = [one.paired.fixed + one.paired.broken for one in found.classes]
    adjusted, counted = tarone(
        [one.paired.p_value for one in found.classes],
        0.5 ** np.array(differ),
        level=0.05,
    )
    assert [c.adjusted_p for c in found.classes] == pytest.approx(adjusted)
    assert [c.is_testable for c in found.classes] == counted.tolist()
    assert set(found.differing) <= set(found.differing_alone)


@given(pairs, st.sampled_from(OUTCOMES))
def test_what_changed_most_comes_first(
    both: tuple[Evaluation, Evaluation], outcome: Any
) -> None:
    run, baseline = both
    rows = find_sketches(run, baseline, outcome, label=1)
    assert (run.y_true[rows] == 1).all()
    change = np.abs(run.true_probability[rows] - baseline.true_probability[rows])
    loss = run.loss[rows] + baseline.loss[rows]
    by = change if outcome in ("fixed", "broken") else loss
    assert (np.diff(by) <= 0).all()


@given(pairs, st.integers(0, 4))
def test_a_gain_s_half_is_reached_and_not_before(
    both: tuple[Evaluation, Evaluation], limit: int
) -> None:
    found = compare(*both)
    told = gain(found.classes, limit=limit)
    assert told.better + told.worse + told.same == len(found.classes)
    net = found.paired.net
    if net == 0:
        assert told.half is told.largest_share is None
        return
    sign = 1 if net > 0 else -1
    moved = sorted((sign * one.paired.net for one in found.classes), reverse=True)
    assert told.half is not None
    assert 2 * sum(moved[: told.half]) >= abs(net) > 2 * sum(moved[: told.half - 1])
    named = [sign * one.paired.net for one in told.largest]
    assert named == [m for m in moved if m > 0][:limit]
    assert told.largest_share == pytest.approx(sum(named) / abs(net))


def test_a_run_beside_itself_changes_nothing() -> None:
    run = make_evaluation(30, 4, seed=1)
    found = compare(run, run)
    assert (found.paired.net, found.paired.p_value) == (0, 1)
    assert found.paired.low < 0 < found.paired.high
    assert not found.differing_alone


def test_runs_of_other_sketches_are_not_compared() -> None:
    run = make_evaluation(5, 3, seed=2)
    run = replace(run, metrics={**run.metrics, "run_id": "a"})
    with pytest.raises(RunError, match="not scored on the same test sketches"):
        compare(run, replace(run, ids=tuple("abcde")))
