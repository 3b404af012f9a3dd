"""MixUp and CutMix: what is mixed, in what shares, always the same."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.batches import mix
from core.config import Settings

N = 16
IMAGES = np.repeat(np.arange(N, dtype=np.uint8) * 10, 128 * 128).reshape(N, 128, 128)
TARGETS = np.eye(N, dtype=np.float32)

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


def mixed(step: int = 0, **fields: float) -> Batch:
    return mix(IMAGES, TARGETS, Settings(**fields), epoch=2, step=step)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_a_sketch_s_gray_and_target_are_mixed_in_the_same_shares(kind: str) -> None:
    values = np.arange(N) * 10.0
    for step in range(20):
        images, targets = mixed(step, **{kind: 1})
        assert images.dtype == np.uint8
        assert targets.sum(axis=1) == pytest.approx(1)
        # Each sketch is one gray of its own, so its mean tells the shares.
        assert images.mean(axis=(1, 2)) == pytest.approx(targets @ values, abs=0.6)


def test_cutmix_pastes_and_does_not_blend() -> None:
    images, _ = mixed(cutmix=1)
    assert set(np.unique(images)) <= set(range(0, 160, 10))


def test_about_the_asked_share_of_batches_is_mixed() -> None:
    changed = [
        mixed(step, mixup=0.2, cutmix=0.3)[0] is not IMAGES for step in range(200)
    ]
    assert 70 < sum(changed) < 130


def test_the_same_step_is_always_mixed_alike() -> None:
    first, again, later = mixed(3, cutmix=1), mixed(3, cutmix=1), mixed(4, cutmix=1)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], later[0])


def test_nothing_is_mixed_unless_asked() -> None:
    images, targets = mixed()
    assert images is IMAGES
    assert targets is TARGETS
