"""The parts of an evaluation that need no trained network."""

import numpy as np
import pytest

from core.training.evaluate import VIEW_SHIFTS_PX, shifted
from core.training.map import map_2d


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6, 40])
def test_any_number_of_points_is_laid_out(n: int) -> None:
    embedding = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    layout = map_2d(embedding)
    assert layout.shape == (n, 2)
    assert np.isfinite(layout).all()
    assert (layout == map_2d(embedding)).all()


def test_points_that_are_all_the_same_are_laid_out_too() -> None:
    assert np.isfinite(map_2d(np.zeros((6, 256), np.float32))).all()
    assert np.isfinite(map_2d(np.full((60, 16), 0.7, np.float32))).all()


def test_near_points_stay_near() -> None:
    generator = np.random.default_rng(0)
    label = np.arange(60) % 3
    embedding = generator.normal(size=(60, 16)) * 0.1 + np.eye(3, 16)[label] * 5
    layout = map_2d(embedding.astype(np.float32))
    centres = np.stack([layout[label == k].mean(axis=0) for k in range(3)])
    nearest = ((layout[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == label).all()


@pytest.mark.parametrize("shift_px", VIEW_SHIFTS_PX)
def test_a_shifted_sketch_is_the_same_ink_elsewhere(shift_px: int) -> None:
    images = np.full((2, 20, 24), 255, dtype=np.uint8)
    images[0, 10, 12] = 3
    images[1, 8:11, 7] = 100
    moved = shifted(images, shift_px)
    assert moved.dtype == np.uint8
    assert moved[0, 10 + shift_px, 12 + shift_px] == 3
    assert sorted(moved.ravel()) == sorted(images.ravel())
    # What leaves the picture is lost, and paper comes in.
    full = shifted(np.zeros((1, 20, 24), dtype=np.uint8), shift_px)
    assert (full == 0).sum() == (20 - abs(shift_px)) * (24 - abs(shift_px))


def test_the_six_views_are_six() -> None:
    assert len(set(VIEW_SHIFTS_PX)) == 3
    assert VIEW_SHIFTS_PX[0] == 0
