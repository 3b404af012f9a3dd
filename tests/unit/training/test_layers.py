"""Batch norm for training: Keras's weights, answers and gradients."""

from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from core.runs.config import Settings
from core.training.layers import BatchNormalization, TrainingLayers
from core.training.networks import build_network
from models import NETWORKS

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="needs TensorFlow"
)


def operations(layer: Any, shape: tuple[int, ...], *, training: bool) -> set[str]:
    """Returns the kinds of TensorFlow operations that a layer's call consists of."""
    import tensorflow as tf

    function = tf.function(lambda x: layer(x, training=training))
    graph = function.get_concrete_function(tf.TensorSpec(shape, layer.compute_dtype))
    return {operation.type for operation in graph.graph.get_operations()}


def one_step(kind: Any, x: NDArray[np.float32], **options: Any) -> list[Any]:
    """Returns outputs, gradients and moving statistics of a layer in training.

    The gradients are those of a weighted sum of the outputs by the inputs, by gamma
    and by beta.
    """
    import tensorflow as tf

    layer = kind(momentum=0.9, epsilon=1e-5, **options)
    layer.build(x.shape)
    weights = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(tf.cast(inputs, layer.compute_dtype), training=True)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) * weights)
    gradients = tape.gradient(total, [inputs, layer.gamma.value, layer.beta.value])
    assert outputs.dtype == layer.compute_dtype
    moving = [layer.moving_mean, layer.moving_variance]
    assert all(variable.dtype == "float32" for variable in moving)
    return [
        np.asarray(tf.cast(value, tf.float32)) for value in (outputs, *gradients)
    ] + [np.asarray(variable) for variable in moving]


@on_tensorflow
@pytest.mark.parametrize("gamma", ["ones", "zeros"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
# Few values a channel, of which n / (n - 1) would be seen in the moving variance.
@pytest.mark.parametrize("shape", [(4, 2, 1, 5), (8, 6, 7, 16)])
def test_a_step_is_that_of_keras(
    shape: tuple[int, ...], precision: str, gamma: str
) -> None:
    x = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    found, expected = (
        one_step(kind, x, gamma_initializer=gamma, dtype=precision)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    )
    # In bfloat16, a value near the middle between two may be rounded to either.
    tolerance = 1e-4 if precision == "float32" else 2e-2
    for one, two in zip(found[:4], expected[:4], strict=True):
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)
    for one, two in zip(found[4:], expected[4:], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5)


@on_tensorflow
def test_training_fuses_and_use_is_keras_s_graph() -> None:
    shape = (4, 6, 6, 3)
    layer = BatchNormalization()
    layer.build(shape)
    assert "FusedBatchNormV3" in operations(layer, shape, training=True)
    ours = operations(layer, shape, training=False)
    plain = keras.layers.BatchNormalization()
    plain.build(shape)
    assert ours == operations(plain, shape, training=False)


@on_tensorflow
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((4, 3), {}),
        ((4, 5, 3), {}),
        ((4, 6, 6, 3), {"axis": 1}),
        ((4, 6, 6, 3), {"scale": False}),
        ((4, 6, 6, 3), {"trainable": False}),
    ],
)
def test_what_the_operation_cannot_express_is_left_to_keras(
    shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    x = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    layers = [
        kind(**options)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    found, expected = (np.asarray(layer(x, training=True)) for layer in layers)
    np.testing.assert_array_equal(found, expected)
    assert "FusedBatchNormV3" not in operations(layers[0], shape, training=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_named_as_with_keras_s_layers(name: str) -> None:
    ours = build_network(name, 5, Settings())
    spec = NETWORKS[name]
    plain = keras.Model(*spec.build(keras.layers, 5))
    assert [(v.path, v.shape) for v in ours.weights] == [
        (v.path, v.shape) for v in plain.weights
    ]
    # On every backend, trained or not, the answers are those of Keras's layers.
    for one, two in zip(ours.weights, plain.weights, strict=True):
        two.assign(one)
    ink = np.random.default_rng(0).random((4, 128, 128, 1), dtype=np.float32)
    for training in (False, True):
        np.testing.assert_allclose(
            np.asarray(ours(ink, training=training)),
            np.asarray(plain(ink, training=training)),
            rtol=1e-4,
            atol=1e-4,
        )


def test_other_layers_are_keras_s() -> None:
    assert TrainingLayers().Conv2D is keras.layers.Conv2D
    with pytest.raises(AttributeError, match="Conv9D"):
        _ = TrainingLayers().Conv9D
