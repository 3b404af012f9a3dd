"""The Simple network: three convolutions and one hidden dense layer."""

from typing import Any

FILTERS = (32, 64, 128)
HIDDEN_UNITS = 256
BATCH_NORM_MOMENTUM = 0.9
"""Keras's 0.99 still remembers its start after the few steps of a small dataset."""


def simple(
    layers: Any, num_classes: int, *, image_size: int = 128, dropout: float = 0.0
) -> tuple[Any, Any]:
    """Builds the Simple network.

    Three times 3×3 convolution, batch norm, ReLU and 3×3/2 max-pooling, then a
    dense layer of 256 with batch norm and ReLU, named `embedding`, and a head.
    Convolutions have no bias, since batch norm follows. Pooling stands before
    ReLU, which gives the same values for a quarter of the work.

    Args:
        layers: `keras.layers`, or what stands in for it.
        num_classes: Number of classes, at least 1.
        image_size: Side of the square input in pixels; the dense layer fixes it.
        dropout: Share of the hidden units dropped before the head in training.

    Returns:
        Input and output of a functional model: float ink of shape
        `(batch, image_size, image_size, 1)`, 0 for paper and 1 for ink, and
        logits of shape `(batch, num_classes)`.
    """
    inputs = layers.Input((image_size, image_size, 1), name="ink")
    x = inputs
    for index, filters in enumerate(FILTERS, start=1):
        x = layers.Conv2D(
            filters,
            3,
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv{index}",
        )(x)
        x = layers.BatchNormalization(
            momentum=BATCH_NORM_MOMENTUM, name=f"conv{index}_bn"
        )(x)
        x = layers.MaxPooling2D(3, strides=2, name=f"conv{index}_pool")(x)
        x = layers.ReLU(name=f"conv{index}_relu")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(
        HIDDEN_UNITS, use_bias=False, kernel_initializer="he_normal", name="hidden"
    )(x)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name="hidden_bn")(x)
    x = layers.ReLU(name="embedding")(x)
    if dropout:
        x = layers.Dropout(dropout, name="head_dropout")(x)
    logits = layers.Dense(
        num_classes, kernel_initializer="he_normal", dtype="float32", name="head"
    )(x)
    return inputs, logits
