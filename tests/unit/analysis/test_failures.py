"""Which sketches are wrong, filtered and sorted."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.failures import (
    KINDS,
    FailureFilter,
    FailureOrder,
    find_failures,
    surprise,
    tally,
)
from core.errors import RunError
from core.runs.evaluation import Evaluation
from tests.unit.runs.test_evaluation import make_evaluation

pairs = st.builds(
    lambda n, classes, seed: (
        make_evaluation(n, classes, seed=seed),
        replace(
            make_evaluation(n, classes, seed=seed + 1),
            y_true=make_evaluation(n, classes, seed=seed).y_true,
        ),
    ),
    st.integers(1, 60),
    st.integers(2, 6),
    st.integers(0, 2**31),
)


@given(
    pairs,
    st.sampled_from(KINDS),
    st.sampled_from(get_args(FailureOrder)),
    st.none() | st.integers(0, 1),
    st.none() | st.integers(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_failures_are_those_that_one_finds_one_by_one(
    both: tuple[Evaluation, Evaluation],
    kind: str,
    order: str,
    drawn: int | None,
    guess: int | None,
    least: float,
    most: float,
) -> None:
    run, other = both
    wanted = FailureFilter(drawn=drawn, guess=guess, least=least, most=most, kind=kind)  # type: ignore[arg-type]
    found = find_failures(run, wanted, other=other, order=order)  # type: ignore[arg-type]
    expected = set()
    for row in range(len(run.ids)):
        true, predicted = run.y_true[row], run.y_pred[row]
        other_wrong = other.y_pred[row] != other.y_true[row]
        second = run.true_rank[row] == 2
        if (
            predicted != true
            and drawn in (None, true)
            and guess in (None, predicted)
            and least <= run.confidence[row] <= most
            and {"all": True, "both": other_wrong, "only": not other_wrong}.get(
                kind, second
            )
        ):
            expected.add(row)
    assert set(found.tolist()) == expected
    by = {"loss": run.loss, "margin": run.margin}.get(order, surprise(run))[found]
    assert (np.diff(by) <= 0).all()


def test_what_a_class_is_never_taken_for_surprises_most() -> None:
    run = replace(
        make_evaluation(8, 3, seed=0),
        y_true=np.zeros(8, np.int32),
        y_pred=np.array([0, 0, 0, 0, 0, 1, 1, 2], np.int32),
    )
    bits = surprise(run)
    assert bits[7] > bits[5] == bits[6] > bits[0]
    # One of seven others, and three classes of half a sketch.
    assert bits[5] == pytest.approx(-np.log2(1.5 / 8.5))


def test_a_tally_counts_what_it_says() -> None:
    run = replace(
        make_evaluation(6, 3, seed=1),
        y_true=np.array([0, 0, 0, 1, 1, 2], np.int32),
        y_pred=np.array([1, 1, 0, 1, 2, 2], np.int32),
    )
    other = replace(run, y_pred=np.array([0, 1, 0, 0, 2, 0], np.int32))
    found = tally(run, find_failures(run, FailureFilter()), other=other)
    assert (found.wrong, found.total, found.both) == (3, 6, 2)
    assert found.pair == ("class 0", "class 1")
    assert (found.pair_count, found.pair_total) == (2, 3)
    none = tally(run, [], other=None)
    assert (none.wrong, none.both, none.pair) == (0, None, None)


def test_a_kind_that_needs_another_run_asks_for_it() -> None:
    run = make_evaluation(5, 3, seed=2)
    with pytest.raises(ValueError, match="`other` is needed"):
        find_failures(run, FailureFilter(kind="both"))
    with pytest.raises(RunError, match="not scored on the same test sketches"):
        find_failures(
            replace(run, metrics={**run.metrics, "run_id": "a"}),
            FailureFilter(kind="only"),
            other=replace(
                run,
                ids=tuple("abcde"),
                metrics={**run.metrics, "run_id": "b"},
            ),
        )
