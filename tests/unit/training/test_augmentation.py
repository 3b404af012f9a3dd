"""The front of a training network: what it keeps and what it varies."""

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.runs.config import Settings
from core.training.augmentation import SketchInput

BEST = Settings(
    flip=True,
    rotation_deg=15,
    scale=0.2,
    aspect=0.1,
    shear=0.12,
    shift=0.08,
    ink_gain=(1, 2),
)


def blot(x: int = 64, y: int = 64, n: int = 1) -> NDArray[np.uint8]:
    """Paper with a black square of 9 px about a point."""
    images = np.full((n, 128, 128), 255, np.uint8)
    images[:, y - 4 : y + 5, x - 4 : x + 5] = 0
    return images


def vary(
    images: NDArray[np.uint8],
    *,
    training: bool = True,
    size: int = 128,
    **fields: Any,
) -> NDArray[np.float32]:
    front = SketchInput(Settings(**fields), image_size=size)
    return np.asarray(front(images, training=training))


def centre(ink: NDArray[np.float32]) -> tuple[float, float]:
    """Centre of mass of one picture, x and y."""
    ys, xs = np.mgrid[: ink.shape[0], : ink.shape[1]]
    return float((ink * xs).sum() / ink.sum()), float((ink * ys).sum() / ink.sum())


def test_without_training_ink_is_the_paper_s_complement() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 128, 128), dtype=np.uint8)
    ink = np.asarray(SketchInput(BEST, image_size=128)(images, training=False))
    assert ink == pytest.approx(1 - images[..., None] / 255, abs=1e-6)


@pytest.mark.parametrize("size", [32, 64, 96])
def test_a_smaller_size_keeps_the_amount_of_ink(size: int) -> None:
    ink = vary(blot(), training=False, size=size)
    assert ink.shape == (1, size, size, 1)
    assert ink.mean() == pytest.approx(81 / 128**2, rel=0.02)


def test_a_flip_mirrors_about_half_and_leaves_the_rest() -> None:
    ink = vary(blot(30, 64, n=64), flip=True)[..., 0]
    xs = np.array([centre(picture)[0] for picture in ink]).round()
    assert set(xs) == {30.0, 97.0}
    assert 16 < (xs == 30).sum() < 48


def test_a_shift_moves_by_no_more_than_asked() -> None:
    ink = vary(blot(n=100), shift=0.1)[..., 0]
    moved = np.array([centre(picture) for picture in ink]) - 64
    assert np.abs(moved).max() <= 12.8
    assert np.abs(moved).max() > 10


def test_a_turn_keeps_the_distance_from_the_centre() -> None:
    ink = vary(blot(64, 24, n=40), rotation_deg=20)[..., 0]
    offsets = np.array([centre(picture) for picture in ink]) - 63.5
    assert np.hypot(*offsets.T) == pytest.approx(39.5, abs=0.5)
    angles = np.degrees(np.arctan2(offsets[:, 0], -offsets[:, 1]))
    assert np.abs(angles).max() <= 21
    assert angles.max() > 10
    assert angles.min() < -10


def test_a_scale_grows_and_shrinks_alike() -> None:
    area = vary(blot(n=300), scale=0.3)[..., 0].sum(axis=(1, 2)) / 81
    assert area.max() == pytest.approx(1.3**2, rel=0.06)
    assert area.min() == pytest.approx(1 / 1.3**2, rel=0.06)


def test_ink_gain_lightens_and_darkens_each_sketch_within_its_range() -> None:
    images = np.full((200, 128, 128), 255 - 51, np.uint8)
    ink = vary(images, ink_gain=(0.5, 2))
    assert (ink.max(axis=(1, 2, 3)) == ink.min(axis=(1, 2, 3))).all()
    assert 0.1 - 1e-6 <= ink.min() < 0.12
    assert 0.38 < ink.max() <= 0.4 + 1e-6
    assert vary(255 - images, ink_gain=(2, 3)).max() == 1


def test_an_earlier_release_s_ink_gain_varies_as_it_did() -> None:
    images = np.full((3, 128, 128), 255 - 51, np.uint8)
    draws = keras.random.uniform(
        (3, 1, 1, 1), 1.0, 1.5, dtype="float32", seed=keras.random.SeedGenerator(7)
    )
    expected = (1 - images[..., None] / np.float32(255)) * np.asarray(draws)
    ink = vary(images, ink_gain=0.5, seed=7)
    assert ink == pytest.approx(expected, abs=1e-6)


def test_after_the_same_key_a_batch_is_varied_the_same() -> None:
    images = blot(40, 50, n=4)
    front = SketchInput(BEST, image_size=64)
    seen: dict[tuple[int, int], Any] = {}
    for key in ((0, 1), (1, 0), (0, 1), (1, 0)):
        front.reseed(*key)
        ink = np.asarray(front(images, training=True))
        assert np.array_equal(seen.setdefault(key, ink), ink)
    assert not np.array_equal(seen[0, 1], seen[1, 0])


def test_every_batch_is_varied_anew_and_a_seed_repeats_it() -> None:
    images = blot(40, 50, n=4)
    one, two = (SketchInput(BEST, image_size=128) for _ in range(2))
    first, second = (np.asarray(one(images, training=True)) for _ in range(2))
    assert (first != second).any()
    assert (np.asarray(two(images, training=True)) == first).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_ink_stays_between_paper_and_full(seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (2, 128, 128), dtype=np.uint8)
    ink = np.asarray(SketchInput(BEST, image_size=64)(images, training=True))
    assert ink.min() >= -1e-6
    assert ink.max() <= 1 + 1e-6
    assert ink.dtype == keras.config.floatx()


def test_a_tilt_leaves_the_centre_and_bends_the_rest() -> None:
    tilted = vary(blot(64, 64, n=20), perspective=0.3)[..., 0]
    assert np.array([centre(p) for p in tilted]) == pytest.approx(64, abs=1)
    bent = vary(blot(16, 64, n=40), perspective=0.3)[..., 0]
    distance = 63.5 - np.array([centre(p)[0] for p in bent])
    assert 47.5 / 1.35 < distance.min() < 42 < 55 < distance.max() < 47.5 / 0.65


def test_thickness_makes_strokes_thicker_and_thinner() -> None:
    line = np.full((60, 128, 128), 255, np.uint8)
    line[:, 63:65, 20:108] = 0
    mass = vary(line, thickness=1).sum(axis=(1, 2, 3)) / 88
    # Two pixels wide: up to one more on each side, and down to half of each.
    assert 1 <= mass.min() < 1.4
    assert 3.6 < mass.max() <= 4.1


def test_erasing_takes_a_rectangle_out_of_its_share() -> None:
    black = np.zeros((80, 128, 128), np.uint8)
    left = vary(black, erase=0.5).mean(axis=(1, 2, 3))
    assert 20 < (left < 1).sum() < 60
    assert left.min() >= 1 - 0.4**2 - 0.01
