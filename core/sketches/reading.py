"""Reads the file of a picture as a sketch, whole or a part, or as a small picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.sketches.images import MAX_PIXELS, gray_to_sketch, read_with, to_gray
from core.sketches.photos import find_sketch, is_drawn_alike

Box = tuple[float, float, float, float]
"""A part of an upright picture: left, top, right and bottom, in shares of its sides."""

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def read_drawing(
    source: Path | bytes,
    *,
    name: str,
    max_pixels: int = MAX_PIXELS,
    box: Box = WHOLE,
) -> NDArray[np.uint8]:
    """Decodes one picture and finds the sketch in it; see `photos.find_sketch`.

    Args:
        source: A file, or the encoded bytes of one, in any format that
            `core.sketches.formats` names. Of an animation the first frame that is not
            blank.
        name: What to call the picture in an error.
        max_pixels: How many it may have.
        box: The part of it that is looked at.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.

    Raises:
        ImageError: If the picture is missing, of another format, damaged, too large,
            or blank.
    """

    def convert(image: Image.Image) -> NDArray[np.uint8]:
        return find_sketch(image if box == WHOLE else _cut(image, box), name=name)

    return read_with(convert, source, name=name, max_pixels=max_pixels)


def read_preview(
    source: Path | bytes, *, name: str, side: int, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Decodes one picture, upright and small, for people to look at.

    Args:
        source: A file, or the encoded bytes of one.
        name: What to call the picture in an error.
        side: The longest, in pixels.
        max_pixels: How many it may have.

    Returns:
        Gray values of shape `(height, width)`.

    Raises:
        ImageError: If the picture is missing, of another format, damaged or too large.
    """

    def convert(image: Image.Image) -> NDArray[np.uint8]:
        gray = to_gray(image, reduce=max(max(image.size) // (2 * side), 1))
        gray.thumbnail((side, side))
        return np.asarray(gray)

    return read_with(convert, source, name=name, max_pixels=max_pixels)


def read_picture(
    source: Path | bytes,
    *,
    name: str,
    on_found: Callable[[], object] = lambda: None,
) -> NDArray[np.uint8]:
    """Decodes one picture of a dataset, which may be drawn in any way; see `as_sketch`.

    Args:
        source: A file, or the encoded bytes of one.
        name: What to call the picture in an error.
        on_found: Called where the drawing was to be found.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.

    Raises:
        ImageError: If the picture is missing, of another format, damaged or too large,
            or there are no lines on the paper of a photograph.
    """
    return read_with(
        lambda image: as_sketch(image, name=name, on_found=on_found), source, name=name
    )


def as_sketch(
    image: Image.Image, *, name: str, on_found: Callable[[], object] = lambda: None
) -> NDArray[np.uint8]:
    """Turns a picture of a dataset into a sketch that is drawn as TU-Berlin's are.

    One that is drawn much like them passes as it is (`to_sketch`), ten times as fast;
    in any other the drawing is found as on page Draw (`photos.find_sketch`), where
    networks are to name drawings later.

    Args:
        image: A picture of any mode and size.
        name: What to call it in an error.
        on_found: Called where the drawing was to be found.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.

    Raises:
        ImageError: If there are no lines on the paper of a photograph.
    """
    gray = to_gray(image)
    if is_drawn_alike(gray):
        return gray_to_sketch(gray)
    sketch = find_sketch(image, name=name)
    on_found()
    return sketch


def _cut(image: Image.Image, box: Box) -> Image.Image:
    """Returns a part of a picture, of a pixel at least."""
    upright = ImageOps.exif_transpose(image)
    left, top, right, bottom = (
        share * side for share, side in zip(box, upright.size * 2, strict=True)
    )
    corner = int(min(left, upright.width - 1)), int(min(top, upright.height - 1))
    return upright.crop(
        (*corner, max(round(right), corner[0] + 1), max(round(bottom), corner[1] + 1))
    )
