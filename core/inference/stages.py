"""Reads what a network is made of from its ONNX graph: stages, fields and kernels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.errors import LayerError
from core.inference.fields import Field

WEIGHTED = {"Conv", "Gemm", "MatMul"}
FLATTENING = {"Transpose", "Flatten", "Reshape", "ReduceMean", "GlobalAveragePool"}
SLIDING = {"Conv", "MaxPool", "AveragePool"}
PLUMBING = {"Transpose", "Identity"}
"""Operations that no layer of Keras is known by."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: As in `models`.
        operation: What ONNX calls it.
        shape: Of its output: channels, height and width, or a width alone.
        num_parameters: Its weights, the statistics of batch norm among them.
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    num_parameters: int


@dataclass(frozen=True)
class Stage:
    """Layers between two places where one tensor is all that goes on.

    A residual block is one stage, since its shortcut goes past the layers within.

    Attributes:
        name: What its layers' names begin with, or the first one's.
        layers: In the order in which they are computed.
        output: The graph's name of what it hands on.
        field: Where its values look; None where each sees the whole sketch.
    """

    name: str
    layers: tuple[Layer, ...]
    output: str
    field: Field | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its output: channels, height and width, or a width alone."""
        return self.layers[-1].shape

    @property
    def num_parameters(self) -> int:
        """All of its layers'."""
        return sum(layer.num_parameters for layer in self.layers)


@dataclass(frozen=True)
class Window:
    """One step of the first convolution.

    Attributes:
        top: The window's first row in the drawing; below 0 where padding is.
        left: Its first column.
        values: What it sees, shape `(height, width)`, 0 for paper and padding.
        kernel: Of the channel, shape `(height, width)`.
        bias: Added at the end.
    """

    top: int
    left: int
    values: Array
    kernel: Array
    bias: float

    @property
    def products(self) -> Array:
        """Each value times its weight."""
        return self.values * self.kernel

    @property
    def total(self) -> float:
        """What the convolution answers here."""
        return float(self.products.sum()) + self.bias


@dataclass(frozen=True)
class FirstConvolution:
    """The convolution that sees the drawing itself.

    Attributes:
        kernels: Shape `(channels, height, width)`.
        bias: Shape `(channels,)`.
        strides: Down and across.
        pads: Rows above and columns left of the drawing that count as paper.
        shape: Rows and columns of its output.
    """

    kernels: Array
    bias: Array
    strides: tuple[int, int]
    pads: tuple[int, int]
    shape: tuple[int, int]

    def at(self, ink: Array, *, channel: int, row: int, column: int) -> Window:
        """Returns how one value of its output comes about.

        Args:
            ink: The drawing as the network gets it, shape `(side, side)`.
            channel: Of the output.
            row: Of the output.
            column: Of the output.

        Raises:
            ValueError: If there is no such value.
        """
        down, across = self.shape
        is_there = 0 <= channel < len(self.kernels)
        if not (is_there and 0 <= row < down and 0 <= column < across):
            raise ValueError(
                f"`channel`, `row` and `column` must be within "
                f"{(len(self.kernels), down, across)}. Received: "
                f"{(channel, row, column)}"
            )
        height, width = self.kernels.shape[1:]
        top = row * self.strides[0] - self.pads[0]
        left = column * self.strides[1] - self.pads[1]
        padded = np.pad(ink, ((height, height), (width, width)))
        seen = padded[top + height : top + 2 * height, left + width : left + 2 * width]
        return Window(top, left, seen, self.kernels[channel], float(self.bias[channel]))


@dataclass(frozen=True)
class Head:
    """The last dense layer, whose sums are the logits.

    Attributes:
        source: The graph's name of what it is given.
        kernel: Shape `(width, num_classes)`.
        bias: Shape `(num_classes,)`.
    """

    source: str
    kernel: Array
    bias: Array

    def contributions(self, values: Array, label: int) -> tuple[Array, float]:
        """Returns what each channel adds to a class's logit, and the bias.

        Their sum is the logit.

        Args:
            values: What the layer was given for a sketch, shape `(width,)`.
            label: Class index.
        """
        return values * self.kernel[:, label], float(self.bias[label])


@dataclass(frozen=True)
class Anatomy:
    """What a network is made of.

    Attributes:
        ink: The graph's name of the drawing, of shape `(n, 1, side, side)`.
        stages: In order, the last one being the head.
        first: Its first convolution; None where that sees no drawing of one channel.
        head: Its last layer.
    """

    ink: str
    stages: tuple[Stage, ...]
    first: FirstConvolution | None
    head: Head

    @property
    def outputs(self) -> list[str]:
        """The graph's names of what there is to see inside."""
        return [self.ink, *(stage.output for stage in self.stages)]

    def stage(self, name: str) -> int | None:
        """Returns the place of the stage of a name, None where there is none."""
        names = [stage.name for stage in self.stages]
        return names.index(name) if name in names else None


def read_anatomy(
    model: onnx.ModelProto, *, ink: str, logits: str, pixels_per_ink: float
) -> Anatomy:
    """Reads what a network is made of.

    Args:
        model: Its graph; weights are initializers.
        ink: The tensor that is the drawing as the first layer gets it.
        logits: The tensor that is the answer.
        pixels_per_ink: Pixels of a sketch for one of `ink`.

    Raises:
        LayerError: If the answer is not that of a dense layer.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    path = _between(graph.node, ink, logits)
    shapes = _shapes(model)
    fields = _fields(path, ink, shapes, pixels_per_ink)
    stages: list[Stage] = []
    for nodes in _cut(path, ink):
        layers = tuple(
            Layer(
                name=node.name or node.output[0],
                operation=node.op_type,
                shape=shapes[node.output[0]],
                num_parameters=sum(map(_num_floats, _inputs(node, weights))),
            )
            for node in nodes
            if node.op_type not in PLUMBING
        )
        output = nodes[-1].output[0]
        taken = {stage.name for stage in stages}
        stages.append(Stage(_name(layers, taken), layers, output, fields.get(output)))
    return Anatomy(
        ink=ink,
        stages=tuple(stages),
        first=_first(path[0], weights, shapes),
        head=_head(path[-1], weights),
    )


def _inputs(node: onnx.NodeProto, weights: dict[str, TensorProto]) -> list[TensorProto]:
    return [weights[name] for name in node.input if name in weights]


def _num_floats(tensor: TensorProto) -> int:
    is_float = tensor.data_type == TensorProto.FLOAT
    return int(np.prod(tensor.dims)) if is_float else 0


def _between(
    nodes: Sequence[onnx.NodeProto], ink: str, logits: str
) -> list[onnx.NodeProto]:
    """Returns the nodes by which the drawing becomes the answer, in their order."""
    after, before = {ink}, {logits}
    for node in nodes:
        if after & set(node.input):
            after |= set(node.output)
    for node in reversed(nodes):
        if before & set(node.output):
            before |= set(node.input)
    kept = [node for node in nodes if set(node.output) <= (after & before) - {ink}]
    while kept and kept[-1].op_type == "Identity":
        kept.pop()
    return kept


def _cut(path: Sequence[onnx.NodeProto], ink: str) -> list[list[onnx.NodeProto]]:
    """Cuts a path into stages, before a layer with weights or where it branches."""
    uses: dict[str, list[int]] = {}
    for place, node in enumerate(path):
        for name in node.input:
            uses.setdefault(name, []).append(place)
    known = [ink]
    stages: list[list[onnx.NodeProto]] = []
    for place, node in enumerate(path):
        live = [name for name in known if uses.get(name, [-1])[-1] >= place]
        is_flattening = node.op_type in FLATTENING and (
            not stages or stages[-1][-1].op_type not in FLATTENING
        )
        begins = len(live) == 1 and (
            node.op_type in WEIGHTED or len(uses[live[0]]) > 1 or is_flattening
        )
        if begins or not stages:
            stages.append([])
        stages[-1].append(node)
        known += node.output
    return stages


def _name(layers: Sequence[Layer], taken: set[str]) -> str:
    letters = zip(*(layer.name for layer in layers), strict=False)
    alike = takewhile(lambda several: len(set(several)) == 1, letters)
    prefix = "".join(several[0] for several in alike).rstrip("_/")
    return prefix if prefix and prefix not in taken else layers[0].name


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Returns each tensor's shape, without that of the batch."""
    light = onnx.ModelProto()
    light.ir_version = model.ir_version
    light.opset_import.extend(model.opset_import)
    light.graph.name = model.graph.name
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    # Weights are told of, not copied: a network has up to 45 MB of them.
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            light.graph.input.append(
                helper.make_tensor_value_info(
                    tensor.name, tensor.data_type, tensor.dims
                )
            )
        else:
            light.graph.initializer.append(tensor)
    found = onnx.shape_inference.infer_shapes(light).graph
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim[1:])
        for value in (*found.value_info, *found.output)
    }


def _fields(
    path: Sequence[onnx.NodeProto],
    ink: str,
    shapes: dict[str, tuple[int, ...]],
    scale: float,
) -> dict[str, Field]:
    """Returns the field of each tensor that has height and width."""
    # First and last pixel of the first value's field, and the step, down and across.
    reach = {ink: (np.zeros(2), np.zeros(2), np.ones(2))}
    for node in path:
        parts = [reach[name] for name in node.input if name in reach]
        if not parts or len(shapes[node.output[0]]) != 3:
            continue
        low = np.min([part[0] for part in parts], axis=0)
        high = np.max([part[1] for part in parts], axis=0)
        step = parts[0][2]
        if node.op_type in SLIDING:
            told = _attributes(node)
            size = np.array(told["kernel_shape"]) - 1
            size = size * told.get("dilations", [1, 1])
            before = np.array(told.get("pads", [0, 0])[:2])
            low, high = low - before * step, high + (size - before) * step
            step = step * told.get("strides", [1, 1])
        reach[node.output[0]] = low, high, step
    return {
        name: Field(
            start=_pair(low * scale),
            size=_pair((high + 1 - low) * scale),
            step=_pair(step * scale),
        )
        for name, (low, high, step) in reach.items()
    }


def _pair(values: NDArray[Any]) -> tuple[float, float]:
    down, across = values.tolist()
    return float(down), float(across)


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def _first(
    node: onnx.NodeProto,
    weights: dict[str, TensorProto],
    shapes: dict[str, tuple[int, ...]],
) -> FirstConvolution | None:
    tensors = [numpy_helper.to_array(tensor) for tensor in _inputs(node, weights)]
    if node.op_type != "Conv" or tensors[0].shape[1] != 1:
        return None
    kernels = tensors[0][:, 0]
    told = _attributes(node)
    strides, pads = told.get("strides", [1, 1]), told.get("pads", [0, 0])
    down, across = shapes[node.output[0]][1:]
    return FirstConvolution(
        kernels=kernels,
        bias=tensors[1] if tensors[1:] else np.zeros(len(kernels), np.float32),
        strides=(strides[0], strides[1]),
        pads=(pads[0], pads[1]),
        shape=(down, across),
    )


def _head(node: onnx.NodeProto, weights: dict[str, TensorProto]) -> Head:
    tensors = [numpy_helper.to_array(tensor) for tensor in _inputs(node, weights)]
    if node.op_type != "Gemm":
        raise LayerError(
            "The last layer must be dense. Received: {operation} {layer}",
            operation=node.op_type,
            layer=node.output[0],
        )
    kernel = tensors[0]
    bias = tensors[1] if tensors[1:] else np.zeros(kernel.shape[1], np.float32)
    return Head(node.input[0], kernel.copy(), bias.copy())
