"""What a training steps: the front, mixing, and a network with loss and optimizer."""

from collections.abc import Sequence
from typing import Any

import keras

from core.runs.config import Settings
from core.training.augmentation import SketchInput
from core.training.averaging import BatchNormStatistics, WeightAverages
from core.training.backend import compiled
from core.training.mixing import Mixing
from core.training.networks import build_network
from core.training.optimizers import Adam, AdamW
from core.training.schedules import build_schedule


class TrainingModel:
    """A network in training, with everything that decides how it goes on.

    A step has two stages: `prepare` turns sketches into ink on the backend's device,
    then `network.train_on_batch` learns from it. Between them, a teacher sees what the
    network will see.

    Attributes:
        network: The compiled network, from ink to logits.
        front: Packed sketches to ink.
        mixing: Mixes ink sketch by sketch; None where the settings don't.
        averages: Of the network's weights; None where the settings have none.
        statistics: Measures batch norm's statistics anew.
        teacher_size: Side in pixels of the ink that a teacher is shown, or 0.
    """

    def __init__(
        self, network: keras.Model, front: SketchInput, settings: Settings
    ) -> None:
        """Takes a compiled network and the front that feeds it."""
        self.network = network
        self.front = front
        self.teacher_size = 0
        self._resize: dict[int, Any] = {}
        self.mixing: Mixing | None = None
        if settings.mixing == "sketch" and settings.mixup + settings.cutmix:
            self.mixing = Mixing(settings, name="mixing")
            self._mix = compiled(self.mixing)
        self.averages: WeightAverages | None = None
        if settings.ema:
            self.averages = WeightAverages(
                network.trainable_variables, decay=settings.ema
            )
        self.statistics = BatchNormStatistics(network)
        self._compile_front()

    def prepare(
        self, images: Any, targets: Any, *, training: bool = True, mixed: bool = False
    ) -> tuple[Any, Any]:
        """Turns a batch of sketches into what the network learns from.

        Args:
            images: Gray values of shape `(batch, 128, 128)`, `uint8`.
            targets: Shape `(batch, num_classes)`.
            training: Whether to vary each sketch at random.
            mixed: Whether to mix them where the settings mix sketch by sketch.

        Returns:
            Ink of shape `(batch, side, side, 1)`, and targets. The side is that which
            was set; in training it is the teacher's where that is larger. `resize`
            gives each what it is to see.
        """
        ink = self._vary(images) if training else self._convert(images)
        if mixed and self.mixing is not None:
            ink, targets = self._mix(ink, targets)
        return ink, targets

    def resize(self, ink: Any, image_size: int) -> Any:
        """Returns ink of another side in pixels, or as it is where it has that."""
        if ink.shape[1] == image_size:
            return ink
        if image_size not in self._resize:
            layer = keras.layers.Resizing(
                image_size,
                image_size,
                antialias=True,
                dtype=self.front.compute_dtype,
            )
            self._resize[image_size] = compiled(layer)
        return self._resize[image_size](ink)

    def reseed(self, *key: int) -> None:
        """Makes the next batch be varied and mixed as always after the same `key`."""
        self.front.reseed(*key)
        if self.mixing is not None:
            self.mixing.reseed(*key)

    def set_teacher_size(self, image_size: int) -> None:
        """Changes the side in pixels of the ink that a teacher is shown."""
        self.teacher_size = image_size
        self._compile_front()

    def set_image_size(self, image_size: int) -> None:
        """Changes the side in pixels of the ink."""
        if self.front.image_size != image_size:
            self.front.image_size = image_size
            self._compile_front()
            # Made for the old size; one for any size is slower.
            self.network.train_function = self.network.test_function = None

    @property
    def variables(self) -> list[Any]:
        """All variables that decide how the training goes on, always in this order.

        Those of earlier releases come first, in the order that they had.
        """
        return [
            *self.front.variables,
            *self.network.variables,
            *self.network.optimizer.variables,
            *(self.averages.averages if self.averages else ()),
            *(self.mixing.variables if self.mixing else ()),
        ]

    @property
    def indispensable(self) -> Sequence[Any]:
        """Those without which no training can go on from another's checkpoint."""
        return [*self.network.weights, *self.network.optimizer.variables]

    def _compile_front(self) -> None:
        self._vary = compiled(
            self.front,
            training=True,
            image_size=max(self.front.image_size, self.teacher_size),
        )
        self._convert = compiled(self.front, training=False)


def build_training_model(
    network_name: str, num_classes: int, settings: Settings, *, steps_per_epoch: int
) -> TrainingModel:
    """Builds and compiles a network with fresh weights, and all that trains it."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings.precision)
    try:
        network = build_network(network_name, num_classes, settings)
        front = SketchInput(
            settings, image_size=settings.image_size_at(0), name="front"
        )
    finally:
        keras.config.set_dtype_policy(policy)
    compile_model(network, settings, steps_per_epoch=steps_per_epoch)
    return TrainingModel(network, front, settings)


def compile_model(
    model: keras.Model, settings: Settings, *, steps_per_epoch: int
) -> keras.Model:
    """Gives a model of logits the loss, metrics and optimizer of its settings."""
    model.compile(
        optimizer=_build_optimizer(settings, steps_per_epoch=steps_per_epoch),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=settings.label_smoothing
        ),
        metrics=[
            # The loss of every run, whatever it smooths: runs are compared by it.
            keras.metrics.CategoricalCrossentropy(
                from_logits=True, name="cross_entropy"
            ),
            keras.metrics.CategoricalAccuracy(name="top1"),
            keras.metrics.TopKCategoricalAccuracy(k=5, name="top5"),
        ],
        # On a CPU, XLA takes longer to compile and is no faster.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    return model


def enable_determinism() -> None:
    """Makes TensorFlow use only operations that repeat bit for bit."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _build_optimizer(
    settings: Settings, *, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Builds the optimizer with its schedule; norms and biases do not decay."""
    rate = build_schedule(settings, steps_per_epoch=steps_per_epoch)
    if settings.optimizer == "adam":
        return Adam(rate)
    optimizer = AdamW(rate, weight_decay=settings.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer
