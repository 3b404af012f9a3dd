"""What people, paper and cameras do to sketches."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.starter import draw, render
from core.sketches.changes import CHANGES, change_sketch

BORDER = np.pad(np.zeros((126, 126), bool), 1, constant_values=True)
CLEANS = ("turned", "shifted", "scaled", "thickened", "thinned", "gaps", "strokes")
"""Kinds that leave the paper white."""
BY_AMOUNT = ("gaps", "strokes", "noise", "photo")


def sketch() -> NDArray[np.uint8]:
    generator = np.random.default_rng(3)
    return render(draw("house", generator), generator)


def ink(sketches: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray((255.0 - sketches).sum(axis=(-2, -1)))


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_the_same_for_the_same_seed(kind: str) -> None:
    once, again = (change_sketch(sketch(), kind, seed=(0, 5)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert once.shape == (4, 128, 128)
    assert once.dtype == np.uint8


@pytest.mark.parametrize("kind", ["turned", "thickened", "thinned", *BY_AMOUNT])
def test_a_stronger_change_is_further_from_the_sketch(kind: str) -> None:
    changed = change_sketch(sketch(), kind, seed=(0, 1)).astype(float)
    apart = np.abs(changed - sketch()).mean(axis=(1, 2))
    assert (np.diff(apart, prepend=0) >= 0).all()
    assert apart[3] > apart[0]


def test_what_is_scaled_is_as_small_as_the_strength_says() -> None:
    changed = change_sketch(sketch(), "scaled", seed=(0,))
    sides = [np.ptp(np.flatnonzero(s.min(axis=0) < 200)) for s in (sketch(), *changed)]
    shares = 1 - np.array(sides[1:]) / sides[0]
    np.testing.assert_allclose(shares, CHANGES["scaled"].amounts, atol=0.04)


@pytest.mark.parametrize("kind", [kind for kind in CHANGES if CHANGES[kind].apply])
def test_no_strength_is_no_change(kind: str) -> None:
    apply = CHANGES[kind].apply
    assert apply is not None
    same = apply(sketch(), 0, np.random.default_rng(0)).astype(int)
    # A photograph is a JPEG, even in the best light.
    assert np.abs(same - sketch()).max() <= (12 if kind == "photo" else 0)


@pytest.mark.parametrize("kind", CLEANS)
def test_ink_stays_within_the_frame(kind: str) -> None:
    for seed in range(3):
        changed = change_sketch(sketch(), kind, seed=(0, seed))
        if kind != "shifted":  # which may bring it to the very edge
            assert changed[:, BORDER].min() > 235


def test_what_is_shifted_is_whole() -> None:
    for seed in range(4):
        np.testing.assert_array_equal(
            ink(change_sketch(sketch(), "shifted", seed=(seed,))), ink(sketch())
        )


def test_what_is_turned_keeps_its_ink_but_for_what_makes_it_smaller() -> None:
    kept = ink(change_sketch(sketch(), "turned", seed=(0, 1))) / ink(sketch())
    assert (kept > 0.6).all()
    assert (kept < 1.1).all()


@pytest.mark.parametrize(
    ("kind", "near"), [("thinned", 0.01), ("gaps", 0.04), ("strokes", 0.2)]
)
def test_as_much_ink_goes_as_the_strength_says(kind: str, near: float) -> None:
    gone = 1 - ink(change_sketch(sketch(), kind, seed=(0, 2))) / ink(sketch())
    amounts = np.array(CHANGES[kind].amounts)
    assert (np.abs(gone - amounts) <= near).all()
    assert (gone > 0).all() or kind == "strokes"


def test_a_thicker_pen_only_adds_ink() -> None:
    changed = change_sketch(sketch(), "thickened", seed=(0,)).astype(int)
    assert (np.diff(ink(changed), prepend=ink(sketch())) > 0).all()


@pytest.mark.parametrize("kind", CHANGES)
def test_a_blank_sketch_and_a_full_one_can_be_changed(kind: str) -> None:
    for value in (255, 0):
        changed = change_sketch(np.full((128, 128), value, np.uint8), kind, seed=(0,))
        assert changed.shape == (4, 128, 128)
