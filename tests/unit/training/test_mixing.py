"""MixUp and CutMix: what is mixed, in what shares, always the same."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.runs.config import Settings
from core.training.batches import mix
from core.training.mixing import Mixing

N = 16
IMAGES = np.repeat(np.arange(N, dtype=np.uint8) * 10, 128 * 128).reshape(N, 128, 128)
TARGETS = np.eye(N, dtype=np.float32)

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


def mixed(step: int = 0, **fields: Any) -> Batch:
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


@pytest.mark.parametrize("fields", [{}, {"cutmix": 1, "mixing": "sketch"}])
def test_no_batch_is_mixed_unless_asked(fields: dict[str, Any]) -> None:
    images, targets = mixed(**fields)
    assert images is IMAGES
    assert targets is TARGETS


SIZE = 32
Ink = NDArray[np.float32]

GRAYS: Ink = (np.arange(1, N + 1) / N).astype(np.float32)


def drawings(*, ink_share: float = 0.1) -> Ink:
    """Ink in random places, of one gray a sketch, which tells whose it is."""
    places = np.random.default_rng(1).random((N, SIZE, SIZE, 1)) < ink_share
    return places.astype(np.float32) * GRAYS[:, None, None, None]


def mix_sketches(layer: Mixing, ink: Ink) -> tuple[Ink, Ink]:
    mixed_ink, targets = layer(ink, TARGETS[: len(ink)])
    return np.asarray(mixed_ink), np.asarray(targets)


def sketch_mixing(**fields: Any) -> Mixing:
    return Mixing(Settings(mixing="sketch", **fields))


def test_a_pasted_sketch_s_target_is_weighed_by_whose_the_ink_is() -> None:
    layer = sketch_mixing(cutmix=1)
    uneven = 0
    for _ in range(10):
        ink, targets = mix_sketches(layer, drawings())
        owners = np.abs(ink - GRAYS).argmin(axis=-1)[..., None] == np.arange(N)
        amounts = (owners * ink).sum(axis=(1, 2))
        shares = amounts / amounts.sum(axis=1, keepdims=True)
        assert targets == pytest.approx(shares, abs=1e-5)
        # By area, it would be the share of the places that are its own.
        area = (owners * (ink > 0)).sum(axis=(1, 2)) / (ink > 0).sum(axis=(1, 2))
        uneven += (np.abs(targets - area).max(axis=1) > 0.05).sum()
    assert uneven > N


def test_without_ink_a_pasted_target_is_weighed_by_area() -> None:
    full = np.ones((N, SIZE, SIZE, 1), np.float32)
    _, targets = mix_sketches(sketch_mixing(cutmix=1), 0 * full)
    _, by_area = mix_sketches(sketch_mixing(cutmix=1), full)
    assert targets == pytest.approx(by_area, abs=1e-6)
    assert 0 < targets.max(axis=1).min() < 1


def test_a_blended_sketch_s_target_is_weighed_like_its_ink() -> None:
    # The first pixels of a sketch tell which it is.
    ink = np.zeros((N, SIZE, SIZE, 1), np.float32)
    ink[:, 0, :N, 0] = np.eye(N)
    mixed_ink, targets = mix_sketches(sketch_mixing(mixup=1), ink)
    assert mixed_ink[:, 0, :N, 0] == pytest.approx(targets, abs=1e-6)
    own = np.diag(targets)
    assert len(set(own.round(4))) > N / 2


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
@pytest.mark.parametrize("number", [1, 2, 3, N])
def test_targets_add_up_and_a_partner_is_somebody_else(kind: str, number: int) -> None:
    layer = sketch_mixing(**{kind: 1})
    own: list[float] = []
    for _ in range(20):
        _, targets = mix_sketches(layer, drawings(ink_share=0.5)[:number])
        assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert ((targets > 0).sum(axis=1) <= 2).all()
        own.extend(np.diag(targets[:, :number]))
    assert (min(own) < 0.9) == (number > 1)


def test_each_sketch_is_mixed_or_left_by_its_own_draw() -> None:
    layer = sketch_mixing(mixup=0.2, cutmix=0.3)
    plain: Ink = np.tile(GRAYS[:, None, None, None], (1, SIZE, SIZE, 1))
    left, blended, of_batch = 0, 0, []
    for _ in range(100):
        ink, targets = mix_sketches(layer, plain)
        is_left = (ink == plain).all(axis=(1, 2, 3))
        assert (np.diag(targets)[is_left] == 1).all()
        is_flat = np.ptp(ink, axis=(1, 2, 3)) < 1e-6
        left += is_left.sum()
        blended += (is_flat & ~is_left).sum()
        of_batch.append(is_left.sum())
    # Four standard deviations of 1,600 draws; a few blends and boxes change nothing.
    assert left / (100 * N) == pytest.approx(0.5, abs=0.05)
    assert blended / (100 * N) == pytest.approx(0.2, abs=0.04)
    assert np.std(of_batch) == pytest.approx(np.sqrt(N / 4), rel=0.3)


def test_the_same_seed_or_key_mixes_sketches_alike() -> None:
    one, two = (sketch_mixing(mixup=0.5, cutmix=0.5, seed=3) for _ in range(2))
    first, second = (mix_sketches(one, drawings()) for _ in range(2))
    assert not np.array_equal(first[0], second[0])
    for got, expected in zip(mix_sketches(two, drawings()), first, strict=True):
        assert np.array_equal(got, expected)
    for layer in (one, two):
        layer.reseed(1, 2)
    for got, expected in zip(
        mix_sketches(two, drawings()), mix_sketches(one, drawings()), strict=True
    ):
        assert np.array_equal(got, expected)


def test_no_sketch_is_mixed_where_both_shares_are_0() -> None:
    ink, targets = mix_sketches(sketch_mixing(), drawings())
    assert np.array_equal(ink, drawings())
    assert np.array_equal(targets, TARGETS)
