"""The network architectures, and the one table that names them.

A network is a function from a library of layers and the number of classes to the
input and the output of a functional model: float ink (0 paper, 1 ink) of shape
`(batch, size, size, 1)` and logits of shape `(batch, num_classes)`, with a layer named
`embedding` before its head. The library is `keras.layers` or what has the same layers:
`core.training.layers.TrainingLayers`, or `core.inference.layers.Layers` where trained
weights are served without Keras.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.resnet import resnet18
from models.simple import simple


@dataclass(frozen=True)
class NetworkSpec:
    """One row of the table of networks: all that is said of one outside its own file.

    Attributes:
        name: What commands and configs call it.
        title: What people read.
        build: The function from layers and number of classes to input and logits.
        colour: Its own, everywhere, as `#rrggbb`; it stands out by at least 3 to 1
            from white and from the dark theme's ground.
        options: Keyword arguments of the builder that a run may set.
        any_size: Whether one set of weights fits any image size.
        tuning: By the name of a recipe, the settings in which this network differs
            from the recipe's own (`core.runs.recipes`).
    """

    name: str
    title: str
    build: Callable[..., tuple[Any, Any]]
    colour: str
    options: tuple[str, ...] = ()
    any_size: bool = False
    tuning: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            name="simple",
            title="Simple",
            build=simple,
            colour="#D55E00",
            options=("dropout",),
        ),
        NetworkSpec(
            name="resnet18",
            title="ResNet-18",
            build=resnet18,
            colour="#0072B2",
            options=("dropout", "pooling", "shortcut", "zero_last_gamma"),
            any_size=True,
            tuning={
                "best": {
                    "epochs": 20,
                    "learning_rate": 3e-3,
                    "warmup_epochs": 2,
                    "dropout": 0.2,
                    "shortcut": "average_pool",
                    "zero_last_gamma": True,
                    "image_sizes": (64, 96, 128),
                    "image_size_shares": (0.6, 0.2, 0.2),
                    "rotation_deg": 15,
                    "scale": 0.2,
                    "shear": 0.12,
                    "shift": 0.08,
                },
                "refine": {
                    "epochs": 11,
                    "dropout": 0.2,
                    "shortcut": "average_pool",
                    "zero_last_gamma": True,
                    "image_sizes": (96, 128),
                    "image_size_shares": (0.72, 0.28),
                    "scale": 0.25,
                    "erase": 0.3,
                    "mixup": 0.15,
                    "cutmix": 0.15,
                },
                "finetune": {"dropout": 0.2},
            },
        ),
    )
}
"""The first is what examples train. Colours are of Okabe and Ito 2008."""

FIRST_NETWORK = next(iter(NETWORKS))
