"""How alike two err."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.analysis.consistency import (
    compare_errors,
    consistency_interval,
    error_consistency,
)
from core.datasets.answers import Answer

pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(pairs)
def test_error_consistency_is_sklearn_s_kappa_of_being_right(
    right: list[tuple[bool, bool]],
) -> None:
    first, second = np.array(right).T
    kappa = error_consistency(first, second)
    if np.isnan(kappa):
        assert len({*first, *second}) == 1
    else:
        assert kappa == pytest.approx(cohen_kappa_score(first, second))
    assert error_consistency(second, first) == pytest.approx(kappa, nan_ok=True)


def test_the_interval_is_that_of_samples_drawn_one_by_one() -> None:
    generator = np.random.default_rng(3)
    first = generator.random(200) < 0.7
    second = np.where(generator.random(200) < 0.4, first, generator.random(200) < 0.7)
    draws = generator.integers(200, size=(4000, 200))
    kappas = [error_consistency(first[rows], second[rows]) for rows in draws]
    expected = np.quantile(kappas, (0.025, 0.975))
    assert consistency_interval(first, second) == pytest.approx(expected, abs=0.02)


def test_nothing_is_known_of_those_who_never_err() -> None:
    never = np.ones(9, dtype=bool)
    assert np.isnan(error_consistency(never, never))
    assert np.isnan(consistency_interval(never, never)).all()
    assert np.isnan(error_consistency(never[:0], never[:0]))
    with pytest.raises(ValueError, match="same shape"):
        error_consistency(never, never[:4])


def test_people_are_compared_with_each_network_and_these_with_each_other() -> None:
    def made(said: str, one: str, two: str) -> Answer:
        return Answer(
            sketches="s",
            sketch="1",
            drawn="cat",
            choices=("cat", "dog"),
            said=said,
            networks={"one": one, "two": two},
        )

    answers = [made("cat", "cat", "dog"), made("dog", "dog", "cat")]
    found = {
        (p.first, p.second): p.kappa for p in compare_errors(answers, ["one", "two"])
    }
    assert found == {(0, 1): 1.0, (0, 2): -1.0, (1, 2): -1.0}
