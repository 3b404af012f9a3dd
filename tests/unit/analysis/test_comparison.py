"""Two runs on the same sketches, against statsmodels and by counting one by one."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from core.analysis.comparison import OUTCOMES, compare, find_sketches, gain, outcomes
from core.analysis.statistics import holm, mcnemar_p, paired_interval, paired_test
from core.errors import RunError
from core.runs.evaluation import Evaluation
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
def test_mcnemar_s_exact_test_is_statsmodels_s(first: int, second: int) -> None:
    expected = mcnemar([[3, first], [second, 5]], exact=True).pvalue
    assert mcnemar_p(first, second) == pytest.approx(expected)


@settings(max_examples=20)  # Each takes statsmodels a while.
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_statsmodels_s(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected)


def test_no_p_values_stay_none() -> None:
    assert holm([]).shape == (0,)


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
    assert likelihood_statistic(first, second, n, low) == pytest.approx(z, abs=1e-3)
    assert likelihood_statistic(first, second, n, high) == pytest.approx(-z, abs=1e-3)


@given(counts, counts, counts)
def test_an_interval_leaves_out_nought_where_statsmodels_rejects_it(
    first: int, second: int, others: int
) -> None:
    if first == second:
        return
    low, high = paired_interval(first, second, first + second + others)
    table = [[others, first], [second, 0]]
    p_value = mcnemar(table, exact=False, correction=False).pvalue
    assert (low > 0 or high < 0) == (p_value < 0.05)


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
    assert [OUTCOMES[place] for place in outcomes(run, baseline)] == expected
    for figures in found.outcomes:
        rows = [row for row, name in enumerate(expected) if name == figures.outcome]
        assert figures.count == len(rows)
        assert figures.share == pytest.approx(len(rows) / len(expected))
        assert getattr(found.paired, figures.outcome) == len(rows)
        if rows:
            assert figures.sure == pytest.approx(run.confidence[rows].mean(), rel=1e-5)
            assert figures.baseline_sure == pytest.approx(
                baseline.confidence[rows].mean(), rel=1e-5
            )
        assert sorted(find_sketches(run, baseline, figures.outcome)) == rows
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
    adjusted = holm([c.paired.p_value for c in found.classes])
    assert [c.adjusted_p for c in found.classes] == pytest.approx(adjusted)
    assert set(found.certain()) <= set(found.alone_certain())


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
    assert not found.alone_certain()


def test_runs_of_other_sketches_are_not_compared() -> None:
    run = make_evaluation(5, 3, seed=2)
    run = replace(run, metrics={**run.metrics, "run_id": "a"})
    with pytest.raises(RunError, match="not scored on the same test sketches"):
        compare(run, replace(run, ids=tuple("abcde")))
