"""Averaged weights and their batch-norm statistics, against NumPy."""

from typing import Any

import keras
import numpy as np
import pytest

from core.runs.recipes import make_settings
from core.training.averaging import (
    BatchNormStatistics,
    WeightAverages,
    averaging_decay,
    pool_moments,
    preserved,
)
from core.training.backend import compiled
from core.training.networks import build_network


def value(variable: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(variable))


def test_an_average_follows_its_weight_by_the_decay() -> None:
    weight = keras.Variable(np.array([0, 4], np.float32), name="w")
    averages = WeightAverages([weight], decay=0.9)
    weight.assign([1, 8])
    averages.update(step=1000, steps=1)
    assert value(averages.averages[0]) == pytest.approx([0.1, 4.4])
    # Eight steps at once keep what eight would.
    averages.update(step=1008, steps=8)
    kept = 0.9**8
    expected = kept * np.array([0.1, 4.4]) + (1 - kept) * np.array([1, 8])
    assert value(averages.averages[0]) == pytest.approx(expected)
    averages.put_in_place()
    assert value(weight) == pytest.approx(expected)


def test_an_average_over_few_steps_forgets_the_start() -> None:
    assert averaging_decay(0.998, step=1) == 2 / 11
    assert averaging_decay(0.998, step=90) == 0.91
    assert averaging_decay(0.998, step=10_000) == 0.998
    weight = keras.Variable(np.array([100], np.float32), name="w")
    averages = WeightAverages([weight], decay=0.998)
    weight.assign([1])
    averages.update(step=8, steps=8)
    assert value(averages.averages[0]) == pytest.approx([1 + 99 * 0.5**8])


def test_pooled_moments_are_those_of_all_values() -> None:
    values = np.random.default_rng(0).normal(3, 2, (5, 40, 7))
    mean, variance = pool_moments(values.mean(axis=1), values.var(axis=1))
    assert mean == pytest.approx(values.mean(axis=(0, 1)), rel=1e-5)
    assert variance == pytest.approx(values.var(axis=(0, 1)), rel=1e-5)
    assert mean.dtype == variance.dtype == np.float32


def test_statistics_are_those_of_what_each_batch_norm_sees() -> None:
    x = inputs = keras.Input((6, 6, 1), name="ink")
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="conv")(x)
    x = keras.layers.BatchNormalization(epsilon=1e-5, name="bn1")(x)
    x = keras.layers.Flatten()(keras.layers.ReLU()(x))
    x = keras.layers.Dense(2, use_bias=False, name="dense")(x)
    network = keras.Model(inputs, keras.layers.BatchNormalization(name="bn2")(x))
    generator = np.random.default_rng(0)
    ink = generator.random((4, 16, 6, 6, 1), dtype=np.float32)
    BatchNormStatistics(network).estimate(ink)

    kernel = value(network.get_layer("conv").kernel)[:, :, 0]
    dense = value(network.get_layer("dense").kernel)
    windows = np.lib.stride_tricks.sliding_window_view(ink[..., 0], (3, 3), (2, 3))
    seen = np.einsum("nbxyhw,hwc->nbxyc", windows, kernel)
    bn1 = network.get_layer("bn1")
    assert value(bn1.moving_mean) == pytest.approx(seen.mean((0, 1, 2, 3)), rel=1e-3)
    assert value(bn1.moving_variance) == pytest.approx(seen.var((0, 1, 2, 3)), rel=1e-3)
    # On the way to the second, each batch is normalised by its own statistics.
    own_mean = seen.mean((1, 2, 3), keepdims=True)
    own_variance = seen.var((1, 2, 3), keepdims=True)
    hidden = np.maximum((seen - own_mean) / np.sqrt(own_variance + 1e-5), 0)
    deep = hidden.reshape(4, 16, -1) @ dense
    bn2 = network.get_layer("bn2")
    assert value(bn2.moving_mean) == pytest.approx(deep.mean((0, 1)), rel=1e-3)
    assert value(bn2.moving_variance) == pytest.approx(deep.var((0, 1)), rel=1e-3)


@pytest.mark.parametrize("name", ["simple", "resnet18"])
def test_statistics_of_one_batch_give_what_training_would(name: str) -> None:
    settings = make_settings(name, "report", {"image_sizes": [48]})
    network = build_network(name, 4, settings)
    ink = np.random.default_rng(0).random((32, 48, 48, 1), dtype=np.float32)
    expected = value(network(ink, training=True))
    BatchNormStatistics(network).estimate([ink])
    assert value(network(ink, training=False)) == pytest.approx(expected, abs=2e-3)


def test_what_is_preserved_comes_back_bit_for_bit() -> None:
    network = build_network(
        "simple", 4, make_settings("simple", "best", {"image_sizes": [32]})
    )
    before = [value(variable) for variable in network.variables]
    with preserved(network.variables):
        ink = np.random.default_rng(0).random((8, 32, 32, 1), dtype=np.float32)
        network(ink, training=True)
        for variable in network.trainable_variables:
            variable.assign(variable + 1)
        assert not np.array_equal(value(network.variables[0]), before[0])
    for variable, kept in zip(network.variables, before, strict=True):
        assert np.array_equal(value(variable), kept)


def test_a_compiled_layer_keeps_its_random_state() -> None:
    drop, same = (keras.layers.Dropout(0.5, seed=3) for _ in range(2))
    ones = np.ones((4, 50), np.float32)
    run = compiled(drop, training=True)
    first, second = value(run(ones)), value(run(ones))
    assert (first != second).any()
    assert (first == value(same(ones, training=True))).all()
    assert (second == value(same(ones, training=True))).all()
