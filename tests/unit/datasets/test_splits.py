"""Splits are stratified, repeatable and never overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.datasets.splits import split_size, stratified_split

labels_strategy = arrays(np.int64, st.integers(2, 200), elements=st.integers(0, 9))


@given(labels_strategy, st.floats(0.01, 0.99), st.integers(0, 5))
def test_the_parts_cover_all_rows_and_never_overlap(
    labels: np.ndarray, fraction: float, seed: int
) -> None:
    first, second = stratified_split(labels, fraction=fraction, seed=seed)
    assert sorted([*first, *second]) == list(range(len(labels)))
    expected = min(max(round(fraction * len(labels)), 1), len(labels) - 1)
    assert len(second) == expected


@given(st.integers(1, 30), st.floats(0.05, 0.95))
def test_every_class_gives_about_its_share(per_class: int, fraction: float) -> None:
    labels = np.repeat(np.arange(8), per_class)
    _, second = stratified_split(labels, fraction=fraction, seed=0)
    counts = np.bincount(labels[second], minlength=8)
    assert np.abs(counts - fraction * per_class).max() <= 1.5


def test_a_seed_repeats_a_split_and_another_changes_it() -> None:
    labels = np.repeat(np.arange(10), 20)
    one, again, other = (
        stratified_split(labels, fraction=0.2, seed=seed)[1] for seed in (1, 1, 2)
    )
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize("n", [1, 5])
def test_a_fraction_of_zero_holds_nothing_out(n: int) -> None:
    kept, held_out = stratified_split(np.zeros(n, int), fraction=0, seed=0)
    assert kept.tolist() == list(range(n))
    assert len(held_out) == split_size(n, fraction=0) == 0
    assert held_out.dtype == kept.dtype


@pytest.mark.parametrize("fraction", [1, -0.5])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="from 0 to below 1"):
        stratified_split(np.zeros(5, int), fraction=fraction, seed=0)
