"""A shipped network names a sketch alike however it comes; skipped without the data."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.datasets.archives import open_archive
from core.datasets.eitz import find_eitz
from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.runs.folder import WEIGHTS
from core.sketches.canvas import parse_canvas
from core.sketches.images import read_sketch, to_gray
from core.sketches.photos import find_sketch
from core.sketches.strokes import Drawing, Stroke, render_sketch
from core.sketches.tracing import trace

pytestmark = [pytest.mark.real, pytest.mark.slow]

NUM_SKETCHES = 500
NUM_VARIED = 250
"""Of the test split; of those, how many are also scaled, shifted and redrawn."""
MIN_AGREEMENT = {"file": 0.97, "strokes": 0.93}
"""Of top-1. The dataset has no strokes: they are traced from the pictures, which moves
lines by a part of a pixel. Shifting a sketch by one pixel of 128 leaves 95 %."""
MAX_LOSS = {"picture 12 px": 0.13}
USUAL_MAX_LOSS = 0.05
"""Of top-1 accuracy. On a canvas the strokes are known, whatever their width; in a
picture, lines of 12 of 400 pixels run together, and what was between them is lost."""
CANVAS = 400
TRACED_SIZE = 512
"""Twice the dataset's 256 pixels, so that neighbouring lines stay apart."""

Pictures = dict[str, Callable[[Image.Image, tuple[Stroke, ...]], NDArray[np.uint8]]]


def traced(picture: Image.Image) -> tuple[Stroke, ...]:
    ink = Image.fromarray(255 - np.asarray(picture))
    large = ink.resize((TRACED_SIZE, TRACED_SIZE), Image.Resampling.BICUBIC)
    return trace(np.asarray(large, dtype=np.float32) / 255)[0]


def as_canvas(strokes: tuple[Stroke, ...], *, width: float = 6) -> dict[str, Any]:
    """Strokes as the canvas returns them, drawn with a brush of `width` pixels."""
    objects = []
    for stroke in strokes:
        points = stroke.points.astype(float) * CANVAS / TRACED_SIZE
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        size = points.max(axis=0) - points.min(axis=0)
        path: list[list[Any]] = [["M", *points[0].tolist()]]
        path += [["L", *point] for point in points[1:].tolist()]
        objects.append(
            {
                "type": "Path",
                "path": path,
                "stroke": "#000000",
                "strokeWidth": width,
                "left": float(middle[0]),
                "top": float(middle[1]),
                "width": float(size[0]),
                "height": float(size[1]),
                "originX": "center",
                "originY": "center",
            }
        )
    return {"version": "7.0.0", "objects": objects}


def from_canvas(strokes: tuple[Stroke, ...], *, width: float = 6) -> NDArray[np.uint8]:
    canvas = as_canvas(strokes, width=width)
    drawing = parse_canvas(canvas, width=CANVAS, height=CANVAS)
    assert isinstance(drawing, Drawing)
    return render_sketch(drawing)


def rescaled(
    picture: Image.Image, scale: float, *, paper: int, shift: tuple[int, int] = (0, 0)
) -> Image.Image:
    side = round(picture.width * scale)
    content = picture.resize((side, side), Image.Resampling.BILINEAR)
    image = Image.new("L", (paper, paper), 255)
    margin = (paper - side) // 2
    image.paste(content, (margin + shift[0], margin + shift[1]))
    return image


def drawn(strokes: tuple[Stroke, ...], width: float) -> Image.Image:
    """Strokes drawn with a round pen of `width` pixels of the canvas."""
    finer = 4
    side = CANVAS * finer
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    radius = width * finer / 2
    for stroke in strokes:
        # Every other point of a trace, which goes from pixel to pixel, is as good.
        kept = np.concatenate([stroke.points[:-1:2], stroke.points[-1:]])
        points = [(x, y) for x, y in (kept * side / TRACED_SIZE).tolist()]
        if len(points) > 1:
            pen.line(points, fill=0, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return image.resize((CANVAS, CANVAS), Image.Resampling.BOX)


def photographed(picture: Image.Image, side: int = 800) -> Image.Image:
    """A sketch on paper from 60 to 200 of 255 light, with noise, as JPEG."""
    sketch = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC)) / 255
    light = np.linspace(60, 200, side)
    noise = np.random.default_rng(0).normal(0, 4, sketch.shape)
    values = np.clip(light * (0.25 + 0.75 * sketch) + noise, 0, 255)
    stream = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(stream, "JPEG", quality=70)
    return Image.open(stream)


VARIANTS: Pictures = {
    "half": lambda picture, _: find_sketch(rescaled(picture, 0.5, paper=256)),
    "double": lambda picture, _: find_sketch(rescaled(picture, 2, paper=640)),
    "shifted": lambda picture, _: find_sketch(
        rescaled(picture, 1, paper=320, shift=(25, -20))
    ),
    "inverted": lambda picture, _: find_sketch(
        picture.point(lambda value: 255 - value)
    ),
    "canvas 1 px": lambda _, strokes: from_canvas(strokes, width=1),
    "canvas 12 px": lambda _, strokes: from_canvas(strokes, width=12),
    "picture 1 px": lambda _, strokes: find_sketch(drawn(strokes, 1)),
    "picture 3 px": lambda _, strokes: find_sketch(drawn(strokes, 3)),
    "picture 6 px": lambda _, strokes: find_sketch(drawn(strokes, 6)),
    "picture 12 px": lambda _, strokes: find_sketch(drawn(strokes, 12)),
    "photo": lambda picture, _: find_sketch(photographed(picture)),
}


@pytest.fixture(scope="module")
def samples(
    real_zip: Path,
) -> tuple[list[str], NDArray[np.uint8], list[Image.Image]]:
    """Class names, packed sketches and pictures of some test sketches."""
    source = find_eitz(real_zip)
    archive = open_archive(real_zip)
    prefix = "Sketch_EITZ/"
    tests = [record for record in source.records if record.split == "test"]
    order = np.random.default_rng(0).permutation(len(tests))[:NUM_SKETCHES]
    contents = [archive.read(prefix + tests[row].path) for row in order]
    pictures = [to_gray(Image.open(io.BytesIO(content))) for content in contents]
    direct = np.stack([read_sketch(content, name="sketch") for content in contents])
    return [source.class_names[tests[row].label] for row in order], direct, pictures


@pytest.mark.skipif(
    not all((TRAINED_DIR / name / WEIGHTS).exists() for name in ("resnet18", "simple")),
    reason="no run ships",
)
def test_the_way_a_sketch_comes_hardly_changes_what_it_is_taken_for(
    samples: tuple[list[str], NDArray[np.uint8], list[Image.Image]],
) -> None:
    class_names, direct, pictures = samples
    strokes = [traced(picture) for picture in pictures]
    inputs = {
        "file": np.stack([find_sketch(picture) for picture in pictures]),
        "strokes": np.stack([from_canvas(lines) for lines in strokes]),
    }
    for name, vary in VARIANTS.items():
        pairs = zip(pictures[:NUM_VARIED], strokes, strict=False)
        inputs[name] = np.stack([vary(picture, lines) for picture, lines in pairs])
    failures = []
    for run_name in ("resnet18", "simple"):
        classify = Classifier(TRAINED_DIR / run_name)

        def top1(
            sketches: NDArray[np.uint8], classify: Classifier = classify
        ) -> NDArray[Any]:
            guesses = classify(sketches, top=1)
            return np.array([guess.class_name for guess, *_ in guesses])

        expected = top1(direct)
        truth = np.array(class_names)
        for name, sketches in inputs.items():
            guessed = top1(sketches)
            n = len(guessed)
            agreement = float((guessed == expected[:n]).mean())
            before = float((expected[:n] == truth[:n]).mean())
            after = float((guessed == truth[:n]).mean())
            print(  # noqa: T201
                f"{run_name:9} {name:13} n={n} agreement {agreement:.1%}, "
                f"top-1 {before:.1%} → {after:.1%}"
            )
            if agreement < MIN_AGREEMENT.get(name, 0) or before - after > MAX_LOSS.get(
                name, USUAL_MAX_LOSS
            ):
                failures.append((run_name, name))
    assert not failures
