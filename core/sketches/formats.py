"""Opens a picture of any format as Pillow's image: by its content, not its name."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from core.errors import ImageError
from core.files import read_regular

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "AVIF")
"""What Pillow reads by itself. JPEG is also JFIF and the pictures of telephones."""

HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
LFS_POINTER = b"version https://git-lfs"
EXTENSIONS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
    *(".tif", ".tiff", ".avif", ".heic", ".heif", ".svg", ".pdf"),
)
"""Names of files that are taken for pictures; their content decides of what format."""

PDF_SIDE = 1600
"""Longer side in pixels to which a PDF's first page is drawn."""

HEAD_BYTES = 20_000
"""Of a file, in which its format is looked for."""

MAX_FRAMES = 100
"""Of an animation, in which one that is not blank is looked for."""

MAX_MOVING = 4_000_000
"""Pixels of an animation; of a larger one the first frame is taken."""


@contextmanager
def open_image(source: Path | bytes, *, name: str) -> Iterator[Image.Image]:
    """Opens a picture, undecoded where Pillow reads it.

    Of an animation it is at the first frame that is not of one colour, of a PDF it is
    the first page; an SVG is its lines, drawn as sketches are.

    Args:
        source: A file, or its content.
        name: What to call it in an error.

    Raises:
        ImageError: If it is of a format that another package reads, or that none does.
        OSError: And what else Pillow raises, if it is damaged.
    """
    content = source if isinstance(source, bytes) else read_regular(source)
    head = content[:HEAD_BYTES]
    if head.startswith(LFS_POINTER):
        raise ImageError(
            "{path} is a Git LFS pointer, not a picture. `git lfs pull` in its "
            "repository gets the picture.",
            path=name,
        )
    if not head:
        raise ImageError("{path} is empty.", path=name)
    from core.sketches.svg import is_svg

    if head.startswith(b"%PDF-"):
        yield _open_pdf(content, name=name)
    elif is_svg(head):
        yield _draw_svg(content, name=name)
    else:
        formats: tuple[str, ...] = FORMATS
        if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
            _register_heif(name=name)
            formats = ("HEIF",)
        with Image.open(io.BytesIO(content), formats=formats) as image:
            yield image


def seek_drawn_frame(image: Image.Image) -> Image.Image:
    """Goes to an animation's first frame that is not of one colour.

    Returns:
        The picture, or a copy of that frame.
    """
    if getattr(image, "n_frames", 1) < 2 or image.width * image.height > MAX_MOVING:
        return image
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if number >= MAX_FRAMES:
            break
        if not _is_blank(frame):
            return frame.copy() if number else image
    image.seek(0)
    return image


def _is_blank(image: Image.Image) -> bool:
    """Returns whether all that is seen of a picture has one colour."""
    bands: Any = image.convert("RGBA").getextrema()
    return bands[-1][1] == 0 or all(low == high for low, high in bands)


def _register_heif(*, name: str) -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError(
            "{path} is a {format} picture, which takes a package of its own: "
            "`python -m pip install {package}`.",
            path=name,
            format="HEIC",
            package="pillow-heif",
        ) from error
    register_heif_opener()


def _open_pdf(content: bytes, *, name: str) -> Image.Image:
    try:
        import pypdfium2
    except ImportError as error:
        raise ImageError(
            "{path} is a {format} picture, which takes a package of its own: "
            "`python -m pip install {package}`.",
            path=name,
            format="PDF",
            package="pypdfium2",
        ) from error
    try:
        document = pypdfium2.PdfDocument(content)
        page = document[0]
        scale = PDF_SIDE / max(*page.get_size(), 1.0)
        image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise ImageError(
            "{path} can't be read as a picture: {reason}.", path=name, reason=error
        ) from error
    return image


def _draw_svg(content: bytes, *, name: str) -> Image.Image:
    # They need what this module's callers define.
    from core.sketches.strokes import render_sketch
    from core.sketches.svg import read_svg

    return Image.fromarray(render_sketch(read_svg(content, name=name)))
