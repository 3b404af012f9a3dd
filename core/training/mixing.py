"""Mixes the sketches of a batch after their augmentation, each by a draw of its own.

It is a Keras layer, so it runs on any backend and on its device, and its random
state is saved and restored with the network's.
"""

from typing import Any

import keras
from keras import ops

from core.runs.config import Settings
from core.training.augmentation import reseed
from core.training.batches import MIXUP_ALPHA

SALT = 0x6D6978
"""Added to a run's seed, lest augmentation and mixing draw the same numbers."""


class Mixing(keras.Layer):  # type: ignore[misc]
    """Blends some sketches with another of their batch, and pastes into others.

    Its own arithmetic is in `float32`, whatever the precision of the ink.
    """

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        """Creates the layer.

        Args:
            settings: `mixup`, `cutmix` and `seed` are read.
            kwargs: Passed to `keras.Layer`.
        """
        # Targets must not be rounded to the precision of the network.
        super().__init__(autocast=False, dtype="float32", **kwargs)
        self._mixup, self._cutmix = settings.mixup, settings.cutmix
        self._seed_generator = keras.random.SeedGenerator(settings.seed + SALT)

    def reseed(self, *key: int) -> None:
        """Makes the next batch be mixed as always after the same `key`."""
        reseed(self._seed_generator, *key, SALT)

    def call(self, ink: Any, targets: Any) -> tuple[Any, Any]:
        """Mixes a batch.

        Each sketch is blended with its partner (MixUp, Zhang et al. 2018), gets a
        box of it (CutMix, Yun et al. 2019), or stays as it is. Partners are a random
        number of places further on, so that nobody is its own.

        The targets of a blend are weighed like the blend. Those of a pasted sketch
        are weighed by the ink that is left of it and the ink that came in, since
        most of a sketch is paper; by area where there is no ink at all.

        Args:
            ink: Shape `(batch, size, size, 1)`, float from 0 to 1.
            targets: Shape `(batch, num_classes)`, float; each row adds up to 1.

        Returns:
            Tensors of the same shapes and dtypes.
        """
        if not (self._mixup or self._cutmix):
            return ink, targets
        batch_size, height, width = ops.shape(ink)[:3]
        partner = self._partners(batch_size)
        own = ops.cast(ink, "float32")
        other = ops.take(own, partner, axis=0)
        drawn = self._uniform((batch_size,))
        is_blended = drawn < self._mixup
        is_pasted = ~is_blended & (drawn < self._mixup + self._cutmix)
        share = ops.where(is_blended, self._blend_shares(batch_size), 1.0)
        # How much of each pixel is a sketch's own.
        kept = ops.where(
            is_pasted[:, None, None],
            self._outside(batch_size, height, width),
            share[:, None, None],
        )[..., None]
        own, other = kept * own, (1.0 - kept) * other
        own_ink, other_ink = (ops.sum(part, axis=(1, 2, 3)) for part in (own, other))
        total = own_ink + other_ink
        by_ink = ops.where(
            total > 0,
            own_ink / ops.where(total > 0, total, 1.0),
            ops.mean(kept, axis=(1, 2, 3)),
        )
        share = ops.where(is_pasted, by_ink, share)[:, None]
        others = ops.take(targets, partner, axis=0)
        return (
            ops.cast(own + other, ink.dtype),
            ops.cast(share * targets + (1.0 - share) * others, targets.dtype),
        )

    def _partners(self, batch_size: Any) -> Any:
        """Draws whom each sketch is mixed with, shape `(batch,)`."""
        others = ops.cast(batch_size - 1, "float32")
        shift = 1 + ops.cast(ops.floor(self._uniform(()) * others), "int32")
        return (ops.arange(batch_size, dtype="int32") + shift) % batch_size

    def _blend_shares(self, batch_size: Any) -> Any:
        """Draws how much of a blend is the sketch's own, shape `(batch,)`."""
        return keras.random.beta(
            (batch_size,),
            MIXUP_ALPHA,
            MIXUP_ALPHA,
            dtype="float32",
            seed=self._seed_generator,
        )

    def _outside(self, batch_size: Any, height: Any, width: Any) -> Any:
        """Draws a box for each sketch, shape `(batch, height, width)`; 0 inside.

        Its area is as likely to be small as large; what is beyond an edge is lost.
        """
        side = ops.sqrt(self._uniform((batch_size, 1)))
        inside = []
        for length in (height, width):
            scale = ops.cast(length, "float32")
            middles = (ops.arange(length, dtype="float32") + 0.5) / scale
            centre = self._uniform((batch_size, 1))
            inside.append(ops.abs(middles[None] - centre) < side / 2)
        box = inside[0][:, :, None] & inside[1][:, None, :]
        return ops.where(box, 0.0, 1.0)

    def _uniform(self, shape: tuple[Any, ...]) -> Any:
        return keras.random.uniform(shape, dtype="float32", seed=self._seed_generator)
