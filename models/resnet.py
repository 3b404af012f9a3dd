"""Residual networks (He et al. 2016), with ResNet-18 as the one in use."""

from typing import Any, Literal

Pooling = Literal["strided", "averaged"]
Shortcut = Literal["conv", "average_pool"]

STEM_FILTERS = 64
BATCH_NORM_MOMENTUM = 0.9
"""PyTorch's customary 0.1 the other way round: short runs need the faster average."""


def resnet18(
    layers: Any,
    num_classes: int,
    *,
    image_size: int | None = 128,
    stage_sizes: tuple[int, ...] = (2, 2, 2, 2),
    pooling: Pooling = "strided",
    shortcut: Shortcut = "conv",
    zero_last_gamma: bool = False,
    dropout: float = 0.0,
) -> tuple[Any, Any]:
    """Builds ResNet-18 with post-activation blocks for one-channel sketches.

    Args:
        layers: `keras.layers`, or what stands in for it.
        num_classes: Number of classes, at least 1.
        image_size: Side of the square input in pixels, or None for any size.
        stage_sizes: Blocks in each stage; filters double from 64 a stage, so
            `(3, 4, 6, 3)` is ResNet-34.
        pooling: How height and width are halved: by strides alone, or by 2×2
            averages after an unstrided max-pool or convolution and its ReLU, so that
            an input moved by a pixel changes the answer less (Zhang 2019). Three
            tenths more multiplications. The 7×7 stem keeps its stride, as there:
            unstrided, it would cost four times as much.
        shortcut: How a stage's first block brings its input to the new shape:
            a strided 1×1 convolution (He et al. 2016), or 2×2 average pooling
            before an unstrided one (ResNet-D, He et al. 2019). Where `pooling` is
            averaged, it is the latter.
        zero_last_gamma: Whether each block's last batch norm starts at zero, so
            that every block starts as the identity (Goyal et al. 2017).
        dropout: Share of the pooled features dropped before the head in training.

    Returns:
        Input and output of a functional model: float ink of shape
        `(batch, image_size, image_size, 1)`, 0 for paper and 1 for ink, and
        logits of shape `(batch, num_classes)`.
    """
    inputs = layers.Input((image_size, image_size, 1), name="ink")
    x = _conv(layers, inputs, STEM_FILTERS, kernel_size=7, strides=2, name="stem_conv")
    x = _batch_norm(layers, x, name="stem_bn")
    x = layers.ReLU(name="stem_relu")(x)
    if pooling == "averaged":
        x = layers.MaxPooling2D(3, strides=1, padding="same", name="stem_pool")(x)
        x = _average(layers, x, name="stem_average")
    else:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, num_blocks in enumerate(stage_sizes):
        for block in range(num_blocks):
            x = _basic_block(
                layers,
                x,
                STEM_FILTERS * 2**stage,
                strides=2 if stage > 0 and block == 0 else 1,
                pooling=pooling,
                shortcut=shortcut,
                zero_last_gamma=zero_last_gamma,
                name=f"stage{stage + 1}_block{block}",
            )
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    if dropout:
        x = layers.Dropout(dropout, name="head_dropout")(x)
    logits = layers.Dense(
        num_classes, kernel_initializer="he_normal", dtype="float32", name="head"
    )(x)
    return inputs, logits


def _basic_block(
    layers: Any,
    x: Any,
    filters: int,
    *,
    strides: int,
    pooling: Pooling,
    shortcut: Shortcut,
    zero_last_gamma: bool,
    name: str,
) -> Any:
    """Adds two 3×3 convolutions and their shortcut."""
    residual = x
    averages = pooling == "averaged" and strides > 1
    if strides > 1 or x.shape[-1] != filters:
        conv_strides = strides
        if averages or (shortcut == "average_pool" and strides > 1):
            residual = _average(layers, residual, name=f"{name}_shortcut_pool")
            conv_strides = 1
        residual = _conv(
            layers,
            residual,
            filters,
            kernel_size=1,
            strides=conv_strides,
            name=f"{name}_shortcut_conv",
        )
        residual = _batch_norm(layers, residual, name=f"{name}_shortcut_bn")
    x = _conv(
        layers,
        x,
        filters,
        kernel_size=3,
        strides=1 if averages else strides,
        name=f"{name}_conv1",
    )
    x = _batch_norm(layers, x, name=f"{name}_bn1")
    x = layers.ReLU(name=f"{name}_relu1")(x)
    if averages:
        x = _average(layers, x, name=f"{name}_average")
    x = _conv(layers, x, filters, kernel_size=3, strides=1, name=f"{name}_conv2")
    x = _batch_norm(layers, x, name=f"{name}_bn2", zero_gamma=zero_last_gamma)
    x = layers.Add(name=f"{name}_add")([residual, x])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _conv(
    layers: Any, x: Any, filters: int, *, kernel_size: int, strides: int, name: str
) -> Any:
    """Adds a convolution without bias, He-initialised."""
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _average(layers: Any, x: Any, *, name: str) -> Any:
    """Halves height and width by 2×2 averages."""
    return layers.AveragePooling2D(2, padding="same", name=name)(x)


def _batch_norm(layers: Any, x: Any, *, name: str, zero_gamma: bool = False) -> Any:
    """Adds batch norm over channels."""
    return layers.BatchNormalization(
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=1e-5,
        gamma_initializer="zeros" if zero_gamma else "ones",
        name=name,
    )(x)
