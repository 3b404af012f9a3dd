"""A drawing is found in a picture of any kind, and found alike."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw
from scipy import ndimage

from core.errors import ImageError
from core.sketches.images import to_sketch
from core.sketches.photos import find_sketch
from core.sketches.reading import read_drawing, read_preview
from core.sketches.strokes import Drawing, Stroke, render_sketch
from tests.conftest import REPOSITORY, cli_environment

SHAPE = (
    ((0.1, 0.9), (0.1, 0.4), (0.5, 0.1), (0.9, 0.4), (0.9, 0.9), (0.1, 0.9)),
    ((0.4, 0.9), (0.4, 0.6), (0.6, 0.6), (0.6, 0.9)),
    ((0.7, 0.5), (0.8, 0.5), (0.8, 0.6), (0.7, 0.6), (0.7, 0.5)),
)
EXPECTED = render_sketch(
    Drawing(
        tuple(Stroke(np.array(line, dtype=np.float32) * 300, 5) for line in SHAPE),
        width=300,
        height=300,
    )
)


def drawing(
    *,
    size: tuple[int, int] = (400, 400),
    extent: float = 300,
    corner: tuple[float, float] = (50, 50),
    width: float = 4,
    paper: int = 255,
    pen_colour: int = 0,
) -> Image.Image:
    """A house, drawn with a round pen."""
    finer = 4
    image = Image.new("L", (size[0] * finer, size[1] * finer), paper)
    pen = ImageDraw.Draw(image)
    radius = width * finer / 2
    for line in SHAPE:
        points = [
            ((x * extent + corner[0]) * finer, (y * extent + corner[1]) * finer)
            for x, y in line
        ]
        pen.line(points, fill=pen_colour, width=round(2 * radius))
        for x, y in points:
            circle = (x - radius, y - radius, x + radius, y + radius)
            pen.ellipse(circle, fill=pen_colour)
    return image.resize(size, Image.Resampling.BOX)


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def lies_on(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    """Share of the ink of each that the other has within two pixels."""

    def near(sketch: NDArray[np.uint8]) -> NDArray[np.bool_]:
        dark = np.pad(sketch < 215, 2)
        shifts = [dark[y : y + 128, x : x + 128] for y in range(5) for x in range(5)]
        return np.asarray(np.any(shifts, axis=0))

    one, two = found < 215, expected < 215
    return float(min(near(found)[two].mean(), near(expected)[one].mean()))


def like_the_dataset(*, side: int = 256) -> Image.Image:
    """The house, as large, central and thin as a TU-Berlin sketch of this size."""
    extent = 0.785 * side / 0.8
    corner = (side - extent) / 2
    width = 0.95 * max(side / 256, 1)
    picture = drawing(
        size=(side, side), extent=extent, corner=(corner, corner), width=width
    )
    return picture if side != 128 else Image.fromarray(to_sketch(like_the_dataset()))


def blurred(sketch: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Ink, blurred so that a part of a pixel more or less to one side is little."""
    return np.asarray(ndimage.gaussian_filter(255.0 - sketch, 1))


def test_the_shape_is_found_as_strokes_would_be_drawn() -> None:
    found = find_sketch(drawing())
    assert found.shape == (128, 128)
    assert found.dtype == np.uint8
    assert lies_on(found, EXPECTED) > 0.99


@settings(deadline=None, max_examples=25)
@given(
    extent=st.floats(200, 380),
    x=st.floats(5, 100),
    y=st.floats(5, 100),
    width=st.floats(1, 6),
    inverted=st.booleans(),
)
def test_size_place_width_and_polarity_do_not_matter(
    extent: float, x: float, y: float, width: float, inverted: bool
) -> None:
    colours = {"paper": 0, "pen_colour": 255} if inverted else {}
    picture = drawing(
        size=(500, 500), extent=extent, corner=(x, y), width=width, **colours
    )
    found = find_sketch(picture)
    assert lies_on(found, EXPECTED) > 0.9
    ink, expected = (255.0 - sketch for sketch in (found, EXPECTED))
    # Of 3,000 drawings with thin lines the worst has half as much again.
    assert ink.sum() == pytest.approx(expected.sum(), rel=0.6)


def test_what_is_like_the_dataset_is_packed_as_the_dataset_is() -> None:
    picture = like_the_dataset(side=300)
    assert (find_sketch(picture) == to_sketch(picture)).all()


@pytest.mark.parametrize("side", [128, 256, 1111])
@pytest.mark.parametrize("is_filled", [False, True])
def test_what_is_of_the_dataset_s_own_form_stays_bit_for_bit(
    side: int, is_filled: bool
) -> None:
    picture = like_the_dataset(side=side)
    if is_filled:
        pen = ImageDraw.Draw(picture)
        pen.rectangle((0.3 * side, 0.5 * side, 0.6 * side, 0.7 * side), fill=0)
    assert (find_sketch(picture) == to_sketch(picture)).all()


def test_lines_like_the_dataset_s_on_gray_paper_are_laid_on_white() -> None:
    picture = like_the_dataset().point(lambda value: round(value * 200 / 255))
    found = find_sketch(picture)
    assert (found[:8] == 255).all()
    assert lies_on(found, to_sketch(like_the_dataset())) > 0.99


def test_a_sketch_that_was_found_is_found_again_bit_for_bit() -> None:
    found = find_sketch(drawing())
    assert (find_sketch(Image.fromarray(found)) == found).all()


@pytest.mark.parametrize("pen_colour", [0, 128])
@pytest.mark.parametrize("size", [(400, 400), (1000, 700)])
@pytest.mark.parametrize("width", [0.5, 1, 2, 4, 6, 10])
def test_a_picture_of_strokes_is_the_sketch_of_the_strokes(
    width: float, size: tuple[int, int], pen_colour: int
) -> None:
    scale = min(size) / 400
    picture = drawing(
        size=size, extent=300 * scale, width=width * scale, pen_colour=pen_colour
    )
    found = find_sketch(picture)
    ink, expected = (255.0 - sketch for sketch in (found, EXPECTED))
    # Lines as thin as the dataset's are only moved and scaled.
    more = 0.08 if width > 1 else 0.2
    assert ink.sum() == pytest.approx(expected.sum(), rel=more)
    dark, expected_dark = (np.percentile(one[one > 50], 75) for one in (ink, expected))
    assert dark == pytest.approx(expected_dark, rel=2 * more)
    near, near_expected = (blurred(found), blurred(EXPECTED))
    assert np.abs(near - near_expected).sum() < 0.3 * near_expected.sum()


def test_hard_lines_become_as_even_as_strokes() -> None:
    picture = Image.new("L", (400, 400), 255)
    pen = ImageDraw.Draw(picture)
    for line in SHAPE:
        pen.line([(50 + 300 * x, 50 + 300 * y) for x, y in line], fill=0, width=2)
    found = find_sketch(picture)
    near, near_expected = (blurred(found), blurred(EXPECTED))
    assert np.abs(near - near_expected).sum() < 0.3 * near_expected.sum()
    assert found.min() >= EXPECTED.min() - 40


def test_a_faint_speck_far_away_does_not_make_the_drawing_small() -> None:
    picture = drawing()
    picture.paste(205, (392, 392, 396, 396))
    assert lies_on(find_sketch(picture), EXPECTED) > 0.98


def test_dust_around_a_small_drawing_does_not_make_it_smaller() -> None:
    paper = Image.new("L", (1000, 1400), 255)
    paper.paste(drawing(size=(300, 300), extent=200), (400, 700))
    clean = find_sketch(paper)
    for x, y in [(30, 40), (950, 60), (120, 1350), (970, 1200), (500, 300)]:
        paper.paste(0, (x, y, x + 4, y + 4))
    assert (find_sketch(paper) == clean).all()


def test_a_dot_beside_a_drawing_belongs_to_it() -> None:
    picture = drawing(extent=200)
    clean = find_sketch(picture)
    picture.paste(0, (50 + 190, 60, 50 + 196, 66))
    assert (find_sketch(picture) != clean).any()


@pytest.mark.parametrize("gray", [0, 90])
def test_the_dark_edge_of_a_scan_is_no_part_of_the_drawing(gray: int) -> None:
    picture = drawing(size=(800, 600), extent=300)
    clean = find_sketch(picture)
    picture.paste(gray, (0, 0, 12, 600))
    picture.paste(gray, (0, 590, 500, 600))
    assert (find_sketch(picture) == clean).all()


def test_a_packed_sketch_full_of_lines_stays_bit_for_bit() -> None:
    pen = ImageDraw.Draw(picture := like_the_dataset())
    for x in range(60, 195, 4):
        pen.line((x, 100, x, 215), fill=90)
    packed = to_sketch(picture)
    assert (packed >= 249).mean() < 0.75
    assert (find_sketch(Image.fromarray(packed)) == packed).all()


def test_a_photo_of_fifty_megapixels_is_read() -> None:
    picture = drawing(size=(8160, 6144), extent=5000, width=60)
    encoded = encode(picture, "JPEG")
    assert lies_on(read_drawing(encoded, name="x"), EXPECTED) > 0.98


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_gives_the_same_sketch(mode: str) -> None:
    converted = drawing().convert("RGB").convert(mode)
    assert lies_on(find_sketch(converted), EXPECTED) > 0.98


@pytest.mark.parametrize("white", [65535, 4095])
def test_sixteen_bits_are_read_and_twelve_in_them(white: int) -> None:
    values = (np.asarray(drawing()) / 255 * white).astype(np.uint16)
    encoded = encode(Image.fromarray(values))
    assert lies_on(read_drawing(encoded, name="x"), EXPECTED) > 0.98


@pytest.mark.parametrize("stroke", [0, 255])
def test_strokes_on_transparency_are_found_dark_or_light(stroke: int) -> None:
    gray = drawing()
    alpha = gray.point(lambda value: 255 - value)
    picture = Image.merge("LA", (Image.new("L", gray.size, stroke), alpha))
    assert lies_on(find_sketch(picture), EXPECTED) > 0.98


def test_exif_orientation_is_followed() -> None:
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270° counterclockwise
    encoded = encode(turned, "JPEG", exif=exif, quality=95)
    assert lies_on(read_drawing(encoded, name="x"), EXPECTED) > 0.98


def test_of_an_animation_the_first_frame_is_read() -> None:
    other = Image.new("L", (400, 400), 0)
    encoded = encode(drawing(), "WEBP", save_all=True, append_images=[other])
    assert lies_on(read_drawing(encoded, name="x"), EXPECTED) > 0.98


def is_found_or_blank(picture: Image.Image) -> bool:
    try:
        return find_sketch(picture).shape == (128, 128)
    except ImageError as error:
        return "is blank" in str(error)


def photo(picture: Image.Image, *, dark: int = 60, light: int = 200) -> bytes:
    """A picture on paper that is lit from one side, with noise, as JPEG."""
    sketch = np.asarray(picture.resize((800, 800)), dtype=np.float64) / 255
    noise = np.random.default_rng(0).normal(0, 4, sketch.shape)
    values = np.linspace(dark, light, 800) * (0.25 + 0.75 * sketch) + noise
    gray = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    return encode(gray, "JPEG", quality=70)


@pytest.mark.parametrize("width", [2, 5])
@pytest.mark.parametrize(("dark", "light"), [(60, 200), (180, 240), (230, 120)])
def test_a_photo_in_uneven_light_is_read(width: int, dark: int, light: int) -> None:
    encoded = photo(drawing(width=width), dark=dark, light=light)
    assert lies_on(read_drawing(encoded, name="x"), EXPECTED) > 0.95


def test_chalk_on_a_board_is_read() -> None:
    board = drawing(paper=60, pen_colour=230)
    assert lies_on(read_drawing(photo(board), name="x"), EXPECTED) > 0.95


@pytest.mark.parametrize("colour", [0, 100, 255])
def test_a_blank_picture_is_refused(colour: int) -> None:
    with pytest.raises(ImageError, match=r"^cat\.png is blank"):
        read_drawing(encode(Image.new("L", (300, 200), colour)), name="cat.png")


def test_a_photo_of_blank_paper_is_refused() -> None:
    with pytest.raises(ImageError, match="is blank"):
        read_drawing(photo(Image.new("L", (400, 400), 255)), name="x")


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 2), (60_000, 1)])
def test_odd_sizes_give_a_sketch_or_a_clear_error(size: tuple[int, int]) -> None:
    picture = Image.new("L", size, 255)
    picture.putpixel((0, size[1] // 2), 0)
    assert is_found_or_blank(picture)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), side=st.integers(2, 300))
def test_noise_gives_a_sketch_or_a_clear_error(seed: int, side: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    assert is_found_or_blank(Image.fromarray(values))


@given(st.binary(max_size=400))
def test_no_bytes_do_worse_than_one_clear_error(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"^x "):
        read_drawing(content, name="x")


def test_filters_are_loaded_when_they_are_needed(tmp_path: Path) -> None:
    program = "import core.sketches.photos, sys; print('skimage' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=cli_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "False"


def test_a_box_is_the_picture_of_its_part_upright() -> None:
    one, other = (
        np.full((200, 200), 255, np.uint8),
        np.full((200, 200), 255, np.uint8),
    )
    one[60:140, 60:68] = one[132:140, 60:160] = 0
    other[40:48, 40:160] = 0
    sheet = Image.fromarray(np.hstack([one, other]))
    exif = sheet.getexif()
    exif[ExifTags.Base.Orientation] = 6
    lying = io.BytesIO()
    # What says that it is to be turned right once shows as the sheet does.
    sheet.rotate(90, expand=True).save(lying, "PNG", exif=exif)
    alone = find_sketch(Image.fromarray(one))
    for content in (as_png(sheet), lying.getvalue()):
        found = read_drawing(content, name="it", box=(0, 0, 0.5, 1))
        np.testing.assert_array_equal(found, alone)
        preview = read_preview(content, name="it", side=100)
        assert preview.shape == (50, 100)
        assert preview[:, 50:].min() < 200
    with pytest.raises(ImageError, match="is blank"):
        read_drawing(as_png(sheet), name="it", box=(1, 1, 1, 1))


def as_png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
