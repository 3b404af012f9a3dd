"""The library of layers from which `models` builds a network as an ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from core.errors import LayerError

TRAINING_ONLY = {"kernel_initializer", "gamma_initializer", "momentum", "dtype"}
"""Arguments of layers that don't change what a trained network answers."""

Array = NDArray[np.float32]
Pullback = Callable[[Array, Array], Array]
"""From a gradient after a layer, and the embedding, to the gradient before it."""


@dataclass(frozen=True)
class Tensor:
    """What a layer takes and returns; ONNX has channels before height and width.

    Attributes:
        name: In the graph.
        shape: As Keras has it: `(None, height, width, channels)` or `(None, width)`.
        start: Where the first row and column of values look, in pixels of the input.
        step: How many pixels further the next one looks.
    """

    name: str
    shape: tuple[int | None, ...]
    start: float = 0.0
    step: float = 1.0


Layer = Callable[[Tensor], Tensor]


class Layers:
    """Stands in for `keras.layers`: a layer that is called is added to a graph.

    Has the layers and arguments that the networks use; others raise `LayerError`.

    Attributes:
        nodes: Of the graph, in the order of calls.
        constants: Their weights.
        unused: The weights that no layer has asked for yet.
        features: What the last layer before the flat ones returned.
        pullbacks: Of the flat layers, from `features` to logits.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Begins a graph.

        Args:
            weights: By the names that Keras gives variables, such as
                `stem_conv/kernel`.
        """
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.unused = dict(weights)
        self.features: Tensor | None = None
        self.pullbacks: list[Pullback] = []

    def __getattr__(self, name: str) -> Any:
        """Raises `LayerError`: there is no layer of that name."""
        known = ", ".join(layer for layer in vars(Layers) if layer[0].isupper())
        raise LayerError(
            f"Layer {name} can't be run without Keras yet. Add it to "
            f"core/inference/layers.py, or build the network of these: {known}."
        )

    def Input(self, shape: tuple[int, ...], *, name: str) -> Tensor:
        """Returns the graph's input, which the caller must provide by its name."""
        return Tensor(name, (None, *shape))

    def Conv2D(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: str = "valid",
        use_bias: bool = True,
        name: str,
        **training: Any,
    ) -> Layer:
        """Adds a convolution."""
        _check(training)

        def call(x: Tensor) -> Tensor:
            kernel = self._weight(
                f"{name}/kernel", (kernel_size, kernel_size, x.shape[-1], filters)
            )
            weights = [kernel.transpose(3, 2, 0, 1)]
            if use_bias:
                weights.append(self._weight(f"{name}/bias", (filters,)))
            return self._window(
                "Conv", x, weights, kernel_size, strides, padding, filters, name
            )

        return call

    def MaxPooling2D(
        self,
        pool_size: int,
        strides: int | None = None,
        *,
        padding: str = "valid",
        name: str,
    ) -> Layer:
        """Adds max-pooling, by steps of its size if no strides are given."""
        step = pool_size if strides is None else strides
        return lambda x: self._window(
            "MaxPool", x, [], pool_size, step, padding, x.shape[-1], name
        )

    def AveragePooling2D(
        self, pool_size: int, *, padding: str = "valid", name: str
    ) -> Layer:
        """Adds average pooling, which leaves padding out of its averages."""
        return lambda x: self._window(
            "AveragePool", x, [], pool_size, pool_size, padding, x.shape[-1], name
        )

    def BatchNormalization(
        self, *, epsilon: float = 1e-3, name: str, **training: Any
    ) -> Layer:
        """Adds batch norm over channels, with the statistics of training."""
        _check(training)

        def call(x: Tensor) -> Tensor:
            gamma, beta, mean, variance = (
                self._weight(f"{name}/{part}", (x.shape[-1],))
                for part in ("gamma", "beta", "moving_mean", "moving_variance")
            )
            if len(x.shape) == 2:
                scale = gamma / np.sqrt(variance + np.float32(epsilon))
                self.pullbacks.append(lambda gradient, _: gradient * scale)
            inputs: list[Tensor | NDArray[Any]] = [x, gamma, beta, mean, variance]
            return self._add(
                "BatchNormalization", inputs, x.shape, name, epsilon=epsilon
            )

        return call

    def ReLU(self, *, name: str) -> Layer:
        """Adds a rectifier; among the flat layers it must be the embedding."""

        def call(x: Tensor) -> Tensor:
            if len(x.shape) == 2:
                if name != "embedding":
                    raise ValueError(f"A flat ReLU must be `embedding`. Got: {name}")
                self.pullbacks.append(
                    lambda gradient, embedding: gradient * (embedding > 0)
                )
            return self._add("Relu", [x], x.shape, name)

        return call

    def Add(self, *, name: str) -> Callable[[Sequence[Tensor]], Tensor]:
        """Adds a sum, which looks between where its two parts look."""

        def call(parts: Sequence[Tensor]) -> Tensor:
            first, two = parts
            added = self._add("Add", [first, two], first.shape, name)
            middle = (first.start + two.start) / 2
            return Tensor(added.name, first.shape, middle, first.step)

        return call

    def GlobalAveragePooling2D(self, *, name: str) -> Layer:
        """Adds the mean over height and width."""

        def call(x: Tensor) -> Tensor:
            self.features = x
            shape = _known(x.shape[1:])
            self.pullbacks.append(
                lambda gradient, _: np.broadcast_to(
                    gradient / np.float32(shape[0] * shape[1]), shape
                )
            )
            axes = np.array([2, 3])
            return self._add(
                "ReduceMean", [x, axes], (None, shape[-1]), name, keepdims=0
            )

        return call

    def Flatten(self, *, name: str) -> Layer:
        """Adds one row of values a sketch, channels last as Keras has them."""

        def call(x: Tensor) -> Tensor:
            self.features = x
            shape = _known(x.shape[1:])
            self.pullbacks.append(lambda gradient, _: gradient.reshape(shape))
            last = self._add(
                "Transpose", [x], x.shape, f"{name}/last", perm=[0, 2, 3, 1]
            )
            return self._add("Flatten", [last], (None, int(np.prod(shape))), name)

        return call

    def Dense(
        self, units: int, *, use_bias: bool = True, name: str, **training: Any
    ) -> Layer:
        """Adds a dense layer."""
        _check(training)

        def call(x: Tensor) -> Tensor:
            kernel = self._weight(f"{name}/kernel", (x.shape[-1], units))
            self.pullbacks.append(lambda gradient, _: kernel @ gradient)
            inputs: list[Tensor | NDArray[Any]] = [x, kernel]
            if use_bias:
                inputs.append(self._weight(f"{name}/bias", (units,)))
            return self._add("Gemm", inputs, (None, units), name)

        return call

    def Dropout(self, rate: float, *, name: str) -> Layer:
        """Returns what it is given: nothing is dropped after training."""
        del rate, name
        return lambda x: x

    def _weight(self, name: str, shape: tuple[int | None, ...]) -> Array:
        """Takes a weight.

        Raises:
            LookupError: If there is none of this name and shape.
        """
        weight = self.unused.pop(name)
        if weight.shape != shape:
            raise LookupError(name)
        return weight.astype(np.float32)

    def _window(
        self,
        operation: str,
        x: Tensor,
        weights: list[NDArray[Any]],
        size: int,
        strides: int,
        padding: str,
        channels: int | None,
        name: str,
    ) -> Tensor:
        """Adds what slides a window over height and width, padded as Keras does."""
        pads, sides = [], []
        for side in _known(x.shape[1:3]):
            out = (
                -(-side // strides)
                if padding == "same"
                else (side - size) // strides + 1
            )
            total = max((out - 1) * strides + size - side, 0)
            pads.append((total // 2, total - total // 2))
            sides.append(out)
        added = self._add(
            operation,
            [x, *weights],
            (None, *sides, channels),
            name,
            kernel_shape=[size, size],
            strides=[strides, strides],
            pads=[before for before, _ in pads] + [after for _, after in pads],
        )
        start = x.start + ((size - 1) / 2 - pads[0][0]) * x.step
        return Tensor(added.name, added.shape, start, x.step * strides)

    def _add(
        self,
        operation: str,
        inputs: Sequence[Tensor | NDArray[Any]],
        shape: tuple[int | None, ...],
        name: str,
        **attributes: Any,
    ) -> Tensor:
        """Adds a node of one output, named as its layer."""
        names = []
        for position, value in enumerate(inputs):
            if isinstance(value, Tensor):
                names.append(value.name)
            else:
                names.append(f"{name}/{position}")
                self.constants.append(numpy_helper.from_array(value, names[-1]))
        self.nodes.append(helper.make_node(operation, names, [name], **attributes))
        first = inputs[0]
        assert isinstance(first, Tensor)
        return Tensor(name, shape, first.start, first.step)


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Returns a part of a shape, all of which is known once the input's size is."""
    return tuple(side for side in shape if side is not None)


def _check(training: Mapping[str, Any]) -> None:
    """Raises `LayerError` for an argument that would change the answer."""
    unknown = training.keys() - TRAINING_ONLY
    if unknown:
        raise LayerError(
            f"A layer can't be given {', '.join(sorted(unknown))} without Keras yet. "
            "Add it to core/inference/layers.py, or build the network without."
        )
