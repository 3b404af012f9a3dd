"""Draws the starter dataset: twenty simple things, as an unsteady hand would.

It needs no download and takes seconds, so that training, tests and a first look
work anywhere. A drawing is a list of strokes on a unit square, x to the right and y
down; each is bent, shaken and redrawn before it is rendered.
"""

import hashlib

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.datasets.starter_things import DRAW, Stroke
from core.datasets.store import SketchRecord, SketchSource, Split
from core.language import noop as N_
from core.sketches.images import IMAGE_SIZE, PAPER, to_sketch

DRAWINGS_PER_CLASS = 60
TEST_PER_CLASS = 20

RENDER_SCALE = 4
"""Drawn this many times larger than a sketch, then scaled down antialiased."""

STROKE_WIDTH_PX = (1.2, 2.2)
"""Range of line widths, in pixels of the finished sketch."""

POINT_SPACING = 0.02
"""Distance between the points of a stroke, as a share of the square's side."""

HASTE = 1.0
"""Of the dataset's hand: with it a few things are hard to tell, as those of people."""

ATTRIBUTION = N_("Starter sketches, drawn by SketchScope. Apache-2.0.")


def find_starter(*, seed: int = 0) -> SketchSource:
    """Describes the starter dataset, whose sketches are drawn when they are read.

    Args:
        seed: Another seed gives other drawings of the same things.
    """
    class_names = tuple(sorted(DRAW))
    records = []
    for label, name in enumerate(class_names):
        for number in range(DRAWINGS_PER_CLASS):
            split: Split = "test" if number < TEST_PER_CLASS else "train"
            sketch_id = f"{name}-{number:03d}"
            records.append(SketchRecord(sketch_id, label, split, f"{name}/{sketch_id}"))

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        digest = hashlib.sha256(f"{seed}:{record.id}".encode()).digest()
        generator = np.random.default_rng(list(digest))
        strokes = draw(class_names[record.label], generator, haste=HASTE)
        return render(strokes, generator)

    return SketchSource(
        kind="starter",
        origin="starter",
        class_names=class_names,
        records=records,
        read=read,
        attribution=ATTRIBUTION,
    )


def draw(class_name: str, generator: Generator, *, haste: float = 0.0) -> list[Stroke]:
    """Draws one thing by hand.

    Args:
        class_name: One of the starter's classes.
        generator: Decides the thing's proportions and the hand's wobble.
        haste: Of a careful hand 0. A hasty one leans, stretches and wobbles more, and
            leaves out strokes after the first.

    Returns:
        Strokes within the unit square.
    """
    strokes = [_resample(stroke) for stroke in DRAW[class_name](generator)]
    careless = 1 + haste
    angle = generator.normal(0, 0.08 * careless)
    stretch = generator.uniform(0.85, 1.15) ** careless
    if generator.random() < 0.5:
        strokes = [np.array([1, 0]) + stroke * [-1, 1] for stroke in strokes]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if haste:
        turn = np.array([[1, 0], [generator.normal(0, 0.1 * haste), 1]]) @ turn
        drawn = generator.random(len(strokes)) >= 0.1 * haste
        strokes = [stroke for n, stroke in enumerate(strokes) if n == 0 or drawn[n]]
    wobbly = [
        _wobble((stroke - 0.5) * [stretch, 1 / stretch] @ turn, generator, careless)
        for stroke in strokes
    ]
    return _fit(wobbly, generator)


def render(strokes: list[Stroke], generator: Generator) -> NDArray[np.uint8]:
    """Renders strokes with one pen.

    Args:
        strokes: Points within the unit square.
        generator: Chooses the pen's width.

    Returns:
        Gray values of shape `(128, 128)`; 255 is paper.
    """
    side = IMAGE_SIZE * RENDER_SCALE
    width = round(generator.uniform(*STROKE_WIDTH_PX) * RENDER_SCALE)
    image = Image.new("L", (side, side), PAPER)
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        points = stroke * (side - 1)
        pen.line([tuple(point) for point in points], fill=0, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.circle((x, y), width / 2, fill=0)
    return to_sketch(image)


def _resample(points: Stroke) -> Stroke:
    """Puts points on a stroke at even distances."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(lengths)])
    count = max(int(along[-1] / POINT_SPACING) + 1, 2)
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, axis) for axis in points.T], axis=1)


def _wobble(stroke: Stroke, generator: Generator, careless: float) -> Stroke:
    """Shakes a stroke smoothly, slips it a little and misjudges its size.

    Args:
        stroke: Points of shape `(n, 2)`.
        generator: Decides how.
        careless: How many times as much as a careful hand.
    """
    count = len(stroke)
    shake = np.zeros((count, 2))
    phase = np.linspace(0, 1, count)[:, None]
    length = count * POINT_SPACING
    # A few slow waves: a hand drifts more than it trembles.
    for wave in range(1, 5):
        cycles = wave * max(length, 0.3) * 1.5
        amplitude = generator.normal(0, 0.009 * careless / wave, size=2)
        shake += amplitude * np.sin(2 * np.pi * (cycles * phase + generator.random(2)))
    centre = stroke.mean(axis=0)
    size = generator.normal(1, 0.05 * careless)
    slip = generator.normal(0, 0.012 * careless, size=2)
    shaken: Stroke = centre + (stroke - centre) * size + slip + shake
    return shaken


def _fit(strokes: list[Stroke], generator: Generator) -> list[Stroke]:
    """Scales a drawing to fill most of the square, with uneven margins."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    fill = generator.uniform(0.72, 0.9)
    scale = fill / max(float((high - low).max()), 1e-6)
    slack = 1 - (high - low) * scale
    origin = slack * generator.uniform(0.35, 0.65, size=2)
    return [(stroke - low) * scale + origin for stroke in strokes]
