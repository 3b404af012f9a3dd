"""A picture's content decides how it is read, whatever it is called."""

import importlib.util
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.errors import ImageError
from core.sketches.images import read_sketch, to_sketch
from core.sketches.svg import read_svg


def drawing(size: int = 400) -> Image.Image:
    image = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(80, 120), (80, 320), (240, 320)], fill=0, width=8)
    return image


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def differs(content: bytes | Path, image: Image.Image) -> float:
    """Mean difference of gray values between a read picture and an image."""
    sketch = read_sketch(content, name="x").astype(float)
    return float(np.abs(sketch - to_sketch(image)).mean())


@pytest.mark.parametrize("name", ["a.jfif", "a.heic", "a.png", "a"])
def test_a_name_s_ending_does_not_decide(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(encode(drawing(), "JPEG"))
    assert differs(tmp_path / name, drawing()) < 1


def test_twelve_bits_in_sixteen_are_as_bright_as_eight() -> None:
    values = np.asarray(drawing(), dtype=np.uint16) * 16
    assert differs(encode(Image.fromarray(values), "PNG"), drawing()) < 1


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_with_a_drawing_is_read(
    file_format: str,
) -> None:
    blank = Image.new("L", (400, 400), 255)
    frames = [drawing(), Image.new("L", (400, 400), 0)]
    moving = encode(blank, file_format, save_all=True, append_images=frames)
    assert differs(moving, drawing()) < 1
    still = encode(blank, file_format, save_all=True, append_images=[blank])
    assert (read_sketch(still, name="x") == 255).all()


def test_fifty_megapixels_are_read() -> None:
    assert differs(encode(Image.new("L", (8160, 6144), 250), "JPEG"), drawing()) < 20


SVG = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800">
  <rect width="800" height="800" fill="white"/>
  <g transform="translate(0, 100) scale(2)" fill="none" stroke="#000">{}</g>
</svg>"""


@pytest.mark.parametrize(
    "lines",
    [
        '<path d="M 40 60 L 40 160 L 120 160"/>',
        '<path d="m40,60v100h80"/>',
        '<path d="M40 60 40 160 120 160"/>',
        '<path d="M40-0e0m0 60C40 90 40 160 40 160S100 160 120 160"/>',
        '<path d="M40 60Q40 160 40 160T120 160"/>',
        '<polyline points="40,60 40,160 120,160"/>',
        '<line x1="40" y1="60" x2="40" y2="160"/><line x1="40" y1="160" x2="120" '
        'y2="160"/>',
    ],
)
def test_an_svg_s_lines_are_drawn_as_sketches_are(lines: str) -> None:
    expected = read_sketch(
        SVG.format('<polyline points="40,60 40,160 120,160"/>').encode(), name="x"
    )
    sketch = read_sketch(SVG.format(lines).encode(), name="x")
    assert np.abs(sketch.astype(float) - expected).mean() < 0.5
    assert 0.005 < (sketch < 200).mean() < 0.1
    # Where the L stands: to the left and at the bottom.
    dark = np.argwhere(sketch < 200)
    assert dark[:, 0].max() - dark[:, 0].min() > np.ptp(dark[:, 1])


@pytest.mark.parametrize("flags", ["0 1 ", "01", "0,1,"])
def test_an_arc_s_flags_may_stand_together(flags: str) -> None:
    arc = SVG.format(f'<path d="M0 100A100 100 0 {flags}200 100"/>').encode()
    circle = SVG.format('<path d="M0 100A100 100 0 0 1 200 100"/>').encode()
    assert (read_sketch(arc, name="x") == read_sketch(circle, name="x")).all()
    # A half circle, above its ends.
    dark = np.argwhere(read_sketch(arc, name="x") < 200)
    height, width = np.ptp(dark, axis=0)
    assert 0.4 < height / width < 0.6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg>", "can't be read as a picture"),
        (b"<svg/>", "is blank"),
        (b"<svg><path d='M nothing'/></svg>", "is blank"),
        (b"<svg><path d='M 1e400 0 L 3 4'/></svg>", "is blank"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><svg>&b;</svg>", "defines entities"),
        (b"<svg>" + b"<g>" * 300 + b"</g>" * 300 + b"</svg>", "nested too deep"),
        (
            b"<svg><path d='M0 0" + b"L1 2" * 300_000 + b"'/></svg>",
            "too many lines",
        ),
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
    ],
)
def test_what_can_t_be_read_says_why(content: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=f"^x .*{message}"):
        read_sketch(content, name="x")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(
    ("content", "package"),
    [(HEIC, "pillow-heif"), (b"%PDF-1.4\n", "pypdfium2")],
)
def test_a_format_that_takes_a_package_names_it(
    content: bytes, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pillow_heif", "pypdfium2"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImageError, match=f"python -m pip install {package}"):
        read_sketch(content, name="x")


@pytest.mark.skipif(
    importlib.util.find_spec("pypdfium2") is None, reason="needs pypdfium2"
)
def test_a_pdf_s_first_page_is_read() -> None:
    page = encode(drawing().convert("RGB"), "PDF")
    assert differs(page, drawing()) < 3


@pytest.mark.skipif(
    importlib.util.find_spec("pillow_heif") is None, reason="needs pillow-heif"
)
def test_a_heic_picture_is_read() -> None:
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(drawing().convert("RGB")).save(stream)
    assert differs(stream.getvalue(), drawing()) < 3


@pytest.mark.parametrize(
    ("head", "rectangle"),
    [
        ("", '<rect fill="none" stroke="black" {box}/>'),
        ("", '<rect style="fill:none; stroke:#000000 !important" {box}/>'),
        ("", '<rect fill="#fff" stroke="black" {box}/>'),
        ("", '<g fill="none"><g stroke="black"><rect {box}/></g></g>'),
        ("<style>.a, .b{fill:none;stroke:#000}</style>", '<rect class="b" {box}/>'),
    ],
)
def test_a_rectangle_with_an_outline_is_drawn(head: str, rectangle: str) -> None:
    box = 'x="20" y="20" width="100" height="60"'
    lines = head + rectangle.format(box=box) + '<path d="M30 90L90 95"/>'
    assert len(read_svg(SVG.format(lines).encode(), name="x").strokes) == 2


@pytest.mark.parametrize(
    "unseen",
    [
        '<rect width="200" height="200" fill="white"/>',
        '<path stroke="none" d="M0 0h200v200H0z" fill="none"/>',
        '<g fill="none" style="stroke:none"><circle r="90" cx="100" cy="100"/></g>',
    ],
)
def test_paper_and_what_is_not_painted_are_not_drawn(unseen: str) -> None:
    lines = unseen + '<path d="M30 90L90 95"/>'
    assert len(read_svg(SVG.format(lines).encode(), name="x").strokes) == 1
