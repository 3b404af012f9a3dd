"""The front of every training network: packed sketches to augmented ink.

It is a Keras layer, so it runs on any backend and on its device, and its random
state is saved and restored with the network's.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from core.runs.config import Settings
from core.sketches.images import IMAGE_SIZE

ERASED_SIDE = (0.1, 0.4)
"""Sides of an erased rectangle, as shares of the picture's; at most 16 % of it."""


class SketchInput(keras.Layer):  # type: ignore[misc]
    """Turns gray sketches into ink at the wanted size, varied in training.

    Attributes:
        image_size: Side of the output in pixels; may change between epochs, after
            which the model's compiled functions must be made anew.
    """

    def __init__(self, settings: Settings, *, image_size: int, **kwargs: Any) -> None:
        """Creates the layer.

        Args:
            settings: The augmentation fields and the seed are read.
            image_size: Side of the output in pixels.
            kwargs: Passed to `keras.Layer`.
        """
        super().__init__(**kwargs)
        self.image_size = image_size
        self._settings = settings
        self._seed_generator = keras.random.SeedGenerator(settings.seed)

    def reseed(self, *key: int) -> None:
        """Makes the next batch vary as always after the same `key`."""
        reseed(self._seed_generator, *key)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """Leaves the size open, since it changes during training."""
        return (input_shape[0], None, None, 1)

    def call(
        self, images: Any, training: bool = False, image_size: int | None = None
    ) -> Any:
        """Converts a batch.

        Args:
            images: Gray values of shape `(batch, 128, 128)`, `uint8`; 255 is paper.
            training: Whether to vary each sketch at random.
            image_size: Side of the output in pixels, where not the layer's.

        Returns:
            Ink from 0 (paper) to 1, float of shape
            `(batch, image_size, image_size, 1)`.
        """
        image_size = image_size or self.image_size
        ink = 1.0 - ops.cast(images, "float32")[..., None] / 255.0
        settings = self._settings
        if training:
            if _moves(settings):
                ink = ops.image.affine_transform(
                    ink,
                    self._transforms(ops.shape(ink)[0]),
                    interpolation="bilinear",
                    fill_mode="constant",
                    fill_value=0.0,
                )
            if settings.ink_gain != (1, 1):
                gain = self._uniform((ops.shape(ink)[0], 1, 1, 1), *settings.ink_gain)
                ink = ops.minimum(ink * gain, 1.0)
            if settings.thickness:
                ink = self._change_thickness(ink)
            if settings.erase:
                ink = self._erase(ink)
        if image_size != IMAGE_SIZE:
            ink = ops.image.resize(
                ink,
                (image_size, image_size),
                interpolation="bilinear",
                antialias=True,
            )
        return ops.cast(ink, self.compute_dtype)

    def _uniform(self, shape: Any, low: float, high: float) -> Any:
        return keras.random.uniform(
            shape, low, high, dtype="float32", seed=self._seed_generator
        )

    def _change_thickness(self, ink: Any) -> Any:
        """Grows or shrinks every stroke by a part of a pixel on each side."""
        number = (ops.shape(ink)[0], 1, 1, 1)
        amount = self._uniform(number, -1, 1) * self._settings.thickness
        padded = ops.pad(ink, ((0, 0), (1, 1), (1, 1), (0, 0)))
        neighbours = [
            padded[:, :-2, 1:-1],
            padded[:, 2:, 1:-1],
            padded[:, 1:-1, :-2],
            padded[:, 1:-1, 2:],
        ]
        thick = thin = ink
        for neighbour in neighbours:
            thick = ops.maximum(thick, neighbour)
            thin = ops.minimum(thin, neighbour)
        # Most strokes are two pixels wide: a whole pixel less would leave nothing.
        return ops.where(
            amount > 0, ink + amount * (thick - ink), ink - amount / 2 * (thin - ink)
        )

    def _erase(self, ink: Any) -> Any:
        """Takes a rectangle out of a share of the sketches."""
        number = (ops.shape(ink)[0], 1)
        chosen = self._uniform(number, 0, 1) < self._settings.erase
        pixels = ops.arange(IMAGE_SIZE, dtype="float32")[None]
        inside = []
        for _ in range(2):
            centre = self._uniform(number, 0, IMAGE_SIZE)
            side = self._uniform(number, *ERASED_SIDE) * IMAGE_SIZE
            inside.append(chosen & (ops.abs(pixels - centre) < side / 2))
        hole = inside[0][:, :, None] & inside[1][:, None, :]
        return ops.where(hole[..., None], 0.0, ink)

    def _transforms(self, batch_size: Any) -> Any:
        """Draws affine maps from output to input pixels, shape `(batch, 8)`."""
        settings = self._settings
        number = (batch_size,)
        angle = self._uniform(number, -1, 1) * math.radians(settings.rotation_deg)
        # Drawn on a log scale, so that growing is as likely as shrinking.
        zoom = ops.exp(self._uniform(number, -1, 1) * math.log1p(settings.scale))
        stretch = ops.exp(
            self._uniform(number, -0.5, 0.5) * math.log1p(settings.aspect)
        )
        slant = self._uniform(number, -1, 1) * settings.shear
        shift_x = self._uniform(number, -1, 1) * settings.shift * IMAGE_SIZE
        shift_y = self._uniform(number, -1, 1) * settings.shift * IMAGE_SIZE
        mirror = 1.0
        if settings.flip:
            mirror = ops.where(self._uniform(number, -1, 1) < 0, -1.0, 1.0)
        cosine, sine = ops.cos(angle), ops.sin(angle)
        scale_x, scale_y = mirror * zoom * stretch, zoom / stretch
        # Rotation times slant times scale, about the picture's centre.
        xx, xy = cosine * scale_x, (cosine * slant - sine) * scale_y
        yx, yy = sine * scale_x, (sine * slant + cosine) * scale_y
        centre = (IMAGE_SIZE - 1) / 2
        tilt_x = tilt_y = ops.zeros_like(angle)
        if settings.perspective:
            # The denominator is 1 at the centre and changes by this to an edge.
            tilt_x = self._uniform(number, -1, 1) * settings.perspective / centre
            tilt_y = self._uniform(number, -1, 1) * settings.perspective / centre
        # The same map with the origin in the corner; its denominator there is:
        corner = 1 - (tilt_x + tilt_y) * centre
        middle_x, middle_y = centre + shift_x, centre + shift_y
        rows = [
            xx + middle_x * tilt_x,
            xy + middle_x * tilt_y,
            middle_x * corner - (xx + xy) * centre,
            yx + middle_y * tilt_x,
            yy + middle_y * tilt_y,
            middle_y * corner - (yx + yy) * centre,
            tilt_x,
            tilt_y,
        ]
        return ops.stack([row / corner for row in rows], axis=1)


def reseed(generator: keras.random.SeedGenerator, *key: int) -> None:
    """Sets a random state that numbers from 0 decide."""
    generator.state.assign(np.random.SeedSequence(key).generate_state(2))


def _moves(settings: Settings) -> bool:
    """Returns whether any affine field is on."""
    return bool(
        settings.flip
        or settings.rotation_deg
        or settings.scale
        or settings.aspect
        or settings.shear
        or settings.shift
        or settings.perspective
    )
