"""Runs trained networks without Keras: their layers become an ONNX graph.

The graph is written here, in memory, from `models` and a run's weights, and is run by
ONNX Runtime, which loads in a fraction of a second where TensorFlow takes many.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.runs.config import Settings
from core.runs.recipes import network_options
from core.sketches.images import IMAGE_SIZE, PAPER
from models import NETWORKS

OPSET = 18
IR_VERSION = 9
"""The versions of ONNX in which `Resize` learned to antialias."""

THREADS = 2
"""For one call. More gain little on one sketch; visitors are served side by side."""

BATCH_SIZE = 16
"""Larger batches are no faster a sketch, but keep more memory."""

ERRORS_ONLY = 3
"""ONNX Runtime's level of logging, below which it tells what devices it misses."""

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

    Has the layers and arguments that the networks use; others raise.

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
        self, pool_size: int, strides: int, *, padding: str = "valid", name: str
    ) -> Layer:
        """Adds max-pooling."""
        return lambda x: self._window(
            "MaxPool", x, [], pool_size, strides, padding, x.shape[-1], name
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
            one, two = parts
            added = self._add("Add", [one, two], one.shape, name)
            middle = (one.start + two.start) / 2
            return Tensor(added.name, one.shape, middle, one.step)

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


@dataclass(frozen=True)
class Inference:
    """A trained network, ready to answer; may be called from several threads.

    Attributes:
        start_px: Where the first row and column of the features look, in pixels of a
            sketch.
        step_px: How many pixels further the next ones look.
    """

    start_px: float
    step_px: float
    _session: Any = field(repr=False)
    _pullbacks: tuple[Pullback, ...] = field(repr=False)
    _num_classes: int

    def __call__(self, sketches: NDArray[np.uint8]) -> tuple[Array, Array, Array]:
        """Runs the network.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`.

        Returns:
            Logits of shape `(n, num_classes)`, the embedding of shape `(n, width)`,
            and the features before the flat layers, of shape
            `(n, height, width, channels)`.
        """
        answers = [
            self._session.run(["logits", "embedding", "features"], {"images": batch})
            for batch in np.split(
                sketches, range(BATCH_SIZE, len(sketches), BATCH_SIZE)
            )
        ]
        logits, embedding, features = map(np.concatenate, zip(*answers, strict=True))
        return logits, embedding, features

    def feature_gradient(self, embedding: Array, label: int) -> Array:
        """Differentiates one sketch's logit of a class by its features.

        Args:
            embedding: The sketch's, of shape `(width,)`.
            label: Class index.

        Returns:
            Shape `(height, width, channels)`.
        """
        gradient = np.zeros(self._num_classes, np.float32)
        gradient[label] = 1
        for pull_back in reversed(self._pullbacks):
            gradient = pull_back(gradient, embedding)
        return gradient


def build_inference(
    network: str,
    num_classes: int,
    settings: Settings,
    weights: Mapping[str, NDArray[Any]],
) -> Inference:
    """Builds a trained network for use.

    Args:
        network: A name of `models.NETWORKS`.
        num_classes: Number of logits.
        settings: The run's.
        weights: By the names that Keras gives variables, of any precision.

    Raises:
        LookupError: If the weights are of other names or shapes than the network's.
    """
    graph, layers, features = _build_graph(network, num_classes, settings, weights)
    scale = IMAGE_SIZE / settings.test_image_size
    return Inference(
        start_px=(features.start + 0.5) * scale - 0.5,
        step_px=features.step * scale,
        _session=_start(_model(graph)),
        _pullbacks=tuple(layers.pullbacks),
        _num_classes=num_classes,
    )


def build_onnx(
    network: str,
    num_classes: int,
    settings: Settings,
    weights: Mapping[str, NDArray[Any]],
    *,
    temperature: float,
) -> onnx.ModelProto:
    """Builds a trained network as a model that ends in probabilities.

    Its input `images` is `uint8` of shape `(n, 128, 128)`, its output `probabilities`
    `float32` of shape `(n, num_classes)`. For the rest see `build_inference`.

    Args:
        network: A name of `models.NETWORKS`.
        num_classes: Number of probabilities.
        settings: The run's.
        weights: By the names that Keras gives variables, of any precision.
        temperature: What logits are divided by before the softmax.
    """
    graph, _, _ = _build_graph(network, num_classes, settings, weights)
    graph.initializer.append(
        numpy_helper.from_array(np.asarray(np.float32(temperature)), "temperature")
    )
    graph.node.extend(
        [
            helper.make_node("Div", ["logits", "temperature"], ["scaled"]),
            helper.make_node("Softmax", ["scaled"], ["probabilities"], axis=1),
        ]
    )
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info(
            "probabilities", TensorProto.FLOAT, ["n", num_classes]
        )
    )
    # What explains an answer is not asked for here.
    kept = [node for node in graph.node if list(node.output) != ["features"]]
    del graph.node[:]
    graph.node.extend(kept)
    model = _model(graph)
    onnx.checker.check_model(model)
    return model


def _build_graph(
    network: str,
    num_classes: int,
    settings: Settings,
    weights: Mapping[str, NDArray[Any]],
) -> tuple[onnx.GraphProto, Layers, Tensor]:
    """Returns the graph from sketches to logits, its layers and its features."""
    layers = Layers(weights)
    size = settings.test_image_size
    ink, logits = NETWORKS[network].build(
        layers, num_classes, image_size=size, **network_options(network, settings)
    )
    if layers.unused:
        raise LookupError(", ".join(layers.unused))
    features = layers.features
    assert features is not None
    nodes, constants = _front(ink.name, size)
    graph = helper.make_graph(
        [
            *nodes,
            *layers.nodes,
            helper.make_node("Identity", [logits.name], ["logits"]),
            helper.make_node(
                "Transpose", [features.name], ["features"], perm=[0, 2, 3, 1]
            ),
        ],
        network,
        [
            helper.make_tensor_value_info(
                "images", TensorProto.UINT8, ["n", IMAGE_SIZE, IMAGE_SIZE]
            )
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in ("logits", "embedding", "features")
        ],
        [*constants, *layers.constants],
    )
    return graph, layers, features


def _front(ink: str, size: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Returns what `core.training.augmentation.SketchInput` does where nothing is varied."""
    nodes = [
        helper.make_node("Cast", ["images"], ["gray"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["gray", "paper"], ["light"]),
        helper.make_node("Sub", ["one", "light"], ["dark"]),
        helper.make_node("Unsqueeze", ["dark", "axis"], ["whole"]),
        helper.make_node(
            "Resize",
            ["whole", "", "", "sides"],
            [ink],
            mode="linear",
            antialias=1,
            axes=[2, 3],
        )
        if size != IMAGE_SIZE
        else helper.make_node("Identity", ["whole"], [ink]),
    ]
    constants = {
        "paper": np.float32(PAPER),
        "one": np.float32(1),
        "axis": np.array([1]),
    }
    if size != IMAGE_SIZE:
        constants["sides"] = np.array([size, size])
    return nodes, [
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in constants.items()
    ]


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    """Returns a graph as a model of the versions that it is written in."""
    return helper.make_model(
        graph,
        producer_name="SketchScope",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def _start(model: onnx.ModelProto) -> Any:
    """Returns ONNX Runtime's session for a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = THREADS
    # Threads that wait by spinning take the processor from a training.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Returns a part of a shape, all of which is known once the input's size is."""
    return tuple(side for side in shape if side is not None)


def _check(training: Mapping[str, Any]) -> None:
    """Raises `TypeError` for an argument that would change the answer."""
    unknown = training.keys() - TRAINING_ONLY
    if unknown:
        raise TypeError(f"Not served yet: {', '.join(sorted(unknown))}")
