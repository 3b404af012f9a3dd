"""Runs trained networks without Keras: their layers become an ONNX graph.

The graph is written here, in memory, from `models` and a run's weights, and is run by
ONNX Runtime, which loads in a fraction of a second where TensorFlow takes many.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.inference.layers import Array, Layers, Pullback, Tensor
from core.inference.stages import Anatomy, read_anatomy
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


@dataclass(frozen=True)
class Inference:
    """A trained network, ready to answer; may be called from several threads.

    Attributes:
        start_px: Where the first row and column of the features look, in pixels of a
            sketch.
        step_px: How many pixels further the next ones look.
        anatomy: What it is made of.
    """

    start_px: float
    step_px: float
    anatomy: Anatomy = field(repr=False)
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

    def look_inside(self, sketches: NDArray[np.uint8]) -> tuple[Array, list[Array]]:
        """Runs the network and returns what its stages hand on.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`.

        Returns:
            The drawings as the first layer gets them, of shape `(n, side, side)`, and
            for each stage of `anatomy` an array of shape
            `(n, channels, height, width)` or `(n, width)`.
        """
        batches = [
            self._session.run(self.anatomy.outputs, {"images": batch})
            for batch in np.split(
                sketches, range(BATCH_SIZE, len(sketches), BATCH_SIZE)
            )
        ]
        ink, *stages = map(np.concatenate, zip(*batches, strict=True))
        return ink[:, 0], stages

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
    graph, layers, ink, features = _build_graph(network, num_classes, settings, weights)
    scale = IMAGE_SIZE / settings.test_image_size
    model = _model(graph)
    anatomy = read_anatomy(model, ink=ink.name, logits="logits", pixels_per_ink=scale)
    # One session for the guess and for what is inside: it costs the guess nothing that
    # could be measured (11.4 and 12.0 ms for ResNet-18, 1.6 ms for Simple).
    told = {output.name for output in model.graph.output}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in anatomy.outputs
        if name not in told
    )
    return Inference(
        start_px=(features.start + 0.5) * scale - 0.5,
        step_px=features.step * scale,
        anatomy=anatomy,
        _session=_start(model),
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
    graph, *_ = _build_graph(network, num_classes, settings, weights)
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
) -> tuple[onnx.GraphProto, Layers, Tensor, Tensor]:
    """Returns the graph from sketches to logits, its layers, ink and features."""
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
    return graph, layers, ink, features


def _front(ink: str, size: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Returns what `SketchInput` (`core.training.augmentation`) does to the test."""
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
