"""Turns any one image into the one form that the networks read.

Pictures that were drawn on a screen pass through `to_sketch`. Where the drawing in a
picture has to be found first, and drawn as the dataset's are, `core.sketches.photos`
does.
"""

import struct
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from core.errors import ImageError
from core.sketches.formats import open_image, seek_drawn_frame

IMAGE_SIZE = 128
"""Side of a packed sketch in pixels."""

PAPER = 255
MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; those of telephones pass."""

MAX_VISITOR_PIXELS = 25_000_000
"""The same of a visitor's picture: 100 MB at four bytes a pixel."""

BAND_PIXELS = 500_000
"""Of a picture that are converted at once."""

MAX_DARK_SHARE = 0.01
"""Of what is visible of a transparent picture, how much may be dark where its strokes
are light."""


def read_sketch(
    source: Path | bytes, *, name: str, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Decodes one picture and turns it into a sketch by `to_sketch`.

    Args:
        source: A file, or the encoded bytes of one: of any format, size, mode and
            EXIF orientation; see `open_image`.
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
    max_pixels: int = MAX_PIXELS,
) -> NDArray[np.uint8]:
    """Opens one picture and converts it; for the rest see `read_sketch`."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata (an iCCP chunk, a broken EXIF block)
            # and of sizes that are checked below.
            warnings.simplefilter("ignore")
            with open_image(source, name=name) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise ImageError(
                        "{path} is {width} × {height} pixels; at most {limit:,} in all "
                        "can be read. Make it smaller.",
                        path=name,
                        width=width,
                        height=height,
                        limit=max_pixels,
                    )
                if size is not None and image.size != size:
                    raise ImageError(
                        "{name} is {width} × {height} pixels, not {wanted_width} × "
                        "{wanted_height}.",
                        name=name,
                        width=width,
                        height=height,
                        wanted_width=size[0],
                        wanted_height=size[1],
                    )
                return convert(seek_drawn_frame(image))
    except FileNotFoundError as error:
        raise ImageError("{path} does not exist.", path=name) from error
    except IsADirectoryError as error:
        raise ImageError(
            "{path} is a folder. Name the pictures in it.", path=name
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            "{path} has more pixels than the {limit:,} that can be read. Make it "
            "smaller.",
            path=name,
            limit=max_pixels,
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "{path} is not a picture of a format that can be read.", path=name
        ) from error
    except (
        OSError,
        SyntaxError,  # Pillow's word for a broken PNG chunk
        ValueError,
        EOFError,
        RuntimeError,  # of AVIF's and HEIC's decoders
        IndexError,
        KeyError,
        TypeError,
        struct.error,  # of odd TIFF and EXIF tags
        MemoryError,
    ) as error:
        raise ImageError(
            "{path} can't be read as a picture: {reason}.",
            path=name,
            reason=getattr(error, "strerror", None) or error,
        ) from error


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
    return gray_to_sketch(to_gray(image))


def gray_to_sketch(gray: Image.Image) -> NDArray[np.uint8]:
    """Does what `to_sketch` does with an upright 8-bit gray picture."""
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


def to_gray(image: Image.Image, *, reduce: int = 1) -> Image.Image:
    """Returns an upright 8-bit gray picture of any mode, laid on a plain ground.

    What takes more than a byte a pixel is done in bands, so that a large picture takes
    little more memory than it has pixels.

    Args:
        image: A picture.
        reduce: Of how many pixels a side the mean becomes one.
    """
    # Not otherwise: it copies whatever it is given.
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    is_deep = image.mode.startswith(("I", "F"))
    if is_deep:
        convert = partial(_shade, white=_white(image))
    elif image.has_transparency_data:
        convert = partial(_lay_on_ground, ground=_ground(image))
    else:
        convert = partial(Image.Image.convert, mode="L")
    gray = Image.new("L", (-(-image.width // reduce), -(-image.height // reduce)))
    for top, band in _bands(image, multiple=reduce):
        gray.paste(convert(band).reduce(reduce), (0, top // reduce))
    return gray


def _bands(
    image: Image.Image, *, multiple: int = 1
) -> Iterator[tuple[int, Image.Image]]:
    """Cuts a picture into bands; yields the first row of each, and the band."""
    rows = -(-max(BAND_PIXELS // image.width, 1) // multiple) * multiple
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, image.crop((0, top, image.width, bottom))


def _white(image: Image.Image) -> float:
    """Returns the value that stands for white in a picture of deep pixels."""
    highest = max(float(np.asarray(band).max(initial=0)) for _, band in _bands(image))
    highest = max(highest, 1.0)
    # 16-bit pictures arrive as I;16 or I. Their white is 65535 even where
    # nothing is white; below 256 and 4096 they hold 8 and 12 bits.
    return next((n for n in (PAPER, 4095, 65535) if n >= highest), highest)


def _shade(image: Image.Image, *, white: float) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    scaled = np.clip(values / white * PAPER, 0, PAPER)
    return Image.fromarray(scaled.round().astype(np.uint8))


def _ground(image: Image.Image) -> int:
    """Returns on what to lay a transparent picture: black where its strokes are light.

    Light strokes alone, not dark ones on a white card with transparent corners.
    """
    visible = dark = 0.0
    for _, band in _bands(image):
        luminance, alpha = (np.asarray(part) for part in band.convert("LA").split())
        visible += float(alpha.sum())
        dark += float(alpha[luminance < PAPER / 2].sum())
    return 0 if visible > 0 and dark < MAX_DARK_SHARE * visible else PAPER


def _lay_on_ground(image: Image.Image, *, ground: int) -> Image.Image:
    plain = Image.new("RGBA", image.size, (ground, ground, ground, PAPER))
    strokes = image.convert("LA").convert("RGBA")
    return Image.alpha_composite(plain, strokes).convert("L")


def paper_value(gray: Image.Image) -> float:
    """Returns the median gray value along the picture's four edges."""
    values = np.asarray(gray)
    edges = [values[0], values[-1], values[:, 0], values[:, -1]]
    return float(np.median(np.concatenate(edges)))
