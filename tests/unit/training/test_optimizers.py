"""The optimizers in one pass: Keras's updates and Keras's state."""

from typing import Any

import keras
import numpy as np
import pytest

from core.training.optimizers import Adam, AdamW

SHAPES = {"kernel": (33, 7), "gamma": (7,)}


def trained(kind: Any, *, steps: int, **options: Any) -> list[Any]:
    """Returns names and values of all variables after some steps."""
    generator = np.random.default_rng(0)
    variables = [
        keras.Variable(generator.normal(size=shape).astype(np.float32), name=name)
        for name, shape in SHAPES.items()
    ]
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    optimizer = kind(rate, **options)
    if options:
        optimizer.exclude_from_weight_decay(var_names=["gamma"])
    optimizer.build(variables)
    for _ in range(steps):
        gradients = [
            keras.ops.convert_to_tensor(generator.normal(size=shape), "float32")
            for shape in SHAPES.values()
        ]
        optimizer.apply(gradients, variables)
    return [
        (variable.name.split("_")[-1], np.asarray(variable))
        for variable in (*variables, *optimizer.variables)
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (Adam, keras.optimizers.Adam, {}),
        (AdamW, keras.optimizers.AdamW, {"weight_decay": 0.05}),
    ],
)
def test_steps_and_state_are_those_of_keras(
    ours: Any, theirs: Any, options: dict[str, Any]
) -> None:
    found = trained(ours, steps=20, **options)
    expected = trained(theirs, steps=20, **options)
    for (name, one), (expected_name, two) in zip(found, expected, strict=True):
        assert name == expected_name
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_a_step_in_a_graph_is_one_operation_a_weight() -> None:
    import tensorflow as tf

    variable = keras.Variable(np.ones((3, 2), np.float32))
    optimizer = Adam(1e-2)
    optimizer.build([variable])
    function = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
    graph = function.get_concrete_function(tf.TensorSpec((3, 2), tf.float32)).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == 1
    function(tf.ones((3, 2)))
    # By hand: the first step of Adam is the learning rate in the gradient's direction.
    np.testing.assert_allclose(np.asarray(variable), 1 - 1e-2, rtol=1e-6)
