"""One picture of any kind becomes dark strokes on white, 128×128."""

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import ImageError
from core.sketches import images
from core.sketches.images import read_sketch, to_sketch


def drawing(size: tuple[int, int] = (400, 400), width: int = 8) -> Image.Image:
    """A black L in the lower left on white."""
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    x, y = size
    pen.line([(x * 0.2, y * 0.3), (x * 0.2, y * 0.8)], fill=0, width=width)
    pen.line([(x * 0.2, y * 0.8), (x * 0.6, y * 0.8)], fill=0, width=width)
    return image


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def close(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> bool:
    """Whether two sketches differ by less than a coding error on average."""
    return bool(np.abs(one.astype(int) - two.astype(int)).mean() < 2)


EXPECTED = to_sketch(drawing())


def with_alpha(stroke: int) -> Image.Image:
    """The drawing as strokes of one gray value on full transparency."""
    gray = drawing()
    colour = Image.new("L", gray.size, stroke)
    alpha = gray.point(lambda value: 255 - value)
    return Image.merge("LA", (colour, alpha))


def test_a_sketch_has_ink_where_the_drawing_has() -> None:
    assert EXPECTED.shape == (128, 128)
    assert EXPECTED.dtype == np.uint8
    assert EXPECTED[60, 25] < 50
    assert EXPECTED[60, 90] == 255


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_gives_the_same_sketch(mode: str) -> None:
    converted = drawing().convert("RGB").convert(mode)
    assert close(to_sketch(converted), EXPECTED)


@pytest.mark.parametrize(
    "file_format", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"]
)
def test_every_format_gives_the_same_sketch(file_format: str) -> None:
    assert close(read_sketch(encode(drawing(), file_format), name="x"), EXPECTED)


def test_sixteen_bit_pictures_keep_their_gray() -> None:
    values = np.asarray(drawing(), dtype=np.uint16) * 257
    assert close(read_sketch(encode(Image.fromarray(values)), name="x"), EXPECTED)


def test_light_strokes_on_dark_are_inverted() -> None:
    inverted = drawing().point(lambda value: 255 - value)
    assert close(to_sketch(inverted), EXPECTED)


@pytest.mark.parametrize("stroke", [0, 255])
def test_strokes_on_transparency_are_found_dark_or_light(stroke: int) -> None:
    assert close(to_sketch(with_alpha(stroke)), EXPECTED)


def test_a_transparent_palette_colour_is_paper() -> None:
    image = drawing().convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    paper = image.getpixel((0, 0))
    encoded = encode(image, transparency=paper)
    assert close(read_sketch(encoded, name="x"), EXPECTED)


def test_exif_orientation_is_followed() -> None:
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270° counterclockwise
    encoded = encode(turned, "JPEG", exif=exif, quality=95)
    assert close(read_sketch(encoded, name="x"), EXPECTED)


def test_an_oblong_picture_is_padded_not_stretched() -> None:
    sketch = to_sketch(drawing((400, 200)))
    assert (sketch[:30] == 255).all()
    assert (sketch[-30:] == 255).all()


@pytest.mark.parametrize("size", [256, 512, 1111])
def test_a_thin_line_survives_scaling_down(size: int) -> None:
    image = Image.new("L", (size, size), 255)
    ImageDraw.Draw(image).line([(size // 2, 0), (size // 2, size)], fill=0, width=2)
    ink = 255 - to_sketch(image).astype(float)
    expected = 2 * size * (128 / size) ** 2 * 255
    assert ink.sum() == pytest.approx(expected, rel=0.05)


def test_a_sketch_of_the_right_size_is_left_as_it_is() -> None:
    assert (to_sketch(Image.fromarray(EXPECTED)) == EXPECTED).all()


@given(st.binary(max_size=400))
def test_no_bytes_do_worse_than_one_clear_error(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"^x "):
        read_sketch(content, name="x")


@given(cut=st.floats(0, 0.99), file_format=st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_a_truncated_picture_is_refused(cut: float, file_format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    encoded = encode(Image.fromarray(noise), file_format)
    with pytest.raises(ImageError, match=r"^x "):
        read_sketch(encoded[: int(len(encoded) * cut)], name="x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cat\.png does not exist"):
        read_sketch(tmp_path / "cat.png", name="cat.png")


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    side = int(images.MAX_PIXELS**0.5) + 1
    encoded = encode(Image.new("1", (side, side)))
    with pytest.raises(ImageError, match="pixels; at most"):
        read_sketch(encoded, name="x")


def test_another_size_than_the_archive_s_is_refused() -> None:
    with pytest.raises(ImageError, match=r"not 1111 × 1111"):
        read_sketch(encode(drawing()), name="x", size=(1111, 1111))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 2)])
def test_odd_sizes_are_read(size: tuple[int, int]) -> None:
    assert to_sketch(Image.new("L", size, 255)).shape == (128, 128)


@pytest.mark.parametrize("size", [(60_000, 1), (1, 400_000), (40_000, 1_000)])
def test_a_long_thin_picture_takes_no_more_memory_than_its_pixels(
    size: tuple[int, int],
) -> None:
    encoded = encode(Image.new("1", size, 1))
    tracemalloc.start()
    try:
        assert read_sketch(encoded, name="x").shape == (128, 128)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


def test_a_white_card_on_transparency_is_paper() -> None:
    card = Image.new("LA", (500, 500), (0, 0))
    card.paste(drawing().convert("LA"), (50, 50))
    assert (to_sketch(card)[20:108, 20:108] == 255).mean() > 0.9
    assert (to_sketch(card)[:10] == 255).all()


def test_a_blank_picture_is_blank_paper_in_every_polarity() -> None:
    for mode, colour in (("L", 255), ("L", 0), ("LA", (0, 0)), ("RGBA", (9, 9, 9, 0))):
        assert (to_sketch(Image.new(mode, (50, 50), colour)) == 255).all()
