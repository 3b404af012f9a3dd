"""The network architectures, and the one table that names them.

A network is a function from the number of classes to a Keras model, from float ink
(0 paper, 1 ink) of shape `(batch, size, size, 1)` to logits of shape
`(batch, num_classes)`, with a layer named `embedding` before its head.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class NetworkSpec:
    """One row of the table of networks.

    Attributes:
        name: What commands and configs call it.
        title: What people read.
        description: One sentence on its layers.
        load: Imports Keras, which takes seconds, and returns the builder.
        options: Keyword arguments of the builder that a run may set.
        any_size: Whether one set of weights fits any image size.
    """

    name: str
    title: str
    description: str
    load: "Callable[[], Callable[..., keras.Model]]"
    options: tuple[str, ...]
    any_size: bool


def _load_simple() -> "Callable[..., keras.Model]":
    from models.simple import simple

    return simple


def _load_resnet18() -> "Callable[..., keras.Model]":
    from models.resnet import resnet18

    return resnet18


NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            name="simple",
            title="Simple",
            description="Three 3×3 convolutions (32, 64, 128) and a dense layer of 256",
            load=_load_simple,
            options=("dropout",),
            any_size=False,
        ),
        NetworkSpec(
            name="resnet18",
            title="ResNet-18",
            description="A 7×7 stem and eight residual blocks (64 to 512 filters)",
            load=_load_resnet18,
            options=("dropout", "shortcut", "zero_last_gamma"),
            any_size=True,
        ),
    )
}
