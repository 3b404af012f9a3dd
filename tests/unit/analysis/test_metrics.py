"""Metrics agree with hand-worked values and with scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from core.analysis.classes import measure_classes
from core.analysis.confidences import measure_confidences
from core.analysis.metrics import (
    METRICS,
    Metric,
    confusion,
    cross_entropy,
    expected_calibration_error,
    fit_temperature,
    top_k_accuracy,
    true_class_ranks,
)
from core.analysis.statistics import paired_test, wilson_interval
from core.runs.evaluation import softmax
from tests.unit.runs.test_evaluation import make_evaluation

Case = tuple[NDArray[np.int64], NDArray[np.float64]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """True labels and probabilities of random samples, some of them ties."""
    seed = draw(st.integers(0, 10_000))
    n, classes = draw(st.integers(1, 40)), draw(st.integers(2, 8))
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (n, classes)).round(draw(st.integers(0, 3)))
    return generator.integers(0, classes, n), softmax(logits)


def test_a_tie_at_rank_k_counts_against_the_sample() -> None:
    y_true = np.array([0, 1])
    constant = np.full((2, 4), 0.25)
    assert top_k_accuracy(y_true, constant, k=1) == 0
    assert top_k_accuracy(y_true, constant, k=3) == 0
    assert top_k_accuracy(y_true, constant, k=4) == 1


def test_top_k_by_hand() -> None:
    y_true = np.array([0, 1, 2])
    y_score = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    assert top_k_accuracy(y_true, y_score, k=1) == pytest.approx(1 / 3)
    assert top_k_accuracy(y_true, y_score, k=2) == pytest.approx(2 / 3)
    assert list(true_class_ranks(y_true, y_score)) == [1, 2, 3]


@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"Received: k={k}"):
        top_k_accuracy(np.array([0]), np.zeros((1, 3)), k=k)


@pytest.mark.parametrize("metric", METRICS)
def test_nan_is_refused_not_right(metric: str) -> None:
    # Compared with NaN, no class scores as high as the true one, so it came first.
    with pytest.raises(ValueError, match="must not be NaN"):
        METRICS[metric].compute(np.array([0, 1]), np.full((2, 3), np.nan))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_is_refused(metric: str, label: int) -> None:
    with pytest.raises(ValueError, match="class indices from 0 to 2"):
        METRICS[metric].compute(np.array([0, label]), np.full((2, 3), 1 / 3))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_temperature_is_fitted_to_finite_logits_only(value: float) -> None:
    with pytest.raises(ValueError, match=r"NaN|finite"):
        fit_temperature(np.array([0, 1]), np.array([[1.0, 0.0], [value, 0.0]]))


def test_a_sure_mistake_costs_what_it_costs_in_both_evaluation_and_trust() -> None:
    # Logits 40 apart: the mistake costs 40 nats, the right answer nothing.
    evaluation = replace(
        make_evaluation(2, 2, seed=0),
        y_true=np.array([1, 0], np.int32),
        y_pred=np.array([0, 0], np.int32),
        logits=np.array([[40, 0], [40, 0]], np.float16),
    )
    single = softmax(evaluation.logits.astype(np.float32))
    assert cross_entropy(evaluation.y_true, single) == pytest.approx(20)
    assert measure_confidences(evaluation, [1.0])[0].nll == pytest.approx(20)
    # Twice as hot, half the price, but for the one right answer.
    hot = measure_confidences(evaluation, [2.0])[0].nll
    assert hot == pytest.approx(10, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_no_samples_are_refused(metric: str) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        METRICS[metric].compute(np.zeros(0, int), np.zeros((0, 3)))


def test_calibration_error_by_hand() -> None:
    # Three answers at 0.9, of which two are right; one at 0.6, right.
    probabilities = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]])
    y_true = np.array([0, 0, 1, 0])
    expected = (3 * abs(0.9 - 2 / 3) + 1 * abs(0.6 - 1)) / 4
    assert expected_calibration_error(y_true, probabilities) == pytest.approx(expected)


def test_wilson_interval_by_hand() -> None:
    # Wilson 1927 with z = 1.959964 for 8 of 10.
    low, high = wilson_interval(8, 10)
    assert (low, high) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert wilson_interval(0, 0) == (0, 1)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_proportion(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n <= high <= 1


@given(cases())
def test_top_k_grows_with_k_and_ends_at_one(case: Case) -> None:
    y_true, probabilities = case
    classes = probabilities.shape[1]
    values = [top_k_accuracy(y_true, probabilities, k=k + 1) for k in range(classes)]
    assert values == sorted(values)
    assert values[-1] == 1


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_no_metric(case: Case, random: object) -> None:
    y_true, probabilities = case
    order = np.random.default_rng(0).permutation(len(y_true))
    for metric in METRICS.values():
        value = metric.compute(y_true, probabilities)
        again = metric.compute(y_true[order], probabilities[order])
        assert again == pytest.approx(value)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@given(labels=st.lists(st.integers(0, 6), min_size=1))
def test_no_answers_beat_sure_and_right_ones(metric: Metric, labels: list[int]) -> None:
    y_true = np.array(labels)
    right, wrong = np.eye(7)[y_true], np.eye(7)[(y_true + 1) % 7]
    best, worst = (metric.compute(y_true, answers) for answers in (right, wrong))
    assert (best > worst) if metric.higher_is_better else (best < worst)


@given(cases())
def test_metrics_agree_with_scikit_learn(case: Case) -> None:
    y_true, probabilities = case
    classes = probabilities.shape[1]
    labels = range(classes)
    y_pred = probabilities.argmax(axis=1)
    assert cross_entropy(y_true, probabilities) == pytest.approx(
        sk.log_loss(y_true, probabilities, labels=list(labels))
    )
    class_metrics = measure_classes(y_true, y_pred, class_names=tuple(map(str, labels)))
    for name, score in (
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
    ):
        expected = score(
            y_true, y_pred, labels=list(labels), average=None, zero_division=0
        )
        assert [getattr(f, name) for f in class_metrics] == pytest.approx(
            list(expected)
        )
    assert sum(figure.n for figure in class_metrics) == len(y_true)
    assert sum(figure.predicted for figure in class_metrics) == len(y_true)


@given(cases())
def test_a_confusion_matrix_sums_to_its_samples(case: Case) -> None:
    y_true, probabilities = case
    classes = probabilities.shape[1]
    matrix = confusion(y_true, probabilities.argmax(axis=1), num_classes=classes)
    assert matrix.sum() == len(y_true)
    assert (matrix.sum(axis=1) == np.bincount(y_true, minlength=classes)).all()


def test_temperature_undoes_overconfidence() -> None:
    generator = np.random.default_rng(0)
    honest = generator.normal(0, 1.5, (4000, 5))
    probabilities = softmax(honest)
    y_true = np.array([generator.choice(5, p=row) for row in probabilities])
    assert fit_temperature(y_true, honest * 3) == pytest.approx(3, rel=0.1)


def test_the_paired_test_counts_only_what_differs() -> None:
    first = np.array([True] * 12 + [False] * 3 + [True] * 50)
    second = np.array([False] * 12 + [True] * 3 + [True] * 50)
    test = paired_test(first, second)
    assert (test.only_first, test.only_second) == (12, 3)
    # Twice the tail P(X < 3) of 15 fair coins, and P(X = 3) once: what was seen
    # counts half.
    assert test.p_value == pytest.approx((2 * (1 + 15 + 105) + 455) / 2**15)
    assert paired_test(first, first).p_value == 1
    with pytest.raises(ValueError, match="same shape"):
        paired_test(first, second[:3])
