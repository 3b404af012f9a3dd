"""Averaged weights, and batch-norm statistics that fit them.

The exponential moving average of the weights generalises better than where the last
step happened to end (Polyak & Juditsky 1992). Batch norm's own statistics are of
other weights, and of augmented sketches; so those of clean sketches are measured
anew wherever averaged weights are used.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from core.training.backend import compiled

AVERAGING_STEPS = 8
"""The average takes in the weights every so many steps: each reads and writes all of
them, and a window of hundreds of steps doesn't need it more often."""


class WeightAverages(keras.layers.Layer):  # type: ignore[misc]
    """Holds the exponential moving average of each of a network's weights."""

    def __init__(self, weights: Sequence[Any], *, decay: float) -> None:
        """Creates averages that start as the weights are.

        Args:
            weights: Variables; each gets an average of its shape.
            decay: What the average keeps of itself a step, from 0 to below 1.
        """
        super().__init__(name="averages", dtype="float32")
        self._decay = decay
        self._followed = list(weights)
        self.averages = [
            self.add_weight(
                shape=weight.shape,
                initializer="zeros",
                trainable=False,
                name=weight.path.replace("/", "_"),
            )
            for weight in weights
        ]
        self.built = True
        self._update = compiled(self)
        self.restart()

    def call(self, kept: Any) -> Any:
        """Moves the averages towards the weights; each keeps this much of itself."""
        for average, weight in zip(self.averages, self._followed, strict=True):
            average.assign(average * kept + weight * (1.0 - kept))
        return kept

    def restart(self) -> None:
        """Makes the averages what the weights are now."""
        for average, weight in zip(self.averages, self._followed, strict=True):
            # A copy: JAX's next step gives the memory of the weight itself away.
            average.assign(ops.copy(weight))

    def update(self, *, step: int, steps: int) -> None:
        """Takes in the weights.

        Args:
            step: Steps of the training so far.
            steps: How many of them the averages have not seen.
        """
        kept = np.array(averaging_decay(self._decay, step=step) ** steps, np.float32)
        self._update(kept)

    def put_in_place(self) -> None:
        """Makes the weights what their averages are."""
        for average, weight in zip(self.averages, self._followed, strict=True):
            weight.assign(ops.copy(average))


def averaging_decay(decay: float, *, step: int) -> float:
    """Returns the decay after `step` steps: lower at first.

    So that an average over few steps is not mostly of the random start.
    """
    return min(decay, (1 + step) / (10 + step))


class _Moments(keras.layers.Layer):  # type: ignore[misc]
    """Returns mean and variance of every channel, in single precision."""

    def call(self, inputs: Sequence[Any]) -> list[tuple[Any, Any]]:
        return [
            ops.moments(ops.cast(x, "float32"), axes=tuple(range(len(x.shape) - 1)))
            for x in inputs
        ]


class BatchNormStatistics:
    """Measures what a network's batch norms see, and makes it their statistics."""

    def __init__(self, network: keras.Model) -> None:
        """Prepares a functional network whose batch norms are over the last axis."""
        self._norms = [
            layer
            for layer in network.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        if self._norms:
            moments = _Moments(dtype="float32")([norm.input for norm in self._norms])
            self._measure = compiled(keras.Model(network.input, moments), training=True)

    def estimate(self, batches: Iterable[Any]) -> None:
        """Replaces the moving statistics by those of some batches of ink.

        As in training, each batch is normalised by its own statistics on its way
        through the network; those of a layer are then pooled: the mean of the
        means, and the mean of the variances plus the variance of the means. The
        network's random state moves on.

        Args:
            batches: At least one; float ink of shape `(batch, side, side, 1)`, all
                batches of the same size.
        """
        if not self._norms:
            return
        measured = [
            [[ops.convert_to_numpy(x) for x in pair] for pair in self._measure(ink)]
            for ink in batches
        ]
        for number, norm in enumerate(self._norms):
            mean, variance = pool_moments(
                np.stack([pairs[number][0] for pairs in measured]),
                np.stack([pairs[number][1] for pairs in measured]),
            )
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)


def pool_moments(means: Any, variances: Any) -> tuple[Any, Any]:
    """Returns mean and variance over batches of the same size.

    Args:
        means: Of each batch, shape `(n_batches, channels)`.
        variances: Likewise, around each batch's own mean.

    Returns:
        Two `float32` arrays of shape `(channels,)`.
    """
    means = np.asarray(means, np.float64)
    variance = np.mean(variances, axis=0, dtype=np.float64) + means.var(axis=0)
    return means.mean(axis=0).astype(np.float32), variance.astype(np.float32)


@contextmanager
def preserved(variables: Sequence[Any]) -> Iterator[None]:
    """Lets variables be changed meanwhile, and puts them back bit for bit."""
    values = [np.array(ops.convert_to_numpy(variable)) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
