"""How far probabilities can be trusted, against scikit-learn and others."""

from dataclasses import astuple, replace
from itertools import product
from math import prod
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.analysis.calibration import Binning, calibration, reliability
from core.analysis.confidences import Confidences, measure_confidences
from core.analysis.coverage import (
    answers_at_accuracy,
    answers_at_coverage,
    answers_from,
    coverage,
    thin,
)
from core.analysis.metrics import expected_calibration_error
from core.analysis.statistics import wilson_intervals
from core.analysis.trust import (
    EXACT_UP_TO,
    class_trust,
    measure_trust,
    metric_rows,
    two_sided_p,
)
from core.runs.evaluation import CHUNK, Evaluation
from tests.unit.runs.test_evaluation import evaluations, make_evaluation


def make_claims(
    n: int, *, seed: int, digits: int = 17, honest: bool = True
) -> Confidences:
    """Random claims; few `digits` make many of them equal."""
    generator = np.random.default_rng(seed)
    confidence = generator.beta(2, 1, size=n).round(digits)
    chance = confidence if honest else confidence * 0.6
    return Confidences(
        temperature=1.0,
        confidence=confidence,
        is_right=generator.random(n) < chance,
        nll=0.0,
        brier=0.0,
    )


made_claims = st.builds(
    make_claims,
    st.integers(1, 200),
    seed=st.integers(0, 2**31),
    digits=st.sampled_from((1, 2, 17)),
    honest=st.booleans(),
)


@given(evaluations, st.floats(0.3, 4))
def test_claims_are_scikit_learn_s(evaluation: Evaluation, temperature: float) -> None:
    probabilities = softmax(evaluation.logits.astype(float) / temperature, axis=1)
    labels = np.arange(len(evaluation.class_names))
    _, found = measure_confidences(evaluation, [1.0, temperature])
    # scikit-learn takes no probability for less than 2e-16; we take it as it is.
    rows = np.arange(len(evaluation.ids))
    if probabilities[rows, evaluation.y_true].min() > 1e-15:
        assert found.nll == pytest.approx(
            log_loss(evaluation.y_true, probabilities, labels=labels),
            rel=1e-4,
            abs=1e-5,
        )
    brier = brier_score_loss(
        evaluation.y_true, probabilities, labels=labels, scale_by_half=False
    )
    assert found.brier == pytest.approx(brier, rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(
        found.confidence, probabilities[rows, evaluation.y_pred], rtol=1e-4
    )
    ece = expected_calibration_error(evaluation.y_true, probabilities)
    is_first = probabilities.argmax(axis=1) == evaluation.y_pred
    # Float32 may move what lies on an edge; of ties another guess may be taken.
    on_edge = np.abs(found.confidence * 15 - np.round(found.confidence * 15)) < 1e-4
    if is_first.all() and not on_edge.any():
        assert calibration(found).ece == pytest.approx(ece, abs=1e-4)


def test_more_sketches_than_a_part_are_all_counted() -> None:
    evaluation = make_evaluation(CHUNK + 5, 4, seed=3)
    probabilities = softmax(evaluation.logits.astype(float), axis=1)
    found = measure_confidences(evaluation, [1.0])[0]
    assert found.nll == pytest.approx(log_loss(evaluation.y_true, probabilities), 1e-4)
    assert found.accuracy == np.mean(evaluation.y_pred == evaluation.y_true)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1))
def test_intervals_are_those_of_statsmodels(pairs: list[tuple[int, int]]) -> None:
    successes = np.array([min(pair) for pair in pairs])
    n = np.array([max(pair) for pair in pairs])
    low, high = wilson_intervals(successes, n)
    for place, (right, total) in enumerate(zip(successes, n, strict=True)):
        expected = (
            proportion_confint(right, total, method="wilson") if total else (0, 1)
        )
        assert (low[place], high[place]) == pytest.approx(expected, abs=1e-9)


@given(made_claims, st.integers(1, 20))
def test_bins_of_equal_width_are_scikit_learn_s(found: Confidences, bins: int) -> None:
    edges = np.arange(bins + 1) / bins
    if np.isclose(found.confidence[:, None], edges, atol=1e-9).any():
        # Who stands on an edge is a matter of the last bit.
        return
    right, sure = calibration_curve(found.is_right, found.confidence, n_bins=bins)
    made = reliability(found, bins=bins)
    assert [one.accuracy for one in made] == pytest.approx(right)
    assert [one.confidence for one in made] == pytest.approx(sure)


@given(made_claims, st.sampled_from(get_args(Binning)), st.integers(1, 20))
def test_each_sketch_is_in_one_bin_and_a_bin_tells_the_truth(
    found: Confidences, by: Binning, bins: int
) -> None:
    made = reliability(found, bins=bins, by=by)
    assert sum(one.n for one in made) == len(found.confidence)
    assert len(made) <= bins
    gaps = []
    for one in made:
        low = -1 if one is made[0] else one.low
        inside = (found.confidence > low + 1e-12) & (
            found.confidence <= one.high + 1e-12
        )
        if by == "mass":
            assert inside.sum() == one.n
            assert found.is_right[inside].mean() == pytest.approx(one.accuracy)
            assert found.confidence[inside].mean() == pytest.approx(one.confidence)
        assert one.accuracy_low <= one.accuracy <= one.accuracy_high
        gaps.append(abs(one.gap))
    summed = calibration(found, bins=bins, by=by)
    weights = [one.n for one in made]
    assert summed.ece == pytest.approx(np.average(gaps, weights=weights))
    assert summed.mce == pytest.approx(max(gaps))
    assert summed.ece <= summed.mce + 1e-12


def test_bins_of_equal_mass_have_as_many_sketches_each() -> None:
    found = make_claims(997, seed=1)
    counts = [one.n for one in reliability(found, by="mass")]
    assert len(counts) == 15
    assert max(counts) - min(counts) <= 1


def test_chance_leaves_about_the_error_that_is_told() -> None:
    errors, told = [], []
    for seed in range(200):
        summed = calibration(make_claims(500, seed=seed))
        errors.append(summed.ece)
        told.append(summed.ece_by_chance)
    assert np.mean(errors) == pytest.approx(np.mean(told), rel=0.05)


@given(made_claims)
def test_the_order_of_sketches_changes_nothing(found: Confidences) -> None:
    order = np.random.default_rng(len(found.confidence)).permutation(
        len(found.confidence)
    )
    other = replace(
        found, confidence=found.confidence[order], is_right=found.is_right[order]
    )
    for by in get_args(Binning):
        assert astuple(calibration(other, by=by)) == pytest.approx(
            astuple(calibration(found, by=by))
        )
    first, second = coverage(found), coverage(other)
    assert (first.answered == second.answered).all()
    assert (first.right == second.right).all()
    assert (first.aurc, first.e_aurc) == pytest.approx((second.aurc, second.e_aurc))


@given(made_claims, st.floats(0, 1), st.floats(0.01, 1))
def test_what_is_answered_is_counted_one_by_one(
    found: Confidences, least: float, wanted: float
) -> None:
    curve = coverage(found)
    n = len(found.confidence)
    now = answers_from(curve, least)
    chosen = found.confidence >= least
    assert (now.n, now.right, now.total) == (
        chosen.sum(),
        found.is_right[chosen].sum(),
        n,
    )
    expected = (
        proportion_confint(now.right, now.n, method="wilson") if now.n else (0, 1)
    )
    assert (now.low, now.high) == pytest.approx(expected, abs=1e-9)
    # The most that reaches an accuracy, over all thresholds that there are.
    reached = [
        int((found.confidence >= threshold).sum())
        for threshold in found.confidence
        if found.is_right[found.confidence >= threshold].mean() >= wanted
    ]
    at = answers_at_accuracy(curve, wanted)
    assert (at.n if at else 0) == max(reached, default=0)
    assert at is None or at.accuracy >= wanted
    half = answers_at_coverage(curve, wanted)
    assert half.share >= wanted - 1e-9
    fewer = found.confidence > half.least
    assert fewer.sum() < wanted * n


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_the_area_is_the_mean_error_over_all_coverages(n: int, seed: int) -> None:
    found = make_claims(n, seed=seed)
    order = np.argsort(-found.confidence)
    wrong = ~found.is_right[order]
    curve = coverage(found)
    expected = np.mean([wrong[:k].mean() for k in range(1, n + 1)])
    assert curve.aurc == pytest.approx(expected)
    best = np.sort(wrong)
    least = np.mean([best[:k].mean() for k in range(1, n + 1)])
    assert curve.e_aurc == pytest.approx(expected - least)
    assert curve.e_aurc >= -1e-12


def test_the_area_of_equally_sure_sketches_is_its_mean_over_their_orders() -> None:
    found = replace(
        make_claims(3, seed=0),
        confidence=np.array([0.5, 0.5, 0.5]),
        is_right=np.array([True, False, False]),
    )
    assert coverage(found).aurc == pytest.approx(2 / 3)
    assert coverage(found).answered.tolist() == [3]


@given(made_claims, st.integers(1, 50))
def test_a_thinned_curve_keeps_its_end(found: Confidences, points: int) -> None:
    curve = coverage(found)
    places = thin(curve, points=points)
    assert len(places) <= points
    assert (np.diff(places) > 0).all()
    assert places[-1] == len(curve.answered) - 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 8))
def test_the_test_of_claims_counts_all_that_can_happen(
    chances: list[float], right: int
) -> None:
    right = min(right, len(chances))
    tails = [0.0, 0.0]
    for outcome in product((0, 1), repeat=len(chances)):
        likely = prod(
            p if hit else 1 - p for hit, p in zip(outcome, chances, strict=True)
        )
        tails[0] += likely * (sum(outcome) <= right)
        tails[1] += likely * (sum(outcome) >= right)
    # Beside one of another length, which it is filled up to, and one far longer.
    found = two_sided_p(
        np.array([right, 1, 40]), [np.array(chances), np.full(7, 0.2), np.full(90, 0.5)]
    )
    assert found[0] == pytest.approx(min(2 * min(tails), 1), abs=1e-7)
    assert found[2] == pytest.approx(binomtest(40, 90, 0.5).pvalue, abs=1e-7)


@pytest.mark.parametrize("n", [EXACT_UP_TO, EXACT_UP_TO + 1])
def test_many_guesses_are_tested_as_exactly_as_matters(n: int) -> None:
    for right in (int(0.7 * n), int(0.68 * n), int(0.75 * n)):
        tails = [
            binomtest(right, n, 0.7, alternative=side).pvalue
            for side in ("less", "greater")
        ]
        expected = min(2 * min(tails), 1)
        found = two_sided_p(np.array([right]), [np.full(n, 0.7)])
        assert found[0] == pytest.approx(expected, rel=0.03, abs=1e-4)


@given(evaluations)
def test_each_class_is_told_by_its_guesses(evaluation: Evaluation) -> None:
    found = measure_confidences(evaluation, [evaluation.metrics["temperature"]])[0]
    rows = class_trust(evaluation, found)
    assert {one.label for one in rows} == set(evaluation.y_pred.tolist())
    p_values = [one.p_value for one in rows]
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert [one.adjusted_p for one in rows] == pytest.approx(expected, abs=1e-9)
    for one in rows:
        named = evaluation.y_pred == one.label
        assert one.n == named.sum()
        right = found.is_right[named]
        assert one.accuracy == pytest.approx(right.mean())
        assert one.confidence == pytest.approx(found.confidence[named].mean())
        low, high = proportion_confint(right.sum(), one.n, method="wilson")
        assert one.gap_low == pytest.approx(one.confidence - high, abs=1e-9)
        assert one.gap_high == pytest.approx(one.confidence - low, abs=1e-9)


def test_a_class_that_claims_too_much_is_told_from_honest_ones() -> None:
    generator = np.random.default_rng(5)
    classes, n = 50, 40
    guess = np.repeat(np.arange(classes), n).astype(np.int32)
    confidence = generator.uniform(0.5, 0.9, size=classes * n)
    chance = np.where(guess == 7, confidence - 0.4, confidence)
    chance = np.where(guess == 9, 1.0, chance)
    is_right = generator.random(classes * n) < chance
    evaluation = replace(
        make_evaluation(classes * n, classes, seed=0),
        y_pred=guess,
        y_true=np.where(is_right, guess, (guess + 1) % classes).astype(np.int32),
    )
    rows = class_trust(evaluation, Confidences(1.0, confidence, is_right, 0.0, 0.0))
    verdicts = {one.label: one.verdict for one in rows if one.verdict != "unknown"}
    assert verdicts == {7: "over", 9: "under"}


def test_a_temperature_leaves_accuracy_alone() -> None:
    found = measure_trust(make_evaluation(300, 5, seed=2, temperature=2.0))
    first, second = metric_rows([("a", found)])
    assert first["Accuracy"] == second["Accuracy"]
    assert (first["Temperature"], second["Temperature"]) == (1.0, 2.0)
    assert first["ECE"] != second["ECE"]
    assert found.found("over") == sorted(found.found("over"), key=lambda one: -one.gap)
