"""Turns any one image into the one form that the networks read.

Datasets pass through `to_sketch`. Where the drawing in a picture has to be found first,
and drawn as the dataset's are, `core.sketches.photos` does.
"""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import ImageError

IMAGE_SIZE = 128
"""Side of a packed sketch in pixels."""

PAPER = 255
MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; those of telephones pass."""

MAX_DARK_SHARE = 0.01
"""Of what is visible of a transparent picture, how much may be dark where its strokes
are light."""

FORMATS = ("PNG", "JPEG", "WEBP")


def read_sketch(
    source: Path | bytes, *, name: str, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Decodes one picture and turns it into a sketch by `to_sketch`.

    Args:
        source: A file, or the encoded bytes of one: PNG, JPEG or WebP of any
            size, mode and EXIF orientation. Of an animation the first frame.
        name: What to call the picture in an error.
        size: Width and height that it must have, if that is known.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.

    Raises:
        ImageError: If the picture is missing, of another format, damaged, or
            larger than `MAX_PIXELS` or not of the size that it must have.
    """
    return read_with(to_sketch, source, name=name, size=size)


def read_with(
    convert: Callable[[Image.Image], NDArray[np.uint8]],
    source: Path | bytes,
    *,
    name: str,
    size: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """Opens one picture and converts it; for the rest see `read_sketch`."""
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with warnings.catch_warnings():
            # Pillow warns of odd metadata (an iCCP chunk, a broken EXIF block)
            # and of sizes that are checked below.
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise ImageError(
                        f"{name} is {width} × {height} pixels; at most "
                        f"{MAX_PIXELS:,} in all can be read. Make it smaller."
                    )
                if size is not None and image.size != size:
                    raise ImageError(
                        f"{name} is {width} × {height} pixels, not {size[0]} × "
                        f"{size[1]}."
                    )
                return convert(image)
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist.") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a PNG, JPEG or WebP picture.") from error
    except (
        OSError,
        SyntaxError,  # Pillow's word for a broken PNG chunk
        ValueError,
        EOFError,
        MemoryError,
        Image.DecompressionBombError,
    ) as error:
        raise ImageError(f"{name} can't be read as a picture: {error}.") from error


def to_sketch(image: Image.Image) -> NDArray[np.uint8]:
    """Turns a picture into dark strokes on white, 128×128.

    The picture is turned upright by its EXIF orientation, laid on white (on black
    where its strokes are light), inverted where the paper is darker than mid-gray,
    resized by antialiased bilinear interpolation, which keeps thin lines that
    nearest-neighbour sampling would lose, and padded to a square.

    Args:
        image: A picture of any mode and size.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.
    """
    gray = to_gray(image)
    if paper_value(gray) < PAPER / 2:
        gray = ImageOps.invert(gray)
    side = max(gray.size)
    if side != IMAGE_SIZE:
        width, height = (max(round(n * IMAGE_SIZE / side), 1) for n in gray.size)
        gray = gray.resize((width, height), Image.Resampling.BILINEAR)
    if gray.size != (IMAGE_SIZE, IMAGE_SIZE):
        sketch = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE), PAPER)
        left, top = ((IMAGE_SIZE - n) // 2 for n in gray.size)
        sketch.paste(gray, (left, top))
        gray = sketch
    return np.asarray(gray, dtype=np.uint8)


def to_gray(image: Image.Image) -> Image.Image:
    """Returns an upright 8-bit gray picture of any mode, laid on a plain ground."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        highest = max(float(values.max(initial=0)), 1.0)
        # 16-bit pictures arrive as I;16 or I. Their white is 65535 even where
        # nothing is white; below 256 and 4096 they hold 8 and 12 bits.
        white = next((n for n in (PAPER, 4095, 65535) if n >= highest), highest)
        scaled = np.clip(values / white * PAPER, 0, PAPER)
        return Image.fromarray(scaled.round().astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("L")
    with_alpha = image.convert("LA")
    luminance, alpha = (np.asarray(band) for band in with_alpha.split())
    # Light strokes alone, not dark ones on a white card with transparent corners.
    visible = float(alpha.sum())
    dark = float(alpha[luminance < PAPER / 2].sum())
    light_strokes = visible > 0 and dark < MAX_DARK_SHARE * visible
    ground = Image.new("LA", image.size, (0 if light_strokes else PAPER, PAPER))
    return Image.alpha_composite(
        ground.convert("RGBA"), with_alpha.convert("RGBA")
    ).convert("L")


def paper_value(gray: Image.Image) -> float:
    """Returns the median gray value along the picture's four edges."""
    values = np.asarray(gray)
    edges = [values[0], values[-1], values[:, 0], values[:, -1]]
    return float(np.median(np.concatenate(edges)))
