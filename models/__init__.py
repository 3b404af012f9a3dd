"""The network architectures, and the one table that names them.

A network is a function from a library of layers and the number of classes to the
input and the output of a functional model: float ink (0 paper, 1 ink) of shape
`(batch, size, size, 1)` and logits of shape `(batch, num_classes)`, with a layer named
`embedding` before its head. The library is `keras.layers` or what has the same layers:
`core.training.layers.TrainingLayers`, or `core.inference.layers.Layers` where trained
weights are served without Keras.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.resnet import resnet18
from models.simple import simple


@dataclass(frozen=True)
class NetworkSpec:
    """One row of the table of networks.

    Attributes:
        name: What commands and configs call it.
        title: What people read.
        description: One sentence on its layers.
        build: The function from layers and number of classes to input and logits.
        options: Keyword arguments of the builder that a run may set.
        any_size: Whether one set of weights fits any image size.
    """

    name: str
    title: str
    description: str
    build: Callable[..., tuple[Any, Any]]
    options: tuple[str, ...]
    any_size: bool


NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            name="simple",
            title="Simple",
            description="Three 3×3 convolutions (32, 64, 128) and a dense layer of 256",
            build=simple,
            options=("dropout",),
            any_size=False,
        ),
        NetworkSpec(
            name="resnet18",
            title="ResNet-18",
            description="A 7×7 stem and eight residual blocks (64 to 512 filters)",
            build=resnet18,
            options=("dropout", "pooling", "shortcut", "zero_last_gamma"),
            any_size=True,
        ),
    )
}
