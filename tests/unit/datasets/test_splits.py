"""Splits are stratified, repeatable and never overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.datasets.splits import (
    GivenSplit,
    know_again,
    mend_split,
    split_size,
    stratified_split,
    units,
)
from core.datasets.store import SketchRecord, SketchSource

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


def test_sketches_with_tu_berlin_s_numbers_are_split_as_networks_were() -> None:
    given = GivenSplit(
        ("owl", "alarm_clock"),
        frozenset({"3", "84"}),
        class_of_block={0: "alarm_clock", 1: "owl"},
        attribution="TU-Berlin",
    )

    def source(first: int, names: tuple[str, str]) -> SketchSource:
        records = [
            SketchRecord(f"{name}/{n}", label, "train", f"{name}/{n}.png")
            for label, name in enumerate(names)
            for n in range(1 + first * label, 6 + first * label)
        ]
        blank = np.full((128, 128), 255, np.uint8)
        return SketchSource(
            "folders", "x", names, records, lambda _: blank, mending="balance"
        )

    official = know_again(source(80, ("Alarm Clock", "owl")), given)
    assert official.attribution == "TU-Berlin"
    assert official.known_ids["owl/84"] == "84"
    tested = [r.id for r in official.records if r.split == "test"]
    assert tested == ["Alarm Clock/3", "owl/84"]
    # Numbered from 1 in each class, only the first class's numbers are TU-Berlin's.
    own = source(0, ("alarm clock", "owl"))
    assert know_again(own, given) is own


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 8), st.booleans()),
        min_size=2,
        max_size=40,
    )
)
def test_a_mended_split_tears_no_unit_and_trains_each_class(
    rows: list[tuple[int, int, bool]],
) -> None:
    labels = np.array([label for label, _, _ in rows])
    unit = np.array([one for _, one, _ in rows])
    is_test = np.array([tested for _, _, tested in rows])
    for fraction in (0.2, None):
        mended = mend_split(labels, is_test, unit, fraction=fraction)
        for one in np.unique(unit):
            assert len(set(mended[unit == one].tolist())) == 1
        for label in np.unique(labels):
            assert not mended[labels == label].all()


def test_units_are_joined_by_pictures_and_groups() -> None:
    pictures = np.array([7, 7, 8, 9, 5], dtype=np.uint64)
    unit = units(pictures, ["", "a", "a", "", ""])
    assert unit[0] == unit[1] == unit[2]
    assert len(set(unit[2:].tolist())) == 3
